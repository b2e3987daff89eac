"""Documents of one's own and what they write: server, agent, AWS CLI, and an S3 service, each a process of its own."""

import json
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from tests.fakes.commandline import PATCHWINDOW, environment
from tests.fakes.moto import KEYS, moto_client, running_moto
from tests.fakes.server import Plane, register, running_agent, running_plane, until

LINES: Final = 20_000
DOCUMENT: Final = f"""
schemaVersion: "2.2"
description: Writes a lot.
parameters:
  word:
    type: String
    default: line
mainSteps:
  - action: aws:runShellScript
    name: write
    inputs:
      timeoutSeconds: 60
      runCommand:
        - i=0; while [ $i -lt {LINES} ]; do echo "{{{{ word }}}} $i"; i=$((i + 1)); done
        - echo "careful" >&2
  - action: aws:runShellScript
    name: waitForIt
    inputs:
      runCommand:
        - echo begun
        - until [ -e "$GATE" ]; do sleep 0.1; done
        - echo ended
"""


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A client of an S3 service with the bucket `logs`."""
    with running_moto(tmp_path_factory.mktemp("s3")) as url:
        client = moto_client(url, "s3")
        client.create_bucket(Bucket="logs")
        yield client


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory, s3: Any) -> Iterator[Plane]:
    """A control plane that delivers to the S3 service."""
    options = ("--output-s3-endpoint", s3.meta.endpoint_url, "--output-max-mib", "1")
    keys = dict(zip(("PATCHWINDOW_S3_ACCESS_KEY_ID", "PATCHWINDOW_S3_SECRET_ACCESS_KEY"), KEYS, strict=True))
    with running_plane(tmp_path_factory.mktemp("plane"), *options, environ=keys) as plane:
        yield plane


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file for which the document waits."""
    return tmp_path_factory.mktemp("gate") / "open"


@pytest.fixture(scope="module")
def node(plane: Plane, gate: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A node whose agent runs."""
    folder = tmp_path_factory.mktemp("node")
    environ = {**environment(folder), "GATE": str(gate)}
    node_id = register(plane, plane.activation(), folder / "state", environ)
    with running_agent(plane, folder / "state", environ):
        yield node_id


@pytest.fixture(scope="module")
def command(plane: Plane, node: str) -> str:
    """A command of a document that the AWS CLI made; its last step waits at the gate."""
    file = plane.home / "write.yaml"
    file.write_text(DOCUMENT)
    shell = plane.shell()
    made = shell.aws(
        *("create-document", "--name", "Write-A-Lot", "--document-type", "Command", "--document-format", "YAML"),
        *("--content", f"file://{file}"),
    )["DocumentDescription"]
    assert (made["Status"], made["PlatformTypes"]) == ("Active", ["Linux", "MacOS"])
    sent = shell.aws(
        *("send-command", "--document-name", "Write-A-Lot", "--instance-ids", node),
        *("--parameters", json.dumps({"word": ["zeile"]}), "--output-s3-bucket-name", "logs"),
        *("--output-s3-key-prefix", "live"),
    )
    return str(sent["Command"]["CommandId"])


WHOLE: Final = "".join(f"zeile {number}\n" for number in range(LINES))


def test_all_that_a_step_writes_is_there_while_the_command_runs(plane: Plane, command: str, node: str) -> None:
    def begun() -> bool:
        return "begun" in plane.shell().patchwindow("commands", "logs", command, "--node", node).out

    until(begun, "the output of the second step")
    done = plane.shell().patchwindow("commands", "logs", command, "--node", node)
    assert done.out == WHOLE + "begun\n"
    assert "careful" in done.err


def test_following_ends_with_the_command(plane: Plane, command: str, node: str, gate: Path) -> None:
    shell = plane.shell()
    following = subprocess.Popen(
        [*PATCHWINDOW, "commands", "logs", command, "--node", node, "--step", "waitForIt", "--follow"],
        env=shell.environ,
        stdout=subprocess.PIPE,
        text=True,
    )
    time.sleep(0.5)
    gate.touch()
    out, _ = following.communicate(timeout=30)
    assert out == "begun\nended\n"
    assert following.returncode == os.EX_OK


def test_the_operations_of_the_api_show_the_beginning(plane: Plane, command: str, node: str) -> None:
    until(lambda: _told(plane, command, node)["Status"] == "Success", "the end of the command")
    told = plane.client.get_command_invocation(CommandId=command, InstanceId=node, PluginName="write")
    assert len(told["StandardOutputContent"]) == 24_000
    assert told["StandardOutputContent"].startswith("zeile 0\nzeile 1\n")
    assert told["StandardOutputContent"].endswith("--output truncated--")
    assert told["StandardErrorContent"] == "careful\n"


def test_a_bucket_has_all_of_it_under_the_keys_of_run_command(plane: Plane, command: str, node: str, s3: Any) -> None:
    until(lambda: _told(plane, command, node)["Status"] == "Success", "the end of the command")
    root = f"live/{command}/{node}/awsrunShellScript"
    expected = [f"{root}/waitForIt/stdout", f"{root}/write/stderr", f"{root}/write/stdout"]

    def keys() -> list[str]:
        found = s3.list_objects_v2(Bucket="logs", Prefix=f"live/{command}/")
        return sorted(each["Key"] for each in found.get("Contents", ()))

    until(lambda: keys() == expected, "the objects")
    assert s3.get_object(Bucket="logs", Key=f"{root}/write/stdout")["Body"].read().decode() == WHOLE
    told = plane.client.get_command_invocation(CommandId=command, InstanceId=node, PluginName="write")
    assert told["StandardOutputUrl"] == f"{s3.meta.endpoint_url}/logs/{root}/write/stdout"


def test_what_is_beyond_the_bound_is_said(plane: Plane, node: str) -> None:
    sent = plane.client.send_command(
        DocumentName="AWS-RunShellScript",
        InstanceIds=[node],
        Parameters={"commands": ["head -c 1500000 /dev/zero | tr '\\0' x"]},
        OutputS3BucketName="no-such-bucket",
    )["Command"]["CommandId"]
    until(lambda: _told(plane, sent, node)["Status"] == "Success", "the end of the command")

    def said() -> Any:
        done = plane.shell().patchwindow("commands", "logs", sent)
        return done if "NoSuchBucket" in done.err else None

    done = until(said, "what is wrong with the bucket")
    assert len(done.out) == 2**20
    assert "wrote more to stdout" in done.err


def _told(plane: Plane, command: str, node: str) -> Any:
    return plane.client.list_command_invocations(CommandId=command, InstanceId=node)["CommandInvocations"][0]
