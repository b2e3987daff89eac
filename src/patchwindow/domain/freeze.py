"""Freezes: times in which a window must not open, and what they leave of an opening.

A freeze is a time in which a change calendar is closed; here it is two instants, whoever wrote it down and how.  A window
heeds the calendars that its tag `patchwindow:freezes` names.  An opening inside a freeze is given up; one that a freeze
reaches into has its cutoff where the freeze begins, so that nothing starts in it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

TAG: Final = "patchwindow:freezes"
"""The tag of a window that names the calendars it heeds, with spaces between."""


@dataclass(frozen=True, slots=True, order=True)
class Freeze:
    """One time in which a calendar is closed: from *starts_at* on, until *ends_at*, which is no part of it.

    *reason* is what the calendar says of it, and may be empty.
    """

    starts_at: datetime
    ends_at: datetime
    calendar: str
    reason: str = ""

    def covers(self, at: datetime) -> bool:
        """Return whether *at* lies in the freeze."""
        return self.starts_at <= at < self.ends_at


@dataclass(frozen=True, slots=True)
class Heeded:
    """What freezes leave of an opening: it may start tasks until *cutoff_at*, or not at all where *opens* is false.

    *freeze* is the one in which the opening lies, else the first that begins after it: then what was not sent to a node
    never will be, however long a task may go on beyond the cutoff.
    """

    opens: bool
    cutoff_at: datetime
    freeze: Freeze | None = None


def heeded(freezes: Iterable[Freeze], opens_at: datetime, cutoff_at: datetime) -> Heeded:
    """Return what *freezes* leave of the opening at *opens_at*, whose tasks may start until *cutoff_at*.

    An opening is not put off to the end of a freeze: it would open at a time that nobody chose.
    """
    known = list(freezes)
    now = in_force(known, opens_at)
    if now is not None:
        return Heeded(opens=False, cutoff_at=opens_at, freeze=now)
    first = min((freeze for freeze in known if freeze.starts_at > opens_at), default=None)
    until = cutoff_at if first is None else min(cutoff_at, first.starts_at)
    return Heeded(opens=True, cutoff_at=until, freeze=first)


def in_force(freezes: Iterable[Freeze], at: datetime) -> Freeze | None:
    """Return the freeze in which *at* lies; of several the one that ends last."""
    return max((freeze for freeze in freezes if freeze.covers(at)), key=lambda freeze: freeze.ends_at, default=None)


def closed(freezes: Iterable[Freeze]) -> Iterator[tuple[datetime, datetime]]:
    """Yield the times in which any of *freezes* is in force, in order; those that touch each other are one."""
    begun: datetime | None = None
    until: datetime | None = None
    for freeze in sorted(freezes):
        if begun is None or until is None or freeze.starts_at > until:
            if begun is not None and until is not None:
                yield begun, until
            begun, until = freeze.starts_at, freeze.ends_at
        else:
            until = max(until, freeze.ends_at)
    if begun is not None and until is not None:
        yield begun, until


def names(value: str) -> tuple[str, ...]:
    """Return the calendars that the value of a window's tag names, each once and in its order."""
    return tuple(dict.fromkeys(value.split()))
