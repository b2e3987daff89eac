"""Resource groups."""

from dataclasses import replace
from typing import Final

from tests.store.samples import UNICODE

from patchwindow.domain.resource_group import QueryType, ResourceGroup, ResourceQuery
from patchwindow.store.work import Work

GROUP: Final = ResourceGroup(
    name="web",
    description=UNICODE,
    criticality=3,
    owner="ops",
    display_name="Web",
    resource_query=ResourceQuery(type=QueryType.TAG_FILTERS, query='{"TagFilters": []}'),
)


def test_a_group_comes_back_as_it_was_kept(work: Work) -> None:
    assert work.resource_groups.add(GROUP)
    assert work.resource_groups.get("web") == GROUP
    assert work.resource_groups.lock("web") == GROUP
    assert work.resource_groups.get("Web") is None
    assert work.resource_groups.lock("db") is None


def test_there_is_one_group_of_a_name(work: Work) -> None:
    assert work.resource_groups.add(GROUP)
    assert not work.resource_groups.add(replace(GROUP, description="another"))
    assert work.resource_groups.get("web") == GROUP


def test_a_changed_group_replaces_what_was_kept(work: Work) -> None:
    work.resource_groups.add(GROUP)
    changed = replace(GROUP, owner=None)
    work.resource_groups.put(changed)
    assert work.resource_groups.get("web") == changed


def test_all_groups_come_by_name_in_order_of_code_points(work: Work) -> None:
    for name in ("web", "db", "Web", "a-b", "a.b"):
        work.resource_groups.add(replace(GROUP, name=name))
    assert [group.name for group in work.resource_groups.all()] == ["Web", "a-b", "a.b", "db", "web"]


def test_a_deleted_group_is_gone_and_deleting_an_absent_one_is_fine(work: Work) -> None:
    work.resource_groups.add(GROUP)
    work.resource_groups.delete("web")
    work.resource_groups.delete("web")
    assert work.resource_groups.all() == []
