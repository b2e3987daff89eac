"""Openings against an oracle that walks every minute and knows nothing of fields, bits or clock changes."""

import calendar
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from patchwindow.domain.opening import timing
from patchwindow.domain.schedule_zone import format_instant

_MINUTE = timedelta(minutes=1)
_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)
_MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
_WEEKDAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]


@dataclass(frozen=True)
class Calendar:
    """An expression, and what it means in the plainest words of Python."""

    text: str
    minutes: frozenset[int]
    hours: frozenset[int]
    has_day: Callable[[date], bool]


def values(low: int, high: int, names: list[str] | None = None) -> st.SearchStrategy[tuple[str, frozenset[int]]]:
    """Draw the text of a field, and the values that it means."""
    every = list(range(low, high + 1))
    one = st.sampled_from(every)

    def name(value: int) -> st.SearchStrategy[str]:
        forms = [str(value), f"{value:02}"]
        return st.sampled_from([*forms, names[value - low], names[value - low].lower()] if names else forms)

    def walk(first: int, last: int, step: int) -> frozenset[int]:
        # Around the clock, one value at a time, until the last one has been seen.
        seen = every[every.index(first) :] + every[: every.index(first)]
        return frozenset(seen[: seen.index(last) + 1 : step])

    single = one.flatmap(lambda a: name(a).map(lambda text: (text, frozenset({a}))))
    ranged = st.tuples(one, one).flatmap(
        lambda ends: st.tuples(name(ends[0]), name(ends[1])).map(lambda texts: ("-".join(texts), walk(*ends, 1)))
    )
    stepped = st.tuples(one, st.integers(1, high)).map(lambda it: (f"{it[0]}/{it[1]}", walk(it[0], high, it[1])))
    star_stepped = st.integers(1, high).map(lambda step: (f"*/{step}", frozenset(every[::step])))
    range_stepped = st.tuples(one, one, st.integers(1, high)).map(lambda it: (f"{it[0]}-{it[1]}/{it[2]}", walk(*it)))
    item = single | single | ranged | stepped | star_stepped | range_stepped
    listed = st.lists(item, min_size=1, max_size=3).map(
        lambda items: (",".join(text for text, _ in items), frozenset().union(*(allowed for _, allowed in items)))
    )
    return st.just(("*", frozenset(every))) | listed


def last_day(day: date) -> int:
    return calendar.monthrange(day.year, day.month)[1]


def weekday(day: date) -> int:
    return day.isoweekday() % 7 + 1


def nearest_working_day(day: date, wanted: int) -> date | None:
    """Return the working day nearest to the day *wanted* of the month of *day*, if the month has that day."""
    if not 1 <= wanted <= last_day(day):
        return None
    all_days = [day.replace(day=number) for number in range(1, last_day(day) + 1)]
    return min((other for other in all_days if other.isoweekday() <= 5), key=lambda other: abs(other.day - wanted))


DayField = tuple[str, str, Callable[[date], bool]]

day_fields: st.SearchStrategy[DayField] = st.one_of(
    values(1, 31).map(lambda it: (it[0], "?", lambda day: day.day in it[1])),
    st.integers(0, 30).map(
        lambda back: (f"L-{back}" if back else "L", "?", lambda day: day.day == last_day(day) - back)
    ),
    st.integers(0, 30).map(
        lambda back: (
            f"L-{back}W" if back else "LW",
            "?",
            lambda day: day == nearest_working_day(day, last_day(day) - back),
        )
    ),
    st.integers(1, 31).map(lambda wanted: (f"{wanted}W", "?", lambda day: day == nearest_working_day(day, wanted))),
    values(1, 7, _WEEKDAYS).map(lambda it: ("?", it[0], lambda day: weekday(day) in it[1])),
    st.just(("?", "L", lambda day: day.isoweekday() == 6)),
    st.integers(1, 7).map(
        lambda number: (
            "?",
            f"{number}L",
            lambda day: weekday(day) == number and (day + timedelta(days=7)).month != day.month,
        )
    ),
    st.tuples(st.integers(1, 7), st.integers(1, 5)).map(
        lambda it: (
            "?",
            f"{_WEEKDAYS[it[0] - 1]}#{it[1]}",
            lambda day: weekday(day) == it[0] and (day.day + 6) // 7 == it[1],
        )
    ),
)


