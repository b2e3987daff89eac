"""What holds for the evaluation of any node of packages or Windows updates by any baseline."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.domain.decision_strategies import TODAY, baselines, rules
from tests.unit.domain.node_samples import kb, node_data, notice, package, update

from patchwindow.domain.baseline import Baseline, PatchAction, PatchRule, PatchRuleGroup
from patchwindow.domain.evaluation import Evaluation, evaluate
from patchwindow.domain.facts_reading import parse
from patchwindow.domain.operating_system import OperatingSystem
from patchwindow.domain.patch_state import PatchState

REDHAT, WINDOWS = OperatingSystem.REDHAT_ENTERPRISE_LINUX, OperatingSystem.WINDOWS
DEBIAN = OperatingSystem.DEBIAN
ORIGINS = (
    {"label": "Debian-Security", "suite": "oldstable-security", "codename": "bookworm-security"},
    {"label": "Debian", "suite": "oldstable", "codename": "bookworm"},
)
NAMES = ("openssl", "bash", "linux-image-amd64")

some_days = st.integers(0, 400).map(lambda count: str(TODAY - timedelta(days=count)))
notices = st.builds(
    lambda number, kind, severity, issued: notice(f"RHSA-2026:{number}", kind, severity, issued=issued),
    st.integers(1, 99),
    st.sampled_from(["security", "bugfix", "enhancement"]),
    st.sampled_from(["Critical", "Moderate", "Low", ""]),
    some_days,
)
indexes = st.lists(st.integers(0, 2), max_size=2, unique=True)
updates = st.lists(
    st.builds(
        lambda name, candidate, advisories, pulls: update(name, "1-1", candidate, *advisories, pulls=pulls),
        st.sampled_from(NAMES),
        st.sampled_from(["1-2", "1-10", "1:0-1"]),
        indexes,
        indexes,
    ),
    min_size=3,
    max_size=6,
    unique_by=lambda one: (one["name"], one["candidate"]),
)
packages = st.lists(
    st.builds(lambda name, advisories: package(name, "1-1", *advisories), st.sampled_from(NAMES), indexes),
    unique_by=lambda one: str(one["name"]),
)
rpm_nodes = st.builds(
    lambda three, some, offered: node_data("redhat", advisories=three, packages=some, updates=offered),
    st.lists(notices, min_size=3, max_size=3),
    packages,
    updates,
)
windows_nodes = st.lists(
    st.builds(
        lambda number, state, kind, severity, day: kb(number, state, kind, severity, released=day),
        st.integers(1, 5),
        st.sampled_from(["installed", "pendingReboot", "missing", "notApplicable", "superseded"]),
        st.sampled_from(["SecurityUpdates", "CriticalUpdates", "Drivers"]),
        st.sampled_from(["Critical", "Low", ""]),
        some_days,
    ),
    unique_by=lambda one: str(one["kb"]),
).map(lambda some: node_data("windows", windowsUpdates=some))

apt_updates = st.lists(
    st.builds(
        lambda name, candidate, priority, origin, pulls: update(
            name, "1-1", candidate, arch="amd64", priority=priority, origins=[origin], pulls=pulls
        ),
        st.sampled_from(NAMES),
        st.sampled_from(["1-2", "1-10", "1:0-1", "1-2~rc1"]),
        st.sampled_from(["required", "optional", ""]),
        st.integers(0, 1),
        indexes,
    ),
    min_size=3,
    max_size=6,
    unique_by=lambda one: (one["name"], one["candidate"]),
)
apt_nodes = st.builds(
    lambda some, offered: node_data("debian", origins=[*ORIGINS], packages=some, updates=offered),
    st.lists(
        st.builds(
            lambda name, origin: package(name, "1-1", arch="amd64", origins=[origin]),
            st.sampled_from(NAMES),
            st.integers(0, 1),
        ),
        unique_by=lambda one: str(one["name"]),
    ),
    apt_updates,
)
package_cases = st.tuples(apt_nodes, baselines(DEBIAN)) | st.tuples(rpm_nodes, baselines(REDHAT))
rpm_cases = st.tuples(rpm_nodes, baselines(REDHAT))
cases = package_cases | st.tuples(windows_nodes, baselines(WINDOWS))
blocked_or_not = st.sampled_from(PatchAction)


def judged(data: Any, own: Baseline, today: date = TODAY) -> Evaluation:
    return evaluate(parse(data), own, today)


def missing(evaluation: Evaluation) -> set[str]:
    return {entry.kb_id for entry in evaluation.entries if entry.state is PatchState.MISSING}


def with_rule(own: Baseline, rule: PatchRule) -> Baseline:
    return replace(own, approval_rules=PatchRuleGroup(patch_rules=(*own.approval_rules.patch_rules, rule)))


@given(cases, blocked_or_not)
def test_states_and_counts_agree(case: tuple[Any, Baseline], action: PatchAction) -> None:
    data, own = case
    evaluation = judged(data, replace(own, rejected_patches_action=action))
    counts = evaluation.counts
    listed = (
        counts.installed_count,
        counts.installed_other_count,
        counts.installed_pending_reboot_count,
        counts.installed_rejected_count,
        counts.missing_count,
        counts.failed_count,
        counts.available_security_update_count,
    )
    idle = sum(entry.state is PatchState.NOT_APPLICABLE for entry in evaluation.entries)
    assert sum(listed) + idle == len(evaluation.entries)
    bad = sum(evaluation.compliance_of(entry) == "NON_COMPLIANT" for entry in evaluation.entries)
    overlapping = counts.critical_non_compliant_count + counts.security_non_compliant_count
    assert counts.other_non_compliant_count <= bad <= overlapping + counts.other_non_compliant_count
    assert (counts.status == "NON_COMPLIANT") == (bad > 0)


widened = st.tuples(rpm_cases, rules(REDHAT)) | st.tuples(st.tuples(apt_nodes, baselines(DEBIAN)), rules(DEBIAN))


@given(widened)
def test_adding_a_rule_never_lets_a_missing_patch_go(case: tuple[tuple[Any, Baseline], PatchRule]) -> None:
    (data, own), rule = case
    assert missing(judged(data, own)) <= missing(judged(data, with_rule(own, rule)))


@given(package_cases, st.sampled_from(NAMES), blocked_or_not)
def test_rejecting_never_adds_a_missing_patch(case: tuple[Any, Baseline], name: str, action: PatchAction) -> None:
    data, own = case
    narrower = replace(own, rejected_patches=(*own.rejected_patches, name), rejected_patches_action=action)
    assert missing(judged(data, narrower)) <= missing(judged(data, own))


@given(cases, st.integers(0, 400))
def test_a_later_day_never_lets_a_missing_patch_go(case: tuple[Any, Baseline], more: int) -> None:
    data, own = case
    assert missing(judged(data, own)) <= missing(judged(data, own, TODAY + timedelta(days=more)))


@given(package_cases, blocked_or_not, st.randoms())
def test_the_order_of_facts_is_irrelevant(case: tuple[Any, Baseline], action: PatchAction, chance: Any) -> None:
    data, own = case
    own = replace(own, rejected_patches_action=action)
    assert judged(shuffled(data, chance.shuffle), own) == judged(data, own)


def shuffled(data: Any, shuffle: Callable[[list[Any]], None]) -> Any:
    """Return the same facts with packages, updates, sources and notices in another order."""
    other = json.loads(json.dumps(data))
    for name, member in (("advisories", "advisories"), ("origins", "origins"), ("updates", "pulls")):
        if name not in other:
            continue
        order = list(range(len(other[name])))
        shuffle(order)
        other[name] = [other[name][index] for index in order]
        for item in (*other["packages"], *other["updates"]):
            item[member] = [order.index(index) for index in item.get(member, [])]
    shuffle(other["packages"])
    return other
