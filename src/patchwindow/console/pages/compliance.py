"""How compliant the fleet is: in which of seven states its nodes are, by what tells them apart, and how that was."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, timedelta
from typing import Any, Final

from patchwindow.console.charts import WIDTH, Layer, Part, columns, stack
from patchwindow.console.pages.nodes import WITHOUT
from patchwindow.console.view import Cell, Shown, Table, View
from patchwindow.domain.errors import Invalid

DAYS: Final = 90
HEIGHT: Final = 180
TABS: Final = {
    "PatchGroup": "Patch group",
    "Environment": "Environment",
    "OperatingSystem": "Operating system",
    "Day": "Day",
}
"""What the table tells apart, as the API calls it, with its label."""

_OPTIONS: Final = {"PatchGroup": "group", "Environment": "environment", "OperatingSystem": "os"}
_ROWS_MAX: Final = 200
_MARK_EVERY_DAYS: Final = 14


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table, such as a patch group."""

    name: str
    """Empty for the nodes that have none."""
    filter: str
    """What narrows the list of nodes to these; empty for a day, which is over."""
    counts: Mapping[str, int]
    parts: Sequence[Part]
    total: int

    @property
    def percent(self) -> int:
        """How many in a hundred are compliant; 100 only where all are."""
        return self.counts["Compliant"] * 100 // max(self.total, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A day below the trend."""

    x: float
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CompliancePage:
    """All nodes, the table by *by*, and the trend."""

    whole: Row
    states: Sequence[str]
    by: str
    tabs: Mapping[str, str]
    rows: Sequence[Row]
    more_count: int
    trend: Sequence[Layer]
    marks: Sequence[Mark]
    day_count: int
    """Of how many of the days something is known."""
    top: int
    """The nodes of the highest column."""


def show(view: View) -> Shown:
    """Return the page of compliance.

    Raises:
        Invalid: there is no such table.
    """
    by = view.first("by", "PatchGroup")
    if by not in TABS:
        raise Invalid(f"by is {by!r}; use one of {', '.join(TABS)}")
    told = view.ask("GetFleetCompliance", GroupBy=[by] if by in _OPTIONS else None, MaxResults=1)
    states = [name for name in told["Counts"] if name != "Total"]
    days = _days(view)
    rows = _groups(told["Groups"], by, states) if by in _OPTIONS else _past(days, states)
    first = (view.now - timedelta(days=DAYS - 1)).astimezone(UTC).date()
    page = CompliancePage(
        whole=_row("", "", told["Counts"], states),
        states=states,
        by=by,
        tabs=TABS,
        rows=rows[:_ROWS_MAX],
        more_count=max(len(rows) - _ROWS_MAX, 0),
        trend=columns([days.get(first + timedelta(days=at), {}) for at in range(DAYS)], states, height=HEIGHT),
        marks=[
            Mark(x=(at + 0.43) * WIDTH / DAYS, label=_short(first + timedelta(days=at)))
            for at in range(DAYS - 1, 0, -_MARK_EVERY_DAYS)
        ],
        day_count=len(days),
        top=max((counts["Total"] for counts in days.values()), default=0),
    )
    asked = (
        f"patchwindow compliance fleet --by {_OPTIONS[by]}"
        if by in _OPTIONS
        else "patchwindow compliance history --together"
    )
    return Shown(
        title="Compliance",
        template="compliance.html",
        page=page,
        command=(asked,),
        table=Table((by, *states, "Total"), _cells(rows, states)),
    )


def _days(view: View) -> dict[date, Mapping[str, int]]:
    """Return the counts of each day of which something is known."""
    since = (view.now - timedelta(days=DAYS - 1)).astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    found = view.each("GetComplianceHistory", "Days", Together=True, After=since, MaxResults=500)
    return {date.fromisoformat(one["Day"]): one["Counts"] for one in found}


def _groups(groups: Iterable[Mapping[str, Any]], by: str, states: Sequence[str]) -> list[Row]:
    """Return a line for each group, those with the most nodes that are not compliant first."""
    rows = [_row(one[by], one[by] or WITHOUT, one["Counts"], states) for one in groups]
    return sorted(rows, key=lambda row: (row.counts["Compliant"] - row.total, row.name))


def _past(days: Mapping[date, Mapping[str, int]], states: Sequence[str]) -> list[Row]:
    return [_row(day.isoformat(), "", days[day], states) for day in sorted(days, reverse=True)]


def _row(name: str, filter: str, counts: Mapping[str, int], states: Sequence[str]) -> Row:
    parts = stack({state: counts[state] for state in states})
    return Row(name=name, filter=filter, counts=counts, parts=parts, total=counts["Total"])


def _cells(rows: Sequence[Row], states: Sequence[str]) -> Iterable[Sequence[Cell]]:
    for row in rows:
        yield (row.name, *(row.counts[state] for state in states), row.total)


def _short(day: date) -> str:
    return f"{day.day} {day:%b}"
