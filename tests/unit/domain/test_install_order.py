"""What is to be installed: exactly what the evaluation of the same facts calls missing, unless a list says otherwise."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.domain.node_samples import Member, kb, node, notice, package, update

from patchwindow.domain.baseline import (
    Baseline,
    PatchAction,
    PatchFilter,
    PatchFilterGroup,
    PatchRule,
    PatchRuleGroup,
)
from patchwindow.domain.evaluation import evaluate
from patchwindow.domain.facts import Facts
from patchwindow.domain.filter_values import FilterKey
from patchwindow.domain.install_order import BlockedPatch, WantedPatch, install_order
from patchwindow.domain.operating_system import OperatingSystem
from patchwindow.domain.override import Listed
from patchwindow.domain.patch_state import PatchState

TODAY = date(2026, 3, 14)
BLOCK = PatchAction.BLOCK
NAMES = ("bash", "bind", "curl", "zlib")


def baseline(system: OperatingSystem = OperatingSystem.ROCKY_LINUX, **members: Any) -> Baseline:
    """Return a baseline that approves security patches of any age."""
    classification = "SecurityUpdates" if system is OperatingSystem.WINDOWS else "Security"
    filters = PatchFilterGroup(patch_filters=(PatchFilter(key=FilterKey.CLASSIFICATION, values=(classification,)),))
    rule = PatchRule(patch_filter_group=filters, approve_after_days=0)
    return Baseline(name="ours", operating_system=system, approval_rules=PatchRuleGroup(patch_rules=(rule,)), **members)


def rocky(*updates: Member, **more: Any) -> Facts:
    advisories = [notice("RLSA-2026:0001"), notice("RLBA-2026:0002", "bugfix")]
    packages = [package(name, "1.0-1.el9") for name in NAMES]
    return node("rocky", packages=packages, updates=list(updates), advisories=advisories, **more)


def wanted(facts: Facts, by: Baseline, **how: Any) -> list[str]:
    return [patch.title for patch in install_order(facts, by, TODAY, **how).wanted]


def test_of_several_approved_versions_the_latest_is_wanted_as_the_facts_write_it() -> None:
    facts = rocky(update("bash", "1.0-1.el9", "1.2-1.el9", 0), update("bash", "1.0-1.el9", "1.10-1.el9", 0))
    assert install_order(facts, baseline(), TODAY).wanted == (
        WantedPatch(
            title="bash.x86_64:0:1.10-1.el9",
            name="bash",
            arch="x86_64",
            version="1.10-1.el9",
            advisories=("RLSA-2026:0001",),
        ),
    )


def test_what_needs_a_blocked_patch_has_failed_and_the_blocked_one_is_named() -> None:
    facts = rocky(
        update("bash", "1.0-1.el9", "2.0-1.el9", 0, adds=[0]),
        update("curl", "1.0-1.el9", "2.0-1.el9", 0),
        additions=[package("libnew", "2.0-1.el9")],
    )
    order = install_order(facts, baseline(rejected_patches=("libnew",), rejected_patches_action=BLOCK), TODAY)
    assert [patch.name for patch in order.wanted] == ["curl"]
    assert order.blocked == (BlockedPatch(name="libnew", arch="x86_64", version="2.0-1.el9"),)
    assert list(order.failed) == ["bash.x86_64:0:2.0-1.el9"]
    assert "it needs libnew.x86_64:0:2.0-1.el9, which is blocked" in order.failed["bash.x86_64:0:2.0-1.el9"]


def test_a_rejected_patch_may_come_along_where_that_is_allowed() -> None:
    facts = rocky(update("bash", "1.0-1.el9", "2.0-1.el9", 0, adds=[0]), additions=[package("libnew", "2.0-1.el9")])
    order = install_order(facts, baseline(rejected_patches=("libnew",)), TODAY)
    assert ([patch.name for patch in order.wanted], order.blocked, order.failed) == (["bash"], (), {})


def test_a_list_is_installed_whether_approved_or_not() -> None:
    facts = rocky(update("bash", "1.0-1.el9", "2.0-1.el9", 0), update("zlib", "1.0-1.el9", "2.0-1.el9", 1))
    assert wanted(facts, baseline(), install_list=(Listed("z*.x86_64"),)) == ["zlib.x86_64:0:2.0-1.el9"]
    assert wanted(facts, baseline(), install_list=(Listed("*", "*:2.0-*"),)) == [
        "bash.x86_64:0:2.0-1.el9",
        "zlib.x86_64:0:2.0-1.el9",
    ]
    assert wanted(facts, baseline(), install_list=()) == []


@pytest.mark.parametrize("state", ["installed", "pendingReboot", "notApplicable", "superseded"])
def test_on_windows_only_what_is_missing_and_approved_is_wanted(state: str) -> None:
    updates = [kb(1, "missing", id="u-1"), kb(2, "missing", "Updates"), kb(3, state)]
    facts = node("windows", packages=[], updates=[], windowsUpdates=updates)
    by = baseline(OperatingSystem.WINDOWS)
    assert install_order(facts, by, TODAY).wanted == (
        WantedPatch(title="2026-01 Cumulative Update (KB1)", name="KB1", version="u-1"),
    )
    assert wanted(facts, by, install_list=(Listed("KB2"),)) == []
    assert wanted(facts, by, install_list=(Listed("1"), Listed("KB2"))) == ["2026-01 Cumulative Update (KB1)"]


@given(
    offers=st.lists(st.tuples(st.sampled_from(NAMES), st.integers(1, 12), st.integers(0, 1)), unique=True, max_size=12),
    rejected=st.sets(st.sampled_from(NAMES)),
    action=st.sampled_from(PatchAction),
)
def test_what_is_wanted_or_fails_is_what_is_missing(
    offers: list[tuple[str, int, int]], rejected: set[str], action: PatchAction
) -> None:
    """ "Each is Installed, pending, or Failed; Missing remains only where the install did not attempt it." """
    unique = {(name, minor): number for name, minor, number in offers}
    updates = [update(name, "1.0-1.el9", f"2.{minor}-1.el9", number) for (name, minor), number in unique.items()]
    facts = rocky(*updates)
    by = baseline(rejected_patches=tuple(sorted(rejected)), rejected_patches_action=action)
    order = install_order(facts, by, TODAY)
    titles = {patch.title for patch in order.wanted} | order.failed.keys()
    missing = {one.title for one in evaluate(facts, by, TODAY).entries if one.state is PatchState.MISSING}
    assert titles == missing
    assert not {patch.name for patch in order.wanted} & rejected
