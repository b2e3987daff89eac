"""SearchInstances: the nodes that begin with a text, whatever they call themselves."""

from collections.abc import Iterator

import pytest
from tests.fakes.databases import KINDS, migrated_url
from tests.fakes.fleet import HOSTILE, Fleet


@pytest.fixture(scope="module", params=KINDS)
def fleet(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    with migrated_url(request.param, tmp_path_factory.mktemp("search")) as url:
        fleet = Fleet(url, count=60)
        yield fleet
        fleet.close()


def found(fleet: Fleet, text: str) -> list[str]:
    """Return the names of the nodes that are found, over pages of seven."""
    names: list[str] = []
    more: dict[str, str] = {}
    while True:
        answer = fleet.world.perform("SearchInstances", Text=text, MaxResults=7, **more)
        assert len(answer["Instances"]) <= 7
        names += [one["InstanceName"] for one in answer["Instances"]]
        if "NextToken" not in answer:
            return names
        more = {"NextToken": answer["NextToken"]}


def test_the_beginning_of_a_name_finds_all_that_begin_so(fleet: Fleet) -> None:
    expected = [one.name for one in sorted(fleet.members, key=lambda one: one.node_id) if one.name.startswith("web-")]
    assert found(fleet, "web-") == expected
    assert found(fleet, "WEB-") == expected
    assert found(fleet, "eb-") == []


@pytest.mark.parametrize("text", [HOSTILE, HOSTILE[:4], HOSTILE.upper()])
def test_a_name_that_is_markup_is_found_by_it(fleet: Fleet, text: str) -> None:
    assert found(fleet, text) == [HOSTILE]


def test_an_id_and_an_address_find_their_node(fleet: Fleet) -> None:
    for one in fleet.members[5:8]:
        assert found(fleet, one.node_id) == [one.name]
    assert fleet.members[5].name in found(fleet, "10.0.0.6")


@pytest.mark.parametrize("text", ["%", "_eb", '"', "\\", "\0", "\ud800", "Hmac-Sha256", "ü", '","'])
def test_what_no_name_begins_with_finds_nothing(fleet: Fleet, text: str) -> None:
    assert found(fleet, text) == []
