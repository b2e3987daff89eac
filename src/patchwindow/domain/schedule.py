"""The three kinds of schedule that the API knows, and their grammar.

A schedule has no zone, no bounds and no offset; ``opening.py`` joins it with those.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

from patchwindow.domain.cron import Cron, parse_cron
from patchwindow.domain.cron_fields import YEAR
from patchwindow.domain.errors import Invalid

RATE_DAYS_MAX: Final = 36_525
"""A century.  The API publishes no bound; a second run that nobody lives to see is a slip of the pen."""

_CRON: Final = re.compile(r"cron\([ -~]*\)")
_RATE: Final = re.compile(r"rate\( *([0-9]{1,12}) +(minute|hour|day)(s?) *\)")
_AT: Final = re.compile(r"at\( *([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}) *\)")

_UNITS: Final = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1)}


@dataclass(frozen=True, slots=True)
class Rate:
    """A fixed time from run to run, elapsed and not on the wall: across a clock change a day is 24 hours."""

    period: timedelta


@dataclass(frozen=True, slots=True)
class At:
    """One local time; naive, for the zone is the window's."""

    local: datetime


Schedule = Cron | Rate | At


# A pure function of a short text: the same few expressions are read at every look at a window.
@lru_cache(maxsize=1024)
def parse(expression: str) -> Schedule:
    """Return the schedule that *expression* means: ``cron(…)``, ``rate(…)`` or ``at(…)``.

    Raises:
        Invalid: it is none of them, or malformed; the message names the part and what may stand there.
    """
    if is_cron(expression):
        return parse_cron(expression)
    if expression.startswith("rate("):
        return _rate(expression)
    if expression.startswith("at("):
        return _at(expression)
    raise Invalid(
        f"Schedule is {expression}; use cron(minutes hours day-of-month month day-of-week year), "
        "rate(number unit) or at(YYYY-MM-DDThh:mm:ss)"
    )


def is_cron(expression: str) -> bool:
    """Say whether *expression* is written ``cron(…)``, whatever stands in it."""
    return _CRON.fullmatch(expression) is not None


def _rate(expression: str) -> Rate:
    found = _RATE.fullmatch(expression)
    if found is None:
        raise Invalid(f"Schedule is {expression}; a rate is a number and minute, minutes, hour, hours, day or days")
    number, unit, plural = found.groups()
    count = int(number)
    if count == 0:
        raise Invalid(f"Schedule is {expression}; a rate is at least 1 {unit}")
    if (count == 1) == bool(plural):
        raise Invalid(f"Schedule is {expression}; write {count} {unit}{'s' if count > 1 else ''}")
    # Divided and not multiplied: the number may be longer than a duration can be.
    if count > timedelta(days=RATE_DAYS_MAX) // _UNITS[unit]:
        raise Invalid(f"Schedule is {expression}; a rate is at most {RATE_DAYS_MAX} days")
    return Rate(count * _UNITS[unit])


def _at(expression: str) -> At:
    found = _AT.fullmatch(expression)
    if found is None:
        raise Invalid(f"Schedule is {expression}; use at(YYYY-MM-DDThh:mm:ss), without offset or fraction")
    try:
        local = datetime.fromisoformat(found[1])
    except ValueError as error:
        raise Invalid(f"Schedule is {expression}; {error}, use a time that exists") from None
    if not YEAR.low <= local.year <= YEAR.high:
        raise Invalid(f"Schedule is {expression}; use a year of {YEAR.low}-{YEAR.high}")
    return At(local)
