"""Managed nodes through the operations of the API."""

from datetime import timedelta
from typing import Any

import pytest
from tests.fakes.site import DEBIAN, Installation, as_node

from patchwindow.domain.errors import Invalid, InvalidFilterKey, InvalidFilterValue, UnknownNode, UnknownResource

UBUNTU = {**DEBIAN, "PlatformName": "Ubuntu", "PlatformVersion": "24.04", "AgentVersion": "3.3.0.0"}
MACOS = {"PlatformType": "MacOS", "PlatformName": "macOS", "PlatformVersion": "15.1", "AgentVersion": "3.2.0.0"}


def ids(here: Installation, **request: Any) -> list[str]:
    return [
        found["InstanceId"]
        for page in here.pages("DescribeInstanceInformation", "InstanceInformationList", **request)
        for found in page
    ]


def filtered(here: Installation, *filters: tuple[str, list[str]]) -> list[str]:
    return ids(here, Filters=[{"Key": key, "Values": values} for key, values in filters])


def test_a_page_has_ten_nodes_unless_asked_otherwise(here: Installation) -> None:
    nodes = [here.node() for _ in range(12)]
    pages = list(here.pages("DescribeInstanceInformation", "InstanceInformationList"))
    assert [len(page) for page in pages] == [10, 2]
    assert ids(here, MaxResults=5) == sorted(nodes)


def test_a_node_is_lost_after_two_missed_pings(here: Installation) -> None:
    quiet, loud = here.node(), here.node()
    here.clock.advance(timedelta(minutes=11))
    assert filtered(here, ("PingStatus", ["Online"])) == [quiet, loud]
    here.clock.advance(timedelta(milliseconds=1))
    here.perform("UpdateInstanceInformation", as_node(loud), InstanceId=loud)
    found = here.perform("DescribeInstanceInformation")["InstanceInformationList"]
    assert [one["PingStatus"] for one in found] == ["ConnectionLost", "Online"]
    assert filtered(here, ("PingStatus", ["Online"])) == [loud]
    assert filtered(here, ("PingStatus", ["ConnectionLost"])) == [quiet]
    assert filtered(here, ("PingStatus", ["Online", "ConnectionLost"])) == [quiet, loud]
    assert filtered(here, ("PingStatus", ["Inactive"])) == []


def test_filters_are_anded_and_their_values_ored(here: Installation) -> None:
    web = here.node(tags={"role": "web", "env": "live"}, ping=UBUNTU)
    mac = here.node(tags={"role": "db"}, ping=MACOS, IamRole="other")
    bare = here.node()
    found = here.perform("DescribeInstanceInformation")["InstanceInformationList"]
    activation = found[0]["ActivationId"]
    assert filtered(here, ("InstanceIds", [bare, web])) == [web, bare]
    assert filtered(here, ("InstanceIds", [bare, web]), ("InstanceIds", [web, mac])) == [web]
    assert filtered(here, ("ActivationIds", [activation])) == [web]
    assert filtered(here, ("AgentVersion", ["3.3.0.0", "3.2.0.0"])) == [web, mac]
    assert filtered(here, ("IamRole", ["other"])) == [mac]
    assert filtered(here, ("PlatformType", ["MacOS"])) == [mac]
    assert filtered(here, ("PlatformTypes", ["Linux"])) == [web, bare]
    assert filtered(here, ("PlatformTypes", ["Linux"]), ("PlatformType", ["MacOS"])) == []
    assert filtered(here, ("ResourceType", ["ManagedInstance"])) == [web, mac, bare]
    assert filtered(here, ("ResourceType", ["EC2Instance"])) == []
    assert filtered(here, ("SourceIds", ["thing"])) == []
    assert filtered(here, ("SourceTypes", ["AWS::IoT::Thing"])) == []
    assert filtered(here, ("AssociationStatus", ["Success"])) == []
    assert filtered(here, ("tag:role", ["web", "db"])) == [web, mac]
    assert filtered(here, ("tag:role", ["web", "db"]), ("tag:env", ["live"])) == [web]
    assert filtered(here, ("tag-key", ["env", "absent"])) == [web]
    assert filtered(here, ("tag-key", ["role"]), ("tag-key", ["env"])) == [web]
    assert filtered(here, ("tag:role", ["WEB"])) == []


