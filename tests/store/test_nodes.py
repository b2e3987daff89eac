"""Activations and managed nodes."""

from collections.abc import Sequence
from typing import Any

import pytest
from tests.store.samples import NOW, activation, later, node

from patchwindow.domain.node import PlatformType
from patchwindow.store.work import Work


def put(work: Work, id: str, **changes: Any) -> None:
    """Keep a node of a Debian group."""
    work.nodes.put(node(id, **changes), operating_system="DEBIAN", patch_group="web")


def ids(work: Work, **conditions: Any) -> list[str]:
    """Return the ids of the nodes that one page holds."""
    return [one.instance_id for one in work.nodes.page(**{"after": "", "limit": 9, "columns": {}, **conditions})]


def test_an_activation_comes_back_as_it_was_put_and_its_digest_with_the_lock(work: Work) -> None:
    work.activations.put(activation(), code_digest="d")
    assert work.activations.get("a-1") == activation()
    assert work.activations.lock("a-1") == (activation(), "d")
    assert work.activations.get("a-2") is None
    assert work.activations.lock("a-2") is None


def test_activations_are_counted(work: Work) -> None:
    assert work.activations.count() == 0
    for id in ("a-1", "a-2", "a-2"):
        work.activations.put(activation(id), code_digest="d")
    assert work.activations.count() == 2


def test_a_changed_activation_replaces_the_former(work: Work) -> None:
    work.activations.put(activation(), code_digest="d")
    changed = activation(registrations_count=3, description=None, default_instance_name=None, tags=())
    work.activations.put(changed, code_digest="e")
    assert work.activations.lock("a-1") == (changed, "e")


def test_a_deleted_activation_is_gone_and_its_nodes_stay(work: Work) -> None:
    work.activations.put(activation(), code_digest="d")
    put(work, "mi-1")
    work.activations.delete("a-1")
    assert work.activations.get("a-1") is None
    assert work.nodes.get("mi-1") == node("mi-1")


def test_activations_are_paged_by_id_and_filtered_by_columns(work: Work) -> None:
    for id, name, role in (("a-3", "web", "x"), ("a-1", "db", "x"), ("a-2", "web", "y"), ("a-4", None, "x")):
        work.activations.put(activation(id, default_instance_name=name, iam_role=role), code_digest="d")

    def found(after: str = "", limit: int = 9, **filters: Sequence[str]) -> list[str]:
        return [one.activation_id for one in work.activations.page(after=after, limit=limit, filters=filters)]

    assert found(limit=3) == ["a-1", "a-2", "a-3"]
    assert found(after="a-3") == ["a-4"]
    assert found(default_instance_name=["web"], iam_role=["x", "z"]) == ["a-3"]
    assert found(activation_id=["a-1", "a-4", "a-9"]) == ["a-1", "a-4"]


@pytest.mark.parametrize(
    "value",
    [node(), node(name=None, agent_name=None, agent_version=None, platform_type=None, ip_address=None)],
    ids=["full", "new"],
)
def test_a_node_comes_back_as_it_was_put(work: Work, value: Any) -> None:
    work.nodes.put(value, operating_system="", patch_group="")
    assert work.nodes.get("mi-1") == value
    assert work.nodes.get("mi-2") is None


def test_of_many_nodes_those_that_exist_come_in_order_of_id(work: Work) -> None:
    for id in ("mi-3", "mi-1", "mi-2"):
        put(work, id)
    assert work.nodes.many(["mi-3", "mi-9", "mi-1"]) == [node("mi-1"), node("mi-3")]
    assert work.nodes.many([]) == []


def test_nodes_are_found_by_a_fingerprint_that_more_than_one_has(work: Work) -> None:
    for id, fingerprint in (("mi-4", "f"), ("mi-1", "f"), ("mi-2", "g"), ("mi-3", ""), ("mi-5", "")):
        put(work, id, fingerprint=fingerprint)
    assert [one.instance_id for one in work.nodes.of_fingerprint("f", 9)] == ["mi-1", "mi-4"]
    assert [one.instance_id for one in work.nodes.of_fingerprint("f", 1)] == ["mi-1"]

    def page(after: str, limit: int) -> list[str]:
        return [one.instance_id for one in work.nodes.page_of_shared_fingerprints(after=after, limit=limit)]

    assert page("", 9) == ["mi-1", "mi-4"]
    assert page("", 1) == ["mi-1"]
    assert page("mi-1", 9) == ["mi-4"]
    work.nodes.delete("mi-4")
    assert page("", 9) == []


