"""The agent at work: what it consists of, from its start until it is told to stop."""

import contextlib
import os
import random
import select
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path
from typing import Callable, Mapping, NamedTuple, Optional, Sequence

from patchwindow_agent import files, identity, machine, shell
from patchwindow_agent.connection import Connection, Endpoint
from patchwindow_agent.errors import AgentError, StateProblem, Unreachable
from patchwindow_agent.journal import Journal
from patchwindow_agent.node_key import NodeKey
from patchwindow_agent.outbox import Outbox
from patchwindow_agent.pool import Pool
from patchwindow_agent.results import Status, reply
from patchwindow_agent.runner import Node, Runner
from patchwindow_agent.session import Session
from patchwindow_agent.settings import AT_ONCE
from patchwindow_agent.sigv4 import Key
from patchwindow_agent.streams import Streams
from patchwindow_agent.talk import TIMEOUT_S, Talk
from patchwindow_agent.turns import Turns, log
from patchwindow_agent.update import Updater, trial
from patchwindow_agent.upkeep import Upkeep
from patchwindow_agent.way import way_to

# About five minutes: after a reboot the network may come up late.
_DOCUMENT_TRIES = 10


class Start(NamedTuple):
    """What the agent is started with."""

    endpoint: Endpoint
    state: Path
    # Empty: this agent never reboots the machine.
    reboot_command: Sequence[str]
    # What the scripts of commands inherit; it also says how the server is reached.
    environ: Mapping[str, str]
    # How many commands may run at once.
    at_once: int = AT_ONCE
    # The program that keeps up with the server's; None: it stays as it is.
    program: Optional[Path] = None


