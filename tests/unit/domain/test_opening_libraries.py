"""Openings against libraries that others wrote, for the schedules that each of them can express.

They get the plain sets of values, written as lists, where ours gets ranges, steps and names.  What they make of a clock
change differs from one to the next, so the days of changes are left out; `test_opening_properties.py` has those.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from typing import Final
from zoneinfo import ZoneInfo

import pytest
from apscheduler.triggers.cron import CronTrigger
from croniter import croniter
from cronsim import CronSim
from dateutil import rrule
from hypothesis import given
from hypothesis import strategies as st
from pyawscron import AWSCron

from patchwindow.domain.opening import timing
from patchwindow.domain.schedule_zone import changes

_DAY: Final = timedelta(days=1)
_SPAN: Final = 400 * _DAY
_OPENINGS_MAX: Final = 60
_NAMES: Final = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]
_ORDINALS: Final = ["1st", "2nd", "3rd", "4th", "5th"]
_RRULE_DAYS: Final = [rrule.SU, rrule.MO, rrule.TU, rrule.WE, rrule.TH, rrule.FR, rrule.SA]


@dataclass(frozen=True)
class Day:
    """A day field in each language: ours, that of Unix cron libraries, APScheduler's and that of recurrence rules.

    None is what a language cannot say.
    """

    ours: str
    unix: str | None
    croniter: str | None
    apscheduler: dict[str, str] | None
    rule: dict[str, object] | None


@dataclass(frozen=True)
class Drawn:
    """A schedule: its minutes and hours as we write them, the values that they mean, and its day."""

    minutes_text: str
    minutes: tuple[int, ...]
    hours_text: str
    hours: tuple[int, ...]
    months: tuple[int, ...]
    day: Day

    @property
    def ours(self) -> str:
        day_of_month, day_of_week = self.day.ours.split()
        return f"{self.minutes_text} {self.hours_text} {day_of_month} {listed(self.months)} {day_of_week} *"

    def unix(self, day: str) -> str:
        day_of_month, day_of_week = day.split()
        return f"{listed(self.minutes)} {listed(self.hours)} {day_of_month} {listed(self.months)} {day_of_week}"


def listed(values: Iterable[int]) -> str:
    return ",".join(map(str, values))


def openings_of_croniter(drawn: Drawn, after: datetime) -> Iterator[datetime] | None:
    if drawn.day.croniter is None:
        return None
    walk = croniter(drawn.unix(drawn.day.croniter), after, ret_type=datetime)
    return iter(walk.get_next, None)


def openings_of_cronsim(drawn: Drawn, after: datetime) -> Iterator[datetime] | None:
    return None if drawn.day.unix is None else CronSim(drawn.unix(drawn.day.unix), after)


def openings_of_apscheduler(drawn: Drawn, after: datetime) -> Iterator[datetime] | None:
    if drawn.day.apscheduler is None:
        return None
    trigger = CronTrigger(
        minute=listed(drawn.minutes),
        hour=listed(drawn.hours),
        month=listed(drawn.months),
        timezone=after.tzinfo,
        start_date=after + timedelta(microseconds=1),
        **drawn.day.apscheduler,
    )

    def walk() -> Iterator[datetime]:
        opening = None
        while (opening := trigger.get_next_fire_time(opening, opening or after)) is not None:
            yield opening

    return walk()


def openings_of_a_recurrence_rule(drawn: Drawn, after: datetime) -> Iterator[datetime] | None:
    if drawn.day.rule is None:
        return None
    since = after.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    rule = rrule.rrule(
        rrule.MONTHLY,
        dtstart=since,
        byminute=drawn.minutes,
        byhour=drawn.hours,
        bymonth=drawn.months,
        bysecond=0,
        **drawn.day.rule,
    )
    return (opening for opening in rule if opening > after)


def openings_of_pyawscron(drawn: Drawn, after: datetime) -> Iterator[datetime] | None:
    """It takes our own text, but gives up after ten months without an opening, as fifth weekdays of few months have."""
    if "#5" in drawn.ours:
        return None
    calendar = AWSCron(drawn.ours)

    def walk() -> Iterator[datetime]:
        opening = after
        while True:
            opening = calendar.occurrence(opening).next()
            yield opening

    return walk()


Library = Callable[[Drawn, datetime], Iterator[datetime] | None]


def on_a_steady_clock(library: Library) -> Library:
    """Return *library* with the zone's clock called UTC.

    pyawscron knows no zones, and APScheduler loses openings after a clock change: the first of April at midnight, where
    the clock was set forward in March.
    """

    def openings(drawn: Drawn, after: datetime) -> Iterator[datetime] | None:
        found = library(drawn, after.replace(tzinfo=UTC))
        return None if found is None else (opening.replace(tzinfo=after.tzinfo) for opening in found)

    return openings


LIBRARIES: Final[dict[str, Library]] = {
    "croniter": openings_of_croniter,
    "cronsim": openings_of_cronsim,
    "APScheduler": on_a_steady_clock(openings_of_apscheduler),
    "dateutil": openings_of_a_recurrence_rule,
    "pyawscron": on_a_steady_clock(openings_of_pyawscron),
}


def values(low: int, high: int) -> st.SearchStrategy[tuple[str, tuple[int, ...]]]:
    """Draw the text of a field, and its values."""
    one = st.integers(low, high)

    def stepped(first: int, last: int, step: int) -> tuple[str, tuple[int, ...]]:
        return f"{first}-{last}/{step}", tuple(range(first, last + 1, step))

    return st.one_of(
        one.map(lambda value: (str(value), (value,))),
        st.lists(one, min_size=2, max_size=3, unique=True).map(lambda found: (listed(found), tuple(sorted(found)))),
        st.builds(lambda a, b, step: stepped(min(a, b), max(a, b), step), one, one, st.integers(1, 9)),
    )


def weekdays(found: list[int]) -> Day:
    """Return the days of a week that are drawn as Unix cron numbers them: 0 is Sunday."""
    names = ",".join(_NAMES[number] for number in found)
    numbers = listed(found)
    return Day(
        ours=f"? {names}",
        unix=f"* {numbers}",
        croniter=f"* {numbers}",
        apscheduler={"day_of_week": names.lower()},
        rule={"byweekday": [_RRULE_DAYS[number] for number in found]},
    )


def nth_weekday(number: int, nth: int) -> Day:
    return Day(
        ours=f"? {_NAMES[number]}#{nth}",
        unix=f"* {number}#{nth}",
        croniter=f"* {number}#{nth}",
        apscheduler={"day": f"{_ORDINALS[nth - 1]} {_NAMES[number].lower()}"},
        rule={"byweekday": _RRULE_DAYS[number](nth)},
    )


def last_weekday(number: int) -> Day:
    return Day(
        ours=f"? {number + 1}L",
        unix=f"* {number}L",
        croniter=f"* L{number}",
        apscheduler={"day": f"last {_NAMES[number].lower()}"},
        rule={"byweekday": _RRULE_DAYS[number](-1)},
    )


def days_of_month(text: str, found: tuple[int, ...]) -> Day:
    numbers = listed(found)
    return Day(f"{text} ?", f"{numbers} *", f"{numbers} *", {"day": numbers}, {"bymonthday": found})


days: Final = st.one_of(
    st.just(Day("* ?", "* *", "* *", {}, {"bymonthday": tuple(range(1, 32))})),
    # Two of the libraries fail on a day that a month lacks.
    values(1, 28).map(lambda it: days_of_month(*it)),
    st.just(Day("L ?", "L *", "L *", {"day": "last"}, {"bymonthday": -1})),
    st.integers(1, 31).map(lambda day: Day(f"{day}W ?", None, None, None, None)),
    st.lists(st.integers(0, 6), min_size=1, max_size=4, unique=True).map(sorted).map(weekdays),
    st.builds(nth_weekday, st.integers(0, 6), st.integers(1, 5)),
    st.integers(0, 6).map(last_weekday),
)
schedules: Final = st.builds(
    lambda minutes, hours, months, day: Drawn(minutes[0], minutes[1], hours[0], hours[1], tuple(sorted(months)), day),
    values(0, 59),
    values(0, 23),
    st.lists(st.integers(1, 12), min_size=4, max_size=12, unique=True),
    days,
)
zones: Final = st.sampled_from(
    ["UTC", "Europe/Berlin", "America/St_Johns", "Asia/Kathmandu", "Australia/Lord_Howe", "America/Los_Angeles"]
).map(ZoneInfo)
instants: Final = st.datetimes(
    datetime.fromisoformat("2000-01-01"), datetime.fromisoformat("2035-01-01"), timezones=st.just(UTC)
).map(lambda drawn: drawn.replace(microsecond=0))


@pytest.mark.parametrize("library", LIBRARIES)
@given(schedules, zones, instants)
def test_openings_are_those_of_another_library(library: str, drawn: Drawn, zone: ZoneInfo, after: datetime) -> None:
    theirs = LIBRARIES[library](drawn, after.astimezone(zone))
    if theirs is None:
        return
    # On the last day of a change it is over; what is asked begins on another day.
    ahead = changes(zone, after - _DAY, after + _SPAN)
    no_days = {shown.date() for change in ahead for shown in (change.low, change.high)}
    planned = timing(schedule=f"cron({drawn.ours})", schedule_timezone=zone.key, created_at=after)

    def shown(openings: Iterator[datetime]) -> list[datetime]:
        near = takewhile((after + _SPAN).__gt__, (opening.astimezone(UTC) for opening in openings))
        kept = (opening for opening in near if opening.astimezone(zone).date() not in no_days)
        return [opening for opening, _ in zip(kept, range(_OPENINGS_MAX), strict=False)]

    assert shown(planned.openings(after)) == shown(theirs)
