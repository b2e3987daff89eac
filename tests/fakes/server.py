"""Control planes and agents in processes of their own; whatever is started here ends with its context."""

import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Any, Final, Self, TypeVar

import boto3
from botocore.config import Config as SdkConfig
from botocore.loaders import create_loader
from tests.fakes.commandline import AGENT, PATCHWINDOW, Shell, environment, line_of, run, write_credentials

from patchwindow.bootstrap import Config, create_access_key, open_database
from patchwindow.store.settings import AccessKey, Role
from patchwindow.system import SystemClock, SystemIds

T = TypeVar("T")

MODELS: Final = resources.files("patchwindow") / "protocol" / "model"
"""Where the SDK finds the model of the server's own operations."""

# One for all clients, since it keeps what it has read.
_MODELS: Final = create_loader(str(MODELS))
_READY: Final = "patchwindow is ready at "
_STOP_S: Final = 15.0
# One attempt, so that a test sees each answer; room for the threads of one test.
_SDK: Final = SdkConfig(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=30, max_pool_connections=32)


class ServerProcess:
    """`patchwindow server` as a child process, ready when its context is entered."""

    def __init__(
        self, data: Path, *options: str, listen: str = "127.0.0.1:0", environ: Mapping[str, str] | None = None
    ) -> None:
        self.data = data
        self._environ = environ
        self.log = data.with_suffix(".log")
        self.url = ""
        self._listen = listen
        self._options = options
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self.kill()

    def start(self) -> None:
        """Start it; started again, it listens where it did before."""
        command = [*PATCHWINDOW, "server", "--data", str(self.data), "--listen", self._listen, *self._options]
        with self.log.open("a") as log:
            self._process = subprocess.Popen(
                command, env=environment(self.data.parent, self._environ), stdout=subprocess.PIPE, stderr=log, text=True
            )
        assert self._process.stdout is not None, "it is a pipe"
        try:
            line = line_of(self._process.stdout, _READY)
        except AssertionError:
            self.kill()
            raise AssertionError(f"the server did not come up:\n{self.log.read_text()}") from None
        self.url = line.removeprefix(_READY).strip()
        self._listen = self.url.partition("://")[2]

    def stop(self) -> int:
        """Ask it to end, and return its exit code."""
        process = self._ended()
        process.send_signal(signal.SIGTERM)
        try:
            return process.wait(_STOP_S)
        finally:
            process.kill()
            process.wait()

    def kill(self) -> None:
        """End it at once, wherever it is: kill -9."""
        process = self._ended()
        process.kill()
        process.wait()

    def key(self, role: Role = Role.ADMIN) -> AccessKey:
        """Make an access key in its database."""
        database = open_database(Config(data=self.data, database_url=self._database_url))
        try:
            return create_access_key(database, role=role, comment="of a test", clock=SystemClock(), ids=SystemIds())
        finally:
            database.close()

    @property
    def _database_url(self) -> str | None:
        return dict(zip(self._options[::2], self._options[1::2], strict=True)).get("--database-url")

    def _ended(self) -> "subprocess.Popen[str]":
        """Return the process, which is not to be used after this."""
        process, self._process = self._process, None
        assert process is not None, "it was started"
        assert process.stdout is not None, "it is a pipe"
        process.stdout.close()
        return process


class Plane:
    """A running control plane, and clients of it with an administrator's key."""

    def __init__(self, server: ServerProcess, home: Path) -> None:
        self.server = server
        self.home = home
        self.key = server.key()
        self.client = self.connect(self.key)

    @property
    def url(self) -> str:
        """Where it listens."""
        return self.server.url

    @property
    def ca_bundle(self) -> str | None:
        """The CA that signed for it, where it has one of its own."""
        path = self.server.data / "tls" / "ca.pem"
        return str(path) if path.exists() else None

    def connect(
        self, key: AccessKey, *, session_token: str | None = None, checks: bool = True, service: str = "ssm"
    ) -> Any:
        """Return boto3's own client with *key*, without its retries; unless it *checks*, it sends anything."""
        session = boto3.Session(key.access_key_id, key.secret_access_key, session_token, "us-east-1")
        session._session.register_component("data_loader", _MODELS)
        config = _SDK.merge(SdkConfig(parameter_validation=checks))
        return session.client(service, endpoint_url=self.url, config=config, verify=self.ca_bundle)

    @cached_property
    def unchecked(self) -> Any:
        """A client that leaves it to the server to check what it is given."""
        return self.connect(self.key, checks=False)

    def shell(self, key: AccessKey | None = None) -> Shell:
        """Return a shell with *key* in a credentials file, and the endpoint in the environment."""
        key = key or self.key
        file = write_credentials(
            self.home / f"{key.access_key_id}.credentials", key.access_key_id, key.secret_access_key
        )
        where = {"AWS_ENDPOINT_URL_SSM": self.url, "AWS_SHARED_CREDENTIALS_FILE": str(file)}
        if self.ca_bundle is not None:
            where["AWS_CA_BUNDLE"] = self.ca_bundle
        return Shell(environment(self.home, where))

    def activation(self, **members: Any) -> tuple[str, str]:
        """Create an activation, and return its id and code."""
        made = self.client.create_activation(**{"IamRole": "node", **members})
        return made["ActivationId"], made["ActivationCode"]


@contextmanager
def running_plane(folder: Path, *options: str, environ: Mapping[str, str] | None = None) -> Iterator[Plane]:
    """Run a control plane whose data is in *folder*."""
    with ServerProcess(folder / "data", *options, environ=environ) as server:
        yield Plane(server, folder)


def register(plane: Plane, activation: tuple[str, str], state: Path, environ: Mapping[str, str]) -> str:
    """Register this machine with the agent's own command, and return the id of the node."""
    options = ("--endpoint", plane.url, "--state", str(state), "--region", "us-east-1")
    named = ("--activation-id", activation[0], "--activation-code", activation[1])
    return run([*AGENT, "register", *options, *named], environ).out.strip()


@contextmanager
def running_agent(plane: Plane, state: Path, environ: Mapping[str, str]) -> Iterator[None]:
    """Run the agent whose registration is in *state*; it ends with this process, however that ends."""
    options = ("--endpoint", plane.url, "--state", str(state), "--stop-with-parent", "--reboot-command", "")
    with (state / "log").open("a") as log:
        process = subprocess.Popen(
            [*AGENT, "run", *options], env=dict(environ), stdin=subprocess.PIPE, stdout=log, stderr=log
        )
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(_STOP_S)
        finally:
            process.kill()
            process.wait()
            assert process.stdin is not None, "it is a pipe"
            process.stdin.close()


def until(look: Callable[[], T | None], what: str, *, within_s: float = 20.0) -> T:
    """Return the first thing that *look* finds: whatever is true."""
    ends_at = time.monotonic() + within_s
    while time.monotonic() < ends_at:
        found = look()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"{what} did not come within {within_s} s")


def all_pages(client: Any, operation: str, member: str, **members: Any) -> Sequence[Any]:
    """Return all that boto3's own paginator yields."""
    return [each for page in client.get_paginator(operation).paginate(**members) for each in page[member]]
