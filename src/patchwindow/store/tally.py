"""The one place that writes invocations, and with each change the tally of their command.

The tally says how many invocations of a command are in each place, a stage and a state, so that who decides about the
command need not look at them.  Whoever changes an invocation holds its command, so nobody counts at the same time.
"""

import functools
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from enum import IntEnum
from typing import Any, Final, NamedTuple

import sqlalchemy as sa

from patchwindow.domain.run import Invocation
from patchwindow.store.prepared import Given, Prepared, prepared
from patchwindow.store.rows import Insert, Rows, instant, ms
from patchwindow.store.tables import command_tally, invocation


class Stage(IntEnum):
    """How far an invocation has come, whatever its state; the order is that of time."""

    UNSENT = 0
    AWAITED = 1
    """It was sent a moment ago, and sending to others waits for its answer."""
    SENT = 2
    ENDED = 3


class Place(NamedTuple):
    """Where an invocation is counted."""

    stage: Stage
    details: str


_OF: Final = prepared(
    sa.select(command_tally.c.stage, command_tally.c.details, command_tally.c.invocation_count).where(
        command_tally.c.command_id == sa.bindparam("id")
    )
)
_ADD_INVOCATION: Final = prepared(sa.insert(invocation))
_TO_BE_COUNTED: Final = (
    invocation.c.command_id == sa.bindparam("b_command_id"),
    invocation.c.stage == sa.bindparam("b_stage"),
    invocation.c.details == sa.bindparam("b_details"),
)


def change_of(*more: sa.ColumnElement[bool], **values: sa.BindParameter[Any]) -> Prepared:
    """Return the statement that moves invocations of one command from one place to another.

    Beside the places it looks at the conditions *more* and sets *values*; it is for `Tally.move` and `Tally.move_all`.
    """
    there = sa.update(invocation).where(*_TO_BE_COUNTED, *more)
    return prepared(there.values(stage=sa.bindparam("to_stage"), details=sa.bindparam("to_details"), **values))


class Tally(Rows):
    """The writer of invocations."""

    def of(self, command_id: str) -> dict[Place, int]:
        """Return how many invocations of a command are in each place; places where there is none are left out."""
        rows = self._rows(_OF, {"id": command_id})
        return {Place(Stage(row.stage), row.details): row.invocation_count for row in rows if row.invocation_count}

    def add(self, values: Iterable[Invocation]) -> None:
        """Keep new invocations."""
        many = list(values)
        self._change_all(_ADD_INVOCATION, map(invocation_row, many))
        self._count(Counter((one.command_id, place_of(one)) for one in many))

    def move(self, statement: Prepared, command_id: str, before: Place, after: Place, given: Given) -> int:
        """Run *statement*, made by `change_of`, once; return how many invocations went from *before* to *after*."""
        places = _places(command_id, before, after)
        count = self._change(statement, {**places, **given})
        if count and before != after:
            self._count_moved(places, count)
        return count

    def move_all(
        self, statement: Prepared, command_id: str, before: Place, after: Place, given: Sequence[Given]
    ) -> None:
        """Run *statement*, made by `change_of`, for each of the values *given*; each moves exactly one invocation."""
        if not given:
            return
        places = _places(command_id, before, after)
        count = self._change_all(statement, [{**places, **one} for one in given])
        assert count == len(given), "the command is held, so that its invocations stay as they were read"
        if before != after:
            self._count_moved(places, count)

    def _count_moved(self, places: Given, count: int) -> None:
        self._change(_move_counts(self._insert), {**places, "left": -count, "came": count})

    def _count(self, differences: Mapping[tuple[str, Place], int]) -> None:
        self._change_all(
            _add_to_count(self._insert),
            (
                {"command_id": command_id, "stage": stage, "details": details, "invocation_count": difference}
                for (command_id, (stage, details)), difference in differences.items()
            ),
        )


@functools.cache
def _add_to_count(insert: Insert) -> Prepared:
    return _added(insert(command_tally))


@functools.cache
def _move_counts(insert: Insert) -> Prepared:
    """Return the statement that counts a move in both places, which costs less than one statement for each."""
    ends = (("b_stage", "b_details", "left"), ("to_stage", "to_details", "came"))
    rows: list[dict[str, Any]] = [
        {
            "command_id": sa.bindparam("b_command_id"),
            "stage": sa.bindparam(stage),
            "details": sa.bindparam(details),
            "invocation_count": sa.bindparam(difference),
        }
        for stage, details, difference in ends
    ]
    return _added(insert(command_tally).values(rows))


def _added(statement: Any) -> Prepared:
    """Return *statement*, an insertion of differences, as one that adds them to what is there."""
    total = command_tally.c.invocation_count + statement.excluded.invocation_count
    return prepared(
        statement.on_conflict_do_update(index_elements=command_tally.primary_key, set_={"invocation_count": total})
    )


def _places(command_id: str, before: Place, after: Place) -> Given:
    return {
        "b_command_id": command_id,
        "b_stage": before.stage.value,
        "b_details": before.details,
        "to_stage": after.stage.value,
        "to_details": after.details,
    }


def place_of(value: Invocation) -> Place:
    """Return where *value* is counted."""
    if value.ended_at is not None:
        return Place(Stage.ENDED, value.details)
    if value.dispatched_at is None:
        return Place(Stage.UNSENT, value.details)
    return Place(Stage.AWAITED if value.is_awaited else Stage.SENT, value.details)


def invocation_row(value: Invocation) -> dict[str, Any]:
    """Return *value* as the table has it."""
    return {
        "command_id": value.command_id,
        "node_id": value.instance_id,
        "ordinal": value.ordinal,
        "node_name": value.instance_name,
        "details": value.details,
        "stage": place_of(value).stage,
        **changing(value),
    }


def changing(value: Invocation) -> dict[str, Any]:
    """Return what of a row can change beside its place."""
    return {
        "dispatched_at_ms": ms(value.dispatched_at),
        "acknowledged_at_ms": ms(value.acknowledged_at),
        "cancelled_at_ms": ms(value.cancelled_at),
        "ended_at_ms": ms(value.ended_at),
        "trace_output": value.trace_output,
        "due_at_ms": ms(value.due_at),
    }


def invocation_of(row: Any) -> Invocation:
    """Return what a *row* of the table holds."""
    return Invocation(
        command_id=row.command_id,
        instance_id=row.node_id,
        ordinal=row.ordinal,
        instance_name=row.node_name,
        details=row.details,
        dispatched_at=instant(row.dispatched_at_ms),
        acknowledged_at=instant(row.acknowledged_at_ms),
        cancelled_at=instant(row.cancelled_at_ms),
        ended_at=instant(row.ended_at_ms),
        trace_output=row.trace_output,
        is_awaited=row.stage == Stage.AWAITED,
        due_at=instant(row.due_at_ms),
    )
