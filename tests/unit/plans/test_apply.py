"""Applying plans to a service in memory, and finding there what the plan says."""

import copy
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.ssm import FakeSsm

from patchwindow.client import ClientProblem
from patchwindow.plans import Action, Applied, Change, Plan, PlanProblems, compare, parse_plan, read_plan
from patchwindow.plans import apply as apply_comparison

NOW = datetime(2026, 1, 1, tzinfo=UTC)

SMALL = """
name: small
defaults:
  task: {operation: Scan, maxConcurrency: 10%, maxErrors: 1}
baselines:
  Windows-Security:
    operatingSystem: WINDOWS
    description: Security patches
    default: true
    rules: [{filters: {CLASSIFICATION: [SecurityUpdates, CriticalUpdates]}, approveAfterDays: 7}]
patchGroups:
  Web Server: {baselines: [Windows-Security, AWS-DebianDefaultPatchBaseline]}
windows:
  Web-Server:
    description: Web servers
    schedule: cron(0 23 ? * THU#1 *)
    duration: 6
    cutoff: 1
    targets:
      web: {patchGroup: Web Server}
    tasks:
      patch: {}
"""

FROZEN = (
    ("windows:", "freezes:\n  Year-End: {dates: [{from: 2026-12-20, to: 2027-01-10, reason: Holidays}]}\nwindows:"),
    ("cutoff: 1", "cutoff: 1\n    freezes: Year-End"),
)
SCAN = """associations:
  Scan:
    schedule: cron(0 6 ? * * *)
    targets: {all: true}
    maxConcurrency: 10%
    maxErrors: 10%
    operation: Scan
windows:"""
ASSOCIATED = ("windows:", SCAN)


def apply(
    client: FakeSsm,
    plan: Plan,
    on_change: Callable[[Change], None] = lambda _: None,
    *,
    now: datetime = NOW,
    heeds_freezes: bool = True,
    prunes: bool = False,
) -> Applied:
    comparison = compare(client, plan, now=now, heeds_freezes=heeds_freezes, prunes=prunes)
    return apply_comparison(client, comparison, on_change)


def small(*changes: tuple[str, str]) -> Plan:
    text = SMALL
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return parse_plan(text, "small.yaml")


def only(rows: dict[str, dict[str, Any]]) -> dict[str, Any]:
    (row,) = rows.values()
    return row


def told(changes: tuple[Change, ...]) -> list[str]:
    return [str(change) for change in changes]


@pytest.fixture
def ssm() -> FakeSsm:
    return FakeSsm()


def test_the_reference_plan_is_made_once_and_a_second_apply_changes_nothing(ssm: FakeSsm) -> None:
    plan = read_plan(Path("plans/reference.yaml"))
    first = apply(ssm, plan)
    made = len(ssm.writes)
    second = apply(ssm, plan)
    assert len(first.created) == made
    assert len(ssm.writes) == made
    assert (second.created, second.updated, second.left) == ((), (), ())
    assert len(second.unchanged) == len(first.created)
    assert {row["Name"] for row in ssm.windows.values()} >= {"Web-Server", "Acceptance-Production"}
    assert {system for group, system in ssm.groups if group == "Management Server"} >= {"DEBIAN", "UBUNTU"}


def test_calls_come_in_the_order_in_which_one_needs_the_other(ssm: FakeSsm) -> None:
    apply(ssm, small())
    assert ssm.writes == [
        "CreatePatchBaseline",
        "RegisterDefaultPatchBaseline",
        "RegisterPatchBaselineForPatchGroup",
        "RegisterPatchBaselineForPatchGroup",
        "CreateMaintenanceWindow",
        "RegisterTargetWithMaintenanceWindow",
        "RegisterTaskWithMaintenanceWindow",
    ]
    assert only(ssm.tasks)["Targets"] == [{"Key": "WindowTargetIds", "Values": list(ssm.targets)}]


