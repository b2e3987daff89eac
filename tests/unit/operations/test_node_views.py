"""Nodes as fleet views list and count them."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.api import Api
from tests.fakes.site import DEBIAN, SITE, Installation

from patchwindow.domain.errors import InvalidAggregator, UnknownSync

ROCKY = {"PlatformType": "Linux", "PlatformName": "Rocky Linux", "PlatformVersion": "9.5"}
WINDOWS = {"PlatformType": "Windows", "PlatformName": "Microsoft Windows Server 2022", "PlatformVersion": "10.0"}


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    here = Installation(tmp_path)
    yield Api(here)
    here.close()


def found(api: Api, *filters: tuple[str, str, list[str]]) -> list[str]:
    given = [{"Key": key, "Type": kind, "Values": values} for key, kind, values in filters]
    return [one["Id"] for one in api("ListNodes", Filters=given)["Nodes"]]


def count(attribute: str, *inner: dict[str, Any]) -> dict[str, Any]:
    aggregator = {"AggregatorType": "Count", "TypeName": "Instance", "AttributeName": attribute}
    return {**aggregator, "Aggregators": list(inner)} if inner else aggregator


def test_a_node_is_shown_with_what_it_told_and_with_nothing_that_it_did_not(api: Api) -> None:
    id = api.here.node(ping={**DEBIAN, "ComputerName": "web-1", "IPAddress": "10.0.0.5"}, DefaultInstanceName="web")
    (one,) = api("ListNodes")["Nodes"]
    assert one == {
        "CaptureTime": api.here.clock.now().timestamp(),
        "Id": id,
        "Owner": {"AccountId": SITE.account_id},
        "Region": SITE.region,
        "NodeType": {
            "Instance": {
                "ComputerName": "web-1",
                "InstanceStatus": "Active",
                "IpAddress": "10.0.0.5",
                "ManagedStatus": "Managed",
                "Name": "web",
                "PlatformType": "Linux",
                "PlatformName": "Debian GNU/Linux",
                "PlatformVersion": "12",
                "ResourceType": "ManagedInstance",
            }
        },
    }


def test_filters_compare_and_are_anded(api: Api) -> None:
    debian, rocky, windows = (api.here.node(ping=ping) for ping in (DEBIAN, ROCKY, WINDOWS))
    assert found(api, ("PlatformType", "Equal", ["Linux"])) == [debian, rocky]
    assert found(api, ("PlatformType", "NotEqual", ["Linux"])) == [windows]
    assert found(api, ("PlatformName", "BeginWith", ["Rocky", "Micro"])) == [rocky, windows]
    assert found(api, ("PlatformType", "Equal", ["Linux"]), ("PlatformVersion", "Equal", ["12"])) == [debian]
    assert found(api, ("ManagedStatus", "Equal", ["Managed"])) == [debian, rocky, windows]
    assert found(api, ("ManagedStatus", "Equal", ["All"])) == [debian, rocky, windows]
    assert found(api, ("ManagedStatus", "Equal", ["Unmanaged"])) == []
    assert found(api, ("AccountId", "Equal", [SITE.account_id]), ("InstanceId", "Equal", [rocky])) == [rocky]


def test_a_node_that_is_not_heard_of_is_lost_and_not_connected(api: Api) -> None:
    lost = api.here.node()
    api.here.clock.advance(timedelta(minutes=12))
    heard = api.here.node()
    assert found(api, ("InstanceStatus", "Equal", ["ConnectionLost"])) == [lost]
    told = {id: api("GetConnectionStatus", Target=id)["Status"] for id in (lost, heard, "mi-00000000000000000")}
    assert told == {lost: "notconnected", heard: "connected", "mi-00000000000000000": "notconnected"}


def test_pages_together_are_the_whole_list(api: Api) -> None:
    ids = [api.here.node() for _ in range(5)]
    pages = [*api.here.pages("ListNodes", "Nodes", MaxResults=2)]
    assert [len(page) for page in pages] == [2, 2, 1]
    assert [one["Id"] for page in pages for one in page] == ids


def test_nodes_are_counted_by_one_attribute_and_by_one_in_another(api: Api) -> None:
    for ping in (DEBIAN, DEBIAN, ROCKY, WINDOWS):
        api.here.node(ping=ping)
    assert api("ListNodesSummary", Aggregators=[count("PlatformType")])["Summary"] == [
        {"PlatformType": "Linux", "Count": "3"},
        {"PlatformType": "Windows", "Count": "1"},
    ]
    linux = [{"Key": "PlatformType", "Values": ["Linux"], "Type": "Equal"}]
    asked = [count("PlatformType", count("PlatformName"))]
    assert api("ListNodesSummary", Aggregators=asked, Filters=linux)["Summary"] == [
        {"PlatformType": "Linux", "PlatformName": "Debian GNU/Linux", "Count": "2"},
        {"PlatformType": "Linux", "PlatformName": "Rocky Linux", "Count": "1"},
    ]
    pages = [*api.here.pages("ListNodesSummary", "Summary", Aggregators=[count("PlatformName")], MaxResults=2)]
    assert [len(page) for page in pages] == [2, 1]


@pytest.mark.parametrize(
    "aggregator",
    [count("PlatformType", count("PlatformName", count("PlatformVersion"))), count("Region", count("Region"))],
)
def test_what_cannot_be_counted_by_is_named(api: Api, aggregator: dict[str, Any]) -> None:
    with pytest.raises(InvalidAggregator, match="at most 2 stand in each other, of different attributes"):
        api.here.perform("ListNodesSummary", Aggregators=[aggregator])


@pytest.mark.parametrize(
    ("operation", "more"), [("ListNodes", {}), ("ListNodesSummary", {"Aggregators": [count("Region")]})]
)
def test_there_is_no_sync_to_list_nodes_of(api: Api, operation: str, more: dict[str, Any]) -> None:
    with pytest.raises(UnknownSync, match="SyncName 'all-accounts' is no resource data sync"):
        api.here.perform(operation, SyncName="all-accounts", **more)
