"""A world from a seed: engine, operations and store are real; time, nodes and misfortune are drawn."""

import heapq
import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, Final

from tests.engine.world import World as Installation
from tests.simulation.fleet import SimulatedNode
from tests.simulation.law import Law
from tests.simulation.witness import Witness

from patchwindow.domain import command
from patchwindow.engine.engine import Engine
from patchwindow.engine.open_window import open_window
from patchwindow.engine.perform_command import step_command
from patchwindow.engine.perform_window import step_execution
from patchwindow.ports import ENGINE
from patchwindow.store.database import Database
from patchwindow.store.work import Work

START: Final = datetime(2026, 1, 15, tzinfo=UTC)
RINGS: Final = ("a", "b", "c")
STEPS_MAX: Final = 20_000
"""A world in which more happens does not end."""


_Event = tuple[datetime, int, Callable[[], None]]


class PowerCut(BaseException):
    """The process of an engine ends in the middle of a step; nothing can catch it."""


class DoomedDatabase(Database):
    """The database of an engine whose process may end at any commit."""

    def __init__(self, url: str, draw: random.Random, chance: float) -> None:
        super().__init__(url)
        self._draw = draw
        self._chance = chance

    @contextmanager
    def write(self) -> Iterator[Work]:
        """Open a transaction."""
        with super().write() as work:
            yield work
            if self._draw.random() < self._chance:
                raise PowerCut


