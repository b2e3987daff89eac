"""Snapshots and overrides with boto3, a real agent and files: what a scan with an override says, and what stays as it was."""

import json
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
from tests.fakes.machine import SECURITY, Machine
from tests.fakes.server import Plane, register, running_agent, running_plane, until

GROUP: Final = "Web Server"
SNAPSHOT: Final = "6f1d1a7e-0000-4000-8000-00000000000a"


@dataclass(frozen=True, slots=True)
class Node:
    """A node with a running agent, the client that asks about it, and where overrides may lie."""

    client: Any
    id: str
    folder: Path

    def scan(self, **parameters: str) -> tuple[str, str, str]:
        """Scan to the end; return the status and what the operation said."""
        given = {name: [value] for name, value in {"Operation": "Scan", **parameters}.items()}
        command_id = self.client.send_command(
            DocumentName="AWS-RunPatchBaseline", InstanceIds=[self.id], Parameters=given
        )["Command"]["CommandId"]

        def ended() -> Any:
            found = self.client.list_command_invocations(CommandId=command_id, Details=True)["CommandInvocations"]
            return [one for one in found if one["Status"] in ("Success", "Failed")]

        until(ended, "the end of the scan")
        found = self.client.get_command_invocation(CommandId=command_id, InstanceId=self.id, PluginName="PatchLinux")
        return found["Status"], found["StandardOutputContent"], found["StandardErrorContent"]

    def state(self) -> Any:
        """Return the patch state of the node."""
        return self.client.describe_instance_patch_states(InstanceIds=[self.id])["InstancePatchStates"]

    def put(self, *entries: Any) -> str:
        """Write a file of baselines and return its URL."""
        file = self.folder / "baselines.json"
        file.write_text(json.dumps(entries))
        return f"file://{file}"