def test_one_word_makes_every_task_install(ssm: FakeSsm) -> None:
    apply(ssm, small())
    done = apply(ssm, small(("operation: Scan", "operation: Install")))
    assert told(done.updated) == ["update task Web-Server / patch: TaskInvocationParameters"]
    parameters = only(ssm.tasks)["TaskInvocationParameters"]["RunCommand"]["Parameters"]
    assert parameters == {"Operation": ["Install"]}


def test_an_update_sends_the_changed_members_only(ssm: FakeSsm) -> None:
    apply(ssm, small())
    apply(ssm, small(("approveAfterDays: 7", "approveAfterDays: 14")))
    name, members = ssm.calls[-1]
    assert name == "UpdatePatchBaseline"
    assert members.keys() == {"BaselineId", "ApprovalRules"}


def test_a_member_that_leaves_the_plan_leaves_the_service(ssm: FakeSsm) -> None:
    apply(ssm, small())
    plan = small(("    description: Security patches\n", ""), ("    description: Web servers\n", ""))
    apply(ssm, plan)
    baseline = next(row for row in ssm.baselines.values() if row["Name"] == "Windows-Security")
    assert "Description" not in baseline
    assert baseline["ApprovalRules"]["PatchRules"]
    assert "Description" not in only(ssm.windows)
    assert apply(ssm, plan).updated == ()


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("duration: 6", "duration: 5", "update window Web-Server: Duration"),
        ("duration: 6", "enabled: false\n    duration: 6", "update window Web-Server: Enabled"),
        ("{patchGroup: Web Server}", "{tags: {Environment: Test}}", "update target Web-Server / web: Targets"),
        ("maxErrors: 1", "maxErrors: 2", "update task Web-Server / patch: MaxErrors"),
        ("[SecurityUpdates, CriticalUpdates]", "SecurityUpdates", "update baseline Windows-Security: ApprovalRules"),
        (
            "AWS-DebianDefaultPatchBaseline]",
            "Own-Debian]\n",
            "update patch group Web Server / DEBIAN: Baseline",
        ),
    ],
)
def test_a_change_of_the_plan_is_one_change_of_the_service(ssm: FakeSsm, old: str, new: str, expected: str) -> None:
    own = ("baselines:\n  Win", "baselines:\n  Own-Debian: {copyOf: AWS-DebianDefaultPatchBaseline}\n  Win")
    apply(ssm, small(own))
    plan = small(own, (old, new))
    assert told(apply(ssm, plan).updated) == [expected]
    assert apply(ssm, plan).updated == ()


def test_a_window_that_is_born_disabled_is_disabled(ssm: FakeSsm) -> None:
    apply(ssm, small(("duration: 6", "enabled: false\n    duration: 6")))
    assert only(ssm.windows)["Enabled"] is False


def test_a_copy_has_what_its_model_has_in_the_service_and_what_the_plan_adds(ssm: FakeSsm) -> None:
    added = "baselines:\n  Own: {copyOf: AWS-DebianDefaultPatchBaseline, approvedPatches: [openssl]}\n  Win"
    apply(ssm, small(("baselines:\n  Win", added)))
    own = next(row for row in ssm.baselines.values() if row["Name"] == "Own")
    assert (own["OperatingSystem"], own["RejectedPatches"], own["ApprovedPatches"]) == ("DEBIAN", ["nano"], ["openssl"])


def test_what_looks_alike_but_has_no_tags_is_not_touched(ssm: FakeSsm) -> None:
    ssm.create_patch_baseline(Name="Windows-Security", Description="By hand", ClientToken="1")
    done = apply(ssm, small())
    assert "create baseline Windows-Security" in told(done.created)
    names = [row["Description"] for row in ssm.baselines.values() if row["Name"] == "Windows-Security"]
    assert names == ["By hand", "Security patches"]


def test_what_is_tagged_by_another_plan_is_not_touched(ssm: FakeSsm) -> None:
    apply(ssm, small())
    text = SMALL.partition("patchGroups")[0].replace("name: small", "name: other").replace("    default: true\n", "")
    done = apply(ssm, parse_plan(text, "other.yaml"))
    assert told(done.created) == ["create baseline Windows-Security"]
    assert done.left == ()


