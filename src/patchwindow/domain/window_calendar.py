"""The openings of windows over a time, with what freezes leave of each and which of them meet for the same nodes."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from patchwindow.domain.freeze import Freeze, Heeded, heeded

_HOUR: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedWindow:
    """A window and its openings in the time that is looked at, in order.

    *zone* is the IANA name of its schedule's zone.  *nodes* are words for what its targets ask for, equal where the nodes
    are.  *freezes* are those of the calendars that it heeds; *problem* says why they cannot be told, so that it does not
    open.  *changed_at* is when it was last changed.
    """

    id: str
    name: str
    openings: tuple[datetime, ...]
    duration_hours: int
    cutoff_hours: int
    zone: str
    changed_at: datetime
    nodes: frozenset[str] = frozenset()
    freezes: tuple[Freeze, ...] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Occurrence:
    """One opening of a window; *beside* names the windows that are open with it for the same nodes."""

    window: PlannedWindow
    opens_at: datetime
    ends_at: datetime
    heeded: Heeded
    beside: tuple[str, ...] = ()

    @property
    def remark(self) -> str:
        """What is to be known of the opening, in words; empty where it is as planned."""
        freeze, said = self.heeded.freeze, []
        if not self.heeded.opens:
            said.append(f"frozen by {_words(freeze)}" if freeze else f"does not open: {self.window.problem}")
        elif freeze is not None and freeze.starts_at < self.ends_at:
            said.append(f"nothing starts from {_words(freeze)} on")
        if self.beside:
            said.append(f"overlaps with {', '.join(self.beside)}")
        return "; ".join(said)


def occurrences(windows: Iterable[PlannedWindow]) -> list[Occurrence]:
    """Return the openings of all *windows*, the earliest first."""
    found = sorted(
        (each for window in windows for each in _of(window)),
        key=lambda each: (each.opens_at, each.window.name, each.window.id),
    )
    beside = _meetings(found)
    return [
        Occurrence(
            window=each.window,
            opens_at=each.opens_at,
            ends_at=each.ends_at,
            heeded=each.heeded,
            beside=tuple(sorted(beside[place])),
        )
        if place in beside
        else each
        for place, each in enumerate(found)
    ]


def asked_for(target: Sequence[tuple[str, Sequence[str]]]) -> Iterator[str]:
    """Yield words for what a target asks for, by its conditions (key and values), so that equal words mean the same nodes.

    Several conditions narrow one another, so only the whole of them is compared.
    """
    if len(target) == 1:
        ((key, values),) = target
        yield from (f"{key}={value}" for value in values)
    else:
        yield " and ".join(sorted(f"{key}={','.join(sorted(values))}" for key, values in target))


def _of(window: PlannedWindow) -> Iterator[Occurrence]:
    length, room = window.duration_hours * _HOUR, (window.duration_hours - window.cutoff_hours) * _HOUR
    for opens_at in window.openings:
        cutoff_at = opens_at + room
        left = (
            heeded(window.freezes, opens_at, cutoff_at) if window.freezes else Heeded(opens=True, cutoff_at=cutoff_at)
        )
        if window.problem:
            left = Heeded(opens=False, cutoff_at=opens_at)
        yield Occurrence(window=window, opens_at=opens_at, ends_at=opens_at + length, heeded=left)


def _meetings(ordered: list[Occurrence]) -> dict[int, set[str]]:
    """Return, by their places, the names of the windows that openings meet for the same nodes."""
    found: dict[int, set[str]] = {}
    still_open: dict[str, list[int]] = {}
    for place, each in enumerate(ordered):
        if not each.heeded.opens:
            continue
        for nodes in each.window.nodes:
            others = [other for other in still_open.get(nodes, ()) if ordered[other].ends_at > each.opens_at]
            for other in others:
                if ordered[other].window is not each.window:
                    found.setdefault(place, set()).add(ordered[other].window.name)
                    found.setdefault(other, set()).add(each.window.name)
            still_open[nodes] = [*others, place]
    return found


def _words(freeze: Freeze) -> str:
    return f"{freeze.calendar} ({freeze.reason})" if freeze.reason else freeze.calendar
