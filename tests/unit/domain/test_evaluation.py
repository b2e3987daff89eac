"""From facts and a baseline to the states of a node."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patchwindow.domain.baseline import (
    Baseline,
    ComplianceLevel,
    ComplianceStatus,
    PatchAction,
    PatchFilter,
    PatchFilterGroup,
    PatchRule,
    PatchRuleGroup,
)
from patchwindow.domain.decision import DecisionStatus, compile_baseline, remembered
from patchwindow.domain.evaluation import Evaluation, evaluate
from patchwindow.domain.facts import Facts, Manager, Origin, Package, Reboot, System, Update
from patchwindow.domain.filter_values import FilterKey
from patchwindow.domain.operating_system import OperatingSystem
from patchwindow.domain.patch_state import PatchEntry, PatchState

TODAY = date(2026, 3, 14)
NONE, MAIN, SECURITY = (), (0,), (1,)
OLD, NEW, NEWEST = "3.0.15-1~deb12u1", "3.0.16-1~deb12u1", "3.0.16-1~deb12u2"


def origin(label: str, codename: str) -> Origin:
    return Origin(
        origin="Debian", label=label, suite="oldstable", codename=codename, component="main", site="mirror.example.net"
    )


def package(name: str, version: str, origins: tuple[int, ...]) -> Package:
    return Package(name=name, arch="amd64", version=version, section="utils", priority="optional", origins=origins)


def update(name: str, candidate: str, origins: tuple[int, ...], *, held: bool = False) -> Update:
    return Update(
        name=name,
        arch="amd64",
        installed=OLD,
        candidate=candidate,
        section="utils",
        priority="optional",
        size=1,
        origins=origins,
        security=origins == SECURITY,
        held=held,
    )


def facts(packages: tuple[Package, ...], updates: tuple[Update, ...] = ()) -> Facts:
    return Facts(
        manager=Manager.APT,
        os=System(id="debian", name="Debian GNU/Linux", version_id="12", codename="bookworm", arch="amd64"),
        origins=(origin("Debian", "bookworm"), origin("Debian-Security", "bookworm-security")),
        packages=packages,
        updates=updates,
        held=(),
        reboot=Reboot(required=False, reasons=()),
    )


def baseline(**more: Any) -> Baseline:
    filters = PatchFilterGroup(patch_filters=(PatchFilter(key=FilterKey.PRIORITY, values=("*",)),))
    rule = PatchRule(patch_filter_group=filters, compliance_level=ComplianceLevel.CRITICAL)
    own = Baseline(
        name="own", operating_system=OperatingSystem.DEBIAN, approval_rules=PatchRuleGroup(patch_rules=(rule,))
    )
    return replace(own, **more)


def only(evaluation: Evaluation) -> PatchEntry:
    (entry,) = evaluation.entries
    return entry


def states(evaluation: Evaluation) -> dict[str, PatchState]:
    return {entry.title.removeprefix("openssl.amd64:"): entry.state for entry in evaluation.entries}


class TestInstalled:
    """ "Every installed package is one entry: Installed when its version is approved, otherwise InstalledOther"."""

    def test_a_package_of_the_security_source_is_installed(self) -> None:
        entry = only(evaluate(facts((package("openssl", NEW, SECURITY),)), baseline(), TODAY))
        assert entry.state is PatchState.INSTALLED
        assert entry.compliance_level is ComplianceLevel.CRITICAL
        assert (entry.kb_id, entry.classification, entry.severity) == ("openssl.amd64", "Security", "optional")
        assert entry.source == "Debian-Security bookworm-security"

    @pytest.mark.parametrize("origins", [MAIN, NONE])
    def test_a_package_of_another_source_or_of_none_is_other(self, origins: tuple[int, ...]) -> None:
        entry = only(evaluate(facts((package("openssl", NEW, origins),)), baseline(), TODAY))
        assert entry.state is PatchState.INSTALLED_OTHER
        assert entry.compliance_level is ComplianceLevel.UNSPECIFIED
        assert entry.reason == "rule 1 misses it: it does not come from the security source"

    def test_what_waits_for_a_reboot_is_not_compliant(self) -> None:
        node = facts((package("openssl", NEW, SECURITY),))
        waiting = evaluate(node, baseline(), TODAY, pending_reboot={f"openssl.amd64:{NEW}"})
        older = evaluate(node, baseline(), TODAY, pending_reboot={f"openssl.amd64:{OLD}"})
        assert only(waiting).state is PatchState.INSTALLED_PENDING_REBOOT
        assert waiting.counts.status is ComplianceStatus.NON_COMPLIANT
        assert only(older).state is PatchState.INSTALLED

    @pytest.mark.parametrize(
        ("action", "expected", "status"),
        [
            (PatchAction.BLOCK, PatchState.INSTALLED_REJECTED, ComplianceStatus.NON_COMPLIANT),
            (PatchAction.ALLOW_AS_DEPENDENCY, PatchState.INSTALLED_OTHER, ComplianceStatus.COMPLIANT),
        ],
    )
    def test_what_is_rejected_is_bad_only_if_the_baseline_blocks(
        self, action: PatchAction, expected: PatchState, status: ComplianceStatus
    ) -> None:
        own = baseline(rejected_patches=("openssl",), rejected_patches_action=action)
        evaluation = evaluate(facts((package("openssl", NEW, SECURITY),)), own, TODAY)
        assert only(evaluation).state is expected
        assert evaluation.counts.status is status

    def test_a_blocked_patch_counts_with_the_level_it_would_have(self) -> None:
        own = baseline(rejected_patches=("openssl",), rejected_patches_action=PatchAction.BLOCK)
        evaluation = evaluate(facts((package("openssl", NEW, SECURITY),)), own, TODAY)
        assert evaluation.counts.critical_non_compliant_count == 1


class TestMissing:
    """ "Plus one entry per missing or failed update"."""

    def test_the_update_is_missing_and_the_old_version_stays_what_it_is(self) -> None:
        node = facts((package("openssl", OLD, NONE),), (update("openssl", NEW, SECURITY),))
        evaluation = evaluate(node, baseline(), TODAY)
        assert states(evaluation) == {OLD: PatchState.INSTALLED_OTHER, NEW: PatchState.MISSING}
        assert evaluation.counts.missing_count == 1
        assert evaluation.counts.status is ComplianceStatus.NON_COMPLIANT
        assert evaluation.counts.overall_severity is ComplianceLevel.CRITICAL

    def test_an_old_version_that_is_still_approved_stays_installed(self) -> None:
        node = facts((package("openssl", OLD, SECURITY),), (update("openssl", NEW, SECURITY),))
        assert states(evaluate(node, baseline(), TODAY)) == {OLD: PatchState.INSTALLED, NEW: PatchState.MISSING}

    def test_an_update_that_is_not_approved_passes_and_is_not_missing(self) -> None:
        evaluation = evaluate(facts((), (update("openssl", NEW, MAIN),)), baseline(), TODAY)
        assert evaluation.entries == ()
        (passed,) = evaluation.passed
        assert (passed.title, passed.source) == (f"openssl.amd64:{NEW}", "Debian bookworm")
        assert passed.decision.status is DecisionStatus.NOT_MATCHED
        assert evaluation.counts.status is ComplianceStatus.COMPLIANT

    def test_a_rejected_update_is_not_missing(self) -> None:
        own = baseline(rejected_patches=("openssl",), rejected_patches_action=PatchAction.BLOCK)
        evaluation = evaluate(facts((), (update("openssl", NEW, SECURITY),)), own, TODAY)
        assert evaluation.counts.missing_count == 0
        assert evaluation.passed[0].decision.status is DecisionStatus.REJECTED

    def test_a_held_package_is_missing_and_says_that_it_is_held(self) -> None:
        entry = only(evaluate(facts((), (update("openssl", NEW, SECURITY, held=True),)), baseline(), TODAY))
        assert entry.state is PatchState.MISSING
        assert entry.reason.endswith(f"; the node holds it at {OLD}")

    def test_what_could_not_be_installed_has_failed_and_says_why(self) -> None:
        node = facts((), (update("openssl", NEW, SECURITY),))
        evaluation = evaluate(node, baseline(), TODAY, failed={f"openssl.amd64:{NEW}": "dpkg returned 1"})
        assert only(evaluation).state is PatchState.FAILED
        assert only(evaluation).reason.endswith("; its installation failed: dpkg returned 1")
        assert (evaluation.counts.failed_count, evaluation.counts.missing_count) == (1, 0)

    @pytest.mark.parametrize("order", [(NEW, NEWEST), (NEWEST, NEW)])
    def test_of_several_approved_versions_only_the_newest_is_missing(self, order: tuple[str, str]) -> None:
        node = facts((), tuple(update("openssl", version, SECURITY) for version in order))
        assert states(evaluate(node, baseline(), TODAY)) == {NEWEST: PatchState.MISSING}


def test_a_package_approved_by_name_that_the_node_lacks_is_not_applicable() -> None:
    own = baseline(approved_patches=("openssl", "nginx", "apache2"), rejected_patches=("apache2",))
    evaluation = evaluate(facts((package("openssl", NEW, SECURITY),)), own, TODAY)
    assert evaluation.counts.not_applicable_count == 1


def test_an_entry_says_which_package_of_the_facts_it_is() -> None:
    node = facts((package("zlib", OLD, MAIN), package("bash", OLD, MAIN)), (update("bash", NEW, SECURITY),))
    found = {entry.title: entry.package_index for entry in evaluate(node, baseline(), TODAY).entries}
    assert found == {f"zlib.amd64:{OLD}": 0, f"bash.amd64:{OLD}": 1, f"bash.amd64:{NEW}": None}


def test_a_decision_that_the_caller_remembers_is_used() -> None:
    node = facts((package("openssl", NEW, SECURITY),))
    recall = remembered(compile_baseline(baseline()))
    assert evaluate(node, baseline(), TODAY, decide=recall) == evaluate(node, baseline(), TODAY)


names = st.sampled_from(["bash", "openssl", "zlib"])
versions = st.sampled_from([OLD, NEW, NEWEST])
sources = st.sampled_from([NONE, MAIN, SECURITY])
nodes = st.builds(
    lambda packages, updates: facts(tuple(packages), tuple(updates)),
    st.lists(st.builds(package, names, versions, sources), unique_by=lambda one: one.name),
    st.lists(st.builds(update, names, versions, sources), unique_by=lambda one: (one.name, one.candidate)),
)


@given(nodes, st.randoms())
def test_the_order_of_facts_is_irrelevant(node: Facts, chance: Any) -> None:
    packages, updates = list(node.packages), list(node.updates)
    chance.shuffle(packages)
    chance.shuffle(updates)
    other = replace(node, packages=tuple(packages), updates=tuple(updates))
    one, two = evaluate(node, baseline(), TODAY), evaluate(other, baseline(), TODAY)

    def unplaced(evaluation: Evaluation) -> list[PatchEntry]:
        return [replace(entry, package_index=None) for entry in evaluation.entries]

    assert unplaced(one) == unplaced(two)
    assert (one.counts, one.passed) == (two.counts, two.passed)


@given(nodes)
def test_every_package_is_one_entry_and_every_update_one_entry_or_passed(node: Facts) -> None:
    evaluation = evaluate(node, baseline(), TODAY)
    installed = sorted(entry.package_index for entry in evaluation.entries if entry.package_index is not None)
    assert installed == list(range(len(node.packages)))
    missing = {entry.kb_id for entry in evaluation.entries if entry.state is PatchState.MISSING}
    assert missing == {f"{one.name}.amd64" for one in node.updates if one.origins == SECURITY}


@given(nodes, names)
def test_rejecting_never_adds_a_missing_patch(node: Facts, name: str) -> None:
    before = evaluate(node, baseline(), TODAY).counts.missing_count
    assert evaluate(node, baseline(rejected_patches=(name,)), TODAY).counts.missing_count <= before
