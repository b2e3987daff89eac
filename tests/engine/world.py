"""A server without its edge, whose clock stands still and whose engine turns when a test says so."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from tests.engine.agent import Agent
from tests.fakes.clock import CountingIds, FixedClock
from tests.fakes.site import OPERATOR, SITE

from patchwindow.domain.node import Node
from patchwindow.engine.engine import Engine
from patchwindow.operations.call import Answer, Caller
from patchwindow.operations.service import Service, authorize, find
from patchwindow.operations.tags import NODE
from patchwindow.store.database import Database

OPENS_AT: Final = datetime(2026, 1, 15, 15, 0, tzinfo=UTC)
"""When the windows of tests open: daily, for three hours, cutoff one hour."""

Members = dict[str, Any]


class World:
    """An installation in which nothing happens by itself."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.clock = FixedClock(OPENS_AT - timedelta(hours=1))
        self.ids = CountingIds()
        self.database = Database(url)
        self.service = Service(database=self.database, clock=self.clock, ids=self.ids, site=SITE)
        self.engine = self.new_engine()

    def new_engine(self) -> Engine:
        """Return an engine, as of a server that has just started."""
        return Engine(database=self.database, clock=self.clock, ids=self.ids)

    def perform(self, operation: str, caller: Caller = OPERATOR, /, **request: Any) -> Answer:
        """Carry out one operation of the API."""
        authorize(operation, find(operation), request, caller)
        return self.service.perform(operation, request, caller)

    def at(self, hour: int, minute: int = 0, second: float = 0, *, day: int = 15) -> datetime | None:
        """Move the clock to that time of that day, and let the engine do all that is due."""
        then = OPENS_AT.replace(day=day, hour=hour, minute=minute) + timedelta(seconds=second)
        self.clock.advance(then - self.clock.now())
        return self.engine.turn()

    def after(self, **by: float) -> datetime | None:
        """Move the clock by so much, and let the engine do all that is due."""
        self.clock.advance(timedelta(**by))
        return self.engine.turn()

    def turn(self) -> datetime | None:
        """Let the engine do all that is due."""
        return self.engine.turn()

    def node(self, **tags: str) -> Agent:
        """Return a new node with these tags."""
        return self.nodes(1, **tags)[0]

    def nodes(self, count: int, **tags: str) -> list[Agent]:
        """Return new nodes with these tags, in order of id."""
        ids = [f"mi-{self.ids.hex(17)}" for _ in range(count)]
        with self.database.write() as work:
            for id in ids:
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
                work.tags.add(NODE, id, tags)
        return [Agent(id, self.perform) for id in ids]

    # Windows

    def window(self, schedule: str = "cron(0 15 * * ? *)", **members: Any) -> str:
        """Return a new window that opens at `OPENS_AT` and then daily."""
        made = self.perform(
            "CreateMaintenanceWindow",
            **{
                "Name": "night",
                "Schedule": schedule,
                "Duration": 3,
                "Cutoff": 1,
                "AllowUnassociatedTargets": True,
                **members,
            },
        )
        return str(made["WindowId"])

    def target(self, window: str, key: str, *values: str, **members: Any) -> str:
        """Return a new target of the window."""
        made = self.perform(
            "RegisterTargetWithMaintenanceWindow",
            WindowId=window,
            ResourceType="INSTANCE",
            Targets=[{"Key": key, "Values": list(values)}],
            **members,
        )
        return str(made["WindowTargetId"])

    def task(self, window: str, *target_ids: str, parameters: Mapping[str, Any] | None = None, **members: Any) -> str:
        """Return a new task of the window that runs a script on its targets."""
        run = {"Parameters": {"commands": ["true"]}} if parameters is None else parameters
        made = self.perform(
            "RegisterTaskWithMaintenanceWindow",
            **{
                "WindowId": window,
                "TaskType": "RUN_COMMAND",
                "TaskArn": "AWS-RunShellScript",
                "Targets": [{"Key": "WindowTargetIds", "Values": list(target_ids)}],
                "MaxConcurrency": "100%",
                "MaxErrors": "0",
                "TaskInvocationParameters": {"RunCommand": run},
                **members,
            },
        )
        return str(made["WindowTaskId"])

    def executions(self, window: str) -> list[Members]:
        """Return what came of the window's openings, the first first."""
        found: list[Members] = self.perform("DescribeMaintenanceWindowExecutions", WindowId=window)["WindowExecutions"]
        return found[::-1]

    def execution(self, window: str) -> Members:
        """Return what came of the window's only opening."""
        (one,) = self.executions(window)
        return one

    def tasks(self, window: str) -> list[Members]:
        """Return the tasks of the window's last execution, in the order in which they run."""
        execution_id = self.executions(window)[-1]["WindowExecutionId"]
        answer = self.perform("DescribeMaintenanceWindowExecutionTasks", WindowExecutionId=execution_id)
        found: list[Members] = answer["WindowExecutionTaskIdentities"]
        return found

    def states(self, window: str) -> list[str]:
        """Return the states of the tasks of the window's last execution, in the order in which they run."""
        return [task["Status"] for task in self.tasks(window)]

    def invocations(self, task: Members) -> list[Members]:
        """Return the invocations of a task execution, in the order in which they run."""
        answer = self.perform(
            "DescribeMaintenanceWindowExecutionTaskInvocations",
            WindowExecutionId=task["WindowExecutionId"],
            TaskId=task["TaskExecutionId"],
        )
        found: list[Members] = answer["WindowExecutionTaskInvocationIdentities"]
        return found

    # Commands

    def send(self, nodes: Sequence[Agent], **members: Any) -> str:
        """Return the id of a new command for these nodes, which the engine has not looked at."""
        made = self.perform(
            "SendCommand",
            **{
                "DocumentName": "AWS-RunShellScript",
                "Parameters": {"commands": ["true"]},
                "InstanceIds": [node.id for node in nodes],
                "MaxConcurrency": "100%",
                "MaxErrors": "0",
                **members,
            },
        )
        return str(made["Command"]["CommandId"])

    def command(self, command_id: str) -> Members:
        """Return the command."""
        (found,) = self.perform("ListCommands", CommandId=command_id)["Commands"]
        members: Members = found
        return members

    def standing(self, command_id: str) -> tuple[str, str]:
        """Return the command's status and details."""
        found = self.command(command_id)
        return found["Status"], found["StatusDetails"]

    def on(self, node: Agent, command_id: str) -> Members:
        """Return the command's invocation on the node, with what its steps did."""
        answer = self.perform("ListCommandInvocations", CommandId=command_id, InstanceId=node.id, Details=True)
        (found,) = answer["CommandInvocations"]
        members: Members = found
        return members

    def details(self, command_id: str, *nodes: Agent) -> list[str]:
        """Return the StatusDetails of the command on each of these nodes."""
        return [self.on(node, command_id)["StatusDetails"] for node in nodes]

    def reached(self, command_id: str, *nodes: Agent) -> list[bool]:
        """Return of each node whether the command was sent to it."""
        with self.database.read() as work:
            found = [work.invocations.get(command_id, node.id) for node in nodes]
        return [one is not None and one.dispatched_at is not None for one in found]

    def close(self) -> None:
        """Give up the database."""
        self.database.close()
