from dataclasses import replace
from datetime import date, timedelta

import pytest

from patchwindow.domain.baseline import Baseline, PatchAction, PatchFilterGroup, PatchRule, PatchRuleGroup
from patchwindow.domain.decision import compile_baseline
from patchwindow.domain.facts import (
    Advisory,
    Facts,
    Manager,
    Origin,
    Package,
    Reboot,
    System,
    Update,
    UpdateState,
    WindowsUpdate,
)
from patchwindow.domain.forecast_patches import Left, NodeState, Prospect, at_first
from patchwindow.domain.operating_system import OperatingSystem

TODAY = date(2026, 3, 14)
RHEL = System(id="rhel", name="Red Hat Enterprise Linux", version_id="9.3", arch="x86_64")
WINDOWS = System(id="", name="Microsoft Windows Server 2022 Datacenter", version_id="10.0.20348", arch="x86_64")
BASELINE = Baseline(
    baseline_id="pb-1",
    name="own",
    operating_system=OperatingSystem.REDHAT_ENTERPRISE_LINUX,
    approval_rules=PatchRuleGroup(
        patch_rules=(PatchRule(patch_filter_group=PatchFilterGroup(), approve_after_days=7, enable_non_security=True),)
    ),
)


def update(
    name: str,
    candidate: str = "2-1",
    *,
    advisory: int = 0,
    held: bool = False,
    pulls: tuple[int, ...] = (),
    adds: tuple[int, ...] = (),
) -> Update:
    return Update(
        name=name,
        arch="x86_64",
        installed="1-1",
        candidate=candidate,
        origins=(0,),
        advisories=(advisory,),
        held=held,
        pulls=pulls,
        adds=adds,
    )


def prospect(*updates: Update, additions: tuple[Package, ...] = (), baseline: Baseline = BASELINE) -> Prospect:
    """Return the prospect of a node with an advisory of long ago, and one of yesterday."""
    facts = Facts(
        manager=Manager.DNF,
        os=RHEL,
        origins=(Origin(id="baseos"),),
        advisories=(
            Advisory(id="RHSA-1", kind="security", issued="2026-01-01"),
            Advisory(id="RHSA-2", kind="security", issued="2026-03-13"),
        ),
        updates=updates,
        additions=additions,
        reboot=Reboot(required=False),
    )
    return made(facts, baseline)


def made(facts: Facts, baseline: Baseline) -> Prospect:
    return Prospect(facts, baseline, TODAY, first_seen={}, decide=compile_baseline(baseline))


def title(name: str, version: str = "2-1") -> str:
    return f"{name}.x86_64:0:{version}"


def test_what_is_approved_is_installed_and_what_is_not_yet_waits_for_its_day() -> None:
    node = prospect(update("old"), update("new", advisory=1))
    step = node.install(NodeState(), TODAY, may_reboot=True)
    assert (step.installed, step.reboots) == ((title("old"),), True)
    (left,) = node.left(step.after, TODAY)
    assert (left.title, left.approved_on) == (title("new"), date(2026, 3, 20))
    later = node.install(step.after, TODAY + timedelta(days=6), may_reboot=True)
    assert later.installed == (title("new"),)
    assert node.left(later.after, TODAY + timedelta(days=6)) == ()


def test_without_a_reboot_what_was_installed_waits_until_one_comes() -> None:
    node = prospect(update("bash"))
    first = node.install(NodeState(), TODAY, may_reboot=False)
    assert (first.reboots, first.after.waiting) == (False, frozenset({title("bash")}))
    second = node.install(first.after, TODAY, may_reboot=True)
    assert (second.installed, second.reboots, second.after.waiting) == ((), True, frozenset())


def test_of_several_versions_the_newest_is_installed_and_the_older_are_gone() -> None:
    node = prospect(update("bash", "2-1"), update("bash", "3-1"))
    step = node.install(NodeState(), TODAY, may_reboot=False)
    assert step.installed == (title("bash", "3-1"),)
    assert step.after.gone == {0, 1}


def test_what_comes_along_is_told_apart_and_reboots_as_well() -> None:
    new = Package(name="libnew", arch="x86_64", version="1-1", origins=(0,))
    node = prospect(update("a", pulls=(1,), adds=(0,)), update("b", advisory=1), additions=(new,))
    step = node.install(NodeState(), TODAY, may_reboot=False)
    assert (step.installed, step.brought) == ((title("a"),), (title("b"),))
    assert step.after.waiting == {title("a"), title("b"), title("libnew", "1-1")}


@pytest.mark.parametrize(
    ("updates", "failed"),
    [
        ((update("a", held=True),), {title("a"): "held on the node"}),
        (
            (update("a", pulls=(1,)), update("b", advisory=1, held=True)),
            {title("a"): f"it needs {title('b')}, which is held on the node"},
        ),
    ],
)
def test_what_the_node_holds_is_not_installed_nor_what_needs_it(
    updates: tuple[Update, ...], failed: dict[str, str]
) -> None:
    node = prospect(*updates)
    step = node.install(NodeState(), TODAY, may_reboot=True)
    assert (step.installed, step.failed, step.is_idle) == ((), failed, True)
    assert Left(title=title("a"), reason=failed[title("a")], is_kept_out=True) in node.left(step.after, TODAY)


def test_what_needs_a_blocked_patch_is_not_installed() -> None:
    rejecting = replace(BASELINE, rejected_patches=("b",), rejected_patches_action=PatchAction.BLOCK)
    node = prospect(update("a", pulls=(1,)), update("b"), baseline=rejecting)
    step = node.install(NodeState(), TODAY, may_reboot=True)
    assert step.installed == ()
    assert "which is blocked" in step.failed[title("a")]


def test_windows_updates_that_are_missing_and_approved_are_installed() -> None:
    baseline = replace(BASELINE, operating_system=OperatingSystem.WINDOWS)
    facts = Facts(
        manager=Manager.WINDOWS,
        os=WINDOWS,
        windows_updates=(
            WindowsUpdate(title="old", kb="KB1", state=UpdateState.MISSING, released="2026-01-01"),
            WindowsUpdate(title="new", kb="KB2", state=UpdateState.MISSING, released="2026-03-13"),
            WindowsUpdate(title="idle", kb="KB3", state=UpdateState.NOT_APPLICABLE, released="2026-03-13"),
            WindowsUpdate(title="waiting", kb="KB4", state=UpdateState.PENDING_REBOOT, released="2026-01-01"),
        ),
        reboot=Reboot(required=True),
    )
    node, begin = made(facts, baseline), at_first(facts, ())
    assert begin.waiting == {"waiting"}
    step = node.install(begin, TODAY, may_reboot=False)
    assert (step.installed, step.after.waiting) == (("old",), frozenset({"old", "waiting"}))
    assert [left.title for left in node.left(step.after, TODAY)] == ["new"]
    assert node.install(step.after, TODAY, may_reboot=True).reboots