def test_a_deleted_node_is_gone(work: Work) -> None:
    put(work, "mi-1")
    work.nodes.delete("mi-1")
    assert work.nodes.get("mi-1") is None


def test_a_patch_group_counts_the_nodes_that_are_in_it_now(work: Work) -> None:
    for id in ("mi-1", "mi-2"):
        put(work, id)
    work.nodes.regroup("mi-2", "db")
    assert (work.nodes.group_size("web"), work.nodes.group_size("db"), work.nodes.group_size("Web")) == (1, 1, 0)
    put(work, "mi-2")
    assert work.nodes.group_size("web") == 2


def test_nodes_are_paged_by_id(work: Work) -> None:
    for id in ("mi-3", "mi-1", "mi-2"):
        put(work, id)
    assert ids(work, limit=2) == ["mi-1", "mi-2"]
    assert ids(work, after="mi-2", limit=2) == ["mi-3"]


def test_conditions_on_columns_of_nodes_are_anded(work: Work) -> None:
    put(work, "mi-1", iam_role="x")
    put(work, "mi-2", platform_type=PlatformType.WINDOWS)
    put(work, "mi-3", platform_type=None, agent_version="2")
    assert ids(work, columns={"iam_role": ["x"]}) == ["mi-1"]
    assert ids(work, columns={"platform_type": ["Windows", "Linux"]}) == ["mi-1", "mi-2"]
    assert ids(work, columns={"platform_type": ["Linux"], "agent_version": ["2"]}) == []
    assert ids(work, columns={"platform_type": []}) == []


def test_nodes_can_be_found_by_their_last_ping(work: Work) -> None:
    for minutes in (1, 2, 3):
        put(work, f"mi-{minutes}", last_ping_date_time=later(minutes))
    assert ids(work, pinged_since=later(2)) == ["mi-2", "mi-3"]
    assert ids(work, pinged_before=later(2)) == ["mi-1"]
    assert ids(work, pinged_since=NOW, pinged_before=later(3)) == ["mi-1", "mi-2"]


@pytest.fixture
def tagged(work: Work) -> Work:
    """A transaction with three nodes, of which two have tags; a window has tags under a node's id."""
    for id in ("mi-1", "mi-2", "mi-3"):
        put(work, id)
    work.tags.add("ManagedInstance", "mi-1", {"Role": "web", "Site": "zrh"})
    work.tags.add("ManagedInstance", "mi-2", {"Role": "db", "site": "zrh"})
    work.tags.add("MaintenanceWindow", "mi-3", {"Role": "web"})
    return work


def test_nodes_can_be_found_by_their_tags(tagged: Work) -> None:
    assert ids(tagged, tags=[("Role", ["web"])]) == ["mi-1"]
    assert ids(tagged, tags=[("Role", ["web", "db"])]) == ["mi-1", "mi-2"]
    assert ids(tagged, tags=[("Role", [])]) == ["mi-1", "mi-2"]
    assert ids(tagged, tags=[("Role", ["db"]), ("Site", [])]) == []
    assert ids(tagged, tag_keys=[["Site", "site"]]) == ["mi-1", "mi-2"]
    assert ids(tagged, tag_keys=[["Role"], ["Site"]]) == ["mi-1"]


def test_targets_select_nodes_by_id_and_tags(tagged: Work) -> None:
    def selected(ids: list[str] | None, *tags: tuple[str, list[str]]) -> list[str]:
        found = [one.instance_id for one in tagged.nodes.selected(ids=ids, tags=tags)]
        assert tagged.nodes.selected_ids(ids=ids, tags=tags) == found
        assert tagged.nodes.selected_count(ids=ids, tags=tags) == len(found)
        return found

    assert selected(None) == ["mi-1", "mi-2", "mi-3"]
    assert selected([]) == []
    assert selected(["mi-3", "mi-2", "mi-9"]) == ["mi-2", "mi-3"]
    assert selected(None, ("Role", ["web", "db"]), ("Site", [])) == ["mi-1"]
    assert selected(["mi-2"], ("Role", ["web"])) == []
