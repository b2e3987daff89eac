"""Who changed what: the record of every change, with what narrows it."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from patchwindow.console.view import Cell, Shown, Table, View
from patchwindow.domain.change import Difference, differences
from patchwindow.domain.errors import Invalid
from patchwindow.operations.change_looks import ABOUT

PAGE_SIZE: Final = 40
DIFFERENCES_MAX: Final = 10
"""So many values stand in a line; all of them are in CSV and JSON."""
_FILTERS: Final = ("who", "operation", "of", "from", "to")
_MEMBERS: Final = ("ChangedTime", "Caller", "Comment", "Address", "Operation", "Resource", "Before", "After")
_PAGES_OF: Final = (
    ("mw-", "/windows/{}"),
    ("pb-", "/baselines/{}"),
    ("mi-", "/nodes/{}"),
    ("i-", "/nodes/{}"),
)
"""Where what has an id of such a form is shown."""
_PAGES_BY: Final = {"SendCommand": "/commands/{}", "CancelCommand": "/commands/{}"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One change."""

    at: datetime
    caller: str
    comment: str
    address: str
    operation: str
    resource: str
    place: str
    """The path of the page of what was changed, with `{}` for its id; empty where it has none, or is gone."""
    kind: str
    """`changed`, `made` or `gone`."""
    differences: Sequence[Difference]
    more_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangesPage:
    """The record."""

    rows: Sequence[Row]
    chosen: Mapping[str, str]
    operations: Sequence[str]
    next: str


def show(view: View) -> Shown:
    """Return the record, the newest change first.

    Raises:
        Invalid: a day is none.
    """
    chosen = {name: view.first(name) for name in _FILTERS}
    asked = _asked(view, chosen)
    answer = view.ask("ListChanges", **asked, MaxResults=PAGE_SIZE, NextToken=view.first("after") or None)
    page = ChangesPage(
        rows=[_row(one) for one in answer["Changes"]],
        chosen=chosen,
        operations=sorted(ABOUT),
        next=answer.get("NextToken", ""),
    )
    return Shown(
        title="Changes",
        template="changes.html",
        page=page,
        command=(_line(asked),),
        table=Table(_MEMBERS, _cells(view, asked)),
    )


def _asked(view: View, chosen: Mapping[str, str]) -> dict[str, Any]:
    until = _day(view, chosen, "to")
    return {
        "Caller": chosen["who"] or None,
        "Operation": chosen["operation"] or None,
        "Resource": chosen["of"] or None,
        "After": _day(view, chosen, "from"),
        # The whole of the last day.
        "Before": None if until is None else until + timedelta(days=1),
    }


def _day(view: View, chosen: Mapping[str, str], name: str) -> datetime | None:
    if not chosen[name]:
        return None
    try:
        day = date.fromisoformat(chosen[name])
    except ValueError:
        raise Invalid(f"{name} is {chosen[name]!r}, which is no day; write it as in 2026-12-03") from None
    return datetime(day.year, day.month, day.day, tzinfo=view.zone)


def _line(asked: Mapping[str, Any]) -> str:
    options = {"by": "Caller", "operation": "Operation", "of": "Resource"}
    told = [f"--{option} {asked[member]!r}" for option, member in options.items() if asked[member]]
    return " ".join(("patchwindow changes", *told))


def _cells(view: View, asked: Mapping[str, Any]) -> Iterator[Sequence[Cell]]:
    for one in view.each("ListChanges", "Changes", **asked, MaxResults=500):
        yield [one[member] for member in _MEMBERS]


def _row(one: Mapping[str, Any]) -> Row:
    before, after = (json.loads(one[name] or "null") for name in ("Before", "After"))
    found = differences(before, after)
    is_gone = after is None
    return Row(
        at=one["ChangedTime"],
        caller=one["Caller"],
        comment=one["Comment"],
        address=one["Address"],
        operation=one["Operation"],
        resource=one["Resource"],
        place="" if is_gone else _place(one["Operation"], one["Resource"]),
        kind="gone" if is_gone else "made" if before is None else "changed",
        differences=found[:DIFFERENCES_MAX],
        more_count=max(len(found) - DIFFERENCES_MAX, 0),
    )


def _place(operation: str, resource: str) -> str:
    by_form = next((place for start, place in _PAGES_OF if resource.startswith(start)), "")
    return _PAGES_BY.get(operation, by_form) if resource else ""
