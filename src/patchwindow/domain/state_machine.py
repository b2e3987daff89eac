"""What all state tables have in common: a table says of each state which events may happen, and what state follows."""

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from patchwindow.domain.errors import IllegalTransition

S = TypeVar("S", bound=StrEnum)
E = TypeVar("E", bound=StrEnum)


def follow(transitions: Mapping[S, Mapping[E, S]], state: S, event: E) -> S:
    """Return the state that follows *state* when *event* happens.

    Raises:
        IllegalTransition: the table has no such move.
    """
    try:
        return transitions[state][event]
    except KeyError:
        raise IllegalTransition(state, event) from None


def terminal(transitions: Mapping[S, Mapping[E, S]]) -> frozenset[S]:
    """Return the states in which nothing happens any more."""
    return frozenset(state for state, moves in transitions.items() if not moves)
