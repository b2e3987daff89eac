"""What a page is made from, and what comes of it."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from patchwindow.operations.call import Answer
from patchwindow.operations.service import Ask
from patchwindow.operations.sign_in import SignedIn

Cell = str | int | float | bool | datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One request for a page: who asks, what for, and a transaction in which to look.

    Pages are functions of this alone, so that they can be tried without HTTP.
    """

    person: SignedIn
    path: Mapping[str, str]
    """What the URL names, such as the id of a node."""
    query: Mapping[str, Sequence[str]]
    now: datetime
    zone: ZoneInfo
    """In which its reader reads times."""
    public_url: str
    """Where nodes and people reach this server."""
    run: Ask

    def ask(self, operation: str, **members: Any) -> Answer:
        """Return what an operation of the API answers; members that are None are left out.

        Raises:
            PatchwindowError: whatever the operation refuses.
        """
        return self.run(operation, {name: value for name, value in members.items() if value is not None})

    def each(self, operation: str, member: str, **members: Any) -> Iterator[Any]:
        """Yield the entries of a list, over all of its pages."""
        token: str | None = None
        while True:
            answer = self.ask(operation, NextToken=token, **members)
            yield from answer.get(member, ())
            token = answer.get("NextToken")
            if not token:
                return

    def first(self, name: str, default: str = "") -> str:
        """Return the first value of a part of the query."""
        return next(iter(self.query.get(name, ())), default).strip()

    def all(self, name: str) -> tuple[str, ...]:
        """Return all values of a part of the query that are not empty."""
        return tuple(value for value in self.query.get(name, ()) if value)


@dataclass(frozen=True, slots=True)
class Table:
    """What a page shows, as rows, for CSV and JSON."""

    columns: Sequence[str]
    rows: Iterable[Sequence[Cell]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A page to show."""

    title: str
    template: str
    """Its file in `templates/`."""
    page: object
    """The values that the template has as `page`: a frozen dataclass of the page's own."""
    command: Sequence[str] = ()
    """Command lines that tell the same."""
    table: Table | None = None
    status: int = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """Something was done: go there, and say so."""

    url: str
    said: str = ""
    """One sentence."""


@dataclass(frozen=True, slots=True)
class Once:
    """Something was done: show this page, which has what can be told this once, such as a code."""

    shown: Shown


Again = Callable[[View], Shown]
"""The page that a form is answered with where nothing is to be kept of what it did, made when nothing is there of it any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One form that was sent: what stands in it, and a transaction in which to do it.

    Where it raises, or returns a page, nothing is done, and the form is shown again.
    """

    view: View
    form: Mapping[str, Sequence[str]]
    problems: dict[str, str] = field(default_factory=dict)
    """What is wrong, by field; under "" what belongs to none."""

    def first(self, name: str, default: str = "") -> str:
        """Return the first value of a field, without blanks around it."""
        return next(iter(self.form.get(name, ())), default).strip()

    def all(self, name: str) -> tuple[str, ...]:
        """Return all values of a field that are not empty."""
        return tuple(value for value in self.form.get(name, ()) if value)