def test_the_older_form_of_filters_works_alone(here: Installation) -> None:
    linux, _ = here.node(), here.node(ping=MACOS)
    legacy = [{"key": "PlatformTypes", "valueSet": ["Linux"]}]
    assert ids(here, InstanceInformationFilterList=legacy) == [linux]
    with pytest.raises(Invalid, match="cannot be given together"):
        ids(here, InstanceInformationFilterList=legacy, Filters=[{"Key": "PlatformType", "Values": ["Linux"]}])


@pytest.mark.parametrize("key", ["Name", "tag:", "tag", "instanceids"])
def test_an_unknown_filter_key_is_refused_with_those_there_are(here: Installation, key: str) -> None:
    with pytest.raises(
        InvalidFilterKey, match=rf"filter key '{key}' is not known here; use one of .*tag-key, tag:<key>"
    ):
        filtered(here, (key, ["x"]))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("PingStatus", "online"),
        ("PlatformTypes", "linux"),
        ("ResourceType", "Instance"),
        ("InstanceIds", "web-1"),
        ("AssociationStatus", "Failing"),
        ("SourceTypes", "Thing"),
    ],
)
def test_a_value_that_a_filter_cannot_have_is_refused(here: Installation, key: str, value: str) -> None:
    with pytest.raises(InvalidFilterValue, match=f"filter {key} has the value '{value}'"):
        filtered(here, (key, [value]))


def test_an_id_that_no_node_has_is_an_empty_list(here: Installation) -> None:
    here.node()
    assert filtered(here, ("InstanceIds", ["mi-fffffffffffffffff"])) == []


@pytest.mark.parametrize(("version", "is_latest"), [("0.0.1", False), ("0.1.0", True)])
def test_our_own_agent_is_told_to_be_the_latest_or_not(here: Installation, version: str, *, is_latest: bool) -> None:
    here.node(ping={"AgentName": "patchwindow-agent", "AgentVersion": version})
    (found,) = here.perform("DescribeInstanceInformation")["InstanceInformationList"]
    assert found["IsLatestVersion"] is is_latest


def test_a_node_goes_with_its_tags_and_its_messages(here: Installation) -> None:
    node = here.node(tags={"Patch Group": "web"})
    sent = here.perform(
        "SendCommand", DocumentName="AWS-RunShellScript", InstanceIds=[node], Parameters={"commands": ["id"]}
    )
    command_id = sent["Command"]["CommandId"]
    woken: list[str] = []
    here.database.on_wake(woken.append)
    here.perform("DeregisterManagedInstance", InstanceId=node)
    assert ids(here) == []
    assert "engine" in woken
    with pytest.raises(UnknownResource):
        here.perform("ListTagsForResource", ResourceType="ManagedInstance", ResourceId=node)
    with here.database.read() as work:
        assert work.tags.of("ManagedInstance", node) == {}
        assert work.messages.waiting(node, here.clock.now(), 10) == []
        assert work.commands.due(here.clock.now(), 10) == [command_id]
    assert here.perform("ListCommands")["Commands"][0]["CommandId"] == command_id


def test_deregistering_an_unknown_node_names_it(here: Installation) -> None:
    with pytest.raises(UnknownNode, match="managed node mi-00000000000000000 does not exist"):
        here.perform("DeregisterManagedInstance", InstanceId="mi-00000000000000000")


def test_the_role_of_a_node_can_be_changed(here: Installation) -> None:
    node = here.node(tags={"Patch Group": "web"})
    here.perform("UpdateManagedInstanceRole", InstanceId=node, IamRole="other")
    assert filtered(here, ("IamRole", ["other"])) == [node]
    assert here.perform("DescribePatchGroupState", PatchGroup="web")["Instances"] == 1
