"""What a patch operation says to its server, below the capability URL of its command (docs/facts.md)."""

import gzip
import json
import time
from typing import Any, Callable, Mapping, NamedTuple, Optional, Sequence
from urllib.parse import quote

from patchwindow_agent.connection import Connection, parse_endpoint
from patchwindow_agent.errors import CommandOver, Refused, Unreachable, Unusable
from patchwindow_agent.package_manager import Blocked, Phase, Source, Wanted
from patchwindow_agent.way import way_to

SCHEMA = 1
_TIMEOUT_S = 60.0
# After a reboot the network may come up late, and a server may be down for a while; an installation is worth waiting.
_PATIENCE_S = 900.0
_PAUSE_MIN_S = 1.0
_PAUSE_MAX_S = 30.0
_PROGRESS_TIMEOUT_S = 5.0
_PROGRESS_EVERY_S = 1.0
# A server that does not take progress must not slow down what makes it.
_PROGRESS_REST_S = 60.0
# The server, or something before it, cannot answer just now.
_PASSING = frozenset({429, 500, 502, 503, 504})
# The command may change nothing more.
_OVER = 410


class Task(NamedTuple):
    """What the server wants of this node."""

    operation: str
    may_reboot: bool
    command_id: str
    node_id: str
    # Which part of the command it is, where a command has several; empty otherwise.
    part: str = ""
    sources: Sequence[Source] = ()
    may_remove: bool = False
    # Why the command may change nothing more on this node; empty while it may.
    over: str = ""


class Plan(NamedTuple):
    """What the server decided on, from the facts of this node."""

    wanted: Sequence[Wanted]
    blocked: Sequence[Blocked]
    # Approved patches that cannot be, and why, by title.
    failed: Mapping[str, str]


