"""The agent at work: it polls for messages, runs commands, sends replies and signs of life, until it is told to stop."""

import contextlib
import os
import random
import select
import signal
import subprocess
import sys
import threading
import time
import traceback
import uuid
from pathlib import Path
from typing import Any, Callable, Mapping, NamedTuple, Optional, Sequence

from patchwindow_agent import contact, files, identity, machine, shell
from patchwindow_agent.connection import Connection, Endpoint
from patchwindow_agent.errors import AgentError, Asleep, NotTaken, StateProblem, Unreachable
from patchwindow_agent.inbox import Inbox
from patchwindow_agent.journal import Journal
from patchwindow_agent.node_key import NodeKey
from patchwindow_agent.outbox import Outbox
from patchwindow_agent.pool import Pool
from patchwindow_agent.runner import Node, Runner
from patchwindow_agent.session import Session
from patchwindow_agent.settings import AT_ONCE
from patchwindow_agent.sigv4 import Key
from patchwindow_agent.streams import Streams
from patchwindow_agent.update import Updater, trial
from patchwindow_agent.upkeep import Upkeep
from patchwindow_agent.way import way_to

_PING_EVERY_S = 300.0
_POLL_S = 50
_TIMEOUT_S = 30.0
_PAUSE_MAX_S = 60.0
# About five minutes: after a reboot the network may come up late.
_DOCUMENT_TRIES = 10
_LAST_WORDS_S = 3.0
_STREAM_EVERY_S = 1.0


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


def pause_s(failure_count: int, chance: Callable[[float, float], float]) -> float:
    """Return how long to wait after so many failures in a row.

    Longer each time, a minute at most, and by chance, so that a fleet does not come back all at once.
    """
    return min(2.0 ** min(failure_count, 10), _PAUSE_MAX_S) * chance(0.5, 1.0)


