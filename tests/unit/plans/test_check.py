"""What a check finds in plans that can be applied."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.unit.plans.test_read import EVERYTHING, WHOLE

from patchwindow.domain.lint_finding import LintCode
from patchwindow.plans import Finding, PlanCode, Severity, check, parse_plan, read_plan
from patchwindow.plans.codes import SEVERITIES

NOW = datetime(2026, 1, 1, tzinfo=UTC)
PAGE = Path("docs/plans.md").read_text(encoding="utf-8")
INSTALL = WHOLE.replace("operation: Scan", "operation: Install, rebootOption: RebootIfNeeded")
SECOND = """\
  Other:
    schedule: cron(0 2 ? * FRI *)
    duration: 2
    cutoff: 1
    targets:
      web: {tags: {Patch Group: Web Server}}
    tasks:
      patch: {}
"""


def findings(text: str, *, is_for_aws: bool = False) -> tuple[Finding, ...]:
    return check(parse_plan(text, "plan.yaml"), now=NOW, is_for_aws=is_for_aws)


def codes(text: str, *, is_for_aws: bool = False) -> list[str]:
    return [finding.code for finding in findings(text, is_for_aws=is_for_aws)]


@pytest.mark.parametrize("text", [WHOLE, INSTALL])
def test_a_sound_plan_has_no_findings(text: str) -> None:
    assert findings(text, is_for_aws=True) == ()


def test_the_reference_plan_has_only_findings_that_it_explains() -> None:
    plan = read_plan(Path("plans/reference.yaml"))
    assert check(plan, now=NOW, is_for_aws=True) == ()


@pytest.mark.parametrize(("delay", "is_told"), [(6, True), (7, False)])
def test_the_second_tuesday_matters_only_to_patches_approved_within_the_week(delay: int, *, is_told: bool) -> None:
    text = INSTALL.replace("THU#1", "THU#2").replace("approveAfterDays: 7", f"approveAfterDays: {delay}")
    assert (LintCode.BEFORE_SECOND_TUESDAY in codes(text)) is is_told


@pytest.mark.parametrize(
    ("old", "new", "line", "code"),
    [
        ("cron(0 23 ? * THU#1 *)", "cron(0 23-5 ? * THU#1 *)", 14, LintCode.HOURS_AS_SPAN),
        ("cron(0 23 ? * THU#1 *)", "at(2020-01-01T00:00:00)", 14, LintCode.NEVER_OPENS),
        ("cutoff: 1", "cutoff: 5", 14, LintCode.CUTOFF_LEAVES_LITTLE_TIME),
        ("rebootOption: RebootIfNeeded", "comment: x", 20, PlanCode.NO_REBOOT_POLICY),
        ("maxConcurrency: 10%", "maxConcurrency: 100%", 20, PlanCode.ALL_AT_ONCE),
        ("maxErrors: 1", "maxErrors: 100%", 20, PlanCode.ERRORS_NEVER_STOP),
        ("CLASSIFICATION: [SecurityUpdates]", 'PRODUCT: "*"', 8, PlanCode.APPROVES_EVERYTHING),
        ("    tasks:\n      patch: {targets: [web]}\n", "", 13, PlanCode.NO_TASKS),
        (
            "    targets:\n      web: {patchGroup: Web Server}\n    tasks:\n      patch: {targets: [web]}\n",
            "",
            13,
            None,
        ),
    ],
)
def test_a_trap_is_found_at_its_place(old: str, new: str, line: int, code: PlanCode | LintCode | None) -> None:
    assert old in INSTALL
    found = findings(INSTALL.replace(old, new))
    expected = [PlanCode.NO_TARGETS, PlanCode.NO_TASKS] if code is None else [code]
    assert [(finding.where.line, finding.code) for finding in found] == [(line, each) for each in expected]
    assert all(finding.remedy for finding in found)


def test_a_baseline_that_approves_nothing_is_found_and_a_copy_is_not_one() -> None:
    empty = WHOLE.replace("patchGroups:", "  Empty: {operatingSystem: DEBIAN}\npatchGroups:")
    assert codes(empty) == [PlanCode.APPROVES_NOTHING]
    assert codes(empty.replace("operatingSystem: DEBIAN", "copyOf: AWS-DebianDefaultPatchBaseline")) == []
    assert codes(empty.replace("DEBIAN}", "DEBIAN, approvedPatches: [openssl]}")) == []


def test_on_linux_what_is_no_security_patch_must_be_asked_for() -> None:
    rule = "{operatingSystem: REDHAT_ENTERPRISE_LINUX, rules: [{filters: {PRODUCT: '*'}, approveAfterDays: 0}]}"
    text = WHOLE.replace("patchGroups:", f"  Linux: {rule}\npatchGroups:")
    assert codes(text) == []
    assert codes(text.replace("Days: 0}", "Days: 0, enableNonSecurity: true}")) == [PlanCode.APPROVES_EVERYTHING]


def test_windows_of_one_group_that_are_open_together_are_found_once() -> None:
    (finding,) = findings(WHOLE + SECOND)
    assert finding.code == PlanCode.WINDOWS_OVERLAP
    assert finding.where.line == 21
    assert finding.sentence == (
        "window 'Other' and window 'Web-Server' are both open for nodes with Patch Group 'Web Server' "
        "at 2026-01-02T02:00Z"
    )


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("cron(0 2 ? * FRI *)", "cron(0 5 ? * FRI *)"),
        ("{Patch Group: Web Server}", "{Patch Group: Others}"),
        ("{Patch Group: Web Server}", "{Patch Group: Web Server, Ring: One}"),
        ("duration: 2", "duration: 2\n    enabled: false"),
        ("duration: 2", "duration: 2\n    startDate: 2027-06-01T00:00:00Z"),
    ],
)
def test_windows_that_do_not_meet_are_not_called_overlapping(old: str, new: str) -> None:
    assert old in SECOND
    assert PlanCode.WINDOWS_OVERLAP not in codes(WHOLE + SECOND.replace(old, new))


def test_what_is_more_than_aws_allows_is_found_only_when_it_is_meant_for_aws() -> None:
    tasks = "".join(f"      more-{number}: {{}}\n" for number in range(20))
    groups = "".join(f"  Group {number}: {{baselines: Windows-Security}}\n" for number in range(25))
    text = WHOLE.replace("windows:\n", f"{groups}windows:\n") + tasks
    assert codes(text) == []
    quotas = findings(text, is_for_aws=True)
    assert [(finding.code, finding.severity) for finding in quotas] == [(PlanCode.AWS_QUOTA, Severity.ERROR)] * 2
    assert [finding.sentence for finding in quotas] == [
        "baseline 'Windows-Security': patch groups has 26, and AWS allows 25",
        "window 'Web-Server': tasks has 21, and AWS allows 20",
    ]


@pytest.mark.parametrize("code", list(PlanCode))
def test_every_code_is_a_row_of_the_page_with_its_severity(code: PlanCode) -> None:
    assert f"| `{code}` | {SEVERITIES.get(code, Severity.WARNING)} | " in PAGE


FROZEN = """\
freezes:
  Long: {dates: [{from: 2025-12-01, to: 2027-02-28}]}
