"""Inventory, the user's own types of it, and deletions."""

from dataclasses import replace

from tests.store.samples import NOW, UNICODE, later, node

from patchwindow.store.inventory import CustomType, Deletion, InventoryItem
from patchwindow.store.work import Work

ITEM = InventoryItem(
    node_id="mi-1",
    type_name="AWS:Network",
    schema_version="1.0",
    captured_at="2026-07-02T23:00:00Z",
    content_hash="h1",
    content='[{"Name":"eth0"}]',
)
RACK = CustomType(type_name="Custom:Rack", version="1.10", attributes=("Row", UNICODE))


def register(work: Work, *ids: str) -> None:
    for id in ids:
        work.nodes.put(node(id), operating_system="DEBIAN", patch_group="")


def test_an_item_comes_back_as_it_was_put(work: Work) -> None:
    register(work, "mi-1")
    item = replace(ITEM, content=f'[{{"Name": "{"Zoë 漢字 🙂"}"}}]')
    work.inventory.put(item)
    assert work.inventory.get("mi-1", "AWS:Network") == item
    assert item.entries == ({"Name": "Zoë 漢字 🙂"},)
    assert work.inventory.hash_of("mi-1", "AWS:Network") == "h1"


def test_what_was_never_put_is_none(work: Work) -> None:
    assert work.inventory.get("mi-1", "AWS:Network") is None
    assert work.inventory.hash_of("mi-1", "AWS:Network") is None
    assert work.inventory.size_of("mi-1") == 0
    assert work.inventory.lock_type("Custom:Rack") is None
    assert work.inventory.deletion("d") is None


def test_an_item_replaces_the_former_of_its_type_alone(work: Work) -> None:
    register(work, "mi-1")
    work.inventory.put(ITEM)
    work.inventory.put(replace(ITEM, type_name="AWS:File"))
    changed = replace(ITEM, content="[]", content_hash="")
    work.inventory.put(changed)
    assert work.inventory.get("mi-1", "AWS:Network") == changed
    assert work.inventory.get("mi-1", "AWS:File") == replace(ITEM, type_name="AWS:File")
    assert work.inventory.size_of("mi-1") == len("[]") + len(ITEM.content)


def test_items_of_several_nodes_are_found_by_node(work: Work) -> None:
    register(work, "mi-1", "mi-2", "mi-3")
    work.inventory.put(ITEM)
    work.inventory.put(replace(ITEM, node_id="mi-2"))
    work.inventory.put(replace(ITEM, node_id="mi-3"))
    assert work.inventory.many(["mi-1", "mi-3", "mi-4"], "AWS:Network") == {
        "mi-1": ITEM,
        "mi-3": replace(ITEM, node_id="mi-3"),
    }
    assert work.inventory.many(["mi-1"], "AWS:File") == {}


def test_nodes_are_counted_by_version_until_the_type_is_deleted(work: Work) -> None:
    register(work, "mi-1", "mi-2", "mi-3")
    for id, version in (("mi-1", "1.0"), ("mi-2", "1.0"), ("mi-3", "1.1")):
        work.inventory.put(replace(ITEM, node_id=id, schema_version=version))
    work.inventory.put(replace(ITEM, type_name="AWS:File"))
    assert work.inventory.versions("AWS:Network") == {"1.0": 2, "1.1": 1}
    work.inventory.delete("AWS:Network")
    assert work.inventory.versions("AWS:Network") == {}
    assert work.inventory.versions("AWS:File") == {"1.0": 1}


def test_a_deleted_node_takes_its_items_with_it(work: Work) -> None:
    register(work, "mi-1")
    work.inventory.put(ITEM)
    work.nodes.delete("mi-1")
    assert work.inventory.get("mi-1", "AWS:Network") is None


def test_types_of_ones_own_are_listed_by_name(work: Work) -> None:
    work.inventory.put_type(RACK)
    work.inventory.put_type(replace(RACK, type_name="Custom:Door"))
    disabled = replace(RACK, disabled_version="1.10")
    work.inventory.put_type(disabled)
    assert work.inventory.types() == [replace(RACK, type_name="Custom:Door"), disabled]
    assert work.inventory.lock_type("Custom:Rack") == disabled
    assert work.inventory.type_count() == 2
    work.inventory.add_type(RACK)
    assert work.inventory.lock_type("Custom:Rack") == disabled
    work.inventory.delete_type("Custom:Door")
    assert work.inventory.types() == [disabled]


def test_deletions_are_listed_the_latest_first(work: Work) -> None:
    first = Deletion(deletion_id="b", type_name="Custom:Rack", started_at=NOW, counts={"1.0": 2})
    second = replace(first, deletion_id="a", started_at=later(1))
    same_time = replace(first, deletion_id="c")
    for deletion in (first, second, same_time):
        work.inventory.add_deletion(deletion)
    assert work.inventory.deletions() == [second, first, same_time]
    assert work.inventory.deletion("b") == first
