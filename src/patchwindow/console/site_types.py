"""What the table of pages is made of."""

from collections.abc import Callable
from dataclasses import dataclass

from patchwindow.console.view import Act, Again, Done, Once, Shown, View


@dataclass(frozen=True, slots=True)
class Page:
    """Something to look at."""

    path: str
    show: Callable[[View], Shown]


@dataclass(frozen=True, slots=True)
class Form:
    """Something to fill in: shown by GET, carried out by POST at the same place, shown again with what is wrong."""

    path: str
    show: Callable[[View], Shown]
    submit: Callable[[Act], Done | Once | Again]


@dataclass(frozen=True, slots=True, kw_only=True)
class LivePart:
    """A part of a page as it is now."""

    template: str
    page: object
    is_over: bool
    """Whether nothing will change any more."""


@dataclass(frozen=True, slots=True)
class Live:
    """A part of a page that is sent anew when it changes (server-sent events)."""

    path: str
    look: Callable[[View], LivePart]
