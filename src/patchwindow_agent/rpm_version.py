"""The order of rpm's versions, which notices and requirements are read by."""

import functools
import re

SortKey = tuple[tuple[int, int, str], ...]

_PART = re.compile(r"(\d+)|([A-Za-z]+)|([~^])")
# Where a part stands against others in its place: a tilde is older than the end, a caret newer than the end, and
# letters are older than digits.
_TILDE, _END, _CARET, _LETTERS, _DIGITS = range(5)


def join(epoch: str, version: str, release: str) -> str:
    """Return `[epoch:]version-release`; an epoch that rpm writes as 0 or `(none)` is none."""
    text = f"{version}-{release}" if release else version
    return text if epoch in ("", "0", "(none)") else f"{epoch}:{text}"


def parts(text: str) -> tuple[str, str]:
    """Return the epoch, 0 if there is none, and the rest of *text*."""
    epoch, colon, rest = text.partition(":")
    return (epoch or "0", rest) if colon else ("0", text)


def split(text: str) -> tuple[str, str, str]:
    """Return epoch, version and release of `[epoch:]version[-release]`; the epoch is 0, and the release empty, if none."""
    epoch, rest = parts(text)
    version, _, release = rest.partition("-") if rest.count("-") <= 1 else rest.rpartition("-")
    return epoch, version, release


@functools.lru_cache(maxsize=65536)
def sort_key(text: str) -> tuple[int, SortKey, SortKey]:
    """Return a key that sorts versions as rpm does.

    Source: rpm's manual, "Version comparison".
    """
    epoch, version, release = split(text)
    return int(epoch) if epoch.isdigit() else 0, _parts(version), _parts(release)


def satisfies(provided: str, operator: str, wanted: str) -> bool:
    """Return whether the version *provided* stands in the relation *operator* (`=`, `<=`, …) to *wanted*.

    Where one of them has no release, releases are not compared; what is provided without a version satisfies no
    relation.
    """
    if not operator:
        return True
    if not provided:
        return False
    mine, other = sort_key(provided), sort_key(wanted)
    if not (split(provided)[2] and split(wanted)[2]):
        mine, other = (*mine[:2], ()), (*other[:2], ())
    return (
        ("=" in operator and mine == other) or ("<" in operator and mine < other) or (">" in operator and mine > other)
    )


def _parts(text: str) -> SortKey:
    found = []
    for digits, letters, mark in _PART.findall(text):
        if digits:
            found.append((_DIGITS, int(digits), ""))
        elif letters:
            found.append((_LETTERS, 0, letters))
        else:
            found.append((_TILDE if mark == "~" else _CARET, 0, ""))
    return (*found, (_END, 0, ""))
