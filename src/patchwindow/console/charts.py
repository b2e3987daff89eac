"""Where things stand in a chart: numbers for SVG, computed here, drawn by templates, coloured by the stylesheet.

All charts are 1000 units wide; browsers fit them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

WIDTH: Final = 1000
_STEPS: Final = tuple(timedelta(hours=hours) for hours in (1, 2, 3, 6, 12, 24))
_TICKS_MAX: Final = 14


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark on an axis of time."""

    x: float
    at: datetime
    is_midnight: bool


@dataclass(frozen=True, slots=True)
class Axis:
    """A range of time, drawn from left to right."""

    begins_at: datetime
    ends_at: datetime

    def x(self, at: datetime) -> float:
        """Return where an instant stands; what lies outside stands at the edge."""
        part = (at - self.begins_at) / (self.ends_at - self.begins_at)
        return round(min(max(part, 0.0), 1.0) * WIDTH, 1)

    def width(self, since: datetime, until: datetime) -> float:
        """Return how wide a span is; what is there at all can be seen."""
        return max(round(self.x(until) - self.x(since), 1), 3.0)

    def ticks(self, zone: ZoneInfo) -> Iterator[Tick]:
        """Yield marks at full hours of a zone's clock, as many as can be read."""
        length = self.ends_at - self.begins_at
        step = next((step for step in _STEPS if length / step <= _TICKS_MAX), _STEPS[-1])
        local = self.begins_at.astimezone(zone)
        at = local.replace(hour=0, minute=0, second=0, microsecond=0).astimezone(self.begins_at.tzinfo)
        while at < self.ends_at:
            if at >= self.begins_at:
                yield Tick(self.x(at), at, at.astimezone(zone).hour == 0)
            at += step


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a bar: from where, how wide, of what state, and how much that is."""

    x: float
    width: float
    state: str
    count: int


def stack(counts: dict[str, int]) -> list[Part]:
    """Return a bar of the whole width in which each state has its share, in the order given; none is too thin to be seen."""
    total = sum(counts.values())
    shown = {state: count for state, count in counts.items() if count}
    least = 4.0
    scale = (WIDTH - least * len(shown)) / total if total else 0.0
    parts: list[Part] = []
    x = 0.0
    for state, count in shown.items():
        width = least + count * scale
        parts.append(Part(round(x, 1), round(width, 1), state, count))
        x += width
    return parts


@dataclass(frozen=True, slots=True)
class Layer:
    """One state in a row of columns: all its rectangles as one path."""

    state: str
    path: str


def columns(counts: Sequence[Mapping[str, int]], states: Sequence[str], *, height: int) -> list[Layer]:
    """Return columns side by side, each with its counts of *states* upon another, the highest one *height* units high.

    An empty mapping leaves a gap: nothing is known there.
    """
    top = max((sum(one.get(state, 0) for state in states) for one in counts), default=0) or 1
    step = WIDTH / max(len(counts), 1)
    paths: dict[str, list[str]] = {state: [] for state in states}
    for place, one in enumerate(counts):
        y = float(height)
        for state in states:
            if count := one.get(state, 0):
                tall = count / top * height
                y -= tall
                paths[state].append(f"M{place * step:.1f} {y:.1f}h{step * 0.86:.1f}v{tall:.1f}h-{step * 0.86:.1f}z")
    return [Layer(state, "".join(parts)) for state, parts in paths.items() if parts]
