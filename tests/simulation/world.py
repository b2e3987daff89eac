"""A world from a seed: engine, operations and store are real; time, nodes, callers and misfortune are drawn."""

import heapq
import random
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from itertools import count, islice
from pathlib import Path
from typing import Any, Final

from sqlalchemy.exc import OperationalError
from tests.fakes.clock import CountingIds, FixedClock
from tests.simulation.callers import Callers
from tests.simulation.compliance import scanned
from tests.simulation.fleet import SimulatedNode
from tests.simulation.freezes import Freezes
from tests.simulation.hooks import Webhooks
from tests.simulation.law import Law
from tests.simulation.ledger import Ledger
from tests.simulation.misfortune import Misfortunes
from tests.simulation.plans import NIGHTS, RINGS, Plans
from tests.simulation.rules import Broken, Rule
from tests.simulation.server import Failures, OwnClock, PowerCut, Server
from tests.simulation.witness import Change, Kind, Witness

from patchwindow.domain import invocation
from patchwindow.domain.errors import AlreadyExists, NotFound
from patchwindow.domain.node import Node
from patchwindow.operations.call import Answer
from patchwindow.operations.tags import NODE
from patchwindow.ports import ENGINE
from patchwindow.store.database import Database
from patchwindow.store.work import Work

STEPS_MAX: Final = 400_000
"""A world in which more happens does not end."""
_TRACED: Final = 30
_SHOWN: Final = 300
"""So many characters of an event are told."""

_FULL_OF: Final = 10
"""One world of so many has associations and compliance; there engines look all the time, which makes it long."""

_Event = tuple[datetime, int, Callable[[], object]]


