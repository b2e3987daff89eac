"""Tags of resources."""

from tests.store.samples import UNICODE

from patchwindow.store.work import Work


def test_tags_come_back_by_key_in_order_of_code_points(work: Work) -> None:
    work.tags.add("MaintenanceWindow", "mw-1", {"b": "1", "é": "2", "B": "3", "a": UNICODE})
    assert list(work.tags.of("MaintenanceWindow", "mw-1").items()) == [
        ("B", "3"),
        ("a", UNICODE),
        ("b", "1"),
        ("é", "2"),
    ]


def test_tags_of_one_resource_are_not_those_of_another(work: Work) -> None:
    work.tags.add("MaintenanceWindow", "x", {"Role": "window"})
    work.tags.add("ManagedInstance", "x", {"Role": "node"})
    work.tags.add("ManagedInstance", "y", {"Role": "other"})
    assert work.tags.of("ManagedInstance", "x") == {"Role": "node"}
    assert work.tags.of("ManagedInstance", "z") == {}


def test_an_equal_key_gets_the_new_value_and_the_others_stay(work: Work) -> None:
    work.tags.add("ManagedInstance", "mi-1", {"Role": "web", "Site": "zrh"})
    work.tags.add("ManagedInstance", "mi-1", {"Role": "db", "role": "lower"})
    assert work.tags.of("ManagedInstance", "mi-1") == {"Role": "db", "Site": "zrh", "role": "lower"}


def test_adding_no_tags_changes_nothing(work: Work) -> None:
    work.tags.add("ManagedInstance", "mi-1", {})
    assert work.tags.of("ManagedInstance", "mi-1") == {}


def test_tags_of_many_resources_leave_out_those_without(work: Work) -> None:
    for id in ("mi-3", "mi-1"):
        work.tags.add("ManagedInstance", id, {"Role": id, "A": ""})
    work.tags.add("MaintenanceWindow", "mi-2", {"Role": "window"})
    found = work.tags.of_many("ManagedInstance", ["mi-1", "mi-2", "mi-3"])
    assert list(found) == ["mi-1", "mi-3"]
    assert list(found["mi-1"].items()) == [("A", ""), ("Role", "mi-1")]
    assert work.tags.of_many("ManagedInstance", []) == {}
    assert work.tags.of_all("ManagedInstance") == found


def test_removing_tags_passes_over_absent_ones(work: Work) -> None:
    work.tags.add("ManagedInstance", "mi-1", {"Role": "web", "Site": "zrh"})
    work.tags.remove("ManagedInstance", "mi-1", ["Site", "Absent"])
    work.tags.remove("ManagedInstance", "mi-1", [])
    assert work.tags.of("ManagedInstance", "mi-1") == {"Role": "web"}


def test_removing_all_tags_leaves_those_of_other_resources(work: Work) -> None:
    work.tags.add("ManagedInstance", "mi-1", {"Role": "web", "Site": "zrh"})
    work.tags.add("MaintenanceWindow", "mi-1", {"Role": "window"})
    work.tags.remove_all("ManagedInstance", "mi-1")
    assert work.tags.of("ManagedInstance", "mi-1") == {}
    assert work.tags.of("MaintenanceWindow", "mi-1") == {"Role": "window"}
