"""Nodes as consoles list them."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from tests.fakes.api import Api
from tests.fakes.site import DEBIAN, Installation, as_node


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    here = Installation(tmp_path)
    yield Api(here)
    here.close()


def found(api: Api, *filters: tuple[str, str, list[str]]) -> list[str]:
    given = [{"Key": key, "Operator": operator, "Values": values} for key, operator, values in filters]
    return [
        one["InstanceId"] for one in api("DescribeInstanceProperties", FiltersWithOperator=given)["InstanceProperties"]
    ]


def versions(api: Api, *of: str) -> list[str]:
    return [api.here.node(ping={**DEBIAN, "AgentVersion": version}) for version in of]


def test_a_node_is_shown_with_what_it_told(api: Api) -> None:
    node = api.here.node(ping={**DEBIAN, "IPAddress": "10.0.0.5", "ComputerName": "web-1"})
    (one,) = api("DescribeInstanceProperties")["InstanceProperties"]
    assert {name: one[name] for name in ("InstanceId", "PingStatus", "IPAddress", "ComputerName", "ResourceType")} == {
        "InstanceId": node,
        "PingStatus": "Online",
        "IPAddress": "10.0.0.5",
        "ComputerName": "web-1",
        "ResourceType": "ManagedInstance",
    }


def test_filters_compare_and_are_anded(api: Api) -> None:
    old, middle, new = versions(api, "3.2.2303.0", "3.9.0.0", "3.10.0.0")
    assert found(api, ("AgentVersion", "LessThan", ["3.10.0.0"])) == [old, middle]
    assert found(api, ("AgentVersion", "GreaterThan", ["3.9.0.0"])) == [new]
    assert found(api, ("AgentVersion", "BeginWith", ["3.1", "3.2"])) == [old, new]
    assert found(api, ("AgentVersion", "NotEqual", ["3.9.0.0"])) == [old, new]
    assert found(api, ("AgentVersion", "NotEqual", ["3.9.0.0"]), ("InstanceIds", "Equal", [new, middle])) == [new]
    assert found(api, ("AssociationStatus", "Equal", ["Failed"])) == []
    assert found(api, ("ResourceType", "Equal", ["EC2Instance"])) == []


def test_the_older_form_of_filters_is_understood(api: Api) -> None:
    node = api.here.node()
    api.here.clock.advance(timedelta(minutes=12))
    other = api.here.node()
    api.here.perform("UpdateInstanceInformation", as_node(other), InstanceId=other)

    def listed(key: str, *values: str) -> list[str]:
        answer = api("DescribeInstanceProperties", InstancePropertyFilterList=[{"key": key, "valueSet": list(values)}])
        return [one["InstanceId"] for one in answer["InstanceProperties"]]

    assert listed("PingStatus", "ConnectionLost") == [node]
    assert listed("PlatformTypes", "Linux", "Windows") == [node, other]
    assert listed("IamRole", "another") == []


def test_pages_go_on_where_the_former_ended(api: Api) -> None:
    made = versions(api, *["1.0.0"] * 7)
    first = api("DescribeInstanceProperties", MaxResults=5)
    rest = api("DescribeInstanceProperties", MaxResults=5, NextToken=first["NextToken"])
    ids = [one["InstanceId"] for one in (*first["InstanceProperties"], *rest["InstanceProperties"])]
    assert ids == sorted(made)
    assert "NextToken" not in rest


@pytest.mark.parametrize(
    ("key", "value", "code"),
    [
        ("DocumentName", "AWS-Noop", "InvalidFilterKey"),
        ("Colour", "red", "InvalidFilterKey"),
        ("PingStatus", "Asleep", "InvalidInstancePropertyFilterValue"),
    ],
)
def test_a_filter_that_is_not_known_is_refused(api: Api, key: str, value: str, code: str) -> None:
    fault = api.fault("DescribeInstanceProperties", FiltersWithOperator=[{"Key": key, "Values": [value]}])
    assert fault.code == code
