"""The agent as systemd's service on a machine that really boots: installed by its line, killed, rebooted, removed."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.server import Plane, ServerProcess, until
from tests.rig.booted import Booted, booted
from tests.rig.debian_root import CannotBuildError, cached_tarball, unpack

pytestmark = [
    pytest.mark.slow,
    pytest.mark.needs_root,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to boot a machine"),
    pytest.mark.skipif(
        not {"mmdebstrap", "systemd-nspawn"}
        <= {name for name in ("mmdebstrap", "systemd-nspawn") if shutil.which(name)},
        reason="needs mmdebstrap and systemd-nspawn; .ci/install-needs installs them",
    ),
]
STATE = "/var/lib/patchwindow-agent"
# What a package's own scripts may do, and a service that is held too tight could not: a user, a program that changes users, another service.
POSTINST = """#!/bin/sh
set -e
useradd --system toyuser
systemctl daemon-reload
systemctl restart dbus.service
"""


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Booted]:
    folder = tmp_path_factory.mktemp("booted")
    try:
        root = unpack(cached_tarball("bookworm", "systemd-sysv", "dbus", "curl"), folder / "root")
    except CannotBuildError as problem:
        pytest.skip(str(problem))
    _build_package(folder, root / "srv/toy.deb")
    with booted(root) as machine:
        yield machine


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plane]:
    folder = tmp_path_factory.mktemp("secured")
    with ServerProcess(folder / "data", "--tls", "on") as server:
        yield Plane(server, folder)


def _build_package(folder: Path, target: Path) -> None:
    package = folder / "toy"
    (package / "DEBIAN").mkdir(parents=True)
    (package / "usr/bin").mkdir(parents=True)
    (package / "usr/bin/toy-su").write_text("#!/bin/sh\n")
    (package / "usr/bin/toy-su").chmod(0o4755)
    (package / "DEBIAN/control").write_text(
        "Package: toy\nVersion: 1\nArchitecture: all\nMaintainer: nobody <nobody@example.net>\nDescription: a toy\n"
    )
    (package / "DEBIAN/postinst").write_text(POSTINST)
    (package / "DEBIAN/postinst").chmod(0o755)
    subprocess.run(["dpkg-deb", "--root-owner-group", "-b", str(package), str(target)], check=True, capture_output=True)


def outcome(plane: Plane, node_id: str, *lines: str) -> Any:
    """Run a command on the node and return what it came to, over reboots."""
    sent = plane.client.send_command(
        InstanceIds=[node_id], DocumentName="AWS-RunShellScript", Parameters={"commands": list(lines)}
    )["Command"]["CommandId"]

    def ended() -> Any:
        found = plane.client.list_command_invocations(CommandId=sent, Details=True)["CommandInvocations"]
        return found[0] if found and found[0]["Status"] not in ("Pending", "InProgress", "Delayed") else None

    return until(ended, "the result", within_s=90)


def service(machine: Booted, name: str) -> str:
    return machine.run("systemctl", "show", "--value", f"--property={name}", "patchwindow-agent.service").strip()


def test_the_life_of_an_agent_on_a_machine_that_boots(secured: Plane, machine: Booted) -> None:
    line = secured.shell().patchwindow("activations", "create", "--line", "shell").out.strip()

    # Installed: the line ends when the server has answered the service.
    said = machine.run("sh", "-c", f"{line} --name booted --reboot-command 'systemctl reboot'")
    node_id = said.split()[-1]
    assert (service(machine, "ActiveState"), service(machine, "UnitFileState")) == ("active", "enabled")
    machine.run("python3", f"{STATE}/agent.pyz", "status")

    # A package whose scripts do what packages do is installed from within the service.
    done = outcome(secured, node_id, "dpkg -i /srv/toy.deb && stat -c %a /usr/bin/toy-su && id -u toyuser && umask")
    assert done["Status"] == "Success", done["CommandPlugins"][0]["Output"]
    assert "4755\n" in done["CommandPlugins"][0]["Output"]

    # Killed: systemd starts it again, and it takes commands.
    machine.run("systemctl", "kill", "--kill-who=main", "--signal=KILL", "patchwindow-agent.service")
    assert outcome(secured, node_id, "echo alive")["Status"] == "Success"
    assert service(machine, "NRestarts") == "1"

    # Rebooted by a step: it runs again after a boot that really was one.
    before = machine.boot_id()
    steps = (
        "if [ -e /srv/once ]; then cat /proc/sys/kernel/random/boot_id; exit 0; fi",
        "touch /srv/once",
        "exit 194",
    )
    done = outcome(secured, node_id, *steps)
    machine.wait_until_up()
    assert done["Status"] == "Success"
    assert machine.boot_id() != before
    assert (machine.boot_id() or "none").strip() in done["CommandPlugins"][0]["Output"]

    # Removed: nothing of it is left.
    said = machine.run("python3", f"{STATE}/agent.pyz", "uninstall")
    assert f"nodes deregister {node_id}" in said
    assert machine.says("test", "-e", STATE) is None
    assert machine.says("systemctl", "cat", "patchwindow-agent.service") is None
