"""An installation with a reboot in the middle, under our own agent: each boot has its own id, as on a real machine."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.commandline import AGENT
from tests.fakes.machine import Machine, machine_of
from tests.fakes.server import Plane, all_pages, register, until
from tests.rig.toy_troubles import build_troubles, make_troubled_root

MAY_UNSHARE = os.geteuid() == 0 and subprocess.run(["unshare", "--mount", "true"], check=False).returncode == 0

pytestmark = [
    pytest.mark.slow,
    pytest.mark.needs_root,
    pytest.mark.skipif(
        not MAY_UNSHARE,
        reason="needs root and mount namespaces, for another boot id: run as root, in a container with CAP_SYS_ADMIN",
    ),
]


@contextmanager
def boot(plane: Plane, machine: Machine, state: Path, name: str, marker: Path) -> Iterator[None]:
    """Run the agent in a boot of its own; what asks it to reboot only leaves *marker*, and all ends with the context."""
    boot_id = machine.home / name
    boot_id.write_text(f"{name}\n")
    options = ("--endpoint", plane.url, "--state", str(state), "--reboot-command", f"touch {marker}")
    script = f'mount --bind {boot_id} /proc/sys/kernel/random/boot_id && exec "$@"'
    # With a process id space of its own it ends whole, as a machine that goes down.
    command = [
        "unshare",
        "--mount",
        "--fork",
        "--pid",
        "--kill-child",
        "--mount-proc",
        "sh",
        "-c",
        script,
        "sh",
        *AGENT,
    ]
    with (state / "log").open("a") as log:
        process = subprocess.Popen(
            [*command, "run", *options], env=machine.environ, stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
    try:
        yield
    finally:
        process.kill()
        process.wait()


def test_what_is_installed_with_a_reboot_is_told_after_it_and_the_reboot_is_asked_for_once(
    plane: Plane, tmp_path: Path
) -> None:
    names = ("good-one", "needs-new", "with-conffile")
    repository = build_troubles(tmp_path / "repository")
    root = make_troubled_root(repository, tmp_path / "root", *names)
    machine = machine_of(root, tmp_path)
    state, marker = tmp_path / "agent", tmp_path / "asked"
    node_id = register(plane, plane.activation(), state, machine.environ)

    def invocation() -> Any:
        return plane.client.get_command_invocation(CommandId=command_id, InstanceId=node_id)

    def states() -> dict[str, str]:
        patches = all_pages(plane.client, "describe_instance_patches", "Patches", InstanceId=node_id)
        return {patch["Title"]: patch["State"] for patch in patches}

    with boot(plane, machine, state, "boot-1", marker):
        command_id = plane.client.send_command(
            DocumentName="AWS-RunPatchBaseline",
            InstanceIds=[node_id],
            Parameters={"Operation": ["Install"], "RebootOption": ["RebootIfNeeded"]},
        )["Command"]["CommandId"]
        until(marker.exists, "the request for a reboot", within_s=60)
        assert invocation()["Status"] == "InProgress"
    marker.unlink()

    with boot(plane, machine, state, "boot-2", marker):
        until(lambda: invocation()["Status"] != "InProgress", "the end of the command", within_s=60)
        told = invocation()
        assert (told["Status"], told["ResponseCode"]) == ("Success", 0), told["StandardErrorContent"]
        assert "rebooted: yes" in told["StandardOutputContent"]
        assert {states()[f"{name}.all:2.0"] for name in names} == {"Installed"}
        assert "InstalledPendingReboot" not in states().values()
        assert not marker.exists()
    log = (root.path / "var/log/dpkg.log").read_text()
    assert {log.count(f"upgrade {name}:all 1.0 2.0") for name in names} == {1}
