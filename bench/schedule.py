"""The next 100 openings in a time zone, beside what other libraries take for the same schedules.

Each is timed from the text of the schedule to the hundredth opening; what was read is forgotten in between.  They take
turns, so that a busy machine is busy for all of them.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from typing import Final
from zoneinfo import ZoneInfo

from apscheduler.triggers.cron import CronTrigger
from bench.report import median, verdict
from croniter import croniter
from cronsim import CronSim
from dateutil.rrule import rrulestr
from pyawscron import AWSCron

from patchwindow.domain.opening import timing
from patchwindow.domain.schedule import parse

_OPENINGS: Final = 100
_ROUNDS: Final = 15
_GOAL: Final = 10.0
_ZONE: Final = "Europe/Berlin"
_SINCE: Final = datetime(2026, 1, 1, tzinfo=ZoneInfo(_ZONE))
_OURS: Final = "patchwindow"
_MEASURE: Final = "croniter"
_TIMES: Final = "\N{MULTIPLICATION SIGN} croniter"


@dataclass(frozen=True, slots=True)
class Case:
    """A schedule, and how the others write it."""

    ours: str
    croniter: str
    cronsim: str
    pyawscron: str
    apscheduler: Mapping[str, str]
    rule: str


_CASES: Final = (
    Case(
        ours="cron(00 23-5 ? * THU#3 *)",
        croniter="0 23,0-5 * * 4#3",
        cronsim="0 23,0-5 * * 4#3",
        pyawscron="0 0-5,23 ? * THU#3 *",
        apscheduler={"minute": "0", "hour": "0-5,23", "day": "3rd thu"},
        rule="FREQ=MONTHLY;BYDAY=+3TH;BYHOUR=0,1,2,3,4,5,23;BYMINUTE=0;BYSECOND=0",
    ),
    Case(
        ours="cron(0 2 ? * THU#3 *)",
        croniter="0 2 * * 4#3",
        cronsim="0 2 * * 4#3",
        pyawscron="0 2 ? * THU#3 *",
        apscheduler={"minute": "0", "hour": "2", "day": "3rd thu"},
        rule="FREQ=MONTHLY;BYDAY=+3TH;BYHOUR=2;BYMINUTE=0;BYSECOND=0",
    ),
    Case(
        ours="cron(15 10 ? * * *)",
        croniter="15 10 * * *",
        cronsim="15 10 * * *",
        pyawscron="15 10 ? * * *",
        apscheduler={"minute": "15", "hour": "10"},
        rule="FREQ=DAILY;BYHOUR=10;BYMINUTE=15;BYSECOND=0",
    ),
    Case(
        ours="cron(15 10 ? * MON-FRI *)",
        croniter="15 10 * * 1-5",
        cronsim="15 10 * * 1-5",
        pyawscron="15 10 ? * MON-FRI *",
        apscheduler={"minute": "15", "hour": "10", "day_of_week": "mon-fri"},
        rule="FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR;BYHOUR=10;BYMINUTE=15;BYSECOND=0",
    ),
    Case(
        ours="cron(0 2 L * ? *)",
        croniter="0 2 L * *",
        cronsim="0 2 L * *",
        pyawscron="0 2 L * ? *",
        apscheduler={"minute": "0", "hour": "2", "day": "last"},
        rule="FREQ=MONTHLY;BYMONTHDAY=-1;BYHOUR=2;BYMINUTE=0;BYSECOND=0",
    ),
    Case(
        ours="cron(15 10 ? * 6L *)",
        croniter="15 10 * * L5",
        cronsim="15 10 * * 5L",
        pyawscron="15 10 ? * 6L *",
        apscheduler={"minute": "15", "hour": "10", "day": "last fri"},
        rule="FREQ=MONTHLY;BYDAY=-1FR;BYHOUR=10;BYMINUTE=15;BYSECOND=0",
    ),
)


def _by_patchwindow(case: Case) -> Iterable[datetime]:
    parse.cache_clear()
    return timing(schedule=case.ours, schedule_timezone=_ZONE, created_at=_SINCE).openings(_SINCE)


def _by_croniter(case: Case) -> Iterable[datetime]:
    return iter(croniter(case.croniter, _SINCE, ret_type=datetime).get_next, None)


def _by_cronsim(case: Case) -> Iterable[datetime]:
    return CronSim(case.cronsim, _SINCE)


def _by_apscheduler(case: Case) -> Iterator[datetime]:
    trigger = CronTrigger(timezone=_SINCE.tzinfo, start_date=_SINCE, **case.apscheduler)
    opening = trigger.get_next_fire_time(None, _SINCE)
    while opening is not None:
        yield opening
        opening = trigger.get_next_fire_time(opening, opening)


def _by_dateutil(case: Case) -> Iterable[datetime]:
    openings: Iterable[datetime] = rrulestr(case.rule, dtstart=_SINCE)
    return openings


def _by_pyawscron(case: Case) -> Iterator[datetime]:
    # It knows no zones: it goes by the zone's clock, called UTC.
    calendar, shown = AWSCron(case.pyawscron), _SINCE.replace(tzinfo=UTC)
    while True:
        shown = calendar.occurrence(shown).next()
        yield shown.replace(tzinfo=_SINCE.tzinfo)


_LIBRARIES: Final[Mapping[str, Callable[[Case], Iterable[datetime]]]] = {
    _OURS: _by_patchwindow,
    "croniter": _by_croniter,
    "cronsim": _by_cronsim,
    "APScheduler": _by_apscheduler,
    "dateutil": _by_dateutil,
    "pyawscron": _by_pyawscron,
}


@dataclass(slots=True)
class Measured:
    """What one library took for one schedule, in each round, and what it answered."""

    seconds: list[float] = field(default_factory=list)
    openings: list[datetime] = field(default_factory=list)


def run() -> None:
    """Measure, and print a line for each schedule and library, which ends with its ratio."""
    measured = {(case.ours, name): Measured() for case in _CASES for name in _LIBRARIES}
    for _ in range(_ROUNDS):
        for case in _CASES:
            for name, openings in _LIBRARIES.items():
                one = measured[case.ours, name]
                began_at = time.perf_counter()
                one.openings = list(islice(openings(case), _OPENINGS))
                one.seconds.append(time.perf_counter() - began_at)
    print(f"the next {_OPENINGS} openings in {_ZONE}, median of {_ROUNDS} rounds\n")
    totals = dict.fromkeys(_LIBRARIES, 0.0)
    for case in _CASES:
        expected = [opening.timestamp() for opening in measured[case.ours, _OURS].openings]
        took = {name: median(measured[case.ours, name].seconds) for name in _LIBRARIES}
        for name, seconds in took.items():
            totals[name] += seconds
            found = {opening.timestamp() for opening in measured[case.ours, name].openings}
            alike = f"{len(found.intersection(expected)):3} as ours"
            print(_line(case.ours, name, seconds, alike, took[_MEASURE]))
        print()
    for name, seconds in totals.items():
        print(_line("all six", name, seconds, "", totals[_MEASURE]))
    print()
    others = min(seconds for name, seconds in totals.items() if name != _OURS)
    print(verdict(goal=f"at least {_GOAL:.0f}{_TIMES}", is_met=totals[_MEASURE] >= _GOAL * totals[_OURS]))
    print(verdict(goal="ahead of every other library", is_met=totals[_OURS] < others))


def _line(schedule: str, name: str, seconds: float, alike: str, measure: float) -> str:
    return f"{schedule:26} {name:14} {seconds * 1e6:8.0f} µs  {alike:11} {measure / seconds:6.1f}{_TIMES}"
