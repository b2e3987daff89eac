"""What AWS says when a value breaks a constraint of the model, word for word.

Source: the public API's ValidationException answers. A list of plain values and the keys and values of a map are reported
once, at the list or map, with everything that their members must satisfy. A value of a sensitive shape is not repeated.
Where AWS leaves the order of several violations open, it is here: length or value, pattern, set of values.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

# A message must not repeat a whole request: nobody reads on after so many characters, or so many violations.
ECHO_LENGTH_MAX = 1000
LISTED_MAX = 100

NOT_NULL = "Member must not be null"


def no_longer_than(length: int) -> str:
    return f"Member must have length less than or equal to {length}"


def no_shorter_than(length: int) -> str:
    return f"Member must have length greater than or equal to {length}"


def no_more_than(value: int) -> str:
    return f"Member must have value less than or equal to {value}"


def no_less_than(value: int) -> str:
    return f"Member must have value greater than or equal to {value}"


def matches(pattern: str) -> str:
    return f"Member must satisfy regular expression pattern: {pattern}"


def is_one_of(values: Iterable[str]) -> str:
    return f"Member must satisfy enum value set: [{', '.join(values)}]"


def every(what: str, demands: Sequence[str]) -> str:
    """Return the demand that *what*, the members of a list or a map's keys or values, satisfy all of *demands*."""
    return f"{what} must satisfy constraint: [{', '.join(demands)}]"


def violation(value: Any, path: str, demand: str, *, is_sensitive: bool = False) -> str:
    """Return the sentence that *value*, which stands at *path*, breaks *demand*."""
    if value is None:
        shown = "Value null"
    elif is_sensitive:
        shown = "Value"
    else:
        text = _echo(value)
        shown = f"Value '{text if len(text) <= ECHO_LENGTH_MAX else text[:ECHO_LENGTH_MAX] + '…'}'"
    return f"{shown} at '{path.removeprefix('.')}' failed to satisfy constraint: {demand}"


def summary(found: Sequence[str]) -> str:
    """Return the message for all of the violations *found*, at least one."""
    noun = "error" if len(found) == 1 else "errors"
    return f"{len(found)} validation {noun} detected: {'; '.join(found[:LISTED_MAX])}"


def _echo(value: Any) -> str:
    """Return *value* as the service's own language prints it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}={_echo(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_echo, value)) + "]"
    return "null" if value is None else str(value)
