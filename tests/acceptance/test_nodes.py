"""Who may become a node, and what a node may do: act for itself, and nothing else."""

import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from tests.fakes.commandline import AGENT, Done, environment, run
from tests.fakes.node import PaperNode, post
from tests.fakes.scans import facts_of, package, report_at
from tests.fakes.server import Plane, until

from patchwindow.store.settings import AccessKey, Role
from patchwindow_agent.connection import Connection, parse_endpoint
from patchwindow_agent.errors import Refused
from patchwindow_agent.session import exchange
from patchwindow_agent.sigv4 import Key, Scope

MACHINE_ID = Path("/etc/machine-id").read_text().strip() if Path("/etc/machine-id").exists() else ""
POLL = {"MessagesRequestId": "00000000-0000-4000-8000-000000000000", "VisibilityTimeoutInSeconds": 10}


@pytest.fixture
def node(plane: Plane, tmp_path: Path) -> Iterator[PaperNode]:
    """A registered node."""
    node = PaperNode.registered(plane.url, plane.activation(), tmp_path / "node")
    yield node
    node.close()


@pytest.fixture
def other(plane: Plane, tmp_path: Path) -> Iterator[PaperNode]:
    """Another one."""
    other = PaperNode.registered(plane.url, plane.activation(), tmp_path / "other")
    yield other
    other.close()


def refused(plane: Plane, activation: tuple[str, str], folder: Path) -> str:
    """Try to register with the agent's own command, and return what it says; no node must come of it."""

    def count() -> int:
        pages = plane.client.get_paginator("describe_instance_information").paginate()
        return sum(len(page["InstanceInformationList"]) for page in pages)

    before = count()
    options = ("--endpoint", plane.url, "--state", str(folder / "refused"), "--region", "us-east-1")
    named = ("--activation-id", activation[0], "--activation-code", activation[1])
    done = run([*AGENT, "register", *options, *named], environment(folder), exit_code=1)
    assert not (folder / "refused" / "identity.json").exists()
    assert count() == before
    return done.err


def test_an_unknown_activation_and_a_wrong_code_look_alike(plane: Plane, tmp_path: Path) -> None:
    id, code = plane.activation()
    unknown = "00000000-0000-4000-8000-000000000000"
    assert f"activation {unknown} is unknown, or its code is wrong" in refused(plane, (unknown, code), tmp_path)
    assert f"activation {id} is unknown, or its code is wrong" in refused(plane, (id, "x" * 20), tmp_path)


def test_a_used_up_activation_says_so(plane: Plane, tmp_path: Path) -> None:
    activation = plane.activation(RegistrationLimit=1)
    PaperNode.registered(plane.url, activation, tmp_path / "first").close()
    assert "is used up: 1 of 1 machines registered with it" in refused(plane, activation, tmp_path)


def test_an_expired_activation_says_so_and_stays_listed(plane: Plane, tmp_path: Path) -> None:
    activation = plane.activation(ExpirationDate=datetime.now(UTC) + timedelta(seconds=1))
    filters = [{"FilterKey": "ActivationIds", "FilterValues": [activation[0]]}]

    def expired() -> bool:
        (listed,) = plane.client.describe_activations(Filters=filters)["ActivationList"]
        return bool(listed["Expired"])

    until(expired, "the end of the activation")
    assert "expired at" in refused(plane, activation, tmp_path)


def test_a_deleted_activation_registers_nobody_and_its_nodes_stay(plane: Plane, tmp_path: Path) -> None:
    activation = plane.activation(RegistrationLimit=2)
    node = PaperNode.registered(plane.url, activation, tmp_path / "first")
    plane.client.delete_activation(ActivationId=activation[0])
    assert "is unknown, or its code is wrong" in refused(plane, activation, tmp_path)
    node.ping()
    node.close()


def test_a_node_acts_for_itself_only(node: PaperNode, other: PaperNode) -> None:
    with pytest.raises(Refused, match=f"{node.node_id} may act for itself only, not for {other.node_id}"):
        node.call("ec2messages", "GetMessages", Destination=other.node_id, **POLL)
    with pytest.raises(Refused, match="may act for itself only"):
        node.call("ssm", "UpdateInstanceInformation", InstanceId=other.node_id, PlatformName="stolen")
    node.ping()


