"""Facts, and the latest patch state of each node."""

import pytest
from sqlalchemy.exc import IntegrityError
from tests.store.samples import NOW, node, patch_state, summary

from patchwindow.store.database import Database
from patchwindow.store.patch_states import PatchState
from patchwindow.store.work import Work

FACTS = bytes(range(256)) * 40


def scanned(work: Work, *ids: str, patch_group: str = "web") -> None:
    """Keep nodes with a patch state."""
    work.facts.put("d-1", FACTS, NOW)
    for id in ids:
        work.nodes.put(node(id), operating_system="DEBIAN", patch_group=patch_group)
        work.patch_states.put(patch_state(id))


def ids(states: list[PatchState]) -> list[str]:
    return [state.summary.instance_id for state in states]


@pytest.mark.parametrize("canonical", [FACTS, b""], ids=["bytes", "nothing"])
def test_facts_come_back_byte_for_byte(work: Work, canonical: bytes) -> None:
    work.facts.put("d-1", canonical, NOW)
    assert work.facts.get("d-1") == canonical
    assert work.facts.get("d-2") is None


def test_facts_are_kept_once_under_their_digest(work: Work) -> None:
    work.facts.put("d-1", FACTS, NOW)
    work.facts.put("d-1", b"others", NOW)
    assert work.facts.get("d-1") == FACTS


@pytest.mark.parametrize("value", [patch_state(), patch_state(installed_at=())], ids=["full", "no times"])
def test_a_patch_state_comes_back_as_it_was_put(work: Work, value: PatchState) -> None:
    scanned(work, "mi-1")
    work.patch_states.put(value)
    assert work.patch_states.get("mi-1") == value
    assert work.patch_states.get("mi-2") is None


def test_the_latest_patch_state_takes_the_place_of_the_former(work: Work) -> None:
    scanned(work, "mi-1")
    work.facts.put("d-2", b"", NOW)
    value = patch_state(facts_digest="d-2", status="COMPLIANT", summary=summary(patch_group="", snapshot_id=None))
    work.patch_states.put(value)
    assert work.patch_states.many(["mi-1"]) == [value]


def test_of_many_nodes_those_with_a_state_come_in_order_of_id(work: Work) -> None:
    scanned(work, "mi-3", "mi-1", "mi-2")
    assert work.patch_states.many(["mi-3", "mi-9", "mi-1"]) == [patch_state("mi-1"), patch_state("mi-3")]
    assert work.patch_states.many([]) == []


def test_patch_states_are_paged_by_node(work: Work) -> None:
    scanned(work, "mi-3", "mi-1", "mi-2")
    assert ids(work.patch_states.page(after="", limit=2)) == ["mi-1", "mi-2"]
    assert ids(work.patch_states.page(after="mi-2", limit=2)) == ["mi-3"]


def test_the_states_of_a_patch_group_are_those_of_the_nodes_that_are_in_it_now(work: Work) -> None:
    scanned(work, "mi-1", "mi-2")
    scanned(work, "mi-3", patch_group="db")
    work.nodes.regroup("mi-1", "db")
    assert ids(work.patch_states.page(after="", limit=9, patch_group="db")) == ["mi-1", "mi-3"]
    assert ids(work.patch_states.page(after="mi-1", limit=9, patch_group="db")) == ["mi-3"]
    assert ids(list(work.patch_states.each(patch_group="web"))) == ["mi-2"]


def test_every_state_is_yielded_also_beyond_one_batch(work: Work) -> None:
    expected = [f"mi-{number:05}" for number in range(1003)]
    scanned(work, *expected)
    assert ids(list(work.patch_states.each())) == expected
    assert ids(list(work.patch_states.each(after="mi-01000"))) == ["mi-01001", "mi-01002"]


def test_a_patch_state_goes_with_its_node_and_the_facts_stay(work: Work) -> None:
    scanned(work, "mi-1", "mi-2")
    work.nodes.delete("mi-1")
    assert work.patch_states.get("mi-1") is None
    assert ids(list(work.patch_states.each())) == ["mi-2"]
    assert work.facts.get("d-1") == FACTS


def test_a_patch_state_needs_its_node_and_its_facts(database: Database) -> None:
    with database.write() as work:
        scanned(work, "mi-1")
    for value in (patch_state("mi-2"), patch_state(facts_digest="d-2")):
        with pytest.raises(IntegrityError), database.write() as work:
            work.patch_states.put(value)
    with database.read() as work:
        assert list(work.patch_states.each()) == [patch_state("mi-1")]
