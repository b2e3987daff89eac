"""The operators between two values, by name: about_Operators of PowerShell 5.1, as far as the script has them."""

import fnmatch
import operator
import re
import sys
import unicodedata
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from typing import Any, Final

from tests.powershell.values import NotKnown, Thrown, as_number, as_text, enumerated, is_null, is_number, plain, truth


def equal(left: Any, right: Any) -> bool:
    """Return what -eq says of two values: the right one is converted to what the left one is."""
    if is_null(left) or is_null(right):
        return is_null(left) and is_null(right)
    if isinstance(right, list):
        raise NotKnown(f"{left!r} -eq an array")
    if isinstance(left, str):
        return left.casefold() == as_text(right).casefold()
    if isinstance(left, bool):
        return left is truth(right)
    if is_number(left):
        return bool(left == as_number(right))
    raise NotKnown(f"-eq of a {type(left).__name__}")


def _ordered(compare: Callable[[Any, Any], Any]) -> Callable[[Any, Any], bool]:
    def of(left: Any, right: Any) -> bool:
        if isinstance(left, datetime) and isinstance(right, datetime):
            return bool(compare(left, right))
        if is_number(left) and not is_null(right):
            number = as_number(right)
            if number is None:
                raise Thrown("RuntimeException", f'Could not compare "{left}" to "{as_text(right)}".')
            return bool(compare(left, number))
        raise NotKnown(f"the order of {left!r} and {right!r}")

    return of


def _like(left: Any, right: Any) -> bool:
    return fnmatch.fnmatchcase(as_text(left).casefold(), as_text(right).casefold())


_TESTS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "-eq": equal,
    "-ne": lambda left, right: not equal(left, right),
    "-lt": _ordered(operator.lt),
    "-le": _ordered(operator.le),
    "-gt": _ordered(operator.gt),
    "-ge": _ordered(operator.ge),
    "-like": _like,
    "-notlike": lambda left, right: not _like(left, right),
}


def _tested(test: Callable[[Any, Any], bool]) -> Callable[[Any, Any], Any]:
    """An array on the left is filtered, and its condition is whether anything is left."""

    def of(left: Any, right: Any) -> Any:
        return [each for each in left if test(each, right)] if isinstance(left, list) else test(left, right)

    return of


def _contains(left: Any, right: Any) -> bool:
    return any(equal(each, right) for each in enumerated(left))


def _replaced(left: Any, right: Any) -> Any:
    if isinstance(left, list) or not isinstance(right, list) or len(right) != 2 or "$" in right[1]:
        raise NotKnown(f"-replace of {left!r} by {right!r}")
    return _pattern(right[0]).sub(lambda _: right[1], as_text(left))


def _added(left: Any, right: Any) -> Any:
    if isinstance(left, list):
        # No output adds nothing, and $null adds a $null.
        return [*left, *enumerated(right)]
    if is_null(left) and not is_number(right):
        return plain(right)
    if isinstance(left, str):
        return left + as_text(right)
    return _calculated(operator.add)(left, right)


def _calculated(calculate: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def of(left: Any, right: Any) -> Any:
        if not is_number(left) and not is_null(left):
            raise NotKnown(f"arithmetic with a {type(left).__name__} on the left")
        number = as_number(right)
        if number is None:
            raise Thrown("RuntimeException", f'Cannot convert value "{as_text(right)}" to type "System.Int32".')
        result = calculate(as_number(left), number)
        if isinstance(result, int) and not -(2**63) <= result < 2**63:
            raise NotKnown(f"{result}, which is more than 64 bits")
        return result

    return of


def _subtracted(left: Any, right: Any) -> Any:
    if isinstance(left, datetime) and isinstance(right, datetime):
        return left - right
    return _calculated(operator.sub)(left, right)


def _formatted(form: Any, value: Any) -> str:
    if form != "0x{0:X8}" or not is_number(value) or not -(2**31) <= value < 2**31:
        raise NotKnown(f"the format {form!r} of {value!r}")
    return f"0x{value & 0xFFFFFFFF:08X}"


def _range(first: Any, last: Any) -> list[int]:
    # Downwards too, which is what scripts fall over that count to the last of none.
    return list(range(first, last + 1)) if first <= last else list(range(first, last - 1, -1))


BINARY: Final[Mapping[str, Callable[[Any, Any], Any]]] = {
    **{name: _tested(test) for name, test in _TESTS.items()},
    "-contains": _contains,
    "-notcontains": lambda left, right: not _contains(left, right),
    "-replace": _replaced,
    "-join": lambda left, right: as_text(right).join(as_text(each) for each in enumerated(left)),
    "-bor": operator.or_,
    "-f": _formatted,
    "..": _range,
    "+": _added,
    "-": _subtracted,
    "*": _calculated(operator.mul),
}


@cache
def _pattern(written: str) -> re.Pattern[str]:
    """Return a regular expression of .NET as one of Python; operators of PowerShell look past case."""
    return re.compile(re.sub(r"\\p\{([CZ])\}", lambda found: _category(found[1]), written), re.IGNORECASE)


@cache
def _category(letter: str) -> str:
    """Return the characters of a Unicode category as ranges of a set."""
    found: list[list[int]] = []
    for code in range(0x10000):
        has = unicodedata.category(chr(code)).startswith(letter)
        if has and found and found[-1][1] == code - 1:
            found[-1][1] = code
        elif has:
            found.append([code, code])
    if letter == "C":
        # .NET sees each half of a character beyond the first plane, and halves are of the category C.
        found.append([0x10000, sys.maxunicode])
    return "".join(f"\\U{first:08x}-\\U{last:08x}" for first, last in found)
