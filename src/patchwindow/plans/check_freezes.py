"""Freezes that leave nothing of a window, or that freeze nothing."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from patchwindow.domain.schedule_zone import parse_zone
from patchwindow.ical.reading import read
from patchwindow.plans.closing import AHEAD, openings_of, skipped
from patchwindow.plans.codes import PlanCode, found
from patchwindow.plans.definitions import Association, Plan, Window
from patchwindow.plans.finding import Finding

FROZEN_LONG: Final = timedelta(days=60)
"""From the first opening that is given up to the next one that is not: two months are two rounds of monthly patches."""


def frozen(plan: Plan, now: datetime) -> Iterator[Finding]:
    """Yield windows that do not open within a year, or for long, because of freezes, and freezes that do nothing."""
    for name, window in plan.windows.items():
        if not window.freezes or not window.enabled:
            continue
        openings = list(openings_of(window, now))
        given_up = list(skipped(plan, window, openings))
        if openings and len(given_up) == len(openings):
            at, freeze = given_up[0]
            sentence = (
                f"window {name!r} does not open within a year: freezes give up all its {len(openings)} openings, the "
                f"first at {at:%Y-%m-%dT%H:%MZ} in {freeze.calendar!r}"
            )
            remedy = "shorten the freeze, or let the window heed it no more"
            yield found(plan, PlanCode.FREEZE_SWALLOWS_WINDOW, window.marks.at("freezes"), sentence, remedy)
        elif gap := _longest(openings, {at for at, _ in given_up}):
            first, following = gap
            sentence = (
                f"window {name!r} does not open for {(following - first).days} days: freezes give up its openings from "
                f"{first:%Y-%m-%dT%H:%MZ} until {following:%Y-%m-%dT%H:%MZ}"
            )
            remedy = "shorten the freeze, or patch its nodes in another window"
            yield found(plan, PlanCode.FROZEN_FOR_LONG, window.marks.at("freezes"), sentence, remedy)
    yield from _idle(plan, now)


def _longest(openings: Sequence[datetime], given_up: set[datetime]) -> tuple[datetime, datetime] | None:
    """Return the first opening of the longest row that is given up, and the one after the row, if that is long."""
    gaps: list[tuple[datetime, datetime]] = []
    first: datetime | None = None
    for at in (each.astimezone(UTC) for each in openings):
        if at in given_up:
            first = first or at
        elif first is not None:
            gaps.append((first, at))
            first = None
    longest = max(gaps, key=lambda gap: gap[1] - gap[0], default=None)
    return longest if longest and longest[1] - longest[0] >= FROZEN_LONG else None


def _idle(plan: Plan, now: datetime) -> Iterator[Finding]:
    heeding: list[Window | Association] = [*plan.windows.values(), *plan.associations.values()]
    heeded = {name for each in heeding for name in each.freezes or ()}
    for name, freeze in plan.freezes.items():
        mark = plan.marks.at("freezes", name)
        if name not in heeded:
            sentence = f"freeze {name!r} is heeded by no window and no association"
            yield found(plan, PlanCode.FREEZE_UNHEEDED, mark, sentence, "name it in freezes of a window or in defaults")
        if not read(plan.calendars[name]).freezes(name, now, now + AHEAD, parse_zone(freeze.timezone or "UTC")):
            sentence = f"freeze {name!r} has no time within a year from now"
            yield found(plan, PlanCode.FREEZE_OVER, mark, sentence, "give it its next dates, or leave it out")
