"""The patches of a fleet, counted."""

from collections import Counter
from collections.abc import Sequence
from datetime import date
from typing import Any, Final

from hypothesis import given
from hypothesis import strategies as st
from tests.fakes.scans import SECURITY, facts_of, package, update

from patchwindow.domain.evaluation import evaluate
from patchwindow.domain.facts_patches import patches_of
from patchwindow.domain.facts_reading import parse
from patchwindow.domain.fleet_patches import Listing, Tally, dump, listing, load, tally
from patchwindow.domain.named_patches import Standing, node_patches
from patchwindow.domain.operating_system import OperatingSystem
from patchwindow.domain.predefined import default_for

TODAY: Final = date(2026, 3, 14)
NAMES: Final = ("bash", "openssl", "zlib")


def listed(data: Any) -> Listing:
    facts = parse(data)
    evaluation = evaluate(facts, default_for(OperatingSystem.DEBIAN), TODAY)
    return listing(facts, node_patches(patches_of(facts), evaluation))


def titles(tallies: Sequence[Tally]) -> dict[str, dict[Standing, int]]:
    return {one.patch.title: dict(one.counts) for one in tallies}


OLD: Final = listed(facts_of([package("openssl", origin=SECURITY)], [update("openssl", priority="important")]))
NEW: Final = listed(facts_of([package("openssl", "2", origin=SECURITY, priority="important")]))
# The same version, of which no source is known any more.
BARE: Final = listed(facts_of([{**package("openssl", "2", priority="important"), "origins": []}]))


def test_nodes_are_counted_by_state() -> None:
    assert titles(tally([(OLD, 3, 20), (NEW, 4, 30)])) == {
        "openssl.amd64:1": {Standing.INSTALLED: 3},
        "openssl.amd64:2": {Standing.MISSING: 3, Standing.INSTALLED: 4},
    }


def test_a_patch_was_first_seen_with_the_first_facts_that_have_it() -> None:
    first_seen = {one.patch.title: one.first_seen_ms for one in tally([(NEW, 1, 30), (OLD, 1, 20), (NEW, 1, 25)])}
    assert first_seen == {"openssl.amd64:1": 20, "openssl.amd64:2": 20}


def test_of_facts_with_the_same_patches_those_that_came_first_count() -> None:
    both = listed(facts_of([package("bash"), package("zlib")]))
    again = listed(facts_of([package("bash"), package("zlib")]))
    assert again.patches == both.patches
    bash = listed(facts_of([package("bash")]))
    found = tally([(bash, 1, 10), (both, 1, 30), (again, 1, 25), (both, 1, 30)])
    assert {one.patch.title: one.first_seen_ms for one in found} == {"bash.amd64:1": 10, "zlib.amd64:1": 25}


def test_what_one_node_knows_of_a_patch_is_told_for_all() -> None:
    for groups in ([(BARE, 1, 0), (NEW, 1, 0)], [(NEW, 1, 0), (BARE, 1, 0)]):
        (one,) = tally(groups)
        assert one.patch.classification == "Security"
        assert one.counts == {Standing.INSTALLED: 1, Standing.INSTALLED_OTHER: 1}


def test_what_was_dumped_is_loaded_as_the_same_objects() -> None:
    assert load(dump(OLD.patches)) == OLD.patches


def test_a_listing_knows_the_state_of_a_title() -> None:
    assert OLD.of("openssl.amd64:2", None) is Standing.MISSING
    assert OLD.of("openssl.amd64:2", "Debian12") is Standing.MISSING
    assert OLD.of("openssl.amd64:2", "Debian13") is None
    assert OLD.of("openssl", None) is None


def test_patches_that_are_alike_are_one_object_in_all_listings() -> None:
    again = listed(facts_of([package("bash"), package("openssl", "2", origin=SECURITY, priority="important")]))
    assert NEW.patches[0] in again.patches


sets = st.lists(st.sampled_from(NAMES), unique=True).flatmap(
    lambda names: st.tuples(
        st.just(sorted(names)), st.lists(st.sampled_from(names), unique=True) if names else st.just([])
    )
)


@given(st.lists(st.tuples(sets, st.integers(1, 5)), max_size=4))
def test_the_sum_over_groups_is_the_sum_over_their_nodes(groups: list[tuple[tuple[list[str], list[str]], int]]) -> None:
    listings = [
        (listed(facts_of([package(name) for name in names], [update(name) for name in offered])), count, 0)
        for (names, offered), count in groups
    ]
    one_by_one = [(one, 1, 0) for one, count, _ in listings for _ in range(count)]
    assert titles(tally(listings)) == titles(tally(one_by_one))
    nodes: Counter[str] = Counter()
    for (names, offered), count in groups:
        nodes.update({f"{name}.amd64:1": count for name in names})
        nodes.update({f"{name}.amd64:2": count for name in offered})
    assert {one.patch.title: one.counts.total() for one in tally(listings)} == dict(nodes)
