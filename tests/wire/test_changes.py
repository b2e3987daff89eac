"""The record of changes, as requests make it: from where each came, and nothing of what was not committed."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.fakes.edge import Edge


@pytest.fixture
def edge(tmp_path: Path) -> Iterator[Edge]:
    edge = Edge(tmp_path)
    yield edge
    edge.close()


def test_a_change_is_kept_with_the_key_and_the_address_that_it_came_from(edge: Edge) -> None:
    edge.call("CreatePatchBaseline", {"Name": "own"}, key="operator")
    (one,) = edge.call("ListChanges", {}, key="viewer")["Changes"]
    assert (one["Caller"], one["Address"], one["Operation"]) == ("AKIAOPERATOR", "192.0.2.1", "CreatePatchBaseline")


def test_changes_of_resource_groups_are_kept_too(edge: Edge) -> None:
    query = '{"ResourceTypeFilters": ["AWS::AllSupported"], "TagFilters": [{"Key": "Role", "Values": ["web"]}]}'
    members = {"Name": "web", "ResourceQuery": {"Type": "TAG_FILTERS_1_0", "Query": query}}
    assert edge.ask(edge.signed_group("CreateGroup", members, edge.keys["operator"])).status == 200
    (one,) = edge.call("ListChanges", {"Resource": "web"})["Changes"]
    assert (one["Operation"], one["Address"]) == ("CreateGroup", "192.0.2.1")
    assert '"Name": "web"' in one["After"]


@pytest.mark.parametrize("key", ["viewer", "disabled", "unknown", "wrong"])
def test_who_may_not_change_anything_is_not_in_it(edge: Edge, key: str) -> None:
    assert edge.ask(edge.signed("CreatePatchBaseline", {"Name": "own"}, edge.keys[key])).status == 400
    assert edge.call("ListChanges", {})["Changes"] == []