class Agent:
    """One node's agent: one thread polls, one sends, one streams, and each running command has its own."""

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
        self._chance = chance
        self._identity = identity.load(start.state)
        self._stopping = threading.Event()
        self._ping_at = float("-inf")
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
        self._sender = threading.Thread(target=self._send_forever, daemon=True)
        self._streamer = threading.Thread(target=self._stream_forever, daemon=True)

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
        self._sender.start()
        self._streamer.start()
        threading.Thread(target=self._poll_forever, daemon=True).start()
        log(f"running as {self._identity.node_id} with {self._given.endpoint.host_header}")

    def try_out(self) -> None:
        """Speak with the server once, as this node, and do nothing else.

        Raises:
            AgentError: it cannot be done.
        """
        with contextlib.closing(self._connection(_TIMEOUT_S)) as connection:
            body = {"InstanceId": self._identity.node_id}
            self._session.call(connection, "ssm", "ListInstanceAssociations", body)

    def stop(self) -> None:
        """End what runs, tell the server if that is quick, and leave the rest on disk."""
        # First, so that what the commands come to is among the last words of the sender.
        self._pool.stop()
        self._stopping.set()
        self._outbox.filled.set()
        self._streams.filled.set()
        self._sender.join(_LAST_WORDS_S)
        self._streamer.join(_LAST_WORDS_S)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _poll_forever(self) -> None:
        with contextlib.closing(self._connection(_POLL_S + 25)) as connection:
            self._poll_over(connection)

    def _poll_over(self, connection: Connection) -> None:
        def call(operation: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
            return self._session.call(connection, "ec2messages", operation, body)

        inbox = Inbox(journal=self._journal, pool=self._pool, call=call, log=log)

        def poll() -> None:
            began_at = time.monotonic()
            body = {
                "Destination": self._identity.node_id,
                "MessagesRequestId": str(uuid.uuid4()),
                "VisibilityTimeoutInSeconds": 10,
                # Unknown to other servers, which answer after their own time.
                "WaitSeconds": _POLL_S,
            }
            messages = call("GetMessages", body).get("Messages") or ()
            for message in messages:
                inbox.take(message)
            if not messages and time.monotonic() - began_at < 1.0:
                # A server that does not hold requests must not be asked without a pause.
                self._stopping.wait(self._chance(2.0, 2.5))

        self._repeat(poll)

    def _send_forever(self) -> None:
        # Apart from the polling one, which is busy for most of a minute at a time.
        with contextlib.closing(self._connection(_TIMEOUT_S)) as connection:
            self._send_over(connection)

    def _send_over(self, connection: Connection) -> None:
        def flush() -> None:
            self._outbox.filled.clear()
            self._outbox.flush(lambda told: self._session.call(connection, "ec2messages", "SendReply", told))

        def send() -> None:
            self._ping_if_due(connection)
            flush()
            # A stop that came before the flush has set what the flush cleared.
            if not self._stopping.is_set():
                self._outbox.filled.wait(max(self._ping_at - time.monotonic(), 0.0))

        self._repeat(send)
        with contextlib.suppress(AgentError):
            flush()

    def _stream_forever(self) -> None:
        # Apart from the one that sends: the end of a command does not wait for megabytes of output.
        with contextlib.closing(self._connection(_TIMEOUT_S)) as connection:
            self._stream_over(connection)

    def _stream_over(self, connection: Connection) -> None:
        def flush() -> bool:
            self._streams.filled.clear()
            return self._streams.flush(
                lambda told: self._session.call(connection, "ec2messages", "PutStepOutput", told)
            )

        def stream() -> None:
            more_may_come = flush()
            if not self._stopping.is_set():
                # Without a step that runs, nothing is written of which nobody says so.
                self._streams.filled.wait(_STREAM_EVERY_S if more_may_come else None)

        self._repeat(stream)
        with contextlib.suppress(AgentError):
            flush()

    def _ping_if_due(self, connection: Connection) -> None:
        if time.monotonic() < self._ping_at:
            return
        if self._ping_at == float("-inf"):
            body = machine.short_ping(self._identity)
            self._session.call(connection, "ssm", "UpdateInstanceInformation", body)
        body = machine.full_ping(self._identity, connection.peer)
        told = self._session.call(connection, "ssm", "UpdateInstanceInformation", body)
        contact.note(self._given.state)
        self._ping_at = time.monotonic() + _PING_EVERY_S
        self._upkeep.turn(str(told.get("ProgramDigest") or ""), lambda: self._fetch_program(connection))

    def _fetch_program(self, connection: Connection) -> bytes:
        path = f"{connection.endpoint.path.rstrip('/')}/agent/agent.pyz"
        answer = connection.request("GET", path, headers={"Host": connection.endpoint.host_header})
        if answer.status != 200:
            raise NotTaken(f"the server did not send its program: HTTP {answer.status}")
        return answer.body

    def _connection(self, timeout_s: float) -> Connection:
        return Connection(self._given.endpoint, timeout_s=timeout_s, way=self._way)

    def _repeat(self, turn: Callable[[], None]) -> None:
        """Do *turn* again and again until the agent stops, with pauses while it fails."""
        failure_count = 0
        while not self._stopping.is_set():
            try:
                turn()
            except AgentError as problem:
                failure_count += 1
                wait_s = problem.retry_after_s if isinstance(problem, Asleep) else pause_s(failure_count, self._chance)
                log(f"{problem}; trying again in {wait_s:.0f} s")
                self._stopping.wait(wait_s)
            except Exception:  # noqa: BLE001 - one bad answer must not silence the node for good
                failure_count += 1
                log(traceback.format_exc())
                self._stopping.wait(pause_s(failure_count, self._chance))
            else:
                failure_count = 0

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
        with contextlib.closing(self._connection(_TIMEOUT_S)) as connection:
            for attempt in range(_DOCUMENT_TRIES):
                try:
                    asked = {"Name": name, "DocumentFormat": "JSON"}
                    return str(self._session.call(connection, "ssm", "GetDocument", asked)["Content"])
                except Unreachable:
                    if attempt == _DOCUMENT_TRIES - 1:
                        raise
                self._stopping.wait(pause_s(attempt, self._chance))
        raise AssertionError("the last attempt returns or raises")

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
        if not self._stopping.is_set():
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


def log(message: str) -> None:
    """Say *message* to whoever keeps the agent's log; a log on a full disk must not be what ends the agent."""
    with contextlib.suppress(OSError):
        print(f"patchwindow-agent: {message}", file=sys.stderr, flush=True)


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