def test_targets_and_tasks_that_left_the_plan_are_told_and_stay(ssm: FakeSsm) -> None:
    apply(ssm, small())
    plan = small(("      web: {", "      others: {"), ("      patch: {}", "      scan: {}"))
    done = apply(ssm, plan)
    assert told(done.left) == ["leave target Web-Server / web", "leave task Web-Server / patch"]
    assert len(ssm.targets) == len(ssm.tasks) == 2
    again = apply(ssm, plan)
    assert (again.created, again.updated) == ((), ())
    assert told(again.left) == told(done.left)


@pytest.mark.parametrize("is_answer_lost", [False, True])
def test_an_apply_that_was_cut_off_anywhere_goes_on_and_makes_nothing_twice(*, is_answer_lost: bool) -> None:
    whole, plan = FakeSsm(), small(ASSOCIATED, *FROZEN)
    apply(whole, plan)
    for call_count in range(len(whole.calls)):
        ssm = FakeSsm()
        ssm.fail_at, ssm.is_answer_lost = call_count, is_answer_lost
        with pytest.raises(ClientProblem, match="the power went off"):
            apply(ssm, plan)
        apply(ssm, plan)
        assert (ssm.groups, ssm.defaults, ssm.documents) == (whole.groups, whole.defaults, whole.documents)
        assert [len(rows) for rows in (ssm.baselines, ssm.windows, ssm.targets, ssm.tasks)] == [3, 1, 1, 1]
        assert len(ssm.associations) == 1


@pytest.mark.parametrize("is_answer_lost", [False, True])
def test_a_prune_that_was_cut_off_anywhere_goes_on_and_leaves_nothing(*, is_answer_lost: bool) -> None:
    nothing = parse_plan("name: small", "small.yaml")
    full = FakeSsm()
    apply(full, small(ASSOCIATED, *FROZEN))
    whole = copy.deepcopy(full)
    apply(whole, nothing, prunes=True)
    for call_count in range(len(full.calls), len(whole.calls)):
        ssm = copy.deepcopy(full)
        ssm.fail_at, ssm.is_answer_lost = call_count, is_answer_lost
        with pytest.raises(ClientProblem, match="the power went off"):
            apply(ssm, nothing, prunes=True)
        apply(ssm, nothing, prunes=True)
        assert (ssm.windows, ssm.targets, ssm.tasks, ssm.associations, ssm.documents) == ({}, {}, {}, {}, {})
        assert (ssm.baselines, ssm.defaults) == (whole.baselines, whole.defaults)


def test_what_was_deleted_is_made_anew_although_its_token_is_remembered(ssm: FakeSsm) -> None:
    apply(ssm, small())
    (window_id,) = ssm.windows
    for rows in (ssm.windows, ssm.targets, ssm.tasks):
        rows.clear()
    done = apply(ssm, small())
    assert [change.action for change in done.created] == [Action.CREATE] * 3
    assert window_id not in ssm.windows
    assert only(ssm.tasks)["WindowId"] == only(ssm.windows)["WindowId"]


def test_a_problem_in_the_way_stops_everything_before_anything_is_changed(ssm: FakeSsm) -> None:
    apply(ssm, small())
    writes = len(ssm.writes)
    plan = small(
        ("operatingSystem: WINDOWS", "operatingSystem: UBUNTU"),
        ("CLASSIFICATION: [SecurityUpdates, CriticalUpdates]", 'PRIORITY: "*"'),
        ("duration: 6", "duration: 5"),
    )
    with pytest.raises(PlanProblems) as caught:
        apply(ssm, plan)
    (problem,) = caught.value.problems
    assert str(problem).startswith("small.yaml:6:3: baseline Windows-Security: pb-")
    assert "OperatingSystem WINDOWS, which cannot become UBUNTU" in problem.message
    assert len(ssm.writes) == writes


def test_two_resources_that_claim_to_be_the_same_stop_everything(ssm: FakeSsm) -> None:
    apply(ssm, small())
    tags = [{"Key": "patchwindow:plan", "Value": "small"}, {"Key": "patchwindow:name", "Value": "Windows-Security"}]
    ssm.create_patch_baseline(Name="Twin", Tags=tags, ClientToken="1")
    with pytest.raises(PlanProblems, match=r"baseline Windows-Security is there 2 times: pb-.* and pb-"):
        apply(ssm, small())