@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    minutes_text, minutes = draw(values(0, 59))
    hours_text, hours = draw(values(0, 23))
    months_text, months = draw(st.just(("*", frozenset(range(1, 13)))) | values(1, 12, _MONTHS))
    days_text, weekdays_text, has_day = draw(day_fields)
    return Calendar(
        text=f"cron({minutes_text} {hours_text} {days_text} {months_text} {weekdays_text} *)",
        minutes=minutes,
        hours=hours,
        has_day=cache(lambda day: day.month in months and has_day(day)),
    )


def every_opening(expected: Calendar, zone: ZoneInfo, after: datetime, until: datetime) -> list[datetime]:
    """Return what a patient watcher of the clock sees: every minute, and each local time once.

    When the clock jumps, the watcher opens for all that it jumped over; when it was set back, it waits until the clock
    shows a time that it has not shown before.
    """
    instant = after.replace(second=0, microsecond=0) - 2 * _DAY
    shown = instant.astimezone(zone).replace(tzinfo=None)
    openings: list[datetime] = []
    while instant < until:
        instant += _MINUTE
        local = instant.astimezone(zone).replace(tzinfo=None)
        is_opening = False
        while shown < local:
            shown += _MINUTE
            is_opening |= (
                shown.minute in expected.minutes and shown.hour in expected.hours and expected.has_day(shown.date())
            )
        if is_opening and after < instant <= until:
            openings.append(instant)
    return openings


zones = st.sampled_from(
    [
        "UTC",
        "Europe/Berlin",
        "Europe/Dublin",
        "America/New_York",
        "America/St_Johns",
        "America/Sao_Paulo",
        "Africa/Casablanca",
        "Asia/Kathmandu",
        "Asia/Tehran",
        "Australia/Lord_Howe",
        "Pacific/Apia",
        "Pacific/Chatham",
        "Antarctica/Troll",
    ]
).map(ZoneInfo)

instants = st.datetimes(
    datetime.fromisoformat("1980-01-03"), datetime.fromisoformat("2060-01-01"), timezones=st.just(UTC)
)


@cache
def clock_changes(zone: ZoneInfo, year: int) -> list[datetime]:
    """Return the instants of *year*, to the quarter of an hour, after which the offset of *zone* is another one."""
    days = [datetime(year, 1, 2, tzinfo=UTC) + number * _DAY for number in range(363)]
    quarters = [
        [day + number * 15 * _MINUTE for number in range(97)]
        for day, later in pairwise(days)
        if is_change(zone, day, later)
    ]
    return [one for times in quarters for one, other in pairwise(times) if is_change(zone, one, other)]


def is_change(zone: ZoneInfo, one: datetime, other: datetime) -> bool:
    return one.astimezone(zone).utcoffset() != other.astimezone(zone).utcoffset()


def openings_by_schedule(text: str, zone: ZoneInfo, after: datetime, until: datetime) -> list[datetime]:
    return list(
        timing(
            schedule=text,
            schedule_timezone=zone.key,
            end_date=format_instant(until, UTC),
            created_at=after,
        ).openings(after)
    )


@given(calendars(), zones, instants)
@settings(max_examples=12)
def test_a_month_of_openings_is_what_the_watcher_of_the_clock_sees(
    expected: Calendar, zone: ZoneInfo, after: datetime
) -> None:
    until = after.replace(microsecond=0) + 31 * _DAY
    assert openings_by_schedule(expected.text, zone, after, until) == every_opening(expected, zone, after, until)


@given(calendars(), zones, st.integers(1985, 2060), st.data())
def test_around_a_clock_change_openings_are_what_the_watcher_of_the_clock_sees(
    expected: Calendar, zone: ZoneInfo, year: int, data: st.DataObject
) -> None:
    """A nonexistent local time opens when the gap ends, an ambiguous one once; none vanishes and none comes twice."""
    changes = clock_changes(zone, year)
    assume(changes)
    change = data.draw(st.sampled_from(changes))
    after = change + data.draw(st.timedeltas(-3 * _HOUR, 3 * _HOUR))
    until = (change + _DAY).replace(microsecond=0)
    # The day is given, so that the change itself is not missed by most calendars.
    every_day = Calendar(
        text=" ".join([*expected.text.split()[:2], "* * ? *)"]),
        minutes=expected.minutes,
        hours=expected.hours,
        has_day=lambda _: True,
    )
    for one in (expected, every_day):
        assert openings_by_schedule(one.text, zone, after, until) == every_opening(one, zone, after, until)


