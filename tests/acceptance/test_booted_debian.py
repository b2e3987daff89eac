"""A Debian with real security updates pending, whose own systemd runs the agent: scanned, patched, rebooted, verified."""

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.server import Plane, ServerProcess, all_pages, until
from tests.rig.booted import Booted, booted
from tests.rig.debian_root import CannotBuildError, cached_tarball, mirror_itself, unpack

pytestmark = [
    pytest.mark.slow,
    pytest.mark.needs_root,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to boot a machine"),
    pytest.mark.skipif(
        not all(map(shutil.which, ("mmdebstrap", "systemd-nspawn"))),
        reason="needs mmdebstrap and systemd-nspawn; .ci/install-needs installs them",
    ),
]


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Booted]:
    try:
        root = unpack(cached_tarball("bookworm", "systemd-sysv", "dbus", "curl"), tmp_path / "root")
    except CannotBuildError as problem:
        pytest.skip(str(problem))
    mirror_itself(root)
    with booted(root) as machine:
        yield machine


@pytest.fixture
def secured(tmp_path: Path) -> Iterator[Plane]:
    with ServerProcess(tmp_path / "data", "--tls", "on") as server:
        yield Plane(server, tmp_path)


def patch(plane: Plane, node_id: str, **parameters: str) -> Any:
    """Let AWS-RunPatchBaseline run to its end, over reboots, and return what it said."""
    sent = plane.client.send_command(
        DocumentName="AWS-RunPatchBaseline",
        InstanceIds=[node_id],
        Parameters={name: [value] for name, value in parameters.items()},
    )["Command"]["CommandId"]

    def ended() -> Any:
        told = plane.client.get_command_invocation(CommandId=sent, InstanceId=node_id)
        return told if told["Status"] not in ("Pending", "InProgress", "Delayed") else None

    return until(ended, "the end of the command", within_s=300)


def states(plane: Plane, node_id: str) -> dict[str, str]:
    patches = all_pages(plane.client, "describe_instance_patches", "Patches", InstanceId=node_id)
    return {patch["Title"]: patch["State"] for patch in patches}


def security_updates(machine: Booted) -> set[str]:
    """Return the titles of what apt lists from the security source: what Debian's predefined baseline approves."""
    told = machine.run("apt", "-qq", "list", "--upgradable")
    found = re.findall(r"^(\S+?)/(\S+) (\S+) (\S+) \[upgradable", told, re.MULTILINE)
    return {f"{name}.{arch}:{version}" for name, suites, version, arch in found if "-security" in suites}


def test_real_security_updates_are_there_after_a_real_reboot_as_apt_itself_says(
    secured: Plane, machine: Booted
) -> None:
    line = secured.shell().patchwindow("activations", "create", "--line", "shell").out.strip()
    node_id = machine.run("sh", "-c", f"{line} --name debian --reboot-command 'systemctl reboot'").split()[-1]

    assert patch(secured, node_id, Operation="Scan")["Status"] == "Success"
    pending = security_updates(machine)
    assert pending, "the suite has no security update pending, which would make this test say nothing"
    found = states(secured, node_id)
    assert {title for title, state in found.items() if state == "Missing"} == pending
    boot_id = machine.boot_id()

    told = patch(secured, node_id, Operation="Install", RebootOption="RebootIfNeeded")

    assert told["Status"] == "Success", told["StandardOutputContent"] + told["StandardErrorContent"]
    assert "rebooted: yes" in told["StandardOutputContent"]
    machine.wait_until_up()
    assert machine.boot_id() not in (None, boot_id)
    # What the server says now, apt and dpkg say too; and so they do when asked again.
    for _ in range(2):
        found = states(secured, node_id)
        assert {found[title] for title in pending} == {"Installed"}
        assert not {"Missing", "Failed", "InstalledPendingReboot"} & set(found.values())
        assert security_updates(machine) == set()
        assert machine.run("dpkg", "--audit") == ""
        installed = machine.run("dpkg-query", "-W", "-f", "${Package}.${Architecture}:${Version}\n").splitlines()
        assert {title for title, state in found.items() if state.startswith("Installed")} == set(installed)
        assert patch(secured, node_id, Operation="Scan")["Status"] == "Success"