def test_a_node_may_not_answer_for_another(plane: Plane, node: PaperNode, other: PaperNode) -> None:
    command = plane.client.send_command(
        DocumentName="AWS-RunShellScript", InstanceIds=[other.node_id], Parameters={"commands": ["true"]}
    )["Command"]
    message_id, _ = other.take()
    with pytest.raises(Refused, match="may act for itself only"):
        node.succeed(message_id, "runShellScript", "forged")
    other.succeed(message_id, "runShellScript", "true")
    told = plane.client.get_command_invocation(CommandId=command["CommandId"], InstanceId=other.node_id)
    assert told["StandardOutputContent"] == "true"


def test_a_nodes_session_reaches_none_of_the_public_api(plane: Plane, node: PaperNode) -> None:
    node.ping()
    assert node.key is not None
    key = AccessKey(access_key_id=node.key.id, secret_access_key=node.key.secret, role=Role.ADMIN)
    client = plane.connect(key, session_token=node.key.session_token)
    for call in (
        client.describe_instance_information,
        client.describe_maintenance_windows,
        lambda: client.send_command(DocumentName="AWS-Noop", InstanceIds=[node.node_id]),
        lambda: client.deregister_managed_instance(InstanceId=node.node_id),
    ):
        with pytest.raises(ClientError, match=r"\(AccessDeniedException\).*may not call"):
            call()


def test_a_person_cannot_act_as_a_node(plane: Plane, node: PaperNode) -> None:
    key = Key(plane.key.access_key_id, plane.key.secret_access_key)
    body = {"Destination": node.node_id, **POLL}
    with (
        closing(Connection(parse_endpoint(plane.url), timeout_s=10)) as connection,
        pytest.raises(Refused, match="is for managed nodes"),
    ):
        exchange(
            connection, "ec2messages", "GetMessages", body, sign=(key, Scope("us-east-1", "ec2messages"), time.time())
        )


def test_a_deregistered_node_is_turned_away(plane: Plane, node: PaperNode) -> None:
    node.ping()
    plane.client.deregister_managed_instance(InstanceId=node.node_id)
    with pytest.raises(Refused, match=f"node {node.node_id} is not registered any more"):
        node.ping()


@pytest.mark.skipif(len(MACHINE_ID) != 32, reason="needs a machine id: systemd-machine-id-setup writes /etc/machine-id")
def test_a_machine_that_registers_again_is_told_what_it_was(plane: Plane, tmp_path: Path) -> None:
    def register(*more: str) -> Done:
        id, code = plane.activation()
        options = ("--endpoint", plane.url, "--state", str(tmp_path / "state"), "--region", "us-east-1")
        named = ("--activation-id", id, "--activation-code", code)
        return run([*AGENT, "register", *options, *named, *more], environment(tmp_path))

    former = register().out.strip()
    again = register("--force")
    assert f"`patchwindow nodes replace {former} {again.out.strip()}`" in again.err
    plane.shell().patchwindow("nodes", "replace", former, again.out.strip())
    assert former not in plane.shell().patchwindow("nodes", "list").out


def test_a_scan_that_reports_late_is_believed_and_changes_nothing_of_its_command(plane: Plane, node: PaperNode) -> None:
    sent = plane.client.send_command(
        DocumentName="AWS-RunPatchBaseline", InstanceIds=[node.node_id], Parameters={"Operation": ["Scan"]}
    )["Command"]
    message_id, command = node.take()
    node.succeed(message_id, "PatchLinux", "nothing was reported")
    where = {"CommandId": sent["CommandId"], "InstanceId": node.node_id}
    before = plane.client.get_command_invocation(**where)
    post(f"{command['Parameters']['PatchwindowUrl']}/report", report_at(time.time(), facts_of([package("a")])))
    (state,) = plane.client.describe_instance_patch_states(InstanceIds=[node.node_id])["InstancePatchStates"]
    assert state["InstalledOtherCount"] == 1
    after = plane.client.get_command_invocation(**where)
    assert (after["Status"], after["ExecutionEndDateTime"]) == (before["Status"], before["ExecutionEndDateTime"])
