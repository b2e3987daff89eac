"""The order of rpm package versions, equal to that of rpm itself; beside `debian_version.py`, and of the same shape."""

import re
from dataclasses import dataclass
from typing import Final

# What is neither a letter, a digit, a tilde nor a caret separates segments, and is not compared.
_SEGMENT: Final = re.compile(r"[0-9]+|[A-Za-z]+|[~^]")

# What a segment begins with says where it stands: a tilde before even the end, a caret right after it, then letters,
# then digits.
_ABSENT, _TILDE, _END, _CARET, _LETTERS, _DIGITS = range(6)
_MARKS: Final = {"~": _TILDE, "^": _CARET}

# A flat tuple, so that comparing two versions is one comparison of tuples.
SortKey = tuple[int | str, ...]


@dataclass(frozen=True, slots=True)
class Evr:
    """Epoch, version and release; an epoch that is not given is 0, a release that is not given is empty."""

    epoch: str
    version: str
    release: str

    def __str__(self) -> str:
        epoch = "" if self.epoch == "0" else f"{self.epoch}:"
        return f"{epoch}{self.version}-{self.release}" if self.release else f"{epoch}{self.version}"


def split(text: str) -> Evr:
    """Return the parts of `[epoch:]version[-release]`; rpm writes an epoch that is not there as `(none)` or 0."""
    epoch, colon, rest = text.partition(":")
    if not colon:
        epoch, rest = "0", text
    elif ":" in rest or not (epoch in {"", "(none)"} or (epoch.isascii() and epoch.isdigit())):
        # A colon in the version, which rpm does not build; the text is then a version and nothing else.
        return Evr("0", text, "")
    version, dash, release = rest.rpartition("-")
    if not dash:
        version, release = rest, ""
    return Evr(epoch.removeprefix("(none)").lstrip("0") or "0", version, release)


def sort_key(text: str) -> SortKey:
    """Return a key that sorts versions as rpm does; versions that rpm calls equal have equal keys.

    Source: rpm's manual, "Version comparison": segments of digits are compared as numbers, those of letters as text;
    digits are newer than letters; a tilde is older than the end, and a caret newer than the end and older than all else.
    """
    parts = split(text)
    release = _part(parts.release) if parts.release else (_ABSENT,)
    return (*_number(parts.epoch), *_part(parts.version), *release)


def _part(text: str) -> SortKey:
    key: list[int | str] = []
    for segment in _SEGMENT.findall(text):
        if (mark := _MARKS.get(segment)) is not None:
            key.append(mark)
        elif segment[0] <= "9":
            key += [_DIGITS, *_number(segment)]
        else:
            key += [_LETTERS, segment]
    return (*key, _END)


def _number(digits: str) -> tuple[int, str]:
    """Return *digits* as what sorts like their number, whatever their length."""
    significant = digits.lstrip("0")
    return len(significant), significant
