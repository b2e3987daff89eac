"""What an agent says to its server, and hears of it, on three lines: messages, replies with signs of life, and output."""

import contextlib
import threading
import time
import uuid
from pathlib import Path
from typing import Any, Callable, Mapping

from patchwindow_agent import contact, machine
from patchwindow_agent.connection import Connection
from patchwindow_agent.errors import AgentError, NotTaken
from patchwindow_agent.inbox import Inbox
from patchwindow_agent.journal import Journal
from patchwindow_agent.outbox import Outbox
from patchwindow_agent.pool import Pool
from patchwindow_agent.session import Session
from patchwindow_agent.streams import Streams
from patchwindow_agent.turns import Turns, log
from patchwindow_agent.upkeep import Upkeep

TIMEOUT_S = 30.0
_PING_EVERY_S = 300.0
_POLL_S = 50
_LAST_WORDS_S = 3.0
_STREAM_EVERY_S = 1.0


class Talk:
    """Three threads, each with a connection of its own."""

    def __init__(
        self,
        *,
        state: Path,
        session: Session,
        connect: Callable[[float], Connection],
        turns: Turns,
        journal: Journal,
        pool: Pool,
        outbox: Outbox,
        streams: Streams,
        upkeep: Upkeep,
    ) -> None:
        """Talk by connections that *connect* makes, each with its timeout in seconds."""
        self._state = state
        self._session = session
        self._identity = session.identity
        self._connection = connect
        self._turns = turns
        self._journal = journal
        self._pool = pool
        self._outbox = outbox
        self._streams = streams
        self._upkeep = upkeep
        self._ping_at = float("-inf")
        self._sender = threading.Thread(target=self._send_forever, daemon=True)
        self._streamer = threading.Thread(target=self._stream_forever, daemon=True)

    def start(self) -> None:
        """Begin to talk."""
        self._sender.start()
        self._streamer.start()
        threading.Thread(target=self._poll_forever, daemon=True).start()

    def stop(self) -> None:
        """Say what can be said quickly, once the turns are over."""
        self._outbox.filled.set()
        self._streams.filled.set()
        self._sender.join(_LAST_WORDS_S)
        self._streamer.join(_LAST_WORDS_S)

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
                self._turns.stopping.wait(self._turns.chance(2.0, 2.5))

        self._turns.repeat(poll)

    def _send_forever(self) -> None:
        # Apart from the polling one, which is busy for most of a minute at a time.
        with contextlib.closing(self._connection(TIMEOUT_S)) as connection:
            self._send_over(connection)

    def _send_over(self, connection: Connection) -> None:
        def flush() -> None:
            self._outbox.filled.clear()
            self._outbox.flush(lambda told: self._session.call(connection, "ec2messages", "SendReply", told))

        def send() -> None:
            self._ping_if_due(connection)
            flush()
            # A stop that came before the flush has set what the flush cleared.
            if not self._turns.stopping.is_set():
                self._outbox.filled.wait(max(self._ping_at - time.monotonic(), 0.0))

        self._turns.repeat(send)
        with contextlib.suppress(AgentError):
            flush()

    def _stream_forever(self) -> None:
        # Apart from the one that sends: the end of a command does not wait for megabytes of output.
        with contextlib.closing(self._connection(TIMEOUT_S)) as connection:
            self._stream_over(connection)

    def _stream_over(self, connection: Connection) -> None:
        def flush() -> bool:
            self._streams.filled.clear()
            return self._streams.flush(
                lambda told: self._session.call(connection, "ec2messages", "PutStepOutput", told)
            )

        def stream() -> None:
            more_may_come = flush()
            if not self._turns.stopping.is_set():
                # Without a step that runs, nothing is written of which nobody says so.
                self._streams.filled.wait(_STREAM_EVERY_S if more_may_come else None)

        self._turns.repeat(stream)
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
        contact.note(self._state)
        self._ping_at = time.monotonic() + _PING_EVERY_S
        self._upkeep.turn(str(told.get("ProgramDigest") or ""), lambda: self._fetch_program(connection))

    def _fetch_program(self, connection: Connection) -> bytes:
        path = f"{connection.endpoint.path.rstrip('/')}/agent/agent.pyz"
        answer = connection.request("GET", path, headers={"Host": connection.endpoint.host_header})
        if answer.status != 200:
            raise NotTaken(f"the server did not send its program: HTTP {answer.status}")
        return answer.body