"""


def test_a_freeze_that_leaves_no_opening_of_a_year_is_an_error() -> None:
    text = WHOLE.replace("cutoff: 1", "cutoff: 1\n    freezes: Long") + FROZEN
    (finding,) = findings(text)
    assert (finding.code, finding.severity, finding.where.line) == (
        PlanCode.FREEZE_SWALLOWS_WINDOW,
        Severity.ERROR,
        17,
    )
    assert finding.sentence == (
        "window 'Web-Server' does not open within a year: freezes give up all its 12 openings, the first at "
        "2026-01-01T23:00Z in 'Long'"
    )


def test_a_freeze_that_gives_up_one_opening_of_a_month_is_no_finding() -> None:
    text = WHOLE.replace("cutoff: 1", "cutoff: 1\n    freezes: Long") + FROZEN.replace("2027-02-28", "2026-01-31")
    assert codes(text) == []


def test_a_freeze_that_gives_up_openings_of_two_months_is_told_with_the_opening_after_it() -> None:
    text = WHOLE.replace("cutoff: 1", "cutoff: 1\n    freezes: Long") + FROZEN.replace("2027-02-28", "2026-02-28")
    (finding,) = findings(text)
    assert (finding.code, finding.severity, finding.where.line) == (PlanCode.FROZEN_FOR_LONG, Severity.WARNING, 17)
    assert finding.sentence == (
        "window 'Web-Server' does not open for 63 days: freezes give up its openings from 2026-01-01T23:00Z until "
        "2026-03-05T23:00Z"
    )


def test_freezes_that_nobody_heeds_and_that_are_over_are_told() -> None:
    assert codes(WHOLE + FROZEN) == [PlanCode.FREEZE_UNHEEDED]
    over = FROZEN.replace("2025-12-01", "2024-12-01").replace("2027-02-28", "2025-02-28")
    assert codes(WHOLE.replace("cutoff: 1", "cutoff: 1\n    freezes: Long") + over) == [PlanCode.FREEZE_OVER]


def test_an_association_that_installs_is_found_with_all_that_goes_for_installing_tasks() -> None:
    assert codes(EVERYTHING.replace("timezone: Europe/Berlin, ", "")) == [PlanCode.FREEZE_UNHEEDED]
    installing = EVERYTHING.replace("    operation: Scan\n", "    operation: Install\n")
    assert codes(installing) == [
        PlanCode.FREEZE_UNHEEDED,
        PlanCode.INSTALLS_OUTSIDE_WINDOWS,
        PlanCode.NO_REBOOT_POLICY,
    ]