@given(calendars(), st.integers(1971, 2198))
def test_the_days_of_a_year_are_those_that_each_day_says_for_itself(expected: Calendar, year: int) -> None:
    text = " ".join(["cron(0", "12", *expected.text.split()[2:]])
    first, until = date(year, 1, 1), datetime(year, 12, 31, 23, tzinfo=UTC)
    found = openings_by_schedule(text, ZoneInfo("UTC"), datetime(year, 1, 1, tzinfo=UTC), until)
    days = (first + number * _DAY for number in range((date(year + 1, 1, 1) - first).days))
    assert [opening.date() for opening in found] == [day for day in days if expected.has_day(day)]
    assert all(opening.hour == 12 for opening in found)


schedules = st.one_of(
    calendars().map(lambda drawn: drawn.text),
    st.tuples(st.integers(2, 900), st.sampled_from(["minutes", "hours", "days"])).map(
        lambda it: f"rate({it[0]} {it[1]})"
    ),
    instants.map(lambda drawn: f"at({drawn:%Y-%m-%dT%H:%M:%S})"),
)


@given(schedules, zones, instants, instants, st.tuples(st.none() | instants, st.none() | instants))
def test_openings_rise_strictly_and_keep_their_bounds(
    schedule: str,
    zone: ZoneInfo,
    created_at: datetime,
    after: datetime,
    bounds: tuple[datetime | None, datetime | None],
) -> None:
    start, end = bounds
    if start is not None and end is not None:
        start, end = min(start, end), max(start, end)
    bounded = timing(
        schedule=schedule,
        schedule_timezone=zone.key,
        start_date=start.isoformat() if start else None,
        end_date=end.isoformat() if end else None,
        created_at=created_at,
    )
    found = list(islice(bounded.openings(after), 50))
    assert all(one < other for one, other in pairwise([after, *found]))
    assert all(start is None or start <= opening for opening in found)
    assert all(end is None or opening <= end for opening in found)


@given(calendars(), zones, st.integers(1985, 2060), st.sampled_from([None, 1, 6]), st.data())
def test_openings_one_after_the_other_are_those_that_each_next_one_says(
    drawn: Calendar, zone: ZoneInfo, year: int, offset_days: int | None, data: st.DataObject
) -> None:
    """A stream of openings looks at the clock once; asking anew after each looks at it each time."""
    changes = clock_changes(zone, year)
    around = data.draw(st.sampled_from(changes)) if changes else datetime(year, 7, 1, tzinfo=UTC)
    after = around - data.draw(st.timedeltas(-_HOUR, 8 * _DAY))
    steady = timing(
        schedule=drawn.text, schedule_timezone=zone.key, schedule_offset=offset_days, created_at=after - 9 * _DAY
    )
    found = list(islice(steady.openings(after), 40))
    asked: list[datetime] = []
    while len(asked) < 40 and (opening := steady.next_opening(asked[-1] if asked else after)) is not None:
        asked.append(opening)
    assert found == asked


@given(calendars(), zones, instants, st.integers(1, 6))
def test_an_offset_moves_each_opening_and_adds_none(
    drawn: Calendar, zone: ZoneInfo, created_at: datetime, offset_days: int
) -> None:
    """ "actual start = cron match + offset days, same wall-clock time", and no match before the window was made counts."""
    plain = timing(schedule=drawn.text, schedule_timezone=zone.key, created_at=created_at)
    moved = timing(schedule=drawn.text, schedule_timezone=zone.key, schedule_offset=offset_days, created_at=created_at)
    opening = moved.next_opening(created_at)
    match = plain.next_opening(created_at - timedelta(microseconds=1))
    if match is None or opening is None:
        assert match is None
        assert opening is None
        return
    # A clock change between the two, or on one of them, may move the instant by what it moves the clock.
    assert abs(opening - match - offset_days * _DAY) <= _DAY
    assert opening > created_at


@given(schedules, zones, instants, st.timedeltas(timedelta(0), 400 * _DAY))
def test_asking_later_never_changes_what_comes(
    schedule: str, zone: ZoneInfo, created_at: datetime, delay: timedelta
) -> None:
    steady = timing(schedule=schedule, schedule_timezone=zone.key, created_at=created_at)
    opening = steady.next_opening(created_at)
    if opening is not None and created_at + delay < opening:
        assert steady.next_opening(created_at + delay) == opening
