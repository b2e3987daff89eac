from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from patchwindow_agent.isolation import choose

items = st.lists(st.integers(0, 60), unique=True)


@given(items, st.sets(st.integers(0, 60)))
def test_exactly_those_are_left_out_that_cannot_be(wanted: list[int], impossible: set[int]) -> None:
    def problem_of(some: Sequence[int]) -> str | None:
        return "cannot be" if impossible.intersection(some) else None

    good, bad = choose(wanted, problem_of)
    assert good == [item for item in wanted if item not in impossible]
    assert bad == [(item, "cannot be") for item in wanted if item in impossible]


@given(items, st.integers(0, 60), st.integers(0, 60))
def test_of_two_that_exclude_each_other_the_first_goes(wanted: list[int], one: int, other: int) -> None:
    def problem_of(some: Sequence[int]) -> str | None:
        return f"{one} and {other}" if one != other and {one, other} <= set(some) else None

    good, bad = choose(wanted, problem_of)
    assert problem_of(good) is None
    assert len(good) >= len(wanted) - 1
    assert [item for item in wanted if item in {*good, *(item for item, _ in bad)}] == wanted


def test_where_all_go_together_they_are_tried_once_and_few_bad_ones_are_found_in_few_steps() -> None:
    asked: list[int] = []

    def problem_of(some: Sequence[int]) -> str | None:
        asked.append(len(some))
        return "never" if 77 in some else None

    assert choose(range(60), problem_of)[1] == []
    assert asked == [60]
    asked.clear()
    assert choose(range(200), problem_of)[1] == [(77, "never")]
    assert len(asked) <= 17