class Capability:
    """The server, as one operation sees it."""

    def __init__(
        self,
        url: str,
        *,
        environ: Mapping[str, str],
        part: str = "",
        patience_s: float = _PATIENCE_S,
        sleep: Callable[[float], None] = time.sleep,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        """Speak below *url*, of one *part* of the command where it has several."""
        endpoint = parse_endpoint(url)
        self._query = f"?part={quote(part)}" if part else ""
        way = way_to(endpoint.host, is_tls=endpoint.is_tls, environ=environ)
        self._connection = Connection(endpoint, timeout_s=_TIMEOUT_S, way=way)
        # Apart, since it must not wait for long.
        self._progress = Connection(endpoint, timeout_s=_PROGRESS_TIMEOUT_S, way=way)
        self._patience_s = patience_s
        self._sleep = sleep
        self._steady = steady
        self._tell_at = float("-inf")
        self._rests_until = float("-inf")
        self._phase: Optional[Phase] = None
        self._over = ""
        # On the clock that never jumps.
        self._ends_at = float("inf")

    def close(self) -> None:
        """Close the connections."""
        self._connection.close()
        self._progress.close()

    def task(self, *, is_under_way: bool) -> Task:
        """Return what is to be done; where an installation *is_under_way*, the server is waited for.

        Raises:
            Unreachable, Refused: the server did not say.
            Unusable: it said what this program does not know.
        """
        order = self._patiently("GET", "order") if is_under_way else self._ask(self._connection, "GET", "order")
        if order.get("schema") != SCHEMA:
            raise Unusable(f"the order has schema {order.get('schema')}; this patch operation reads schema {SCHEMA}")
        operation = str(order.get("operation"))
        if operation not in ("Scan", "Install", "Nothing"):
            raise Unusable(f"the order is to {operation}; this patch operation can Scan and Install")
        self._heed(order)
        sources = [Source(str(one["name"]), str(one["configuration"])) for one in order.get("sources") or ()]
        return Task(
            operation=operation,
            may_reboot=operation == "Install" and order.get("rebootOption") == "RebootIfNeeded",
            command_id=str(order.get("commandId")),
            node_id=str(order.get("nodeId")),
            part=str(order.get("part") or ""),
            sources=sources,
            may_remove=order.get("mayRemove") is True,
            over=self._over,
        )

    def why_over(self) -> str:
        """Return why nothing more may be begun; empty while it may.

        A server that cannot be asked has said before how long there is; nobody waits for it.
        """
        try:
            self._heed(self._ask(self._connection, "GET", "order"))
        except Unreachable:
            pass
        except Refused as refusal:
            if refusal.status not in _PASSING:
                self._over = str(refusal)
        if not self._over and self._steady() >= self._ends_at:
            self._over = "the time of the command has ended, and its server cannot be asked"
        return self._over

    def plan(self, facts: Mapping[str, Any]) -> Plan:
        """Return what is to be installed on a node with *facts*.

        Raises:
            CommandOver: nothing more is.
            Unreachable, Refused: the server did not say.
            Unusable: it said what this program does not know.
        """
        try:
            told = self._patiently("POST", "plan", {"schema": SCHEMA, "facts": facts})
        except Refused as refusal:
            if refusal.status == _OVER:
                raise CommandOver(self.why_over() or str(refusal)) from refusal
            raise
        try:
            wanted = [
                Wanted(one["title"], one["name"], one["arch"], one["version"], tuple(one.get("advisories") or ()))
                for one in told["wanted"]
            ]
            blocked = [Blocked(one["name"], one["arch"], one.get("version", "")) for one in told["blocked"]]
            return Plan(wanted, blocked, dict(told["failed"]))
        except (KeyError, TypeError, ValueError) as problem:
            raise Unusable(f"the server's plan cannot be read: {problem!r}") from problem

    def report(self, report: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the server's verdict on *report*.

        Raises:
            Unreachable, Refused: the server did not take it.
        """
        return self._patiently("POST", "report", report)

    def tell(self, phase: Phase, done: int, total: int, what: str) -> None:
        """Tell how far the operation is: at each change of phase, else once a second at most, and never in earnest."""
        now = self._steady()
        if now < self._rests_until or (phase is self._phase and now < self._tell_at):
            return
        self._phase, self._tell_at = phase, now + _PROGRESS_EVERY_S
        told = {"schema": SCHEMA, "phase": phase.value, "done": done, "total": total, "what": what}
        try:
            self._ask(self._progress, "POST", "progress", told)
        except (Unreachable, Refused):
            self._rests_until = now + _PROGRESS_REST_S

    def _heed(self, order: Mapping[str, Any]) -> None:
        """Note whether the command is over, and when it will be."""
        self._over = str(order.get("over") or "")
        self._ends_at = self._steady() + float(order.get("secondsLeft", "inf"))

    def _patiently(self, method: str, name: str, body: Optional[Mapping[str, Any]] = None) -> Mapping[str, Any]:
        """Return the server's answer, asked for again while it cannot be reached; what it refuses stays refused."""
        gives_up_at = self._steady() + self._patience_s
        pause_s = _PAUSE_MIN_S
        while True:
            try:
                return self._ask(self._connection, method, name, body)
            except (Unreachable, Refused) as problem:
                is_final = isinstance(problem, Refused) and problem.status not in _PASSING
                if is_final or self._steady() + pause_s > gives_up_at:
                    raise
            self._sleep(pause_s)
            pause_s = min(pause_s * 2, _PAUSE_MAX_S)

    def _ask(
        self, connection: Connection, method: str, name: str, body: Optional[Mapping[str, Any]] = None
    ) -> Mapping[str, Any]:
        """Return what the server answers below the URL of *connection*."""
        headers = {"Accept": "application/json"}
        content = None
        if body is not None:
            headers |= {"Content-Type": "application/json", "Content-Encoding": "gzip"}
            content = gzip.compress(json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode(), 6)
        path = f"{connection.endpoint.path.rstrip('/')}/{name}{self._query}"
        answer = connection.request(method, path, headers=headers, body=content)
        try:
            told = json.loads(answer.body)
        except ValueError:
            told = None
        if answer.status == 200 and isinstance(told, dict):
            return told
        message = f"{_reason(told)} (HTTP {answer.status})"
        raise Refused(f"{connection.endpoint.host_header} refused the {name}", message, status=answer.status)


def _reason(told: Any) -> str:
    said = told.get("error") if isinstance(told, dict) else None
    return str(said) if said else "without a reason"
