"""How long nodes have been exposed, by what they lack."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patchwindow.domain.exposure import AGES, Hole, age_of, by_weight, exposure, is_security, lacked
from patchwindow.domain.fleet_patches import STANDINGS, FleetPatch, Listing
from patchwindow.domain.named_patches import Standing

TODAY = date(2026, 12, 3)
PATCH = FleetPatch("a", "Debian12", "DEBIAN", "a", "a", "Security", "", ())


def hole(days: int, *, is_exploited: bool = False, due: int | None = None, patch: FleetPatch = PATCH) -> Hole:
    """Return a patch that is there for so many days, and due in so many."""
    due_on = None if due is None else TODAY + timedelta(days=due)
    return Hole(patch=patch, since=TODAY - timedelta(days=days), is_exploited=is_exploited, due_on=due_on)


def test_what_is_missing_or_failed_is_lacked_and_nothing_else() -> None:
    patches = tuple(FleetPatch(str(standing), "Debian12", "DEBIAN", "a", "a", "", "", ()) for standing in STANDINGS)
    listing = Listing(patches, bytes(range(len(STANDINGS))))
    assert {patch.title for patch in lacked(listing)} == {Standing.MISSING, Standing.FAILED}


@pytest.mark.parametrize(
    ("days", "least"),
    [(-2, 0), (0, 0), (6, 0), (7, 7), (13, 7), (14, 14), (29, 14), (30, 30), (89, 30), (90, 90), (999, 90)],
)
def test_an_age_belongs_to_the_last_bound_that_it_has_reached(days: int, least: int) -> None:
    assert AGES[age_of(TODAY - timedelta(days=days), TODAY)] == least


@pytest.mark.parametrize(
    ("classification", "cve_ids", "is_one"),
    [("Security", (), True), ("SecurityUpdates", (), True), ("Bugfix", (), False), ("Bugfix", ("CVE-2026-1",), True)],
)
def test_what_closes_a_cve_is_one_of_security_whatever_its_class(
    classification: str, cve_ids: tuple[str, ...], *, is_one: bool
) -> None:
    assert is_security(classification, cve_ids) is is_one


@given(st.lists(st.tuples(st.lists(st.integers(0, 400), max_size=4), st.integers(1, 50)), max_size=20))
def test_each_node_that_lacks_something_is_counted_once_by_its_oldest(nodes: list[tuple[list[int], int]]) -> None:
    found = exposure([([hole(days) for days in ages], count) for ages, count in nodes], TODAY)
    assert sum(found.by_age) == sum(count for ages, count in nodes if ages)
    assert found.by_age[-1] == sum(count for ages, count in nodes if max(ages, default=0) >= AGES[-1])


def test_a_node_is_overdue_from_the_day_after_and_only_by_what_is_exploited() -> None:
    due_today, due_before = hole(5, is_exploited=True, due=0), hole(5, is_exploited=True, due=-1)
    found = exposure([([due_today], 1), ([due_before, due_today], 2), ([hole(5, due=-1)], 4), ([], 8)], TODAY)
    assert (found.exploited_count, found.overdue_count) == (3, 2)


def test_what_is_exploited_comes_first_by_when_it_is_due_then_what_most_lack() -> None:
    soon, later, never = (
        hole(1, is_exploited=True, due=1),
        hole(1, is_exploited=True, due=9),
        hole(2, is_exploited=True),
    )
    many, few = hole(3), hole(4)
    ordered = by_weight({few: 2, many: 900, never: 1, later: 5, soon: 1})
    assert [one for one, _ in ordered] == [soon, later, never, many, few]
