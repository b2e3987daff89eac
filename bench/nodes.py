"""Managed nodes for the groups that need some: the real agent registers them."""

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import boto3
from bench.children import ChildFailed, Control
from bench.signing import REGION

AGENT: Final = (sys.executable, "-P", "-m", "patchwindow_agent")
_FOLDERS: Final = (Path("/var/cache/patchwindow"), Path("/var/lib/patchwindow"))
_COMMAND_S: Final = 120.0
_LOOK_S: Final = 0.02
_UNDER_WAY: Final = frozenset({"Pending", "InProgress", "Delayed"})


@contextmanager
def tidied() -> Iterator[None]:
    """Remove at the end the folders that a patch operation of root makes on the machine, unless they were there before."""
    new = [folder for folder in _FOLDERS if not folder.exists()]
    try:
        yield
    finally:
        for folder in new:
            shutil.rmtree(folder, ignore_errors=True)


def client_of(server: Control) -> Any:
    """Return a boto3 client of *server*."""
    return boto3.client(
        "ssm",
        REGION,
        endpoint_url=server.url,
        aws_access_key_id=server.key.id,
        aws_secret_access_key=server.key.secret,
    )


def register(server: Control, folder: Path, count: int, *, environ: Mapping[str, str] | None = None) -> list[Path]:
    """Register this machine *count* times, and return the state folders of the nodes."""
    activation = client_of(server).create_activation(IamRole="bench", RegistrationLimit=count)
    credentials = ["--activation-id", activation["ActivationId"], "--activation-code", activation["ActivationCode"]]
    states = [folder / f"node-{number}" for number in range(count)]
    for state in states:
        subprocess.run(
            [*AGENT, "register", "--endpoint", server.url, "--state", str(state), "--region", REGION, *credentials],
            check=True,
            capture_output=True,
            env=environ,
        )
    return states


def node_id(state: Path) -> str:
    """Return the id of the node whose state folder this is."""
    return str(json.loads((state / "identity.json").read_text())["node_id"])


def run_command(client: Any, node: str, document: str, parameters: Mapping[str, list[str]]) -> float:
    """Send *document* to *node*, wait until it has succeeded, and return how many seconds that took."""
    began_at = time.perf_counter()
    command = client.send_command(InstanceIds=[node], DocumentName=document, Parameters=parameters)["Command"]
    while True:
        told = client.list_command_invocations(CommandId=command["CommandId"])["CommandInvocations"]
        statuses = [each["Status"] for each in told]
        took_s = time.perf_counter() - began_at
        if statuses == ["Success"]:
            return took_s
        if took_s > _COMMAND_S or any(status not in _UNDER_WAY for status in statuses):
            raise ChildFailed(f"{document} is {statuses} on {node} after {took_s:.0f} s, not Success")
        time.sleep(_LOOK_S)
