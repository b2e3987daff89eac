"""What freezes leave of an opening."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from patchwindow.domain.freeze import Freeze, closed, heeded, in_force, names

OPENS_AT = datetime(2026, 12, 24, 2, tzinfo=UTC)
CUTOFF_AT = OPENS_AT + timedelta(hours=3)


def freeze(starts: float, ends: float, calendar: str = "holidays") -> Freeze:
    """Return a freeze from and to so many hours after the opening."""
    return Freeze(OPENS_AT + timedelta(hours=starts), OPENS_AT + timedelta(hours=ends), calendar)


freezes = st.lists(
    st.builds(lambda starts, lasts: freeze(starts / 4, (starts + lasts) / 4), st.integers(-20, 20), st.integers(1, 20)),
    max_size=6,
)


def test_an_opening_that_no_freeze_touches_keeps_its_cutoff() -> None:
    found = heeded([freeze(-3, -1)], OPENS_AT, CUTOFF_AT)
    assert (found.opens, found.cutoff_at, found.freeze) == (True, CUTOFF_AT, None)


def test_a_freeze_after_the_cutoff_leaves_it_and_is_told_for_tasks_that_go_on() -> None:
    found = heeded([freeze(3, 9), freeze(5, 6)], OPENS_AT, CUTOFF_AT)
    assert (found.opens, found.cutoff_at, found.freeze) == (True, CUTOFF_AT, freeze(3, 9))


def test_an_opening_inside_a_freeze_is_given_up_even_if_the_freeze_ends_before_the_window() -> None:
    found = heeded([freeze(-1, 0.5)], OPENS_AT, CUTOFF_AT)
    assert not found.opens
    assert found.freeze == freeze(-1, 0.5)


def test_a_freeze_begins_with_its_first_instant_and_ends_before_its_last() -> None:
    assert not heeded([freeze(0, 1)], OPENS_AT, CUTOFF_AT).opens
    assert heeded([freeze(-1, 0)], OPENS_AT, CUTOFF_AT).opens


def test_a_freeze_that_begins_while_the_window_is_open_is_its_cutoff() -> None:
    found = heeded([freeze(2, 8), freeze(1, 2, "quarter-end")], OPENS_AT, CUTOFF_AT)
    assert found.opens
    assert found.cutoff_at == OPENS_AT + timedelta(hours=1)
    assert found.freeze == freeze(1, 2, "quarter-end")


def test_of_several_freezes_the_one_that_ends_last_speaks() -> None:
    assert in_force([freeze(-1, 1, "short"), freeze(-2, 9, "long"), freeze(-3, -1, "over")], OPENS_AT) == freeze(
        -2, 9, "long"
    )


def test_freezes_that_touch_or_overlap_are_one_closed_time() -> None:
    assert [*closed([freeze(4, 5), freeze(0, 1), freeze(1, 2), freeze(0, 0.5)])] == [
        (OPENS_AT, OPENS_AT + timedelta(hours=2)),
        (OPENS_AT + timedelta(hours=4), OPENS_AT + timedelta(hours=5)),
    ]


def test_a_tag_names_each_calendar_once() -> None:
    assert names("  year-end quarter-end  year-end ") == ("year-end", "quarter-end")
    assert names("") == ()


@given(freezes, st.integers(0, 12))
def test_nothing_may_start_inside_a_freeze(some: list[Freeze], quarter: int) -> None:
    """ "An opening inside a freeze is given up; one that a freeze reaches into has its cutoff where the freeze begins." """
    found = heeded(some, OPENS_AT, CUTOFF_AT)
    at = OPENS_AT + timedelta(hours=quarter / 4)
    if found.opens and at < found.cutoff_at:
        assert in_force(some, at) is None


@given(freezes)
def test_no_time_is_taken_from_a_window_that_no_freeze_asks_for(some: list[Freeze]) -> None:
    found = heeded(some, OPENS_AT, CUTOFF_AT)
    if not found.opens or found.cutoff_at < CUTOFF_AT:
        assert in_force(some, found.cutoff_at) is not None


@given(freezes, st.integers(-24, 44))
def test_closed_times_are_apart_in_order_and_hold_what_freezes_hold(some: list[Freeze], quarter: int) -> None:
    found = [*closed(some)]
    at = OPENS_AT + timedelta(hours=quarter / 4)
    assert any(begun <= at < ended for begun, ended in found) == (in_force(some, at) is not None)
    assert all(former[1] < later[0] for former, later in pairwise(found))
