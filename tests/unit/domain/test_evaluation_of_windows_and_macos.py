"""The states of updates on Windows and macOS, and of packages on apt systems that go by first sight."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from tests.unit.domain.node_samples import kb, node, notice, package, update
from tests.unit.domain.test_decision import baseline, rule

from patchwindow.domain import evaluation_windows
from patchwindow.domain.baseline import Baseline, ComplianceLevel, ComplianceStatus, PatchAction, PatchRuleGroup
from patchwindow.domain.baseline_check import check
from patchwindow.domain.decision import DecisionStatus
from patchwindow.domain.evaluation import Evaluation
from patchwindow.domain.evaluation import evaluate as evaluate_unchecked
from patchwindow.domain.facts import Facts
from patchwindow.domain.operating_system import OperatingSystem
from patchwindow.domain.patch_state import PatchState
from patchwindow.domain.predefined import PREDEFINED, default_for

TODAY = date(2026, 3, 14)
WINDOWS = default_for(OperatingSystem.WINDOWS)
MACOS = default_for(OperatingSystem.MACOS)
(APPLICATIONS,) = (one for one in PREDEFINED if one.name.endswith("OS-Applications"))
CRITICAL = replace(
    WINDOWS,
    approval_rules=PatchRuleGroup(
        patch_rules=(replace(WINDOWS.approval_rules.patch_rules[0], compliance_level=ComplianceLevel.CRITICAL),)
    ),
)


def evaluate(facts: Facts, own: Baseline, **more: Any) -> Evaluation:
    """Evaluate as the product does: a baseline is checked before."""
    check(own)
    return evaluate_unchecked(facts, own, TODAY, **more)


def windows(*updates: dict[str, Any]) -> Facts:
    return node("windows", windowsUpdates=list(updates))


def states(evaluation: Evaluation) -> dict[str, PatchState]:
    return {entry.kb_id: entry.state for entry in evaluation.entries}


class TestWindows:
    @pytest.mark.parametrize(
        ("state", "expected"),
        [
            ("installed", PatchState.INSTALLED),
            ("pendingReboot", PatchState.INSTALLED_PENDING_REBOOT),
            ("missing", PatchState.MISSING),
            ("notApplicable", PatchState.NOT_APPLICABLE),
            ("superseded", PatchState.NOT_APPLICABLE),
        ],
    )
    def test_an_approved_update_is_what_the_node_found(self, state: str, expected: PatchState) -> None:
        assert states(evaluate(windows(kb(1, state)), WINDOWS)) == {"KB1": expected}

    @pytest.mark.parametrize(
        ("state", "expected"),
        [
            ("installed", {"KB1": PatchState.INSTALLED_OTHER}),
            ("pendingReboot", {"KB1": PatchState.INSTALLED_PENDING_REBOOT}),
            ("missing", {}),
            ("notApplicable", {}),
            ("superseded", {}),
        ],
    )
    def test_an_update_beside_the_baseline_is_listed_only_if_it_is_installed(
        self, state: str, expected: dict[str, PatchState]
    ) -> None:
        assert states(evaluate(windows(kb(1, state, "Drivers", "")), WINDOWS)) == expected

    @pytest.mark.parametrize(
        ("update", "own", "is_missing"),
        [
            (kb(1, "missing", "CriticalUpdates", "Important"), WINDOWS, True),
            (kb(1, "missing", "SecurityUpdates", "Moderate"), WINDOWS, False),
            (kb(1, "missing", "UpdateRollups", "Critical"), WINDOWS, False),
            (kb(1, "missing", released="2026-03-07"), WINDOWS, True),
            (kb(1, "missing", released="2026-03-08"), WINDOWS, False),
            (kb(1, "missing", released="", updated="2026-03-08"), WINDOWS, False),
            (kb(1, "missing", released=""), WINDOWS, True),
            (kb(1, "missing", patchSet="APPLICATION"), WINDOWS, False),
            (kb(1, "missing", "Updates", "", patchSet="APPLICATION", product="Office2021"), APPLICATIONS, True),
            (kb(1, "missing"), APPLICATIONS, True),
            (
                kb(1, "missing", "Updates", ""),
                baseline(OperatingSystem.WINDOWS, rule(MSRC_SEVERITY="Unspecified", days=0)),
                True,
            ),
            (kb(1, "missing"), baseline(OperatingSystem.WINDOWS, rule(PRODUCT="WindowsServer2022", days=0)), True),
            (kb(1, "missing"), baseline(OperatingSystem.WINDOWS, rule(PRODUCT="WindowsServer2019", days=0)), False),
            (kb(1, "missing"), baseline(OperatingSystem.WINDOWS, rule(PRODUCT_FAMILY="Windows", days=0)), True),
            (kb(1, "missing"), baseline(OperatingSystem.WINDOWS, rule(PRODUCT_FAMILY="Office", days=0)), False),
        ],
    )
    def test_a_rule_looks_at_class_severity_product_set_and_date(
        self, update: dict[str, Any], own: Baseline, *, is_missing: bool
    ) -> None:
        evaluation = evaluate(windows(update), own)
        assert (PatchState.MISSING in states(evaluation).values()) is is_missing

    @pytest.mark.parametrize("entry", ["KB5034123", "5034123", "kb5034123", "MS26-001"])
    @pytest.mark.parametrize(
        ("action", "state", "expected"),
        [
            (PatchAction.BLOCK, "installed", PatchState.INSTALLED_REJECTED),
            (PatchAction.BLOCK, "pendingReboot", PatchState.INSTALLED_REJECTED),
            (PatchAction.BLOCK, "missing", None),
            (PatchAction.ALLOW_AS_DEPENDENCY, "installed", PatchState.INSTALLED_OTHER),
            (PatchAction.ALLOW_AS_DEPENDENCY, "missing", None),
        ],
    )
    def test_a_rejected_update(self, entry: str, action: PatchAction, state: str, expected: PatchState | None) -> None:
        own = replace(WINDOWS, rejected_patches=(entry,), rejected_patches_action=action)
        evaluation = evaluate(windows(kb(5034123, state, bulletins=["MS26-001"])), own)
        assert states(evaluation).get("KB5034123") is expected
        assert [one.decision.status for one in evaluation.passed] == ([] if expected else [DecisionStatus.REJECTED])

    def test_an_approved_number_is_missing_whatever_the_rules_say(self) -> None:
        own = replace(WINDOWS, approved_patches=("KB1",), approved_patches_compliance_level=ComplianceLevel.HIGH)
        (entry,) = evaluate(windows(kb(1, "missing", "Drivers", "")), own).entries
        assert (entry.state, entry.compliance_level) == (PatchState.MISSING, ComplianceLevel.HIGH)

    def test_what_the_last_installation_could_not_install_has_failed(self) -> None:
        update = kb(1, "missing", title="2026-01 Cumulative Update")
        evaluation = evaluate(windows(update), WINDOWS, failed={"2026-01 Cumulative Update": "0x800f0922"})
        (entry,) = evaluation.entries
        assert entry.state is PatchState.FAILED
        assert entry.reason.endswith("; its installation failed: 0x800f0922")

    def test_an_entry_says_which_update_of_the_facts_it_is(self) -> None:
        evaluation = evaluate(windows(kb(2, "installed"), kb(1, "missing"), kb(3, "pendingReboot")), WINDOWS)
        assert {entry.kb_id: entry.package_index for entry in evaluation.entries} == {"KB1": None, "KB2": 1, "KB3": 2}

    def test_classes_of_security_count_as_security(self) -> None:
        counts = evaluate(windows(kb(1, "missing"), kb(2, "missing", "CriticalUpdates")), CRITICAL).counts
        assert (counts.missing_count, counts.critical_non_compliant_count) == (2, 2)
        assert (counts.security_non_compliant_count, counts.other_non_compliant_count) == (1, 0)
        assert counts.overall_severity is ComplianceLevel.CRITICAL


class TestAvailableSecurityUpdates:
    """ "Security update available but not approved by the baseline, e.g. within its delay"."""

    YOUNG = kb(1, "missing", released="2026-03-12")

    @pytest.mark.parametrize(
        ("judged", "status", "security"),
        [
            (None, ComplianceStatus.COMPLIANT, 0),
            (ComplianceStatus.COMPLIANT, ComplianceStatus.COMPLIANT, 0),
            (ComplianceStatus.NON_COMPLIANT, ComplianceStatus.NON_COMPLIANT, 1),
        ],
    )
    def test_the_baseline_says_what_it_means_for_compliance(
        self, judged: ComplianceStatus | None, status: ComplianceStatus, security: int
    ) -> None:
        evaluation = evaluate(
            windows(self.YOUNG), replace(CRITICAL, available_security_updates_compliance_status=judged)
        )
        (entry,) = evaluation.entries
        assert entry.state is PatchState.AVAILABLE_SECURITY_UPDATE
        assert entry.compliance_level is ComplianceLevel.UNSPECIFIED
        assert evaluation.compliance_of(entry) is status
        counts = evaluation.counts
        assert (counts.available_security_update_count, counts.missing_count) == (1, 0)
        assert (counts.security_non_compliant_count, counts.critical_non_compliant_count) == (security, 0)
        assert (counts.other_non_compliant_count, counts.status) == (0, status)

    def test_updates_of_other_classes_pass(self) -> None:
        evaluation = evaluate(windows(kb(1, "missing", "CriticalUpdates", released="2026-03-12")), WINDOWS)
        assert evaluation.entries == ()
        assert evaluation.passed[0].decision.approval_date == date(2026, 3, 19)

    def test_a_rejected_one_is_not_offered_any_more(self) -> None:
        evaluation = evaluate(windows(self.YOUNG), replace(WINDOWS, rejected_patches=("KB1",)))
        assert evaluation.entries == ()
        assert evaluation.counts.available_security_update_count == 0


class TestNotApplicable:
    def test_those_that_are_approved_are_listed_and_say_why(self) -> None:
        evaluation = evaluate(windows(kb(1, "notApplicable"), kb(2, "superseded")), WINDOWS)
        reasons = {entry.kb_id: entry.reason.rpartition("; ")[2] for entry in evaluation.entries}
        assert reasons == {
            "KB1": "the node has nothing that it is for",
            "KB2": "a later update, which is installed, replaces it",
        }
        assert evaluation.counts.not_applicable_count == 2
        assert evaluation.counts.status is ComplianceStatus.COMPLIANT
        assert {evaluation.compliance_of(entry) for entry in evaluation.entries} == {None}

    def test_those_beyond_the_bound_are_only_counted(self) -> None:
        most = evaluation_windows.NOT_APPLICABLE_MAX
        counts = evaluate(windows(*(kb(number, "notApplicable") for number in range(1, most + 4))), WINDOWS).counts
        assert (counts.not_applicable_count, counts.unreported_not_applicable_count) == (most, 3)


class TestMacos:
    """ "softwareupdate, pkg installers, brew, brew cask"."""

    FACTS = node(
        "macos",
        advisories=[notice("macOS Sonoma 14.4.1", severity="")],
        packages=[
            package("macOS Sonoma", "14.4", arch="arm64", kind="softwareupdate"),
            package("wget", "1.21.4", arch="arm64", kind="brew"),
            package("firefox", "123.0", arch="arm64", kind="cask"),
            package("com.example.tool", "2.1", arch="arm64", kind="pkg"),
        ],
        updates=[
            update("macOS Sonoma", "14.4", "14.4.1", 0, arch="arm64", kind="softwareupdate", recommended=True),
            update("Safari", "17.3", "17.4", arch="arm64", kind="softwareupdate", recommended=True),
            update("wget", "1.21.4", "1.24.5", arch="arm64", kind="brew"),
            update("firefox", "123.0", "124.0.1", arch="arm64", kind="cask"),
        ],
    )

    def missing(self, own: Baseline) -> set[str]:
        evaluation = evaluate(self.FACTS, own)
        assert len([entry for entry in evaluation.entries if entry.package_index is not None]) == 4
        return {entry.kb_id for entry in evaluation.entries if entry.state is PatchState.MISSING}

    def test_the_default_approves_what_apple_calls_security(self) -> None:
        assert self.missing(MACOS) == {"macOS Sonoma.arm64"}

    def test_what_has_no_notice_is_approved_by_class_or_name(self) -> None:
        recommended = baseline(OperatingSystem.MACOS, rule(CLASSIFICATION="Recommended", days=0))
        assert self.missing(recommended) == {"Safari.arm64"}
        assert self.missing(replace(MACOS, approved_patches=("wget",))) == {"macOS Sonoma.arm64", "wget.arm64"}
        anything = baseline(OperatingSystem.MACOS, rule(CLASSIFICATION="*", days=0))
        assert self.missing(replace(anything, rejected_patches=("firefox",))) == {
            "macOS Sonoma.arm64",
            "Safari.arm64",
            "wget.arm64",
        }

    def test_the_newest_of_several_versions_counts(self) -> None:
        facts = node(
            "macos",
            updates=[
                update("wget", "1.9", version, arch="arm64", kind="brew") for version in ("1.24.5_1", "1.24.5", "1.10")
            ],
        )
        (entry,) = evaluate(facts, baseline(OperatingSystem.MACOS, rule(days=0))).entries
        assert entry.title == "wget.arm64:1.24.5_1"


class TestFirstSight:
    """On apt systems a baseline may count its dates from when a version was first reported by any node."""

    FACTS = node(
        "ubuntu",
        origins=[{"label": "Ubuntu", "suite": "jammy-security", "codename": "jammy"}],
        updates=[
            update("curl", "7-1", "7-2", arch="amd64", origins=[0]),
            update("vim", "9-1", "9-2", arch="amd64", origins=[0]),
        ],
    )
    OWN = replace(baseline(OperatingSystem.UBUNTU, rule(days=7)), approves_by_first_seen=True)
    CURL = ("Ubuntu jammy-security", "curl.amd64", "7-2")

    def test_what_was_seen_long_enough_ago_is_missing_and_the_rest_waits(self) -> None:
        evaluation = evaluate(self.FACTS, self.OWN, first_seen={self.CURL: date(2026, 3, 7)})
        (entry,) = evaluation.entries
        assert (entry.kb_id, entry.state) == ("curl.amd64", PatchState.MISSING)
        assert entry.reason.endswith("first seen 2026-03-07 and 7 days old or more")
        (waiting,) = evaluation.passed
        assert waiting.decision.approval_date == date(2026, 3, 21)

    def test_the_same_version_from_elsewhere_is_another(self) -> None:
        elsewhere = {("PPA", *self.CURL[1:]): date(2026, 1, 1)}
        assert evaluate(self.FACTS, self.OWN, first_seen=elsewhere).entries == ()

    def test_a_baseline_without_that_choice_ignores_the_ledger_and_the_delay(self) -> None:
        plain = replace(self.OWN, approves_by_first_seen=None)
        assert evaluate(self.FACTS, plain, first_seen={self.CURL: TODAY}).counts.missing_count == 2
