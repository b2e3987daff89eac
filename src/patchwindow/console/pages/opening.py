"""One opening that is to come: when, for whom, and what it will do if nothing changes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from patchwindow.console.forecasts import PATCHES_MAX, OpeningForecast, read
from patchwindow.console.pages.nodes import names_of
from patchwindow.console.pages.tonight import Night, night_of
from patchwindow.console.view import Cell, Shown, Table, View
from patchwindow.domain.errors import Invalid, NotFound
from patchwindow.domain.opening import parse_instant
from patchwindow.protocol.forecast_answers import WEEKS_MAX

_TICK: Final = timedelta(seconds=1)
_WEEK: Final = timedelta(weeks=1)
_COLUMNS: Final = ("Title", "Outcome", "NodeCount", "Reason", "ApprovedOn")


@dataclass(frozen=True, slots=True, kw_only=True)
class OpeningPage:
    """The opening."""

    night: Night
    is_past: bool
    """Whether it is recorded, so that there is nothing to forecast."""
    weeks: int
    """How far a forecast has to reach."""
    weeks_max: int
    is_asked: bool
    """Whether the forecast was asked for; it takes seconds, so the page comes without it first."""
    forecast: OpeningForecast | None
    names: Mapping[str, str]
    """Of the nodes that are named, by id."""
    patches_max: int


def show(view: View) -> Shown:
    """Return the page of an opening.

    Raises:
        NotFound: the window does not open then.
    """
    window_id, opens_at = view.path["window_id"], _instant(view.path["at"])
    night = _night(view, window_id, opens_at)
    weeks = (opens_at - view.now) // _WEEK + 1
    is_past = bool(night.execution_id)
    is_asked = view.first("forecast") == "1" and not is_past and weeks <= WEEKS_MAX
    forecast = _forecast(view, window_id, opens_at, weeks) if is_asked else None
    named = [id for task in forecast.tasks for group in task.groups for id in group.node_ids] if forecast else []
    page = OpeningPage(
        night=night,
        is_past=is_past,
        weeks=weeks,
        weeks_max=WEEKS_MAX,
        is_asked=is_asked,
        forecast=forecast,
        names=names_of(view, named),
        patches_max=PATCHES_MAX,
    )
    return Shown(
        title=night.name,
        template="opening.html",
        page=page,
        command=(f"patchwindow forecast --window {window_id} --weeks {weeks}",) if weeks <= WEEKS_MAX else (),
        table=None if is_past or weeks > WEEKS_MAX else Table(_COLUMNS, _cells(view, page)),
    )


def _instant(text: str) -> datetime:
    try:
        return parse_instant("the opening", text)
    except Invalid as problem:
        raise NotFound(str(problem)) from None


def _night(view: View, window_id: str, opens_at: datetime) -> Night:
    span = {"After": opens_at, "Before": opens_at + _TICK}
    found = view.ask("ListOpenings", WindowId=window_id, **span, MaxResults=1)["Openings"]
    if not found:
        raise NotFound(
            f"window {window_id} does not open at {opens_at:%Y-%m-%dT%H:%M:%SZ}; its schedule may have been changed, "
            "its page has the next openings"
        )
    return night_of(found[0], view.now)


def _forecast(view: View, window_id: str, opens_at: datetime, weeks: int) -> OpeningForecast | None:
    return read(view.ask("ForecastPatches", WindowId=window_id, Weeks=weeks), opens_at)


def _cells(view: View, page: OpeningPage) -> Iterator[Sequence[Cell]]:
    forecast = page.forecast or _forecast(view, page.night.window_id, page.night.opens_at, page.weeks)
    for one in forecast.installed if forecast else ():
        yield one.title, "Installed", one.count, "", ""
    for one in forecast.left if forecast else ():
        yield one.title, "Left", one.count, one.reason, one.approved_on
