"""Filters of compliance select the same nodes in a statement as they would one by one."""

import itertools
from collections.abc import Callable
from datetime import datetime
from typing import Final

import pytest
from tests.store.compliance import cohort, evaluated, question, scanned
from tests.store.samples import UNICODE, counts, later, node, operation

from patchwindow.domain.baseline import ComplianceStatus
from patchwindow.domain.compliance_filters import Condition, Value
from patchwindow.domain.node import PlatformType
from patchwindow.domain.patch_state import PatchSummary
from patchwindow.store.patch_states import FILTERS, PatchState
from patchwindow.store.work import Work

_NODE: Final = "AWS:InstanceInformation."
NAMES: Final = ("web-1", "web-10", UNICODE, '"PlatformName":"Debian', "", None, "Web-1")
TEXTS: Final = (*(name for name in NAMES if name is not None), "web", "none", "COMPLIANT", "pb-1", "c-1", "mi-", "mi-2")
TIMES: Final = tuple(later(minutes) for minutes in range(-1, len(NAMES) + 1))


def fill(work: Work) -> dict[str, Callable[[PatchState], Value]]:
    """Keep nodes that differ in what filters ask for; return what each key is of, but for what is the same of all."""
    good = cohort(work, evaluated(work, found=counts(status=ComplianceStatus.COMPLIANT)), group="web")
    bad = cohort(work, evaluated(work, question(baseline_id="pb-2")), group="db")
    nodes = {}
    for at, name in enumerate(NAMES):
        id = f"mi-{at}"
        scanned(work, id, into=good if at % 2 else bad, operation_end_time=later(at))
        nodes[id] = node(
            id,
            computer_name=name,
            platform_name=NAMES[-at],
            platform_type=None if at == 2 else PlatformType.LINUX,
            agent_version=name,
        )
        work.nodes.put(nodes[id], operating_system="DEBIAN", patch_group="web")
        work.patch_states.put(
            id,
            operation(patch_group=NAMES[at - 1] or "", operation_end_time=later(at)),
            cohort_id=(good if at % 2 else bad).cohort_id,
            evaluation_id=(good if at % 2 else bad).evaluation_id,
            installed_at=(),
            command_id=f"c-{at}",
        )

    def of_summary(get: Callable[[PatchSummary], Value]) -> Callable[[PatchState], Value]:
        return lambda state: get(state.summary)

    def of_node(name: str) -> Callable[[PatchState], Value]:
        return lambda state: getattr(nodes[state.summary.instance_id], name) or ""

    return {
        "Status": lambda state: state.status,
        "OverallSeverity": lambda state: state.overall_severity,
        "InstanceId": of_summary(lambda summary: summary.instance_id),
        "ResourceId": of_summary(lambda summary: summary.instance_id),
        "PatchGroup": of_summary(lambda summary: summary.patch_group),
        "PatchBaselineId": of_summary(lambda summary: summary.baseline_id),
        "ExecutionId": lambda state: state.command_id,
        "ExecutionTime": of_summary(lambda summary: summary.operation_end_time),
        f"{_NODE}AgentType": of_node("agent_name"),
        f"{_NODE}AgentVersion": of_node("agent_version"),
        f"{_NODE}ComputerName": of_node("computer_name"),
        f"{_NODE}IpAddress": of_node("ip_address"),
        f"{_NODE}PlatformName": of_node("platform_name"),
        f"{_NODE}PlatformType": of_node("platform_type"),
        f"{_NODE}PlatformVersion": of_node("platform_version"),
        "ComplianceType": lambda _: "Patch",
        "ResourceType": lambda _: "ManagedInstance",
        "ExecutionType": lambda _: "Command",
    }


def test_a_statement_selects_the_nodes_that_pass_one_by_one(work: Work) -> None:
    values_of = fill(work)
    assert values_of.keys() == set(FILTERS)
    every = list(work.patch_states.each())
    for key, value_of in values_of.items():
        asked = _of_times() if key == "ExecutionTime" else _of_texts()
        for type_, values in asked:
            wanted = Condition(key, type_, values)
            passing = [state for state in every if wanted.holds(value_of(state))]
            assert work.patch_states.passing([wanted], after="", limit=99) == passing, wanted
            told = work.patch_states.tally([wanted])
            assert told.total() == len(passing), wanted
            assert set(told) == {(state.status, state.overall_severity) for state in passing}, wanted


def _of_texts() -> list[tuple[str, tuple[Value, ...]]]:
    one = [(type_, (text,)) for type_ in ("EQUAL", "NOT_EQUAL", "BEGIN_WITH") for text in TEXTS]
    return [*one, ("EQUAL", TEXTS[:3]), ("NOT_EQUAL", TEXTS[:3]), ("EQUAL", ("Patch", "ManagedInstance", "Command"))]


def _of_times() -> list[tuple[str, tuple[Value, ...]]]:
    types = ("EQUAL", "NOT_EQUAL", "LESS_THAN", "GREATER_THAN")
    return [(type_, (at,)) for type_, at in itertools.product(types, TIMES)]


@pytest.mark.parametrize("at", [later(0), later(2)])
def test_conditions_hold_together(work: Work, at: datetime) -> None:
    values_of = fill(work)
    wanted = (
        Condition("ExecutionTime", "GREATER_THAN", (at,)),
        Condition(f"{_NODE}ComputerName", "NOT_EQUAL", ("web-10",)),
        Condition("PatchGroup", "BEGIN_WITH", ("w", UNICODE[:2])),
        Condition("Status", "EQUAL", ("COMPLIANT", "NON_COMPLIANT")),
    )
    passing = [
        state for state in work.patch_states.each() if all(one.holds(values_of[one.key](state)) for one in wanted)
    ]
    assert 0 < len(passing) < len(NAMES)
    assert work.patch_states.passing(wanted, after="", limit=99) == passing
    assert work.patch_states.tally(wanted).total() == len(passing)
