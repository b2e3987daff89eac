"""Templates to bytes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Final
from urllib.parse import parse_qs, quote, urlencode
from zoneinfo import ZoneInfo

import jinja2
from markupsafe import Markup

from patchwindow.console import times
from patchwindow.console.states import look_of
from patchwindow.console.static import version
from patchwindow.console.view import Shown, View

_PACKAGE: Final = "patchwindow.console"


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What stands around every page."""

    view: View
    csrf: str
    root: str
    path: str
    query: str
    flash: str
    """What the last form did."""
    sections: Sequence[tuple[str, str]]
    """Label and path of each part of the console."""
    problems: Mapping[str, str]
    """What is wrong with the form that was sent, by field; under "" what belongs to none."""
    kept: Mapping[str, Sequence[str]] | None
    """What was filled in, where the form is shown again."""

    def also(self, **changes: str) -> str:
        """Return the link to this page with some parts of its query changed; an empty value leaves one out."""
        asked = parse_qs(self.query, keep_blank_values=True)
        asked |= {name: [value] for name, value in changes.items()}
        return url(self.path, **{name: [value for value in values if value] for name, values in asked.items()})

    def value(self, field: str, default: object = "") -> str:
        """Return what stands in a field: what was filled in, otherwise what is there already."""
        if self.kept is None:
            return "" if default is None else str(default)
        return next(iter(self.kept.get(field, ())), "")

    def has(self, field: str, value: str, *, default: bool = False) -> bool:
        """Return whether a box is ticked, or a choice made."""
        return default if self.kept is None else value in self.kept.get(field, ())


def render_page(shown: Shown, frame: Frame) -> str:
    """Return the whole page."""
    return _render(shown.template, shown=shown, page=shown.page, frame=frame, view=frame.view)


def render_part(template: str, page: object, view: View) -> str:
    """Return what a template makes of *page* without anything around it, as a live view sends it."""
    return _render(template, page=page, view=view)


def render_plain(template: str, **values: Any) -> str:
    """Return a page that nobody needs to be signed in for."""
    return _render(template, **values)


def _render(template: str, **values: Any) -> str:
    # A filter that asks for `view` gets the one of the page: the reader's zone and the instant it is made at.
    return environment().get_template(template).render(**values)


@cache
def environment() -> jinja2.Environment:
    """Return how templates are read: everything is escaped, and a name that is not there is an error."""
    made = jinja2.Environment(
        loader=jinja2.PackageLoader(_PACKAGE),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.globals |= {"look_of": look_of, "url": url, "version": version}
    made.filters |= {
        "moment": _moment,
        "clock": _clock,
        "day": _day,
        "weekday": _weekday,
        "ago": _ago,
        "span": times.span,
        "iso": _iso,
        "count": "{:,}".format,
        "path": lambda value: quote(str(value), safe=""),
    }
    return made


def url(path: str, *names: str, **query: Any) -> str:
    """Return a link: *names* take the places of `{}` in *path*; members of the query that are empty are left out."""
    filled = path.format(*(quote(name, safe="") for name in names))
    asked = urlencode({key: value for key, value in query.items() if value not in (None, "", (), [])}, doseq=True)
    return f"{filled}?{asked}" if asked else filled


@jinja2.pass_context
def _moment(context: jinja2.runtime.Context, instant: datetime | None, zone: str = "") -> Markup:
    """Return an instant in the reader's zone, and beside it in *zone* where that is another."""
    if instant is None:
        return Markup('<span class="none">—</span>')
    view: View = context["view"]
    own = _time(instant, times.moment(instant, view.zone), view)
    other = times.zone_of(zone) if zone else view.zone
    if not zone or times.moment(instant, other) == times.moment(instant, view.zone):
        return own
    return own + Markup(' <span class="there">{} {}</span>').format(times.moment(instant, other), other.key)


@jinja2.pass_context
def _clock(context: jinja2.runtime.Context, instant: datetime) -> Markup:
    view: View = context["view"]
    return _time(instant, times.clock(instant, view.zone), view)


@jinja2.pass_context
def _day(context: jinja2.runtime.Context, instant: datetime) -> str:
    view: View = context["view"]
    return times.day(instant, view.zone)


@jinja2.pass_context
def _weekday(context: jinja2.runtime.Context, instant: datetime) -> str:
    view: View = context["view"]
    return f"{instant.astimezone(view.zone):%a}"


@jinja2.pass_context
def _ago(context: jinja2.runtime.Context, instant: datetime | None) -> Markup:
    if instant is None:
        return Markup('<span class="none">never</span>')
    view: View = context["view"]
    return Markup('<time datetime="{}" title="{} {}">{}</time>').format(
        _iso(instant), times.moment(instant, view.zone), view.zone.key, times.ago(instant, view.now)
    )


def _time(instant: datetime, text: str, view: View) -> Markup:
    return Markup('<time datetime="{}" title="{} {}">{}</time>').format(
        _iso(instant), view.zone.key, times.ago(instant, view.now), text
    )


def _iso(instant: datetime) -> str:
    return instant.astimezone(ZoneInfo(times.UTC_NAME)).strftime("%Y-%m-%dT%H:%M:%SZ")
