"""The amazon-ssm-agent's client, simulated, against a running server: as its users have it, from registration to a patch scan."""

import os
import ssl
import subprocess
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from tests.fakes.commandline import run
from tests.fakes.machine import SECURITY, Machine, make_machine
from tests.fakes.server import Plane, running_plane, until
from tests.fakes.ssm_agent import Refusal, SsmAgent

from patchwindow.bootstrap import Config, open_database

SHELL: Final = "AWS-RunShellScript"


HELD: Final = "toy-held.all:1.1"
MAY_UNSHARE: Final = os.geteuid() == 0 and subprocess.run(["unshare", "--mount", "true"], check=False).returncode == 0


@pytest.fixture
def agent(plane: Plane, machine: Machine, tmp_path: Path) -> SsmAgent:
    """Return an agent that has just started, on a machine of toy packages."""
    return started(plane, machine, tmp_path)


def started(plane: Plane, machine: Machine, tmp_path: Path) -> SsmAgent:
    environ = {
        **machine.environ,
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "XDG_STATE_HOME": str(tmp_path / "state"),
    }
    agent = SsmAgent.register(plane.url, plane.activation(), tmp_path / "agent", environ)
    agent.start()
    return agent


def sent(plane: Plane, agent: SsmAgent, document: str, **parameters: list[str]) -> str:
    command = plane.client.send_command(DocumentName=document, InstanceIds=[agent.node_id], Parameters=parameters)
    command_id: str = command["Command"]["CommandId"]
    return command_id


def invocation(plane: Plane, agent: SsmAgent, command_id: str) -> Mapping[str, Any]:
    (found,) = plane.client.list_command_invocations(CommandId=command_id, Details=True)["CommandInvocations"]
    assert found["InstanceId"] == agent.node_id
    return dict(found)


def work(agent: SsmAgent, command_id: str) -> None:
    """Let the agent poll until it has taken the command, and run it."""
    until(lambda: command_id in agent.work(), f"command {command_id}")


def test_an_agent_becomes_a_node_that_says_what_it_is(plane: Plane, agent: SsmAgent) -> None:
    only = [{"Key": "InstanceIds", "Values": [agent.node_id]}]
    (found,) = plane.client.describe_instance_information(Filters=only)["InstanceInformationList"]
    assert (found["PingStatus"], found["AgentVersion"], found["PlatformName"]) == (
        "Online",
        "3.3.0.0",
        "Debian GNU/Linux",
    )
    assert (found["ComputerName"], found["IPAddress"]) == ("web-1", "10.0.0.5")


def test_a_command_runs_and_its_output_comes_back(plane: Plane, agent: SsmAgent) -> None:
    command_id = sent(plane, agent, SHELL, commands=["echo out", "echo err >&2", "exit 3"])
    work(agent, command_id)
    found = invocation(plane, agent, command_id)
    assert found["Status"] == "Failed"
    told = plane.client.get_command_invocation(CommandId=command_id, InstanceId=agent.node_id)
    assert (told["ResponseCode"], told["StandardOutputContent"]) == (3, "out\n")
    assert told["StandardErrorContent"] == "err\nfailed to run commands: exit status 3"


def test_a_command_stays_open_over_the_reboot_that_it_asks_for(plane: Plane, agent: SsmAgent, tmp_path: Path) -> None:
    mark = tmp_path / "rebooted"
    script = [f"if [ -e {mark} ]; then echo second; else touch {mark}; echo first; exit 194; fi"]
    command_id = sent(plane, agent, SHELL, commands=script)
    work(agent, command_id)
    assert invocation(plane, agent, command_id)["Status"] == "InProgress"
    SsmAgent(plane.url, agent.state, agent.environ).start()
    found = invocation(plane, agent, command_id)
    assert found["Status"] == "Success"
    assert found["CommandPlugins"][0]["Output"].startswith("first\nsecond\n")


def test_a_patch_scan_runs_under_it_and_tells_what_is_missing(plane: Plane, agent: SsmAgent) -> None:
    command_id = sent(plane, agent, "AWS-RunPatchBaseline", Operation=["Scan"])
    work(agent, command_id)
    found = invocation(plane, agent, command_id)
    assert found["Status"] == "Success", found["CommandPlugins"][1]["Output"]
    steps = {one["Name"]: one["Status"] for one in found["CommandPlugins"]}
    assert steps["PatchLinux"] == "Success"
    filters = [{"Key": "State", "Values": ["Missing"]}]
    patches = plane.client.describe_instance_patches(InstanceId=agent.node_id, Filters=filters)["Patches"]
    assert {one["Title"] for one in patches} >= set(SECURITY) - {HELD}


