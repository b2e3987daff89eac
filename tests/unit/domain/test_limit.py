import pytest
from hypothesis import given
from hypothesis import strategies as st

from patchwindow.domain.errors import Invalid
from patchwindow.domain.limit import Concurrency, ErrorLimit

percentages = st.integers(0, 100)
target_counts = st.integers(0, 5000)


@pytest.mark.parametrize(
    ("text", "target_count", "expected"),
    [
        ("1", 50, 1),
        ("50", 7, 7),
        ("9999999", 3, 3),
        ("10%", 50, 5),
        ("10%", 51, 6),
        ("1%", 3, 1),
        ("100%", 3, 3),
        ("1", 0, 0),
        ("50%", 0, 0),
    ],
)
def test_concurrency_rounds_a_part_of_a_target_up(text: str, target_count: int, expected: int) -> None:
    assert Concurrency.parse(text).of(target_count) == expected


@pytest.mark.parametrize(
    ("text", "target_count", "expected"),
    [("0", 50, 0), ("5", 50, 5), ("10%", 50, 5), ("10%", 59, 5), ("0%", 50, 0), ("1%", 3, 0), ("100%", 3, 3)],
)
def test_errors_up_to_the_limit_do_not_stop_the_task(text: str, target_count: int, expected: int) -> None:
    """API: with 50 nodes and 10%, "the system stops sending the request when the sixth error is received"."""
    assert ErrorLimit.parse(text).of(target_count) == expected


@pytest.mark.parametrize("text", ["0", "0%", "101%", "", "-1", "1.5", "10 %", "05", "05%", "00%", "12345678", "%", "٣"])
def test_concurrency_refuses_what_is_no_positive_limit(text: str) -> None:
    with pytest.raises(Invalid, match=r"^MaxConcurrency is .*; use a number from 1 "):
        Concurrency.parse(text)


@pytest.mark.parametrize("text", ["101%", "", "-1", "00", "07", "1000%", "12345678"])
def test_an_error_limit_refuses_what_is_no_limit(text: str) -> None:
    with pytest.raises(Invalid, match=r"^MaxErrors is .*; use a number from 0 "):
        ErrorLimit.parse(text)


@given(st.integers(1, 9_999_999).map(str) | st.integers(1, 100).map("{}%".format), st.integers(1, 5000))
def test_concurrency_lets_something_run_and_never_more_than_there_is(text: str, target_count: int) -> None:
    assert 1 <= Concurrency.parse(text).of(target_count) <= target_count


@given(percentages, target_counts)
def test_an_error_percentage_never_lets_more_fail_than_it_says(percentage: int, target_count: int) -> None:
    allowed = ErrorLimit.parse(f"{percentage}%").of(target_count)
    assert allowed * 100 <= percentage * target_count < (allowed + 1) * 100