def test_a_failure_names_the_change_that_met_it(ssm: FakeSsm) -> None:
    changes: list[Change] = []
    ssm.fail_at = next(
        index for index, (name, _) in enumerate(_calls_of_a_first_apply()) if name == "CreateMaintenanceWindow"
    )
    with pytest.raises(ClientProblem, match="create window Web-Server: CreateMaintenanceWindow: InternalServerError"):
        apply(ssm, small(), changes.append)
    assert [change.address.kind.value for change in changes] == [
        "baseline",
        "default baseline",
        "patch group",
        "patch group",
    ]


def test_a_predefined_baseline_that_the_service_does_not_have_is_named(ssm: FakeSsm) -> None:
    plan = small(("AWS-DebianDefaultPatchBaseline", "AWS-UbuntuDefaultPatchBaseline"))
    with pytest.raises(ClientProblem, match="no predefined baseline AWS-UbuntuDefaultPatchBaseline"):
        apply(ssm, plan)


def test_what_was_done_is_told_as_it_is_done(ssm: FakeSsm) -> None:
    changes: list[Change] = []
    done: Applied = apply(ssm, small(), changes.append)
    assert tuple(changes) == done.created


def _calls_of_a_first_apply() -> list[tuple[str, dict[str, Any]]]:
    ssm = FakeSsm()
    apply(ssm, small())
    return ssm.calls


def test_a_freeze_is_a_document_that_the_window_names_in_its_tag(ssm: FakeSsm) -> None:
    apply(ssm, small(*FROZEN))
    (window_id,) = ssm.windows
    assert ssm.tags[window_id]["patchwindow:freezes"] == "Year-End"
    assert "DTSTART:20261220T000000Z\r\nDTEND:20270111T000000Z" in ssm.documents["Year-End"][0]
    assert apply(ssm, small(*FROZEN)).updated == ()


def test_a_freeze_that_changes_is_a_new_default_version_even_after_a_cut(ssm: FakeSsm) -> None:
    apply(ssm, small(*FROZEN))
    later = small((FROZEN[0][0], FROZEN[0][1].replace("2027-01-10", "2027-01-11")), FROZEN[1])
    ssm.fail_at = len(ssm.calls) + _calls_until(ssm, later, "UpdateDocumentDefaultVersion")
    with pytest.raises(ClientProblem, match="the power went off"):
        apply(ssm, later)
    assert (len(ssm.documents["Year-End"]), ssm.default_versions["Year-End"]) == (2, 1)
    assert told(apply(ssm, later).updated) == ["update freeze Year-End: Content"]
    assert (len(ssm.documents["Year-End"]), ssm.default_versions["Year-End"]) == (2, 2)


def test_a_window_that_heeds_no_freeze_any_more_loses_its_tag_alone(ssm: FakeSsm) -> None:
    apply(ssm, small(*FROZEN))
    done = apply(ssm, small(FROZEN[0]))
    assert told(done.updated) == ["update window Web-Server: Freezes"]
    assert ssm.writes[-1] == "RemoveTagsFromResource"
    assert "patchwindow:freezes" not in ssm.tags[next(iter(ssm.windows))]


@pytest.mark.parametrize(
    ("now", "is_enabled"),
    [
        (datetime(2026, 11, 1, tzinfo=UTC), True),
        # The next opening is on 7 January, which is frozen.
        (datetime(2026, 12, 10, tzinfo=UTC), False),
        (datetime(2026, 12, 21, tzinfo=UTC), False),
        (datetime(2027, 1, 12, tzinfo=UTC), True),
    ],
)
def test_where_windows_heed_no_freezes_one_that_opens_next_in_a_freeze_is_disabled(
    ssm: FakeSsm, now: datetime, *, is_enabled: bool
) -> None:
    apply(ssm, small(*FROZEN), now=now, heeds_freezes=False)
    assert only(ssm.windows)["Enabled"] is is_enabled