@pytest.fixture(scope="module")
def node(machine: Machine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    folder = tmp_path_factory.mktemp("overrides")
    with running_plane(tmp_path_factory.mktemp("plane"), "--override-dir", str(folder)) as plane:
        yield from registered(plane, machine, folder)


def registered(plane: Plane, machine: Machine, folder: Path) -> Iterator[Node]:
    activation = plane.activation(Tags=[{"Key": "Patch Group", "Value": GROUP}])
    state = machine.home / "agent"
    node_id = register(plane, activation, state, machine.environ)
    with running_agent(plane, state, machine.environ):
        yield Node(plane.client, node_id, folder)


def test_a_scan_with_an_override_says_its_verdict_and_leaves_compliance_as_it_was(node: Node) -> None:
    status, said, _ = node.scan()
    assert status == "Success"
    before = node.state()
    assert before[0]["MissingCount"] == len(SECURITY)
    debian = node.client.get_default_patch_baseline(OperatingSystem="DEBIAN")["BaselineId"]
    own = node.client.get_patch_baseline(BaselineId=debian)
    for name in ("CreatedDate", "ModifiedDate", "ResponseMetadata"):
        own.pop(name, None)
    rejected = sorted({title.partition(".")[0] for title in SECURITY})
    url = node.put({**own, "Name": "nothing-at-all", "RejectedPatches": rejected}, {"OperatingSystem": "UBUNTU"})
    status, said, _ = node.scan(BaselineOverride=url)
    assert (status, said.splitlines()[0]) == ("Success", f"COMPLIANT: {node.id}")
    assert said.splitlines()[1] == f"baseline: nothing-at-all ({debian}), patch group {GROUP}"
    assert node.state() == before


@pytest.mark.parametrize(
    ("entries", "more", "problem"),
    [
        ([], {}, "the baseline override has no entries for DEBIAN; give exactly one"),
        (
            [{"OperatingSystem": "DEBIAN"}],
            {"InstallOverrideList": "https://mirror.example/list.yaml"},
            "InstallOverrideList and BaselineOverride are both given; give only one of them",
        ),
        ([], {"BaselineOverride": "file:///etc/hostname"}, "is not below the directory of overrides; put it there"),
        ([], {"BaselineOverride": "https://169.254.169.254/a"}, "overrides are never fetched from there"),
        ([], {"BaselineOverride": "https://127.0.0.1/a"}, "start the server with --override-host 127.0.0.1"),
    ],
)
def test_an_override_that_cannot_be_fails_the_operation_with_the_reason(
    node: Node, entries: list[Any], more: dict[str, str], problem: str
) -> None:
    status, _, said = node.scan(**{"BaselineOverride": node.put(*entries), **more})
    assert status == "Failed"
    assert problem in said


def test_a_snapshot_is_read_without_credentials_and_stays_when_the_baseline_changes(node: Node) -> None:
    made = node.client.create_patch_baseline(Name="own", OperatingSystem="DEBIAN", RejectedPatches=["telnet"])
    node.client.register_patch_baseline_for_patch_group(BaselineId=made["BaselineId"], PatchGroup=GROUP)

    def read() -> Any:
        answer = node.client.get_deployable_patch_snapshot_for_instance(InstanceId=node.id, SnapshotId=SNAPSHOT)
        assert (answer["SnapshotId"], answer["Product"][:6]) == (SNAPSHOT, "Debian")
        with urllib.request.urlopen(answer["SnapshotDownloadUrl"], timeout=10) as received:
            return json.load(received)

    first = read()
    assert (first["patchGroup"], first["patchBaseline"]["rejectedPatches"]) == (GROUP, ["telnet"])
    node.client.update_patch_baseline(BaselineId=made["BaselineId"], RejectedPatches=["ftp"])
    assert read() == first
    status, _, _ = node.scan(SnapshotId=SNAPSHOT)
    assert status == "Success"
    assert (node.state()[0]["SnapshotId"], node.state()[0]["BaselineId"]) == (SNAPSHOT, made["BaselineId"])


class TestBaselineWalk:
    """What Terraform and CloudFormation do with a baseline, from its making to its end."""

    def test_a_default_is_made_used_given_back_and_deleted(self, node: Node) -> None:
        client = node.client
        made = client.create_patch_baseline(
            Name="walk",
            OperatingSystem="UBUNTU",
            ApprovalRules={
                "PatchRules": [
                    {
                        "PatchFilterGroup": {"PatchFilters": [{"Key": "PRIORITY", "Values": ["Required"]}]},
                        "ApproveAfterDays": 7,
                    }
                ]
            },
            Tags=[{"Key": "env", "Value": "live"}],
        )["BaselineId"]
        arn = f"arn:aws:ssm:us-east-1:123456789012:patchbaseline/{made}"
        tags = client.list_tags_for_resource(ResourceType="PatchBaseline", ResourceId=made)["TagList"]
        assert tags == [{"Key": "env", "Value": "live"}]
        former = client.get_default_patch_baseline(OperatingSystem="UBUNTU")["BaselineId"]
        assert former.startswith("arn:aws:ssm:us-east-1:075727635805:patchbaseline/pb-")
        assert client.register_default_patch_baseline(BaselineId=made)["BaselineId"] == made
        client.register_patch_baseline_for_patch_group(BaselineId=arn, PatchGroup="walkers")
        mappings = client.describe_patch_groups(Filters=[{"Key": "NAME_PREFIX", "Values": ["walk"]}])["Mappings"]
        assert [(one["PatchGroup"], one["BaselineIdentity"]["BaselineId"]) for one in mappings] == [("walkers", made)]
        with pytest.raises(client.exceptions.ResourceInUseException):
            client.delete_patch_baseline(BaselineId=made)
        client.deregister_patch_baseline_for_patch_group(BaselineId=made, PatchGroup="walkers")
        with pytest.raises(client.exceptions.ResourceInUseException):
            client.delete_patch_baseline(BaselineId=made)
        (original,) = [
            one["BaselineId"]
            for one in client.describe_patch_baselines(
                Filters=[{"Key": "OPERATING_SYSTEM", "Values": ["UBUNTU"]}, {"Key": "OWNER", "Values": ["AWS"]}]
            )["BaselineIdentities"]
        ]
        assert original == former
        client.register_default_patch_baseline(BaselineId=original)
        assert client.delete_patch_baseline(BaselineId=arn)["BaselineId"] == arn
        assert client.delete_patch_baseline(BaselineId=made)["BaselineId"] == made
        with pytest.raises(client.exceptions.DoesNotExistException):
            client.get_patch_baseline(BaselineId=made)
