"""A machine that registered again, and a copy of one: shown, and replaced at an operator's word alone."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.api import Api
from tests.fakes.site import NOBODY, PUBLIC_KEY, Installation, as_node


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    here = Installation(tmp_path)
    yield Api(here)
    here.close()


def machine(api: Api, fingerprint: str, **activation: Any) -> str:
    """Register a machine and return the id of the node, as it is before its first ping."""
    made = api.here.perform("CreateActivation", **{"IamRole": "service", **activation})
    key = {"PublicKey": PUBLIC_KEY, "PublicKeyType": "Hmac-Sha256", "Fingerprint": fingerprint}
    api.here.clock.advance(timedelta(minutes=1))
    node_id: str = api.here.perform("RegisterManagedInstance", NOBODY, **made, **key)["InstanceId"]
    return node_id


def ping(api: Api, node_id: str) -> None:
    api.here.perform("UpdateInstanceInformation", as_node(node_id), InstanceId=node_id)


def tags_of(api: Api, node_id: str) -> dict[str, str]:
    found = api("ListTagsForResource", ResourceType="ManagedInstance", ResourceId=node_id)["TagList"]
    return {tag["Key"]: tag["Value"] for tag in found}


def test_a_machine_that_registers_again_is_another_node_and_takes_nothing_from_the_former(api: Api) -> None:
    former = machine(api, "f", Tags=[{"Key": "Patch Group", "Value": "web"}])
    again = machine(api, "f")
    assert again != former
    assert tags_of(api, again) == {}
    assert tags_of(api, former) == {"Patch Group": "web"}


def test_who_registers_is_told_of_the_former_nodes_of_its_machine(api: Api) -> None:
    def register() -> dict[str, Any]:
        made = api.here.perform("CreateActivation", IamRole="service")
        key = {"PublicKey": PUBLIC_KEY, "PublicKeyType": "Hmac-Sha256", "Fingerprint": "f"}
        return Api(api.here, NOBODY)("RegisterManagedInstance", **made, **key)

    first = register()
    assert first.keys() == {"InstanceId"}
    assert register()["SameMachineAs"] == [first["InstanceId"]]


def test_nodes_of_one_fingerprint_are_shown_with_each_other(api: Api) -> None:
    machine(api, "alone")
    machine(api, "")
    machine(api, "")
    former, again = machine(api, "f", DefaultInstanceName="web-1"), machine(api, "f")
    found = api("ListSameMachineInstances")["Instances"]
    assert [(one["InstanceId"], one["SameMachineAs"]) for one in found] == [(former, [again]), (again, [former])]
    assert (found[0]["Name"], found[0]["PingStatus"]) == ("web-1", "Online")
    first = api("ListSameMachineInstances", MaxResults=1)
    (second,) = api("ListSameMachineInstances", MaxResults=1, NextToken=first["NextToken"])["Instances"]
    assert second["InstanceId"] == again


def test_a_fingerprint_is_noted_with_the_next_ping_where_it_was_not_yet(api: Api) -> None:
    former, again = machine(api, "f"), machine(api, "f")
    with api.here.database.write() as work:
        work.nodes._connection.exec_driver_sql("UPDATE node SET fingerprint = ''")
    assert api("ListSameMachineInstances") == {"Instances": []}
    ping(api, former)
    ping(api, again)
    assert len(api("ListSameMachineInstances")["Instances"]) == 2


def test_a_replacement_has_the_tags_and_stands_wherever_the_former_was_named(api: Api) -> None:
    former = machine(
        api,
        "f",
        DefaultInstanceName="web-1",
        Tags=[{"Key": "Patch Group", "Value": "web"}, {"Key": "env", "Value": "live"}],
    )
    other = machine(api, "other")
    window = api(
        "CreateMaintenanceWindow",
        Name="nightly",
        Schedule="cron(0 2 * * ? *)",
        Duration=2,
        Cutoff=1,
        AllowUnassociatedTargets=True,
    )["WindowId"]
    named = [{"Key": "InstanceIds", "Values": [other, former]}]
    target = api("RegisterTargetWithMaintenanceWindow", WindowId=window, ResourceType="INSTANCE", Targets=named)
    task = api(
        "RegisterTaskWithMaintenanceWindow",
        WindowId=window,
        Targets=named,
        TaskArn="AWS-RunPatchBaseline",
        TaskType="RUN_COMMAND",
        MaxConcurrency="1",
        MaxErrors="1",
    )["WindowTaskId"]
    scan = {"Name": "AWS-RunPatchBaseline", "Parameters": {"Operation": ["Scan"]}}
    made = api("CreateAssociation", **scan, Targets=named)["AssociationDescription"]["AssociationId"]
    single = api("CreateAssociation", **scan, InstanceId=former)["AssociationDescription"]["AssociationId"]
    again = machine(api, "f", Tags=[{"Key": "env", "Value": "new"}, {"Key": "rack", "Value": "7"}])

    assert api("ReplaceInstance", InstanceId=former, ReplacementId=again) == {
        "TagCount": 2,
        "WindowCount": 1,
        "AssociationCount": 2,
    }
    assert tags_of(api, again) == {"Patch Group": "web", "env": "live", "rack": "7"}
    assert api("DescribePatchGroupState", PatchGroup="web")["Instances"] == 1
    renamed = [{"Key": "InstanceIds", "Values": [other, again]}]
    (found,) = api("DescribeMaintenanceWindowTargets", WindowId=window)["Targets"]
    assert (found["WindowTargetId"], found["Targets"]) == (target["WindowTargetId"], renamed)
    assert api("GetMaintenanceWindowTask", WindowId=window, WindowTaskId=task)["Targets"] == renamed
    assert api("DescribeAssociation", AssociationId=made)["AssociationDescription"]["Targets"] == renamed
    assert api("DescribeAssociation", AssociationId=single)["AssociationDescription"]["InstanceId"] == again
    listed = api("DescribeInstanceInformation")["InstanceInformationList"]
    assert {one["InstanceId"]: one.get("Name") for one in listed} == {other: None, again: "web-1"}
    assert api("ListSameMachineInstances") == {"Instances": []}


def test_a_machine_that_is_heard_of_beside_the_other_is_a_copy_and_is_not_replaced(api: Api) -> None:
    original, copy = machine(api, "f", Tags=[{"Key": "env", "Value": "live"}]), machine(api, "f")
    api.here.clock.advance(timedelta(minutes=1))
    ping(api, original)
    fault = api.fault("ReplaceInstance", InstanceId=original, ReplacementId=copy)
    assert fault.code == "ResourceInUseException"
    assert fault.message == (
        f"node {original} was heard of at 2026-03-14T09:03:00+00:00, so there are two machines; stop its agent and wait "
        f"until it is ConnectionLost, or give {copy} tags of its own"
    )
    assert tags_of(api, copy) == {}
    api.here.clock.advance(timedelta(minutes=12))
    assert api("ReplaceInstance", InstanceId=original, ReplacementId=copy)["TagCount"] == 1


def test_another_machine_replaces_a_node_only_when_that_is_lost(api: Api) -> None:
    former, other = machine(api, "f"), machine(api, "g")
    assert api.fault("ReplaceInstance", InstanceId=former, ReplacementId=other).code == "ResourceInUseException"
    api.here.clock.advance(timedelta(minutes=12))
    api("ReplaceInstance", InstanceId=former, ReplacementId=other)
    assert api.fault("ReplaceInstance", InstanceId=former, ReplacementId=other).code == "InvalidInstanceId"
    assert api.fault("ReplaceInstance", InstanceId=other, ReplacementId=other).code == "ValidationException"
