"""An installation from SendCommand to compliance: server, agent, patch operation, apt and dpkg, all real."""

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from tests.fakes.machine import machine_of
from tests.fakes.server import Plane, all_pages, register, running_agent, until
from tests.rig.toy_apt import Root
from tests.rig.toy_troubles import build_troubles, make_troubled_root

GOOD = ("good-one", "good-two", "with-conffile", "moves-library", "needs-new")
BAD = ("bad-postinst", "needs-bad", "held", "removes-victim")


@dataclass(frozen=True, slots=True)
class Node:
    """A node whose agent runs, and the root that its packages are in."""

    plane: Plane
    id: str
    root: Root

    def send(self, **parameters: str) -> Any:
        """Let AWS-RunPatchBaseline run to its end, and return what it said."""
        client = self.plane.client
        given = {name: [value] for name, value in parameters.items()}
        command_id = client.send_command(DocumentName="AWS-RunPatchBaseline", InstanceIds=[self.id], Parameters=given)[
            "Command"
        ]["CommandId"]

        def ended() -> Any:
            told = client.get_command_invocation(CommandId=command_id, InstanceId=self.id)
            return told if told["Status"] not in ("Pending", "InProgress", "Delayed") else None

        return until(ended, "the end of the command", within_s=90)

    def states(self) -> dict[str, str]:
        """Return the state of each patch, by its title."""
        patches = all_pages(self.plane.client, "describe_instance_patches", "Patches", InstanceId=self.id)
        return {patch["Title"]: patch["State"] for patch in patches}

    def upgradable(self) -> set[str]:
        """Return the titles of security updates that the node's own apt lists."""
        lines = self.root.run("apt", "-qq", "list", "--upgradable").splitlines()
        found = [re.match(r"(\S+?)/(\S+) (\S+) ", line) for line in lines]
        return {f"{match[1]}.all:{match[3]}" for match in found if match is not None and "-security" in match[2]}


@pytest.fixture(scope="module")
def node(plane: Plane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    folder = tmp_path_factory.mktemp("troubled")
    repository = build_troubles(folder / "repository")
    root = make_troubled_root(repository, folder / "root", "libtoy", "victim", *GOOD, *BAD)
    machine = machine_of(root, folder)
    state = folder / "agent"
    node_id = register(plane, plane.activation(), state, machine.environ)
    with running_agent(plane, state, machine.environ):
        yield Node(plane, node_id, root)


def titles(*names: str) -> set[str]:
    return {f"{name}.all:2.0" for name in names}


def test_an_installation_is_told_patch_by_patch_as_it_is_on_the_node(node: Node) -> None:
    assert node.send(Operation="Scan")["Status"] == "Success"
    before = node.states()
    assert {title for title, state in before.items() if state == "Missing"} == node.upgradable()
    assert node.upgradable() >= titles(*GOOD, *BAD)

    told = node.send(Operation="Install", RebootOption="NoReboot")

    states = node.states()
    assert {states[title] for title in titles(*GOOD)} == {"InstalledPendingReboot"}
    assert {states[title] for title in titles(*BAD)} == {"Failed"}
    assert states["new-dependency.all:2.0"] in ("InstalledPendingReboot", "InstalledOther")
    # Some patches could not be installed, and the step says so, with the reason for each.
    assert (told["Status"], told["ResponseCode"]) == ("Failed", 1)
    output = told["StandardOutputContent"]
    assert "held on the node" in output
    assert "the database is not there" in output
    assert "would remove victim, which nothing replaces" in output
    (summary,) = node.plane.client.describe_instance_patch_states(InstanceIds=[node.id])["InstancePatchStates"]
    assert (summary["FailedCount"], summary["Operation"], summary["RebootOption"]) == (len(BAD), "Install", "NoReboot")
    versions = node.root.run("dpkg-query", "-W", "-f", "${db:Status-Abbrev}${Package} ${Version}\n").splitlines()
    assert {f"ii {name} 2.0" for name in GOOD} <= set(versions)
    assert {"hi held 1.0", "iF bad-postinst 2.0", "ii victim 2.0"} <= set(versions)


def test_a_scan_after_it_calls_nothing_installed_whose_script_failed(node: Node) -> None:
    assert node.send(Operation="Scan")["Status"] == "Success"
    states = node.states()
    assert states["bad-postinst.all:2.0"] in ("Missing", "Failed")
    assert states["bad-postinst.all:1.0"] == "InstalledOther"
    # For apt what is half configured is installed; for us it is not.
    assert {title for title, state in states.items() if state in ("Missing", "Failed")} == node.upgradable() | titles(
        "bad-postinst", "needs-bad"
    )


def test_where_the_script_is_mended_the_next_installation_finishes_the_patch(node: Node) -> None:
    script = node.root.path / "var/lib/dpkg/info/bad-postinst.postinst"
    script.write_text("#!/bin/sh\nexit 0\n")
    node.send(Operation="Install", RebootOption="NoReboot")
    states = node.states()
    assert {states[title] for title in titles("bad-postinst", "needs-bad")} == {"InstalledPendingReboot"}
    audit = subprocess.run(["dpkg", "--audit"], env=node.root.environ, check=True, capture_output=True, text=True)
    assert audit.stdout == ""
