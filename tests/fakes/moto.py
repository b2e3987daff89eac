"""moto's server: an implementation of AWS's APIs that is not ours, and knows no credentials from others."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import boto3
from botocore.config import Config
from tests.fakes.server import until

KEYS: Final = ("AKIDMOTO", "secret")
REGION: Final = "us-east-1"

_PROGRAM: Final = "from moto.server import main; main()"
# What it does not implement is a status of 500, which no second attempt makes better.
_SDK: Final = Config(retries={"total_max_attempts": 1})


@contextmanager
def running_moto(folder: Path, *, knows_policies: bool = False) -> Iterator[str]:
    """Run the server, and give its URL; it forgets everything when it ends.

    With *knows_policies* it has AWS's own managed policies, which it takes seconds to read.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with (folder / "moto.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", _PROGRAM, "-H", "127.0.0.1", "-p", str(port)],
            env={
                **os.environ,
                # Without machine images it is there in half the time.
                "MOTO_EC2_LOAD_DEFAULT_AMIS": "false",
                "MOTO_IAM_LOAD_MANAGED_POLICIES": str(knows_policies).lower(),
            },
            stdout=log,
            stderr=log,
        )
        try:
            until(lambda: _listens(port), "moto's server", within_s=60)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.kill()
            process.wait()


def moto_client(url: str, service: str) -> Any:
    """Return boto3's own client of *service* there."""
    return boto3.client(
        service,
        endpoint_url=url,
        aws_access_key_id=KEYS[0],
        aws_secret_access_key=KEYS[1],
        region_name=REGION,
        config=_SDK,
    )


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
