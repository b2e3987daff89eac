"""JSON from elsewhere: what is asked of it is checked where it is asked."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Final

from patchwindow.domain.errors import Invalid

_CVE: Final = re.compile(r"CVE-[0-9]{4}-[0-9]{4,19}")
_DAY: Final = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[T ].*)?")
_TEXT_MAX: Final = 256


def parse(data: bytes) -> Any:
    """Return *data* as JSON.

    Raises:
        Invalid: it is none.
    """
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as problem:
        raise Invalid(f"it is no JSON: {str(problem) or 'it is nested too deeply'}") from None


def mapping(value: object, path: str) -> Mapping[str, Any]:
    """Return *value*, which is an object."""
    if not isinstance(value, dict):
        raise Invalid(f"{path}: expected an object, not {_shown(value)}")
    return value


def sequence(value: object, path: str) -> Sequence[Any]:
    """Return *value*, which is a list; an absent one is empty."""
    if value is None:
        return ()
    if not isinstance(value, list):
        raise Invalid(f"{path}: expected a list, not {_shown(value)}")
    return value


def items(value: object, path: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield each object of the list *value* with its place."""
    for index, item in enumerate(sequence(value, path)):
        place = f"{path}[{index}]"
        yield place, mapping(item, place)


def filled(value: object, path: str) -> str:
    """Return *value*, which is a text that says something."""
    found = text(value, path)
    if not found:
        raise Invalid(f"{path}: it must be there, and not empty")
    return found


def text(value: object, path: str) -> str:
    """Return *value* in one line, cut where it is long; an absent one is empty."""
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Invalid(f"{path}: expected a text, not {_shown(value)}")
    return one_line(value)


def one_line(value: str) -> str:
    """Return *value* without what cannot be shown in one line, cut where it is long."""
    return "".join(c if c.isprintable() else " " for c in " ".join(value.split()))[:_TEXT_MAX]


def day(value: str, path: str) -> str:
    """Return the day of *value*, an instant or a day of ISO 8601; the empty text is none.

    Raises:
        Invalid: it is neither.
    """
    if not value:
        return ""
    found = _DAY.fullmatch(value)
    try:
        return str(date.fromisoformat(found[1] if found else value))
    except ValueError:
        raise Invalid(f"{path}: {value!r} is no day; it is written as YYYY-MM-DD") from None


def is_cve(value: object) -> bool:
    """Return whether *value* is the id of a CVE."""
    return isinstance(value, str) and _CVE.fullmatch(value) is not None


def cve(value: object, path: str) -> str:
    """Return *value*, which is the id of a CVE."""
    if not is_cve(value):
        raise Invalid(f"{path}: {_shown(value)} is no CVE; it is written as CVE-2026-1234")
    return str(value)


def unique(values: Iterator[str] | Sequence[str]) -> tuple[str, ...]:
    """Return *values*, each once, in their order."""
    return tuple(dict.fromkeys(values))


def _shown(value: object) -> str:
    return f"{value!r:.60}"