def test_an_association_is_made_once_and_updated_as_a_whole(ssm: FakeSsm) -> None:
    apply(ssm, small(ASSOCIATED))
    made = only(ssm.associations)
    assert made["Targets"] == [{"Key": "InstanceIds", "Values": ["*"]}]
    assert made["ApplyOnlyAtCronInterval"] is True
    assert made["Parameters"] == {"Operation": ["Scan"]}
    assert apply(ssm, small(ASSOCIATED)).updated == ()
    changed = small((ASSOCIATED[0], ASSOCIATED[1].replace("0 6", "0 7")))
    assert told(apply(ssm, changed).updated) == ["update association Scan: ScheduleExpression"]
    assert only(ssm.associations)["AssociationName"] == "Scan"


def test_a_task_tells_a_topic_how_it_ended(ssm: FakeSsm) -> None:
    topic, role = "arn:aws:sns:us-east-1:111122223333:patching", "arn:aws:iam::111122223333:role/Notify"
    plan = small(("patch: {}", f"patch: {{notification: {{topicArn: '{topic}', roleArn: '{role}'}}}}"))
    apply(ssm, plan)
    run_command = only(ssm.tasks)["TaskInvocationParameters"]["RunCommand"]
    assert run_command["ServiceRoleArn"] == role
    assert run_command["NotificationConfig"]["NotificationEvents"] == ["Failed", "TimedOut", "Cancelled"]
    assert apply(ssm, plan).updated == ()


def test_pruning_deletes_what_left_the_plan_and_nothing_else(ssm: FakeSsm) -> None:
    ssm.create_patch_baseline(Name="By-Hand", ClientToken="1")
    by_hand = [id for id in ssm.baselines if not id.startswith("arn:")]
    apply(ssm, small(ASSOCIATED, *FROZEN))
    done = apply(ssm, parse_plan("name: small", "small.yaml"), prunes=True)
    assert [change.address.kind.value for change in done.deleted] == [
        *("association", "task", "target", "window", "freeze", "patch group", "default baseline", "baseline"),
    ]
    assert [rows for rows in (ssm.windows, ssm.targets, ssm.tasks, ssm.associations, ssm.documents) if rows] == []
    assert [id for id in ssm.baselines if not id.startswith("arn:")] == by_hand
    assert ssm.defaults["WINDOWS"].startswith("arn:")
    assert apply(ssm, parse_plan("name: small", "small.yaml"), prunes=True).deleted == ()


@pytest.mark.parametrize(
    ("old", "new", "kind"),
    [
        ("    description: Security patches\n", "", "baseline"),
        ("    description: Web servers\n", "", "window"),
        ("{patchGroup: Web Server, description: nodes}", "{patchGroup: Web Server}", "target"),
        ("patch: {description: a task}", "patch: {}", "task"),
    ],
)
def test_what_loses_a_member_is_replaced_with_all_that_a_replacement_must_have(
    ssm: FakeSsm, old: str, new: str, kind: str
) -> None:
    described = (
        ("web: {patchGroup: Web Server}", "web: {patchGroup: Web Server, description: nodes}"),
        ("patch: {}", "patch: {description: a task}"),
    )
    apply(ssm, small(*described))
    done = apply(ssm, small(*described, (old, new)))
    assert [change.address.kind.value for change in done.updated] == [kind]
    assert ssm.calls[-1][1].get("Replace") is True
    assert apply(ssm, small(*described, (old, new))).updated == ()


def test_a_predefined_baseline_is_named_by_its_arn(ssm: FakeSsm) -> None:
    apply(ssm, small())
    registered = [members["BaselineId"] for name, members in ssm.calls if name.startswith("RegisterPatchBaseline")]
    assert [id for id in registered if id.startswith("arn:aws:ssm:")] != []


def _calls_until(ssm: FakeSsm, plan: Plan, operation: str) -> int:
    """Return how many calls an apply of *plan* makes before *operation*, tried on a copy."""
    tried = copy.deepcopy(ssm)
    apply(tried, plan)
    return [name for name, _ in tried.calls[len(ssm.calls) :]].index(operation)
