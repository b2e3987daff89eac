"""The order of Debian package versions, equal to that of `dpkg --compare-versions`."""

import re

_SEGMENT = re.compile(r"([^0-9]*)([0-9]*)")

# A flat tuple, so that comparing two versions is one comparison of tuples.
SortKey = tuple[int | str, ...]


def sort_key(version: str) -> SortKey:
    """Return a key that sorts versions as dpkg does; versions that dpkg calls equal have equal keys.

    Source: Debian Policy 5.6.12: ``[epoch:]upstream_version[-debian_revision]``; "the initial part of each string
    consisting entirely of non-digit characters is determined", then "the initial part of the remainder of each string
    which consists entirely of digit characters", and so on until a difference is found.
    """
    epoch, colon, rest = version.strip().partition(":")
    if not colon:
        epoch, rest = "0", version.strip()
    upstream, _, revision = rest.rpartition("-") if "-" in rest else (rest, "", "")
    return (*_number(epoch), *_part(upstream), *_part(revision))


def _part(text: str) -> SortKey:
    # The pattern always finds an empty segment at the end; the empty text is that segment alone, and equals "0".
    segments = _SEGMENT.findall(text)
    key: list[int | str] = []
    for letters, digits in segments[:-1] or segments:
        key += [*map(_weight, letters), 0, *_number(digits)]
    # The end sorts as a segment that begins with a digit: after a tilde, before all else.
    return (*key, 0)


def _weight(character: str) -> int:
    """Return where a character stands: the tilde before even the end, letters before all other characters."""
    if character == "~":
        return -1
    return ord(character) if character.isalpha() else ord(character) + 256


def _number(digits: str) -> tuple[int, str]:
    """Return *digits* as what sorts like their number, whatever their length."""
    significant = digits.lstrip("0")
    return len(significant), significant
