"""Pages that say what is wrong, and which field of a form it is about."""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from starlette.responses import Response

from patchwindow.console.render import render_plain
from patchwindow.domain.errors import (
    Conflict,
    Denied,
    Invalid,
    LimitExceeded,
    NotFound,
    PatchwindowError,
    Unauthenticated,
)

_STATUS: Final[tuple[tuple[type[PatchwindowError], int, str], ...]] = (
    (NotFound, 404, "Not found"),
    (Denied, 403, "Not allowed"),
    (Unauthenticated, 401, "Not signed in"),
    (LimitExceeded, 429, "Too much"),
    (Conflict, 409, "Not as it is"),
    (Invalid, 400, "Not understood"),
)
_VIOLATION: Final = re.compile(r"at '([^']+)' failed to satisfy constraint: (.*?)(?=; Value '|$)", re.DOTALL)


_PATTERNS: Final = {r"^[a-zA-Z0-9_\-.]{3,128}$": "must have 3 to 128 letters, digits, _, - and ., and no blanks"}
"""What the patterns that people meet say in words."""


class FormProblem(Invalid):
    """What is wrong with a form, by field; under "" what belongs to none."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__("; ".join(problems.values()))
        self.problems = dict(problems)


def by_field(problem: PatchwindowError, form: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Return the message of *problem* under the field that it names; fields are called as the API's members."""
    if isinstance(problem, FormProblem):
        return problem.problems
    message = str(problem)
    fields = {field.lower(): field for field in form}
    violated: dict[str, str] = {}
    for path, constraint in _VIOLATION.findall(message):
        named = [fields[member] for member in path.lower().split(".") if member in fields]
        violated.setdefault(named[-1] if named else "", _in_words(constraint) if named else message)
    if violated:
        return violated
    # Of several that it names, it begins with the one that is wrong.
    places = {field: found.start() for field in form if (found := re.search(rf"\b{re.escape(field)}\b", message))}
    return {min(places, key=places.__getitem__, default=""): message}


def _in_words(constraint: str) -> str:
    """Return what the model asks of a member as one says it of a field."""
    asked = constraint.removeprefix("Member must ")
    return _PATTERNS.get(asked.removeprefix("satisfy regular expression pattern: "), f"must {asked}")


def page(problem: PatchwindowError, *, home: str) -> Response:
    """Return the page for what an operation refused."""
    for kind, status, title in _STATUS:
        if isinstance(problem, kind):
            return _page(status, title, str(problem), home)
    return _page(400, "Refused", str(problem), home)


def nowhere(path: str, *, home: str) -> Response:
    """Return the page for a URL under which there is nothing."""
    return _page(404, "Not found", f"there is no page {path}; a link may be from an older version", home)


def defect(*, home: str) -> Response:
    """Return the page for a defect of ours."""
    return _page(500, "This did not work", "the server's log has the reason; what was asked for may not be done", home)


def _page(status: int, title: str, message: str, home: str) -> Response:
    text = render_plain("refusal.html", title=title, message=message, home=home)
    return Response(text, status, media_type="text/html")
