from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, NamedTuple

import pytest

from patchwindow.domain import (
    association_execution,
    command,
    invocation,
    task_execution,
    task_invocation,
    window_execution,
)
from patchwindow.domain.errors import IllegalTransition


class Table(NamedTuple):
    states: type[StrEnum]
    events: type[StrEnum]
    transitions: Mapping[Any, Mapping[Any, StrEnum]]  # a mapping is invariant in its keys
    terminal: frozenset[StrEnum]
    advance: Callable[..., StrEnum]


TABLES = {
    module.__name__.rpartition(".")[2]: Table(
        module.State, module.Event, module.TRANSITIONS, frozenset(module.TERMINAL), module.advance
    )
    for module in (association_execution, invocation, window_execution, task_execution, task_invocation)
} | {"command": Table(command.Status, command.Event, command.TRANSITIONS, frozenset(command.TERMINAL), command.advance)}

every_table = pytest.mark.parametrize("table", TABLES.values(), ids=TABLES.keys())


@every_table
def test_every_state_has_a_row(table: Table) -> None:
    assert set(table.transitions) == set(table.states)


@every_table
def test_a_terminal_state_accepts_nothing(table: Table) -> None:
    assert table.terminal
    for state in table.terminal:
        for event in table.events:
            with pytest.raises(IllegalTransition):
                table.advance(state, event)


@every_table
def test_every_state_is_reachable_from_the_first(table: Table) -> None:
    first = next(iter(table.states))
    reached, frontier = {first}, {first}
    while frontier:
        frontier = {after for state in frontier for after in table.transitions[state].values()} - reached
        reached |= frontier
    assert reached == set(table.states)


@every_table
def test_every_event_happens_in_some_state(table: Table) -> None:
    assert {event for moves in table.transitions.values() for event in moves} == set(table.events)


@every_table
def test_advance_follows_the_table_and_refuses_everything_else(table: Table) -> None:
    for state in table.states:
        for event in table.events:
            if event in table.transitions[state]:
                assert table.advance(state, event) is table.transitions[state][event]
            else:
                with pytest.raises(IllegalTransition, match=f"in state {state}, {event} cannot happen"):
                    table.advance(state, event)


@every_table
def test_every_open_state_can_end(table: Table) -> None:
    ending = set(table.terminal)
    while more := {s for s, moves in table.transitions.items() if set(moves.values()) & ending} - ending:
        ending |= more
    assert ending == set(table.states)