class Agent:
    """One node's agent: three threads talk to the server, and each running command has its own."""

    def __init__(
        self,
        start: Start,
        *,
        chance: Callable[[float, float], float] = random.uniform,
        boot_id: Callable[[], str] = machine.boot_id,
    ) -> None:
        self._given = start
        self._boot_id = boot_id()
        endpoint = start.endpoint
        self._way = way_to(endpoint.host, is_tls=endpoint.is_tls, environ=start.environ)
        self._identity = identity.load(start.state)
        self._turns = Turns(chance)
        self._lock: Optional[int] = None
        self._journal = Journal(start.state / "commands")
        self._outbox = Outbox(start.state / "replies", log=log)
        self._session = Session(self._identity, on_token=self._keep_credentials)
        self._streams = Streams(start.state / "output", node_id=self._identity.node_id)
        self._runner = Runner(
            node=self._node(),
            journal=self._journal,
            outbox=self._outbox,
            streams=self._streams,
            shell=shell.run,
            document=self._document,
            why_over=self._why_over,
        )
        self._pool = Pool(self._runner, at_once=start.at_once, reboot=self._reboot, log=log)
        updater = None
        if start.program is not None:
            updater = Updater(start.program, try_out=trial(start.state, start.environ))
        self._upkeep = Upkeep(
            journal=self._journal,
            pool=self._pool,
            runner=self._runner,
            updater=updater,
            become=self._become,
            environ=start.environ,
            boot_id=self._boot_id,
            log=log,
        )
        self._talk = Talk(
            state=start.state,
            session=self._session,
            connect=self._connection,
            turns=self._turns,
            journal=self._journal,
            pool=self._pool,
            outbox=self._outbox,
            streams=self._streams,
            upkeep=self._upkeep,
        )

    def start(self) -> None:
        """Take up what an earlier run left, then begin to talk to the server.

        Raises:
            StateProblem: the state folder cannot be used, or another agent uses it.
        """
        self._lock = files.lock(self._given.state / "lock")
        if self._lock is None:
            raise StateProblem(f"another agent runs with the state folder {self._given.state}")
        self._session.node_key = NodeKey(self._identity, self._given.state)
        self._upkeep.begin()
        self._talk.start()
        log(f"running as {self._identity.node_id} with {self._given.endpoint.host_header}")

    def try_out(self) -> None:
        """Speak with the server once, as this node, and do nothing else.

        Raises:
            AgentError: it cannot be done.
        """
        with contextlib.closing(self._connection(TIMEOUT_S)) as connection:
            body = {"InstanceId": self._identity.node_id}
            self._session.call(connection, "ssm", "ListInstanceAssociations", body)

    def stop(self) -> None:
        """End what runs, tell the server if that is quick, and leave the rest on disk."""
        # First, so that what the commands come to is among the last words of the sender.
        self._pool.stop()
        self._turns.stopping.set()
        self._talk.stop()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _connection(self, timeout_s: float) -> Connection:
        return Connection(self._given.endpoint, timeout_s=timeout_s, way=self._way)

    def _node(self) -> Node:
        system = machine.read_system(Path("/"))
        environ = {
            **self._given.environ,
            "AWS_SSM_INSTANCE_ID": self._identity.node_id,
            "AWS_SSM_REGION_NAME": self._identity.region,
            "AWS_SSM_PLATFORM_NAME": system.name,
            "AWS_SSM_PLATFORM_VERSION": system.version_id,
            "AWS_SHARED_CREDENTIALS_FILE": str(self._given.state / "credentials"),
        }
        return Node(machine.platform_type(), environ, bool(self._given.reboot_command), self._boot_id)

    def _document(self, name: str) -> str:
        """Return the content of the document *name*; a server that is away for a while is asked again.

        Raises:
            Unreachable, Refused: it does not give it.
        """
        with contextlib.closing(self._connection(TIMEOUT_S)) as connection:
            for attempt in range(_DOCUMENT_TRIES):
                try:
                    asked = {"Name": name, "DocumentFormat": "JSON"}
                    return str(self._session.call(connection, "ssm", "GetDocument", asked)["Content"])
                except Unreachable:
                    if attempt == _DOCUMENT_TRIES - 1:
                        raise
                self._turns.pause(attempt)
        raise AssertionError("the last attempt returns or raises")

    def _why_over(self, message_id: str) -> str:
        """Return why the server says that the command may begin nothing more; wait until it says something."""
        with contextlib.closing(self._connection(TIMEOUT_S)) as connection:
            failure_count = 0
            while not self._turns.stopping.is_set():
                told = {
                    "MessageId": message_id,
                    "Payload": reply(Status.IN_PROGRESS, at=time.time()),
                    "ReplyId": str(uuid.uuid4()),
                }
                try:
                    answer = self._session.call(connection, "ec2messages", "SendReply", told)
                except AgentError as problem:
                    failure_count += 1
                    log(f"cannot ask whether {message_id} may still begin: {problem}")
                    self._turns.pause(failure_count)
                else:
                    return str(answer.get("Over") or "")
        return ""

    def _keep_credentials(self, key: Key) -> None:
        # Scripts may call the server's API as this node.
        lines = [
            "[default]",
            f"aws_access_key_id = {key.id}",
            f"aws_secret_access_key = {key.secret}",
            f"aws_session_token = {key.session_token}",
        ]
        files.write(self._given.state / "credentials", "\n".join(lines) + "\n")

    def _become(self, program: Path) -> None:
        """Let this process go on as *program*, under its own id and with its own arguments; not while it is to end."""
        if not self._turns.stopping.is_set():
            os.execv(sys.executable, [sys.executable, "-I", str(program), *sys.argv[1:]])  # noqa: S606 - no shell is the point

    def _reboot(self) -> None:
        command = list(self._given.reboot_command)
        log(f"a command asked for a reboot: {' '.join(command)}")
        try:
            subprocess.run(command, stdin=subprocess.DEVNULL, check=True)
        except (OSError, subprocess.CalledProcessError) as problem:
            self._upkeep.no_reboot(f"`{' '.join(command)}` failed: {problem}")
            return
        try:
            self._journal.note_reboot_asked()
        except StateProblem as problem:
            # Only who starts again in this boot would read it.
            log(str(problem))


def run(start: Start, *, stops_with_parent: bool) -> None:
    """Run the agent until SIGTERM or SIGINT, or with *stops_with_parent* until standard input ends.

    Raises:
        StateProblem: the state folder holds no registration or cannot be used.
    """
    reader, writer = os.pipe()
    # A handler may interrupt any line of this thread, so it takes no lock: it writes a byte.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: os.write(writer, b"x"))
    agent = Agent(start)
    agent.start()
    sources = [reader, 0] if stops_with_parent else [reader]
    while True:
        ready, _, _ = select.select(sources, [], [])
        # The parent says nothing; its end of the pipe closes when it ends, however it ends.
        if reader in ready or not os.read(0, 4096):
            break
    agent.stop()
