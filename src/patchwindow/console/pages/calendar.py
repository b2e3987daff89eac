"""The calendar: when windows open, by month, week or day, with freezes, overlaps, and what came of the openings that were."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from itertools import islice
from typing import Any, Final
from zoneinfo import ZoneInfo

from patchwindow.console import times
from patchwindow.console.pages.tonight import Night, night_of
from patchwindow.console.view import Act, Cell, Done, Once, Shown, Table, View
from patchwindow.domain.errors import Invalid

VIEWS: Final[Mapping[str, tuple[str, int]]] = {"month": ("Month", 4), "week": ("Week", 20), "list": ("List", 500)}
"""The views by name, each with its label and how many openings a day shows."""
OPENINGS_MAX: Final = 700
"""So many openings are read for one page."""

_DAY: Final = timedelta(days=1)
_LISTED_DAYS: Final = 31
_YEARS: Final = range(1971, 2199)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One opening, in a day."""

    night: Night
    begins: str
    ends: str
    beside: str
    """The windows that it overlaps with; empty where it does with none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FreezeShown:
    """A freeze, as far as it lies in a day."""

    calendar: str
    reason: str
    when: str
    window_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """One day."""

    day: date
    is_today: bool
    is_outside: bool
    """Whether it is of another month than the one that is shown."""
    entries: Sequence[Entry]
    more_count: int
    freezes: Sequence[FreezeShown]


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarPage:
    """The calendar."""

    name: str
    """The view: a key of `VIEWS`."""
    label: str
    first: date
    weeks: Sequence[Sequence[Day]]
    earlier: date
    later: date
    today: date
    zone: str
    zones: Sequence[str]
    window: str
    """The id of the window that is shown alone; empty where all are."""
    window_name: str
    window_count: int
    """How many windows open in this time, or did."""
    is_cut: bool
    feeds: Sequence[Mapping[str, Any]]
    made_url: str = ""
    """The URL of the feed that was just made, which is shown this once."""

    @property
    def days(self) -> Iterator[Day]:
        """The days on which something is."""
        return (day for week in self.weeks for day in week if day.entries or day.freezes)


def show(view: View) -> Shown:
    """Return the calendar.

    Raises:
        Invalid: there is no such view, day or zone.
    """
    name = view.first("view", "month")
    if name not in VIEWS:
        raise Invalid(f"view is {name!r}; use one of {', '.join(VIEWS)}")
    zone, window = _zone(view), view.first("window")
    today = view.now.astimezone(zone).date()
    asked = _asked(view, today)
    first, last = _range(name, asked)
    since, until = _midnight(first, zone), _midnight(last, zone)
    found = view.each("ListOpenings", "Openings", After=since, Before=until, WindowId=window or None, MaxResults=500)
    nights = [night_of(one, view.now) for one in islice(found, OPENINGS_MAX + 1)]
    meets = view.ask("GetWindowCalendar", After=since, Before=until)
    beside = {(one["WindowId"], one["OpensTime"]): ", ".join(one["Beside"]) for one in meets["Overlaps"]}
    by_day = _by_day(nights[:OPENINGS_MAX], zone, beside)
    freezes = [one for one in meets["Freezes"] if not window or window in one["WindowIds"]]
    days = [
        _day(first + at * _DAY, by_day, freezes, zone, today=today, month=asked.month if name == "month" else 0,
             shown_max=VIEWS[name][1])
        for at in range((last - first).days)
    ]  # fmt: skip
    earlier, later = _neighbours(name, asked)
    page = CalendarPage(
        name=name,
        label=f"{asked:%B %Y}" if name == "month" else f"{_short(first)} to {_short(last - _DAY)}",
        first=asked,
        weeks=[days[at : at + 7] for at in range(0, len(days), 7)],
        earlier=earlier,
        later=later,
        today=today,
        zone=zone.key,
        zones=times.zones(),
        window=window,
        window_name=view.ask("GetMaintenanceWindow", WindowId=window)["Name"] if window else "",
        window_count=len({night.window_id for night in nights}),
        is_cut=len(nights) > OPENINGS_MAX,
        feeds=list(view.each("ListCalendarFeeds", "Feeds")),
    )
    return Shown(
        title="Calendar",
        template="calendar.html",
        page=page,
        command=(f"patchwindow calendar --days {max((last - today).days, 1)} --zone {zone.key}",),
        table=Table(_COLUMNS, [_cells(one, beside) for one in nights[:OPENINGS_MAX]]),
    )


def feed(act: Act) -> Done | Once:
    """Make a feed, whose URL the page shows this once, or revoke one."""
    if feed_id := act.first("FeedId"):
        act.view.ask("DeleteCalendarFeed", FeedId=feed_id)
        return Done(
            url="/console/calendar#feeds", said=f"The feed {feed_id} is revoked: its URL answers nobody any more"
        )
    url = act.view.ask("CreateCalendarFeed", Comment=act.first("Comment"))["Url"]
    shown = show(act.view)
    assert isinstance(shown.page, CalendarPage)
    return Once(replace(shown, page=replace(shown.page, made_url=url)))


_COLUMNS: Final = (
    "OpensTime", "CutoffTime", "EndsTime", "WindowId", "Name", "Status", "StatusDetails", "Calendar", "TargetCount",
    "Beside", "WindowExecutionId",
)  # fmt: skip


def _cells(one: Night, beside: Mapping[tuple[str, datetime], str]) -> Sequence[Cell]:
    return (
        one.opens_at, one.cutoff_at, one.ends_at, one.window_id, one.name, one.status, one.details, one.calendar,
        one.target_count, beside.get((one.window_id, one.opens_at), ""), one.execution_id,
    )  # fmt: skip


def _zone(view: View) -> ZoneInfo:
    name = view.first("zone")
    if not name:
        return view.zone
    zone = times.zone_of(name)
    if zone.key != name:
        raise Invalid(f"zone is {name!r}, which is no time zone; use an IANA name such as Europe/Berlin")
    return zone


def _asked(view: View, today: date) -> date:
    text = view.first("from")
    if not text:
        return today
    try:
        asked = date.fromisoformat(text)
    except ValueError:
        asked = date.min
    if asked.year not in _YEARS:
        raise Invalid(
            f"from is {text!r}, which is no day from {_YEARS[0]} to {_YEARS[-1]}; use one such as {today.isoformat()}"
        )
    return asked


def _range(name: str, asked: date) -> tuple[date, date]:
    """Return the first day that is shown, and the one after the last."""
    if name == "list":
        return asked, asked + _LISTED_DAYS * _DAY
    if name == "week":
        return _monday(asked), _monday(asked) + 7 * _DAY
    following = _month_after(asked)
    return _monday(asked.replace(day=1)), _monday(following - _DAY) + 7 * _DAY


def _neighbours(name: str, asked: date) -> tuple[date, date]:
    """Return the days that the views before and after this one are of."""
    if name == "month":
        return (asked.replace(day=1) - _DAY).replace(day=1), _month_after(asked)
    step = (7 if name == "week" else _LISTED_DAYS) * _DAY
    return asked - step, asked + step


def _month_after(day: date) -> date:
    return (day.replace(day=28) + 4 * _DAY).replace(day=1)


def _monday(day: date) -> date:
    return day - day.weekday() * _DAY


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone)


def _by_day(
    nights: Sequence[Night], zone: ZoneInfo, beside: Mapping[tuple[str, datetime], str]
) -> Mapping[date, Sequence[Entry]]:
    found: defaultdict[date, list[Entry]] = defaultdict(list)
    for night in nights:
        found[night.opens_at.astimezone(zone).date()].append(
            Entry(
                night=night,
                begins=times.clock(night.opens_at, zone),
                ends=times.clock(night.ends_at, zone),
                beside=beside.get((night.window_id, night.opens_at), ""),
            )
        )
    return found


def _day(
    day: date,
    by_day: Mapping[date, Sequence[Entry]],
    freezes: Sequence[Mapping[str, Any]],
    zone: ZoneInfo,
    *,
    today: date,
    month: int,
    shown_max: int,
) -> Day:
    entries = by_day.get(day, ())
    begins, ends = _midnight(day, zone), _midnight(day + _DAY, zone)
    return Day(
        day=day,
        is_today=day == today,
        is_outside=bool(month) and day.month != month,
        entries=entries[:shown_max],
        more_count=max(len(entries) - shown_max, 0),
        freezes=[
            FreezeShown(
                calendar=one["Calendar"],
                reason=one["Reason"],
                when=_when(one["StartsTime"], one["EndsTime"], begins, ends, zone),
                window_count=len(one["WindowIds"]),
            )
            for one in freezes
            if one["StartsTime"] < ends and one["EndsTime"] > begins
        ],
    )


def _when(starts_at: datetime, ends_at: datetime, begins: datetime, ends: datetime, zone: ZoneInfo) -> str:
    """Return at what time of a day a freeze is in force; nothing where it is all day."""
    since = f"from {times.clock(starts_at, zone)}" if starts_at > begins else ""
    until = f"until {times.clock(ends_at, zone)}" if ends_at < ends else ""
    return " ".join(filter(None, (since, until)))


def _short(day: date) -> str:
    return f"{day.day} {day:%B %Y}"
