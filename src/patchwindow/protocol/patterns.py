"""The service model's patterns, which are Java's, in the terms of Python's `re`.

Where the two read the same text differently, Java's reading is kept: `.` stops at five line ends, `\\w` `\\d` `\\s` are
ASCII, `-` after a class such as `\\w` is itself, and `\\p{L}` names a Unicode category.
Source: java.util.regex.Pattern, "Summary of regular-expression constructs".
"""

import functools
import re
import unicodedata
from collections.abc import Iterator

_NO_LINE_END = "[^\\n\\r\\x85\\u2028\\u2029]"
_TOKEN = re.compile(r"\\p\{(?P<category>[LMNPSZC])\}|\\(?P<escaped>.)|.", re.DOTALL)
# Nothing but variation selectors and private use lies above plane 3.
_PLANES = (range(0x40000), range(0xE0000, 0xE1000))


@functools.cache
def compile_pattern(java: str) -> re.Pattern[str]:
    """Return *java* as a Python pattern; use its `fullmatch`, as AWS matches whole strings, anchored or not.

    Compiled on first use: a category costs a walk through Unicode, about 40 ms once.
    """
    return re.compile("".join(_translate(java)), re.ASCII)


def _translate(java: str) -> Iterator[str]:
    is_in_class = False
    follows_class_escape = False
    for token in _TOKEN.finditer(java):
        text, category = token[0], token["category"]
        if category is not None:
            yield _members(category) if is_in_class else f"[{_members(category)}]"
        elif text == "." and not is_in_class:
            yield _NO_LINE_END
        elif text == "-" and follows_class_escape:
            yield "\\-"
        else:
            if text == "[":
                is_in_class = True
            elif text == "]":
                is_in_class = False
            yield text
        follows_class_escape = is_in_class and (category is not None or token["escaped"] in {"w", "d", "s"})


@functools.cache
def _members(category: str) -> str:
    """Return the inside of a character class that holds every character of *category*."""
    return "".join(
        f"{re.escape(chr(first))}-{re.escape(chr(last))}"
        for start, categories in _categories()
        for first, last in _runs(category, start, categories)
    )


def _runs(category: str, start: int, categories: str) -> Iterator[tuple[int, int]]:
    for run in re.finditer(f"{category}+", categories):
        yield start + run.start(), start + run.end() - 1


@functools.cache
def _categories() -> tuple[tuple[int, str], ...]:
    """Return the first letter of each character's category, in one string for each range of planes."""
    return tuple((plane.start, "".join(map(unicodedata.category, map(chr, plane)))[::2]) for plane in _PLANES)
