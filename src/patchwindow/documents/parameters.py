"""Parameters of documents: what callers give is checked and typed here, since agents check nothing."""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from patchwindow.documents.library import Document
from patchwindow.domain.errors import InvalidParameters
from patchwindow.protocol.messages import typed_value

Declaration = Mapping[str, Any]
Values = Sequence[str]

_LISTS: Final = frozenset({"StringList", "MapList"})
_TEXTS: Final = frozenset({"String", "StringList"})
_PARAMETER_STORE: Final = re.compile(r"\{\{\s*ssm:")


def typed_parameters(document: Document, given: Mapping[str, Values]) -> dict[str, Any]:
    """Return the values of all parameters, as their declarations want them; defaults where nothing is *given*.

    The API has a list of strings for every parameter; a `String` is the only one of them.

    Raises:
        InvalidParameters: they do not fit; the message names everything that is wrong.
    """
    problems = [*_problems(document, given)]
    if problems:
        raise InvalidParameters(f"parameters of {document.name}: {'; '.join(problems)}")
    return {
        name: typed_value(name, declaration["type"], given[name]) if name in given else declaration["default"]
        for name, declaration in document.parameters.items()
    }


def _problems(document: Document, given: Mapping[str, Values]) -> Iterator[str]:
    for name in given:
        if name not in document.parameters:
            known = ", ".join(document.parameters) or "none"
            yield f"{name} is not one of them; there are {known}"
    for name, declaration in document.parameters.items():
        if name in given:
            yield from (f"{name} {problem}" for problem in _value_problems(declaration, given[name]))
        elif "default" not in declaration:
            yield f"{name} must be given"


def _value_problems(declaration: Declaration, values: Values) -> Iterator[str]:
    kind = declaration["type"]
    if kind in _LISTS:
        # In documents of one's own these may be written in quotes.
        if len(values) < int(declaration.get("minItems", 0)):
            yield f"takes {declaration['minItems']} values or more, not {len(values)}"
        if len(values) > int(declaration.get("maxItems", len(values))):
            yield f"takes {declaration['maxItems']} values or fewer, not {len(values)}"
    elif len(values) != 1:
        yield f"takes exactly one value, not {len(values)}"
    elif kind not in _TEXTS and not _is_typed(kind, values):
        yield f"is of type {kind}, and {_shown(', '.join(values))} is none in JSON"
    for value in values:
        yield from (problem for check in _CHECKS if (problem := check(declaration, value)))


def _is_typed(kind: str, values: Values) -> bool:
    try:
        typed_value("", kind, values)
    except InvalidParameters:
        return False
    return True


def _one_of(declaration: Declaration, value: str) -> str | None:
    allowed = declaration.get("allowedValues")
    if allowed is None or value in map(_as_given, allowed):
        return None
    return f"is {_shown(value)}; use one of {', '.join(map(_as_given, allowed))}"


def _as_given(allowed: object) -> str:
    """Return a value of a declaration in the form in which callers give it: other types than texts as JSON."""
    return allowed if isinstance(allowed, str) else json.dumps(allowed)


def _of_the_pattern(declaration: Declaration, value: str) -> str | None:
    pattern = declaration.get("allowedPattern")
    if pattern is None or re.fullmatch(pattern, value):
        return None
    return f"is {_shown(value)}, which does not match {pattern}"


def _of_a_length(declaration: Declaration, value: str) -> str | None:
    low, high = int(declaration.get("minChars", 0)), int(declaration.get("maxChars", len(value)))
    if low <= len(value) <= high:
        return None
    return f"has {len(value)} characters; give {low} to {high}"


def _without_parameter_store(_: Declaration, value: str) -> str | None:
    # The node would run the braces as they stand.
    if not _PARAMETER_STORE.search(value):
        return None
    return f"is {_shown(value)}: Parameter Store is not served here; write the value itself"


_CHECKS: Final[tuple[Callable[[Declaration, str], str | None], ...]] = (
    _one_of,
    _of_the_pattern,
    _of_a_length,
    _without_parameter_store,
)


def _shown(value: str) -> str:
    return repr(value if len(value) <= 100 else f"{value[:99]}…")
