"""Java's patterns in Python's terms."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patchwindow.protocol.patterns import compile_pattern
from patchwindow.protocol.service import load_operations

TAG_VALUE = r"^([\p{L}\p{Z}\p{N}_.:/=+\-@]*)$"


def model_patterns() -> list[str]:
    services = {id(operation._service): operation._service for operation in load_operations().values()}
    return sorted(
        {shape["pattern"] for service in services.values() for shape in service.shapes.values() if "pattern" in shape}
    )


def test_every_pattern_of_the_models_compiles() -> None:
    patterns = model_patterns()
    for pattern in patterns:
        compile_pattern(pattern)
    assert len(patterns) > 60


@pytest.mark.parametrize(
    ("pattern", "fitting", "unfitting"),
    [
        (r"\w{16,128}", "a" * 16, "é" * 16),  # classes are ASCII
        (r"[\w+=,.@/-]+", "a-b/c", "a b"),  # unanchored, and still the whole string
        (r"^(range|count|sum)", "range", "ranges"),
        (r"(^i-(\w{8}|\w{17})$)|(^mi-\w{17}$)", "mi-0123456789abcdef0", "mi-0123456789abcdef0\n"),
        (
            r"^arn:aws[a-z0-9-]*:iam::\d{12}:role\/[\w-\/.@+=,]{1,1017}$",
            "arn:aws:iam::123456789012:role/a-b",
            "arn:aws:iam::1",
        ),
        (r"(?i)all|[0-9]{12}", "ALL", "al"),
        (r"^.{1,128}$", "a b", "a\u2028b"),  # a dot stops at five line ends, not at one
        (r"^(?!\s*$).+", " a", "  "),
        (r"[\s\S]*\S[\s\S]*", "\n a\n", "\n"),
        (TAG_VALUE, "Größe 4/日本 @x", "a#b"),
    ],
)
def test_a_pattern_fits_what_it_fits_in_java(pattern: str, fitting: str, unfitting: str) -> None:
    matches = compile_pattern(pattern).fullmatch
    assert matches(fitting)
    assert not matches(unfitting)


@given(st.characters(codec="utf-8"))
def test_a_category_holds_exactly_the_characters_of_that_category(character: str) -> None:
    is_listed = unicodedata.category(character)[0] in "LZN" or character in "_.:/=+-@"
    assert bool(compile_pattern(TAG_VALUE).fullmatch(character)) == is_listed