class World:
    """A heap of things to come, in true time; what servers take for the time is what their clocks show."""

    def __init__(self, seed: int, template: Path, path: Path) -> None:
        self.random = draw = random.Random(seed)
        self.is_full = seed % _FULL_OF == _FULL_OF - 1
        self.night = draw.choice(NIGHTS)
        self.now = self.night.starts_at
        """The true time."""
        self.clock = FixedClock(self.now)
        """What every server's clock shows, but for its own skew."""
        self.asked_at = self.now
        """What the clock of the server showed that was asked last."""
        self.ids = CountingIds()
        self._path = path
        self.trace: deque[tuple[datetime, datetime, object]] = deque(maxlen=_TRACED)
        self.witness = Witness(template, path)
        self.freezes = Freezes.drawn(seed, self.now)
        self.law = Law(self.witness, self.freezes)
        self.ledger = Ledger(self.law.checks)
        self.failures = Failures()
        self.nodes: dict[str, SimulatedNode] = {}
        self.misfortunes = Misfortunes(self)
        self.webhooks = Webhooks(self)
        self.servers = [self._new_server(number, f"sqlite:///{path}") for number in range(draw.choice([1, 1, 1, 2, 3]))]
        self._sequence = count()
        self._to_come: list[_Event] = []
        self._looks_at: dict[int, datetime] = {}
        self._lay_out()

    @property
    def up(self) -> list[Server]:
        """The servers that run."""
        return [server for server in self.servers if server.is_up]

    @property
    def is_reachable(self) -> bool:
        """Whether any server is up."""
        return any(server.is_up for server in self.servers)

    @property
    def node_ids(self) -> Sequence[str]:
        """The nodes that are there."""
        return [node.id for node in self.nodes.values() if not node.is_gone]

    def come(self, after_s: float, what: Callable[[], object]) -> None:
        """Let *what* happen after so many seconds."""
        self._come_at(self.now + timedelta(milliseconds=round(after_s * 1000)), what)

    def _come_at(self, at: datetime, what: Callable[[], object]) -> None:
        heapq.heappush(self._to_come, (at, next(self._sequence), what))

    def any_time_s(self, hours: int) -> float:
        """Return in how many seconds something happens: some time within so many hours, or just when a window opens or cuts off."""
        draw = self.random
        windows = [one.window for one in self.law.windows.values() if one.window is not None]
        if windows and draw.random() < 0.6:
            window = draw.choice(windows)
            for opening in islice(window.timing().openings(self.now), draw.randrange(3), None):
                at = opening if draw.random() < 0.7 else window.cutoff_at(opening)
                after_s = (at - self.now).total_seconds() + draw.choice([-1, 0, 0.004, 0.02, 1, 3, 10, 60])
                return min(max(after_s, 0), hours * 3600)
        return draw.uniform(0, hours * 3600)

    def run(self) -> None:
        """Let everything happen that ever will, and check the law after each.

        Raises:
            Broken: the law does not hold; the note says what happened before.
        """
        try:
            self._run()
        except BaseException as problem:
            problem.add_note(self.told())
            raise

    def _run(self) -> None:
        self._look_soon()
        for number in count():
            if not self._to_come:
                break
            self.law.checks.hold(Rule.EVERYTHING_ENDS, number < STEPS_MAX, "this world does not end")
            at, _, what = heapq.heappop(self._to_come)
            self.clock.advance(at - self.now)
            self.now = at
            what()
        said = {(id, node.id): states for node in self.nodes.values() for id, states in node.said.items()}
        self.law.conclude(said)
        with self.misfortunes.none():
            self.ledger.check(next(server for server in self.servers if server.is_up).perform)

    def told(self) -> str:
        """Return the last things that happened, in words."""
        lines = [
            f"  {now:%d %H:%M:%S.%f} ({shown:%H:%M:%S}) {_words(what)[:_SHOWN]}" for now, shown, what in self.trace
        ]
        head = f"The last {len(lines)} things that happened, with the true time and what the clocks showed:"
        return "\n".join([head, *lines])

    def note(self, words: object) -> None:
        """Add to the trace."""
        self.trace.append((self.now, self.clock.now(), words))

    def close(self) -> None:
        """Give up what is open."""
        for server in self.servers:
            server.end()
        self.failures.close()
        self.witness.close()

    # What there is

    def _new_server(self, number: int, url: str) -> Server:
        skew = timedelta(milliseconds=self.random.choice([0, 0, 0, -1500, 40, 2000]) if number else 0)
        clock = OwnClock(self.clock, skew)
        return Server(number=number, url=url, clock=clock, ids=self.ids, misfortune=self.misfortunes.strike)

    def _lay_out(self) -> None:
        draw = self.random
        with self.misfortunes.none():
            for server in self.servers:
                server.start(partial(self._ring, server))
            node_count = draw.choice([1, 2, 3, 5, 8, 8, 13, 40])
            if draw.random() < 0.01:
                node_count = draw.choice([500, 1000, 1000, 2000, 3000])
            hours = draw.choice([1, 2, 3, 4]) if node_count < 40 else 2
            if node_count < 10 and draw.random() < 0.1:
                hours = 30
            self.add_nodes(node_count)
            self.webhooks.configure()
            if self.freezes.document is not None:
                self.ask("CreateDocument", **self.freezes.document)
            self.callers = Callers(self, Plans(self, self.night, hours))
            self.callers.begin(hours, is_large=node_count >= 40)
        self.misfortunes.plan(hours)

    def add_nodes(self, number: int) -> None:
        """Register new nodes; how a machine does that is no part of this world."""
        draw = self.random
        with self.open_database() as work:
            for _ in range(number):
                id = f"mi-{self.ids.hex(17)}"
                node = Node(
                    instance_id=id,
                    activation_id=self.ids.uuid(),
                    iam_role="service",
                    registration_date=self.clock.now(),
                    last_ping_date_time=self.clock.now(),
                    fingerprint="",
                    public_key="",
                    public_key_type="",
                )
                work.nodes.put(node, operating_system="DEBIAN", patch_group="")
                tags = {"ring": draw.choice(RINGS), **({"tier": "1"} if draw.random() < 0.5 else {})}
                work.tags.add(NODE, id, tags)
                is_silent, is_slow = draw.random() < 0.07, draw.random() < 0.1
                if self.is_full and draw.random() < 0.8:
                    scanned(work, id, draw, self.clock.now())
                self.nodes[id] = SimulatedNode(id, self, is_silent=is_silent, is_slow=is_slow)
        self._observe(self.clock.now())

    @contextmanager
    def open_database(self) -> Iterator[Work]:
        """Open a transaction to which nothing happens."""
        database = Database(self._path)
        with database.write() as work:
            yield work
        database.close()

    # Who asks, and is told

    def ask(self, operation: str, /, *caller: Any, **request: Any) -> Answer | None:
        """Return the answer of any server that is up; None where there was none, whatever was done."""
        up = self.up
        if not up:
            return None
        server = self.random.choice(up) if len(up) > 1 else up[0]
        answer, self.asked_at = None, server.clock.now()
        self.law.checks.count[Rule.ONLY_REFUSALS] += 1
        try:
            answer = server.perform(operation, *caller, **request)
        except PowerCut:
            self.lose(server, f"in {operation}")
        except (NotFound, AlreadyExists, OperationalError) as problem:
            self.note(f"{operation} was refused: {problem}")
        except Exception as problem:
            raise Broken(Rule.ONLY_REFUSALS, f"{operation} of {request} failed: {problem!r}") from problem
        self.observe(server)
        return answer

    def observe(self, server: Server) -> None:
        """Check what *server* did; other engines find what is due within a second."""
        # No note is made of what changes a baseline, and of what that marks.
        if self._observe(server.clock.now()) or self.is_full:
            self._look_soon()
            self.plan_calls()

    def handed(self, command_id: str, node_id: str) -> None:
        """Hear that the node was given the command."""
        self.law.handed(command_id, node_id, self.asked_at)

    def told_end(self, command_id: str, node_id: str) -> None:
        """Hear that a server took the node's last word on the command."""
        state = self.law.commands[command_id].nodes[node_id]
        kept = state in invocation.TERMINAL
        self.law.checks.hold(Rule.ANSWERED_IS_KEPT, kept, f"{node_id} ended {command_id}, which is {state}")

    # What servers do

    def look_again(self) -> None:
        """Let every engine look within a second, as it does whatever it waits for: clocks were set, or one began."""
        self._looks_at.clear()
        self._look_soon()
        self.webhooks.look_again()
        self.plan_calls()

    def _look_soon(self) -> None:
        for server in self.servers:
            self._plan_look(server, self.now + timedelta(milliseconds=self.random.randrange(1000)))

    def _ring(self, server: Server, name: str) -> None:
        self.misfortunes.strike_bell()
        if name == ENGINE:
            self._plan_look(server, self.now + timedelta(milliseconds=self.random.choice([1, 5, 250])))
        elif name in self.nodes:
            self.nodes[name].hear_bell()

    def _plan_look(self, server: Server, at: datetime) -> None:
        planned = self._looks_at.get(server.number)
        if server.is_up and not server.is_paused and (planned is None or at < planned):
            self._looks_at[server.number] = at
            self._come_at(at, partial(self._look, server, at))

    def _look(self, server: Server, at: datetime) -> None:
        if at != self._looks_at.get(server.number) or not server.is_up:
            return  # An earlier one was planned after this, or it has ended.
        del self._looks_at[server.number]
        self._work(server, is_slow=self.random.random() < self.misfortunes.slowness)

    def _work(self, server: Server, *, is_slow: bool) -> None:
        shown, refused_count = server.clock.now(), len(self.failures.heard)
        try:
            pause = server.look_slowly() if is_slow else server.look()
        except PowerCut:
            self._observe(shown)
            self.lose(server, "in a step")
            return
        self._observe(shown)
        self._check_failures(refused_count)
        if pause is None:
            delay_s = self.random.choice([0, 0.001, 0.01, 0.2, 1, 30])
            self.come(delay_s, partial(self._go_on, server, server.engine))
            return
        if pause > timedelta() and server.is_content and not is_slow:
            self.law.looked(shown)
        self._plan_next(server, pause)

    def _go_on(self, server: Server, engine: object) -> None:
        if server.is_paused and server.engine is engine:
            self._work(server, is_slow=True)

    def _plan_next(self, server: Server, pause: timedelta) -> None:
        """Plan the next look; of those that would find nothing, one a second, the world takes none."""
        self.plan_calls()
        due_at = self.witness.due_at()
        if due_at is not None:
            self._plan_look(server, max(self.now + pause, self.now + (due_at - server.clock.now())))

    def plan_calls(self) -> None:
        """Plan when a caller of webhooks looks next."""
        if (up := self.up) and (due_at := self.witness.call_due_at()) is not None:
            self.webhooks.plan(up[0], due_at)

    def _check_failures(self, known_count: int) -> None:
        for failure in self.failures.heard[known_count:]:
            self.note(f"an engine failed: {failure!r}")
            is_refusal = isinstance(failure, OperationalError)
            self.law.checks.hold(Rule.ONLY_REFUSALS, is_refusal, f"a step failed: {failure!r}")

    def lose(self, server: Server, where: str) -> None:
        """Let the process of a server that was cut off begin again some time."""
        self.end(server, where, for_s=self.random.choice([0.1, 1, 60, 1800]))

    def end(self, server: Server, where: str, *, for_s: float) -> None:
        """End the process of a server, and start it again later."""
        if not server.is_up:
            return
        self.note(f"server {server.number} ends {where}, for {for_s} s")
        self._looks_at.pop(server.number, None)
        server.end()
        self.come(for_s, partial(self._start, server))

    def _start(self, server: Server) -> None:
        self.note(f"server {server.number} starts")
        server.start(partial(self._ring, server))
        with self.misfortunes.none():
            self.ledger.check(server.perform)
        self._plan_look(server, self.now)
        self.plan_calls()
        # Their connections broke, so that they ask again.
        for node in self.nodes.values():
            node.hear_bell()

    def _observe(self, shown: datetime) -> list[Change]:
        changes = self.law.see(shown)
        for change in changes:
            self.note(change)
            if change.kind is Kind.NODE and not change.after:
                self.nodes[change.id].is_gone = True
        return changes


def _words(what: object) -> str:
    if not isinstance(what, Change):
        return str(what)
    whose = f" of {what.part_of}" if what.part_of not in ("", what.id) else ""
    return f"{what.kind} {what.id}{whose}: {what.before or 'new'} → {what.after or 'gone'} {what.body}"
