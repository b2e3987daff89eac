"""What nodes and runs make of an association."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patchwindow.domain import command, invocation
from patchwindow.domain.association_execution import (
    EVENT_OF,
    NODE_STATUS_OF,
    OPEN,
    TERMINAL,
    NodeStatus,
    Overview,
    State,
    advance,
    overview,
    together,
)


@pytest.mark.parametrize(
    ("nodes", "latest", "expected"),
    [
        ("", None, Overview.PENDING),
        ("", State.IN_PROGRESS, Overview.PENDING),
        ("", State.SUCCESS, Overview.SUCCESS),
        ("", State.FAILED, Overview.FAILED),
        ("Success", State.SUCCESS, Overview.SUCCESS),
        ("Success Pending", State.IN_PROGRESS, Overview.PENDING),
        ("Success Pending Failed", State.IN_PROGRESS, Overview.FAILED),
        ("Success TimedOut", State.SUCCESS, Overview.FAILED),
        ("Success Skipped", State.FAILED, Overview.FAILED),
    ],
)
def test_an_association_stands_as_the_worst_of_its_nodes(nodes: str, latest: State | None, expected: Overview) -> None:
    assert overview({NodeStatus(each): 1 for each in nodes.split()}, latest) is expected


@given(st.dictionaries(st.sampled_from(NodeStatus), st.integers(0, 3)))
def test_statuses_come_to_nothing_only_where_there_are_none(counts: dict[NodeStatus, int]) -> None:
    found = together(counts)
    assert (found is None) == (sum(counts.values()) == 0)
    # One that is worse, or not ready, is never hidden by one that succeeded.
    assert together({**counts, NodeStatus.SUCCESS: 1}) is (found or Overview.SUCCESS)
    assert together({**counts, NodeStatus.TIMED_OUT: 1}) is Overview.FAILED


@given(st.sampled_from(sorted(EVENT_OF)))
def test_a_run_ends_when_its_command_does(status: command.Status) -> None:
    assert advance(State.IN_PROGRESS, EVENT_OF[status]) in TERMINAL


@given(st.sampled_from(invocation.State))
def test_a_node_is_open_exactly_as_long_as_its_invocation(state: invocation.State) -> None:
    assert (NODE_STATUS_OF[state] in OPEN) == (state not in invocation.TERMINAL)