class World:
    """A heap of things to come; time jumps from one to the next."""

    def __init__(self, seed: int, template: Path, path: Path) -> None:
        self.random = draw = random.Random(seed)
        self.witness = Witness(template, path)
        self.here = Installation(f"sqlite:///{path}")
        self._pass_until(START)
        self.doomed = DoomedDatabase(f"sqlite:///{path}", draw, draw.choice([0, 0, 0.02]))
        for database in (self.here.database, self.doomed):
            database.on_wake(self._ring)
        self.engines = [self._new_engine() for _ in range(draw.choice([1, 1, 2]))]
        self.law = Law(self._selected)
        self.nodes: dict[str, SimulatedNode] = {}
        self.windows: list[str] = []
        self.untouched: dict[str, list[datetime]] = {}
        """The windows that nobody changes, with all their openings."""
        self._sequence = count()
        self._to_come: list[_Event] = []
        self._turn_at: datetime | None = None
        self._still_until = START
        self._lay_out()

    @property
    def now(self) -> datetime:
        """The present."""
        return self.here.clock.now()

    def come(self, after_s: float, what: Callable[[], None]) -> None:
        """Let *what* happen after so many seconds."""
        self._come_at(self.now + timedelta(milliseconds=round(after_s * 1000)), what)

    def _come_at(self, at: datetime, what: Callable[[], None]) -> None:
        heapq.heappush(self._to_come, (at, next(self._sequence), what))

    def run(self) -> None:
        """Let everything happen that ever will, and check the law after each."""
        self._plan_turn(self.now)
        for number in count():
            if not self._to_come:
                break
            assert number < STEPS_MAX, "this world does not end"
            at, _, what = heapq.heappop(self._to_come)
            self._pass_until(at)
            what()
            self._observe()
        said = {(id, node.id): states for node in self.nodes.values() for id, states in node.said.items()}
        self.law.conclude(self.witness, said)
        for window, openings in self.untouched.items():
            assert sorted(self.law.openings.get(window, ())) == openings

    def close(self) -> None:
        """Give up what is open."""
        self.here.close()
        self.doomed.close()
        self.witness.close()

    # What there is

    def _lay_out(self) -> None:
        draw = self.random
        node_count = draw.choice([1, 2, 3, 5, 8, 8, 13, 50])
        hours = 2 if node_count > 8 else draw.choice([2, 4, 6])
        for _ in range(node_count):
            self._add_node()
        for _ in range(1 if node_count > 8 else draw.choice([0, 1, 2, 2])):
            self._add_window(hours)
        for _ in range(draw.choice([0, 1, 2])):
            self.come(draw.uniform(0, hours * 3600), self._send)
        for _ in range(draw.choice([0, 1, 3, 5])):
            fault = draw.choice(
                [
                    self._cancel_command,
                    self._cancel_command,
                    self._cancel_execution,
                    self._deregister,
                    self._deregister,
                    self._change_window,
                    self._stand_still,
                    self._stand_still,
                    self._add_node,
                ]
            )
            self.come(draw.uniform(0, hours * 3600), fault)

    def _add_node(self) -> None:
        draw = self.random
        tags = {"ring": draw.choice(RINGS)}
        agent = self.here.node(**tags)
        is_silent, is_slow = draw.random() < 0.07, draw.random() < 0.1
        self.nodes[agent.id] = SimulatedNode(agent, self, tags, is_silent=is_silent, is_slow=is_slow)

    def _add_window(self, hours: int) -> None:
        draw = self.random
        duration = draw.choice([1, 1, 2, 3])
        begins_at = START + timedelta(minutes=draw.choice([1, 7, 30]))
        window = self.here.window(
            draw.choice(["rate(1 hour)", "rate(2 hours)", "cron(0 * * * ? *)", "at(2026-01-15T00:20:00)"]),
            Duration=duration,
            Cutoff=draw.randrange(duration),
            StartDate=begins_at.isoformat(),
            EndDate=(START + timedelta(hours=hours)).isoformat(),
        )
        targets = [self._add_target(window) for _ in range(draw.randint(1, 3))]
        for _ in range(draw.choice([0, 1, 2, 3, 4])):
            self._add_task(window, targets)
        self.windows.append(window)
        with self.here.database.read() as work:
            kept = work.windows.get(window)
            assert kept is not None
            self.untouched[window] = list(kept.timing().openings(START))

    def _add_target(self, window: str) -> str:
        draw = self.random
        if draw.random() < 0.3:
            ids = draw.sample(sorted(self.nodes), min(len(self.nodes), draw.randint(1, 5)))
            return self.here.target(window, "InstanceIds", *ids)
        return self.here.target(window, "tag:ring", *draw.sample(RINGS, draw.randint(1, 3)))

    def _add_task(self, window: str, targets: list[str]) -> None:
        draw = self.random
        kind: dict[str, Any] = {}
        if draw.random() < 0.05:
            kind = {"TaskType": "AUTOMATION", "TaskArn": "Restart", "TaskInvocationParameters": {}}
        self.here.task(
            window,
            *draw.sample(targets, draw.randint(1, len(targets))),
            Priority=draw.randint(0, 2),
            CutoffBehavior=draw.choice(["CONTINUE_TASK", "CANCEL_TASK"]),
            parameters=self._parameters() if draw.random() < 0.95 else {"Parameters": {"nonsense": ["1"]}},
            **self._limits(),
            **kind,
        )

    def _parameters(self) -> dict[str, Any]:
        timeout_s = self.random.choice(["60", "600", "3600"])
        return {
            "Parameters": {"commands": ["true"], "executionTimeout": [timeout_s]},
            "TimeoutSeconds": self.random.choice([30, 600, 3600]),
        }

    def _limits(self) -> dict[str, str]:
        return {
            "MaxConcurrency": self.random.choice(["1", "2", "5", "25%", "100%"]),
            "MaxErrors": self.random.choice(["0", "0", "1", "25%", "100%"]),
        }

    def _selected(self, made: Mapping[str, Any]) -> list[str]:
        """Return the nodes that a new command is for, by what this world knows of them."""
        there = [node for node in self.nodes.values() if not node.is_gone]
        if made["InstanceIds"]:
            return [node.id for node in there if node.id in made["InstanceIds"]]
        (target,) = made["Targets"]
        return [node.id for node in there if node.tags["ring"] in target["Values"]]

    # What happens

    def _ring(self, name: str) -> None:
        if name == ENGINE:
            self._plan_turn(self.now + timedelta(milliseconds=self.random.choice([1, 5, 500])))
        elif name in self.nodes:
            self.nodes[name].hear_bell()

    def _plan_turn(self, at: datetime) -> None:
        at = max(at, self._still_until)
        if self._turn_at is None or at < self._turn_at:
            self._turn_at = at
            self._come_at(at, partial(self._turn, at))

    def _turn(self, at: datetime) -> None:
        if at != self._turn_at:
            return  # An earlier one was planned after this.
        self._turn_at = None
        number = self.random.randrange(len(self.engines))
        try:
            next_at = self.engines[number].turn()
            self._observe()
            self.law.is_up_to_date(self.now)
            if self.random.random() < 0.05:
                self._take_stale_step(self.engines[number])
        except PowerCut:
            self.engines[number] = self._new_engine()
            next_at = self.now + timedelta(seconds=self.random.choice([0, 1, 60]))
        if next_at is not None:
            self._plan_turn(next_at)

    def _new_engine(self) -> Engine:
        return Engine(database=self.doomed, clock=self.here.clock, ids=self.here.ids)

    def _take_stale_step(self, engine: Engine) -> None:
        """Let an engine do what another has done since it looked."""
        things = [
            *((open_window, id) for id in self.windows),
            *((step_execution, id) for id in self.law.executions),
            *((step_command, id) for id in self.law.commands),
        ]
        if things:
            engine._take(*self.random.choice(things))

    def _send(self) -> None:
        there = [node.id for node in self.nodes.values() if not node.is_gone]
        if self.random.random() < 0.5 and there:
            to: dict[str, Any] = {"InstanceIds": self.random.sample(there, min(len(there), 5))}
        else:
            to = {"Targets": [{"Key": "tag:ring", "Values": [self.random.choice(RINGS)]}], "InstanceIds": None}
        self.here.send([], **{**to, **self._parameters(), **self._limits()})

    def _cancel_command(self) -> None:
        running = [id for id, one in self.law.commands.items() if one.state not in command.TERMINAL]
        if ids := running or sorted(self.law.commands):
            id = self.random.choice(ids)
            nodes = sorted(self.law.commands[id].nodes)
            some = self.random.sample(nodes, min(len(nodes), self.random.choice([0, 0, 1, 3])))
            self.here.perform("CancelCommand", CommandId=id, InstanceIds=some)

    def _cancel_execution(self) -> None:
        running = [id for id, one in self.law.executions.items() if not one.has_ended]
        if ids := running or sorted(self.law.executions):
            self.here.perform("CancelMaintenanceWindowExecution", WindowExecutionId=self.random.choice(ids))

    def _deregister(self) -> None:
        there = [node for node in self.nodes.values() if not node.is_gone]
        for gone in self.random.sample(there, min(len(there), self.random.choice([1, 1, 3]))):
            gone.is_gone = True
            self.here.perform("DeregisterManagedInstance", InstanceId=gone.id)

    def _change_window(self) -> None:
        if not self.windows:
            return
        window = self.windows[-1]
        match self.random.choice(["delete", "disable", "add"]):
            case "delete":
                self.windows.remove(window)
                self.untouched.pop(window, None)
                self.here.perform("DeleteMaintenanceWindow", WindowId=window)
            case "disable":
                self.untouched.pop(window, None)
                self.here.perform("UpdateMaintenanceWindow", WindowId=window, Enabled=False)
            case _:
                self._add_task(window, [self._add_target(window)])

    def _stand_still(self) -> None:
        """Let no engine run for a while."""
        self.law.stood_still = True
        self._still_until = self.now + timedelta(minutes=self.random.choice([1, 30, 60, 90, 200]))
        if self._turn_at is not None:
            at, self._turn_at = self._turn_at, None
            self._plan_turn(at)

    def _observe(self) -> None:
        self.law.see(list(self.witness.new()), self.now)

    def _pass_until(self, at: datetime) -> None:
        self.here.clock.advance(at - self.now)