@pytest.mark.slow
@pytest.mark.needs_root
@pytest.mark.skipif(
    not MAY_UNSHARE,
    reason="needs root and mount namespaces, for another boot id: run as root, in a container with CAP_SYS_ADMIN",
)
def test_an_installation_goes_on_after_the_reboot_and_is_told_from_a_scan_after_it(
    plane: Plane, repository: Path, tmp_path: Path
) -> None:
    fresh = make_machine(repository, tmp_path)
    run(["apt-mark", "unhold", "toy-held"], fresh.environ)
    agent = started(plane, fresh, tmp_path)
    boot_in(agent, tmp_path / "boot-1")
    command_id = sent(plane, agent, "AWS-RunPatchBaseline", Operation=["Install"], RebootOption=["RebootIfNeeded"])
    work(agent, command_id)
    found = invocation(plane, agent, command_id)
    assert found["Status"] == "InProgress", found
    for file in (tmp_path / "root" / "run").iterdir():
        # What is there a boot does away with.
        file.unlink()
    rebooted = SsmAgent(plane.url, agent.state, agent.environ)
    boot_in(rebooted, tmp_path / "boot-2")
    rebooted.start()
    found = invocation(plane, agent, command_id)
    assert found["Status"] == "Success", found["CommandPlugins"][1]["Output"]
    states = states_of(plane, agent)
    assert {states[title] for title in SECURITY} == {"Installed"}
    assert not {"Missing", "Failed", "InstalledPendingReboot"} & set(states.values())
    assert "rebooted: yes" in found["CommandPlugins"][1]["Output"]


def boot_in(agent: SsmAgent, boot_id: Path) -> None:
    """Let the agent's scripts see a boot of their own."""
    boot_id.write_text(f"{boot_id.name}\n")
    bind = f"mount --bind {boot_id} /proc/sys/kernel/random/boot_id"
    agent.shell = ("unshare", "--mount", "sh", "-c", f'{bind} && exec "$0"')


def states_of(plane: Plane, agent: SsmAgent) -> dict[str, str]:
    pages = plane.client.get_paginator("describe_instance_patches").paginate(InstanceId=agent.node_id)
    return {one["Title"]: one["State"] for page in pages for one in page["Patches"]}


def test_a_restart_of_the_server_ends_no_session(plane: Plane, agent: SsmAgent) -> None:
    plane.server.stop()
    plane.server.start()
    agent.call("ssm", "UpdateInstanceInformation", InstanceId=agent.node_id)


def test_it_reaches_a_server_whose_ca_is_in_its_environment_and_so_does_a_patch_scan(
    machine: Machine, tmp_path: Path
) -> None:
    (tmp_path / "secured").mkdir()
    with running_plane(tmp_path / "secured", "--tls", "on") as secured:
        assert secured.ca_bundle is not None
        trusting = Machine(machine.home, {**machine.environ, "SSL_CERT_FILE": secured.ca_bundle})
        agent = started(secured, trusting, tmp_path)
        command_id = sent(secured, agent, "AWS-RunPatchBaseline", Operation=["Scan"])
        work(agent, command_id)
        found = invocation(secured, agent, command_id)
        assert found["Status"] == "Success", found["CommandPlugins"][1]["Output"]
        with pytest.raises(ssl.SSLCertVerificationError):
            SsmAgent(secured.url, agent.state, machine.environ).start()


def test_a_key_that_is_old_is_replaced_by_one_that_the_agent_makes(machine: Machine, tmp_path: Path) -> None:
    (tmp_path / "plane").mkdir()
    with running_plane(tmp_path / "plane", "--node-key-days", "1") as plane:
        agent = started(plane, machine, tmp_path)
        key = (agent.state / "key").read_bytes()
        agent.renew()
        assert (agent.state / "key").read_bytes() == key
        with closing(open_database(Config(data=plane.server.data))) as database, database.write() as work:
            node = work.nodes.get(agent.node_id)
            assert node is not None
            before = replace(node, registration_date=node.registration_date - timedelta(days=1))
            work.nodes.put(before, operating_system="DEBIAN", patch_group="")
        agent.renew()
        assert (agent.state / "key").read_bytes() != key
        agent.call("ssm", "UpdateInstanceInformation", InstanceId=agent.node_id)
        SsmAgent(plane.url, agent.state, agent.environ).start()
        (agent.state / "key").write_bytes(key)
        with pytest.raises(Refusal) as refused:
            SsmAgent(plane.url, agent.state, agent.environ).start()
        assert refused.value.code == "InvalidSignatureException"


def test_a_deregistered_node_is_refused_at_every_door(plane: Plane, agent: SsmAgent) -> None:
    plane.client.deregister_managed_instance(InstanceId=agent.node_id)
    for ask in (agent.poll, agent.renew):
        with pytest.raises(Refusal) as refused:
            ask()
        assert refused.value.code == "AccessDeniedException"


def test_a_copy_of_a_machine_with_another_fingerprint_gets_no_session(plane: Plane, agent: SsmAgent) -> None:
    registration = agent.state / "registration"
    kept = (agent.state / "fingerprint").read_text()
    registration.write_text(registration.read_text().replace(kept, "of another machine"))
    with pytest.raises(Refusal) as refused:
        SsmAgent(plane.url, agent.state, agent.environ).start()
    assert refused.value.code == "MachineFingerprintDoesNotMatch"
