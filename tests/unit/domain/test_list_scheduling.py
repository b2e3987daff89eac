from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patchwindow.domain.list_scheduling import Spread, makespan, median, spread, starts

durations = st.lists(st.integers(0, 600).map(lambda minutes: timedelta(minutes=minutes)), max_size=30)
slot_counts = st.integers(1, 12)


def minutes(*numbers: float) -> tuple[timedelta, ...]:
    return tuple(timedelta(minutes=number) for number in numbers)


def test_whoever_is_free_takes_the_next() -> None:
    assert starts(minutes(30, 10, 10, 10), 2) == list(minutes(0, 0, 10, 20))
    assert makespan(minutes(30, 10, 10, 10), 2) == timedelta(minutes=30)


@pytest.mark.parametrize(("slots", "expected"), [(1, 60), (2, 40), (3, 30), (9, 30)])
def test_more_at_a_time_take_less_long(slots: int, expected: int) -> None:
    assert makespan(minutes(10, 20, 30), slots) == timedelta(minutes=expected)


def test_nothing_takes_no_time() -> None:
    assert makespan((), 3) == timedelta(0)
    assert spread(minutes(5, 10), 0, 3) == Spread(p50=timedelta(0), p95=timedelta(0))


@given(durations, slot_counts)
def test_no_schedule_beats_the_longest_part_or_a_fair_share_and_none_is_twice_as_long(
    parts: list[timedelta], slots: int
) -> None:
    """Graham: a list schedule is at most 2 - 1/m times as long as the best."""
    least = max([sum(parts, timedelta(0)) / slots, *parts])
    assert least <= makespan(parts, slots) + timedelta(microseconds=1)
    assert makespan(parts, slots) <= least * 2


@given(durations, slot_counts)
def test_parts_begin_in_their_order_and_no_more_run_than_there_are_slots(parts: list[timedelta], slots: int) -> None:
    begun = starts(parts, slots)
    assert begun == sorted(begun)
    for at in begun:
        running = sum(start <= at < start + part for start, part in zip(begun, parts, strict=True))
        assert running <= slots


@pytest.mark.parametrize(("count", "slots", "rounds"), [(0, 4, 0), (1, 4, 1), (4, 4, 1), (5, 4, 2), (10_000, 100, 100)])
def test_parts_that_are_alike_take_full_rounds(count: int, slots: int, rounds: int) -> None:
    expected = timedelta(minutes=20 * rounds)
    assert spread(minutes(20), count, slots) == Spread(p50=expected, p95=expected)
    assert makespan(minutes(20) * count, slots) == expected


@given(
    st.lists(st.integers(1, 600), min_size=1, max_size=20).map(lambda numbers: minutes(*numbers)),
    st.integers(1, 40),
    slot_counts,
)
def test_the_spread_lies_between_the_nights_where_all_are_fast_and_where_all_are_slow(
    recorded: tuple[timedelta, ...], count: int, slots: int
) -> None:
    found = spread(recorded, count, slots)
    rounds = -(-count // slots)
    assert min(recorded) * rounds <= found.p50 <= found.p95 <= max(recorded) * rounds
    assert spread(tuple(reversed(recorded)), count, slots) == found, "the order of the history says nothing"


def test_one_slow_node_in_ten_shows_in_the_slow_nights() -> None:
    found = spread(minutes(*[10] * 9, 60), 1, 1)
    assert found == Spread(p50=timedelta(minutes=10), p95=timedelta(minutes=60))


@pytest.mark.parametrize(("recorded", "expected"), [((5,), 5), ((9, 1, 5), 5), ((1, 2, 3, 4), 2)])
def test_the_median_is_the_lower_of_two(recorded: tuple[int, ...], expected: int) -> None:
    assert median(minutes(*recorded)) == timedelta(minutes=expected)
