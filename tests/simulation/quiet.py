"""A quiet world from a seed: weeks of openings with the real engine, on nodes that answer at once and install.

Nothing goes wrong and nothing changes, so what a forecast says at its beginning must be exactly what happens in it.
"""

import heapq
import json
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from typing import Any, Final

from tests.engine.agent import STEP, Agent, step
from tests.engine.scanning import GROUP, NODE, patches, prepare
from tests.engine.world import World
from tests.fakes.calendars import calendar
from tests.fakes.site import as_node
from tests.simulation.images import NAMES, image
from tests.simulation.patching import Facts, PatchedMachine

from patchwindow.operations.call import Answer, Call

WEEKS: Final = 2
STARTS_AT: Final = datetime(2026, 1, 15, 14, 0, tzinfo=UTC)
LASTS_S: Final = {"Install": 1207, "Scan": 133, "Other": 61}
"""How long operations last here: of so many one after another none ends just at a cutoff."""
_RINGS: Final = "abc"
_PLATFORM: Final = {
    "PlatformType": "Linux",
    "PlatformName": "Red Hat Enterprise Linux",
    "PlatformVersion": "9.3",
}
_DAYS: Final = timedelta(days=1)
_OVER: Final = {"Installed", "InstalledOther", "InstalledPendingReboot", "InstalledRejected"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What one operation came to, as the server shows it afterwards."""

    node_id: str
    window_id: str
    opens_at: datetime
    operation: str
    begun_at: datetime
    ended_at: datetime
    installed: frozenset[str] = frozenset()
    missing: frozenset[str] = frozenset()
    waiting: frozenset[str] = frozenset()
    has_rebooted: bool = False


@dataclass(slots=True)
class _Machine:
    """A node with its agent: what it works on, and what waits for that."""

    agent: Agent
    machine: PatchedMachine
    ring: str
    queue: deque[tuple[str, str]] = field(default_factory=deque)
    at_work: str = ""
    was_scanned: bool = False


class QuietWorld:
    """A heap of operations that end; between them the engine does what is due, until it has nothing left."""

    def __init__(self, seed: int, url: str) -> None:
        self._draw: Final = random.Random(seed)
        self.world: Final = World(url)
        self._rung: Final[set[str]] = set()
        self.world.database.on_wake(self._rung.add)
        self._ends: Final[list[tuple[datetime, int, Callable[[], None]]]] = []
        self._sequence: Final = count()
        self.nodes: Final[dict[str, _Machine]] = {}
        self.done: Final[list[Done]] = []
        self.window_ids: Final[list[str]] = []
        prepare(self.world)
        self._lay_out()

    @property
    def until(self) -> datetime:
        """Return the end of what is forecast."""
        return STARTS_AT + WEEKS * 7 * _DAYS

    def run(self) -> None:
        """Let everything happen that begins until the end, and go on until that has ended."""
        while True:
            due_at = self._settle()
            times = [self._ends[0][0]] if self._ends else []
            times += [due_at] if due_at is not None and due_at <= self.until + _DAYS else []
            if not times:
                return
            self.world.clock.advance(max(min(times) - self.world.clock.now(), timedelta()))
            while self._ends and self._ends[0][0] <= self.world.clock.now():
                heapq.heappop(self._ends)[2]()

    def close(self) -> None:
        """Give up the database."""
        self.world.database.close()

    def not_opened(self) -> set[tuple[str, datetime]]:
        """Return the openings that were recorded and given up: the window of each, and its instant."""
        found = set()
        for window_id in self.window_ids:
            asked = {"WindowId": window_id, "MaxResults": 100}
            for one in self.world.perform("DescribeMaintenanceWindowExecutions", **asked)["WindowExecutions"]:
                if one["StartTime"] <= self.until and (one["StatusDetails"] or "").startswith(
                    ("Frozen: ", "The previous execution ")
                ):
                    found.add((window_id, one["StartTime"]))
        return found

    # What there is

    def _lay_out(self) -> None:
        draw = self._draw
        for system_group in ("web", "db", ""):
            self._lay_baseline(system_group)
        images = [image(draw, STARTS_AT.date()) for _ in range(draw.randint(1, 3))]
        for _ in range(draw.choice([2, 4, 7, 12])):
            self._lay_node(draw.choice(images))
        self._scan_all()
        # A node that is wanted by two at a time takes the one whose command has the lesser id, which is chance.
        if draw.random() < 0.5:
            for number, days in enumerate(("MON,THU", "WED", "SAT")[: draw.randint(1, 3)]):
                self._lay_window(number, f"? * {days} *", _RINGS)
        else:
            for number, ring in enumerate(draw.sample(_RINGS, draw.randint(1, 3))):
                self._lay_window(number, draw.choice(["* * ? *", ""]), ring)

    def _lay_baseline(self, group: str) -> None:
        draw = self._draw
        rules = [
            {
                "PatchFilterGroup": {
                    "PatchFilters": [{"Key": "CLASSIFICATION", "Values": [draw.choice(["*", "Security"])]}]
                },
                "ApproveAfterDays": draw.choice([0, 3, 7, 14]),
                "EnableNonSecurity": draw.random() < 0.5,
            }
            for _ in range(draw.randint(1, 2))
        ]
        made = self.world.perform(
            "CreatePatchBaseline",
            Name=f"baseline-{group}",
            OperatingSystem="REDHAT_ENTERPRISE_LINUX",
            ApprovalRules={"PatchRules": rules},
            RejectedPatches=draw.sample(NAMES, draw.choice([0, 0, 1, 2])),
            RejectedPatchesAction=draw.choice(["ALLOW_AS_DEPENDENCY", "BLOCK"]),
            ApprovedPatches=draw.sample(NAMES, draw.choice([0, 0, 1])),
            ApprovedPatchesEnableNonSecurity=draw.random() < 0.5,
        )
        if group:
            self.world.perform("RegisterPatchBaselineForPatchGroup", BaselineId=made["BaselineId"], PatchGroup=group)
        else:
            self.world.perform("RegisterDefaultPatchBaseline", BaselineId=made["BaselineId"])

    def _lay_node(self, facts: Facts) -> None:
        draw = self._draw
        group = draw.choice(["web", "db", ""])
        ring = draw.choice(_RINGS)
        agent = self.world.node(ring=ring)
        if group:
            tags = [{"Key": GROUP, "Value": group}]
            self.world.perform("AddTagsToResource", ResourceType=NODE, ResourceId=agent.id, Tags=tags)
        self.world.perform("UpdateInstanceInformation", as_node(agent.id), InstanceId=agent.id, **_PLATFORM)
        machine = PatchedMachine(agent.id, facts, partial(self._ask, agent.id))
        self.nodes[agent.id] = _Machine(agent, machine, ring)

    def _scan_all(self) -> None:
        """Let most nodes be scanned, in no time; the others never were."""
        for node in self.nodes.values():
            if self._draw.random() < 0.9:
                answer = self.world.perform(
                    "SendCommand",
                    DocumentName="AWS-RunPatchBaseline",
                    InstanceIds=[node.agent.id],
                    Parameters={"Operation": ["Scan"]},
                )
                self.world.turn()
                command_id = answer["Command"]["CommandId"]
                assert node.agent.take() == [command_id]
                now = self.world.clock.now()
                node.machine.end(command_id, node.machine.begin(command_id), now, now)
                node.agent.say(command_id, "Success", {STEP: step()})
                node.was_scanned = True
        self.world.turn()

    def _lay_window(self, number: int, days: str, rings: str) -> None:
        """Make a window that opens on these days, or every so many hours without any, for nodes of these rings."""
        draw = self._draw
        duration = draw.choice([1, 1, 2, 4])
        window_id = self.world.window(
            f"cron({draw.randrange(60)} {draw.randrange(24)} {days})"
            if days
            else f"rate({draw.choice([7, 31])} hours)",
            Name=f"window-{number}",
            Duration=duration,
            Cutoff=draw.randrange(duration),
        )
        self.window_ids.append(window_id)
        targets = [self._lay_target(window_id, rings) for _ in range(draw.choice([1, 1, 2]))]
        for priority in draw.sample(range(5), draw.choice([1, 1, 2, 3])):
            self._lay_task(window_id, targets, priority)
        if draw.random() < 0.3:
            self._lay_freeze(window_id, number)

    def _lay_target(self, window_id: str, rings: str) -> str:
        draw = self._draw
        ids = sorted(node_id for node_id, node in self.nodes.items() if node.ring in rings)
        if not ids or draw.random() < 0.7:
            return self.world.target(window_id, "tag:ring", *draw.sample(rings, draw.randint(1, len(rings))))
        return self.world.target(window_id, "InstanceIds", *draw.sample(ids, draw.randint(1, min(4, len(ids)))))

    def _lay_task(self, window_id: str, target_ids: list[str], priority: int) -> None:
        draw = self._draw
        operation = draw.choice(["Install", "Install", "Install", "Scan", ""])
        parameters = {"Operation": [operation], "RebootOption": [draw.choice(["RebootIfNeeded", "NoReboot"])]}
        self.world.task(
            window_id,
            *draw.sample(target_ids, draw.randint(1, len(target_ids))),
            parameters={"Parameters": parameters} if operation else {"Parameters": {"commands": ["true"]}},
            TaskArn="AWS-RunPatchBaseline" if operation else "AWS-RunShellScript",
            Priority=priority,
            MaxConcurrency=draw.choice(["1", "2", "5", "25%", "100%"]),
            MaxErrors="100%",
            CutoffBehavior=draw.choice(["CONTINUE_TASK", "CANCEL_TASK"]),
        )

    def _lay_freeze(self, window_id: str, number: int) -> None:
        begins_at = STARTS_AT + timedelta(hours=self._draw.randrange(WEEKS * 7 * 24))
        ends_at = begins_at + timedelta(hours=self._draw.choice([1, 30, 100]))
        name = f"freeze-{number}"
        self.world.perform(
            "CreateDocument",
            Name=name,
            Content=calendar((begins_at, ends_at, "freeze")),
            DocumentType="ChangeCalendar",
            DocumentFormat="TEXT",
        )
        tags = [{"Key": "patchwindow:freezes", "Value": name}]
        self.world.perform("AddTagsToResource", ResourceType="MaintenanceWindow", ResourceId=window_id, Tags=tags)

    # What happens

    def _settle(self) -> datetime | None:
        """Let engine and nodes do all that takes no time; return when the engine has something to do next."""
        while True:
            due_at = self.world.turn()
            rung = sorted(self._rung & self.nodes.keys())
            self._rung.clear()
            heard = [node_id for node_id in rung if self._poll(self.nodes[node_id])]
            if not heard and (due_at is None or due_at > self.world.clock.now()):
                return due_at

    def _poll(self, node: _Machine) -> bool:
        messages = node.agent.poll()
        for message in messages:
            node.agent.acknowledge(message["MessageId"])
            # "aws.ssm.<command id>.<node id>"
            if "cancelCommand" in message["Topic"]:
                self._cancel(node, _cancelled(message))
            else:
                self._receive(node, message)
        return bool(messages)

    def _receive(self, node: _Machine, message: Any) -> None:
        command_id, document = _sent(message)
        node.agent.say(command_id, "InProgress")
        node.queue.append((command_id, document))
        if not node.at_work:
            self._begin_next(node)

    def _begin_next(self, node: _Machine) -> None:
        node.at_work = ""
        if not node.queue:
            return
        command_id, document = node.queue.popleft()
        node.at_work = command_id
        begun, operation = None, "Other"
        if document == "AWS-RunPatchBaseline":
            begun = node.machine.begin(command_id)
            operation = begun["order"]["operation"]
        now = self.world.clock.now()
        # An installation that has nothing to do has taken no longer than a scan. Of who was never scanned nobody knows.
        is_idle = begun is not None and node.was_scanned and node.machine.is_idle(begun)
        lasts_as = "Scan" if is_idle else operation
        ends_at = now + timedelta(seconds=LASTS_S[lasts_as])
        end: Callable[[], None] = partial(self._end, node, command_id, operation, begun, now)
        heapq.heappush(self._ends, (ends_at, next(self._sequence), end))

    def _end(self, node: _Machine, command_id: str, operation: str, begun: Any, begun_at: datetime) -> None:
        if node.at_work != command_id:
            return  # It was cancelled meanwhile.
        now = self.world.clock.now()
        if begun is not None:
            before = self._shown(node.agent.id)
            reboot_count = len(node.machine.reboots)
            node.machine.end(command_id, begun, begun_at, now)
            after = self._shown(node.agent.id)
            window_id, opens_at = self._opening_of(command_id)
            self.done.append(
                Done(
                    node_id=node.agent.id,
                    window_id=window_id,
                    opens_at=opens_at,
                    operation=operation,
                    begun_at=begun_at,
                    ended_at=now,
                    installed=frozenset(_in(after, *_OVER) - _in(before, *_OVER)) if before else frozenset(),
                    missing=frozenset(_in(after, "Missing", "Failed")),
                    waiting=frozenset(_in(after, "InstalledPendingReboot")),
                    has_rebooted=len(node.machine.reboots) > reboot_count,
                )
            )
        node.agent.say(command_id, "Success", {STEP: step()})
        self._begin_next(node)

    def _cancel(self, node: _Machine, command_id: str) -> None:
        node.queue = deque(waiting for waiting in node.queue if waiting[0] != command_id)
        node.agent.say(command_id, "Cancelled", {STEP: step("Cancelled")})
        if node.at_work == command_id:
            self._begin_next(node)

    def _shown(self, node_id: str) -> dict[str, str]:
        found: dict[str, str] = patches(self.world, node_id)
        return found

    def _opening_of(self, command_id: str) -> tuple[str, datetime]:
        with self.world.database.read() as work:
            execution_id = work.executions.of_command(command_id)
            assert execution_id is not None, "only windows send commands here"
            execution = work.executions.get(execution_id)
        assert execution is not None
        return execution.window_id, execution.opens_at

    def _ask(self, node_id: str, what: Callable[[Call], Answer]) -> Answer:
        with self.world.service.call_of_node(node_id, writes=True) as call:
            return what(call)


def _in(states: dict[str, str], *wanted: str) -> set[str]:
    return {title for title, state in states.items() if state in wanted}


def _sent(message: Any) -> tuple[str, str]:
    """Return command and document of a message."""
    payload = json.loads(message["Payload"])
    return payload["CommandId"], payload["DocumentName"]


def _cancelled(message: Any) -> str:
    """Return the command that a message takes back, of `aws.ssm.<command id>.<node id>`."""
    found: str = json.loads(message["Payload"])["CancelMessageId"].split(".")[2]
    return found
