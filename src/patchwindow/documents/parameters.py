"""Parameters of documents: what callers give is checked and typed here, since agents check nothing."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from patchwindow.documents.library import Document
from patchwindow.domain.errors import InvalidParameters

Declaration = Mapping[str, Any]
Values = Sequence[str]

_LIST: Final = "StringList"
_PARAMETER_STORE: Final = re.compile(r"\{\{\s*ssm:")
_NOT_SERVED: Final = {
    ("AWS-RunPatchBaselineAssociation", "InstallOverrideList"): "override lists are",
}


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
        name: _typed(declaration, given[name]) if name in given else declaration["default"]
        for name, declaration in document.parameters.items()
    }


def _typed(declaration: Declaration, values: Values) -> Any:
    return list(values) if declaration["type"] == _LIST else values[0]


def _problems(document: Document, given: Mapping[str, Values]) -> Iterator[str]:
    for name in given:
        if name not in document.parameters:
            known = ", ".join(document.parameters) or "none"
            yield f"{name} is not one of them; there are {known}"
    for name, declaration in document.parameters.items():
        if name in given:
            yield from (f"{name} {problem}" for problem in _value_problems(declaration, given[name]))
            if any(given[name]) and (what := _NOT_SERVED.get((document.name, name))):
                yield f"{name} must be empty: {what} not served yet"
        elif "default" not in declaration:
            yield f"{name} must be given"


def _value_problems(declaration: Declaration, values: Values) -> Iterator[str]:
    if declaration["type"] == _LIST:
        if len(values) < declaration.get("minItems", 0):
            yield f"takes {declaration['minItems']} values or more, not {len(values)}"
        if len(values) > declaration.get("maxItems", len(values)):
            yield f"takes {declaration['maxItems']} values or fewer, not {len(values)}"
    elif len(values) != 1:
        yield f"takes exactly one value, not {len(values)}"
    for value in values:
        yield from (problem for check in _CHECKS if (problem := check(declaration, value)))


def _one_of(declaration: Declaration, value: str) -> str | None:
    allowed = declaration.get("allowedValues")
    return None if allowed is None or value in allowed else f"is {_shown(value)}; use one of {', '.join(allowed)}"


def _of_the_pattern(declaration: Declaration, value: str) -> str | None:
    pattern = declaration.get("allowedPattern")
    if pattern is None or re.fullmatch(pattern, value):
        return None
    return f"is {_shown(value)}, which does not match {pattern}"


def _of_a_length(declaration: Declaration, value: str) -> str | None:
    low, high = declaration.get("minChars", 0), declaration.get("maxChars", len(value))
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
