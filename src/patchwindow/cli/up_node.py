"""This machine as a managed node of the control plane that `up` runs."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import click

from patchwindow.bootstrap import open_private
from patchwindow.cli import show
from patchwindow.cli.up_profile import REGION
from patchwindow.client import SsmClient, call, pages
from patchwindow.system import SystemClock

GROUP: Final = "Management Server"
_ROLE: Final = "patchwindow-node"
_ONLINE_S: Final = 30.0
_STOP_S: Final = 10.0
_AGENT: Final = (sys.executable, "-P", "-m", "patchwindow_agent")


@dataclass(frozen=True, slots=True)
class RunningNode:
    """This machine as a node, and its agent's process."""

    node_id: str
    log: Path
    process: "subprocess.Popen[bytes]"

    def check(self) -> None:
        """Raise `ClickException` where the agent has stopped."""
        if self.process.poll() is not None:
            raise click.ClickException(f"the agent of {self.node_id} has stopped; {self.log} says why")


@contextmanager
def running_node(client: SsmClient, endpoint: str, state: Path) -> Iterator[RunningNode]:
    """Register this machine if it is not, run its agent, and stop it at the end."""
    node_id = _known(client, state) or _register(client, endpoint, state)
    log = state / "agent.log"
    started = SystemClock().now()
    with open_private(log, "a") as output:
        # Its input is ours: if this process dies in whatever way, the agent sees the end of it and stops.
        process = subprocess.Popen(  # noqa: S603 - our own program, without a shell
            [
                *_AGENT,
                "run",
                "--endpoint",
                endpoint,
                "--state",
                str(state),
                "--stop-with-parent",
                "--reboot-command",
                "",
            ],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            # Ctrl-C at the terminal is ours: we stop the agent when we are done with it.
            process_group=0,
        )
    node = RunningNode(node_id, log, process)
    try:
        _wait_online(client, node, started)
        yield node
    finally:
        process.terminate()
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _known(client: SsmClient, state: Path) -> str | None:
    """Return the id under which this machine is registered, if the server knows it."""
    try:
        node_id = str(json.loads((state / "identity.json").read_text())["node_id"])
    except FileNotFoundError:
        return None
    if next(_information(client, node_id), None) is None:
        return None
    show.note(f"3. This machine is managed node {node_id} already")
    return node_id


def _register(client: SsmClient, endpoint: str, state: Path) -> str:
    activation = call(
        client,
        "CreateActivation",
        IamRole=_ROLE,
        Description="made by patchwindow up",
        RegistrationLimit=1,
        ExpirationDate=SystemClock().now() + timedelta(hours=1),
        Tags=[{"Key": "Patch Group", "Value": GROUP}],
    )
    done = subprocess.run(  # noqa: S603 - our own program, without a shell
        [
            *_AGENT,
            "register",
            *("--endpoint", endpoint, "--state", str(state), "--region", REGION, "--force"),
            *("--activation-id", activation["ActivationId"], "--activation-code", activation["ActivationCode"]),
        ],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise click.ClickException(f"this machine could not be registered: {done.stderr.strip()}")
    node_id = done.stdout.strip()
    show.note(f"3. This machine is registered as managed node {node_id} in patch group {GROUP!r}")
    return node_id


def _wait_online(client: SsmClient, node: RunningNode, since: datetime) -> None:
    until = time.monotonic() + _ONLINE_S
    while time.monotonic() < until:
        node.check()
        found = next(_information(client, node.node_id), None)
        # The server keeps milliseconds.
        if found is not None and found["LastPingDateTime"] >= since - timedelta(milliseconds=1):
            return
        time.sleep(0.05)
    raise click.ClickException(f"the agent of {node.node_id} was not heard of in {_ONLINE_S:.0f} s; see {node.log}")


def _information(client: SsmClient, node_id: str) -> Iterator[Any]:
    filters = [{"Key": "InstanceIds", "Values": [node_id]}]
    return pages(client, "DescribeInstanceInformation", "InstanceInformationList", Filters=filters)
