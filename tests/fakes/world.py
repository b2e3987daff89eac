"""A control plane with some of everything in it, and more than a page of whatever the API lists."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from botocore import xform_name
from tests.fakes.node import PaperNode
from tests.fakes.scans import facts_of, package, update
from tests.fakes.server import Plane, until

COUNT: Final = 12
"""How many there are of each thing; the smallest page of most lists has ten."""
GROUP: Final = "Web Server"
FACTS: Final = facts_of([package(f"package-{number:02}") for number in range(COUNT)], [update("package-03")])
RULES: Final = {"PatchRules": [{"PatchFilterGroup": {"PatchFilters": [{"Key": "PRODUCT", "Values": ["*"]}]}}]}
_WINDOW: Final = {"Duration": 1, "Cutoff": 0, "AllowUnassociatedTargets": True}


class World:
    """What there is, by name, and a client to ask for it."""

    def __init__(self, plane: Plane, folder: Path) -> None:
        self.plane = plane
        self.client = plane.client
        self.names: dict[str, str] = {}
        self._make_windows()
        self._make_baselines()
        self._make_nodes(folder)
        self._wait_for_the_window()

    def call(self, operation: str, members: Mapping[str, Any]) -> dict[str, Any]:
        """Carry out one operation of the API by its own name; a text such as `{window}` stands for that thing's id."""
        answer: dict[str, Any] = getattr(self.client, xform_name(operation))(**self.filled(members))
        del answer["ResponseMetadata"]
        return answer

    def filled(self, members: Any) -> Any:
        """Return *members* with ids in place of names in braces, however deep they stand."""
        match members:
            case str():
                return members.format(**self.names) if members.startswith("{") else members
            case Mapping():
                return {key: self.filled(value) for key, value in members.items()}
            case list() | tuple():
                return [self.filled(value) for value in members]
            case _:
                return members

    def _make_windows(self) -> None:
        # Opens every second, so that there are many executions soon.
        ticking = {**_WINDOW, "Name": "ticking", "Schedule": "cron(* * * ? * * *)"}
        self.names["ticking"] = self.call("CreateMaintenanceWindow", ticking)["WindowId"]
        soon = datetime.now(UTC) + timedelta(seconds=2)
        once = {**_WINDOW, "Name": "once", "Schedule": f"at({soon:%Y-%m-%dT%H:%M:%S})"}
        self.names["window"] = self.call("CreateMaintenanceWindow", once)["WindowId"]
        for number in range(COUNT):
            target = {
                "ResourceType": "INSTANCE",
                "Targets": [{"Key": "tag:Role", "Values": [f"nobody-{number}"]}],
                "Name": f"target-{number:02}",
                "OwnerInformation": f"team {number}",
            }
            answer = self.call("RegisterTargetWithMaintenanceWindow", {"WindowId": "{window}", **target})
            self.names["target"] = answer["WindowTargetId"]
            task = {
                "Targets": [{"Key": "WindowTargetIds", "Values": ["{target}"]}],
                "TaskType": "RUN_COMMAND",
                "TaskArn": "AWS-Noop",
                "Priority": number,
                "MaxConcurrency": "1",
                "MaxErrors": "0",
                "Name": f"task-{number:02}",
            }
            answer = self.call("RegisterTaskWithMaintenanceWindow", {"WindowId": "{window}", **task})
            self.names["task"] = answer["WindowTaskId"]
            weekly = {**_WINDOW, "Name": f"weekly-{number:02}", "Schedule": "rate(7 days)"}
            self.names["weekly"] = self.call("CreateMaintenanceWindow", weekly)["WindowId"]

    def _make_baselines(self) -> None:
        for number in range(COUNT):
            members = {"Name": f"debian-{number:02}", "OperatingSystem": "DEBIAN", "ApprovalRules": RULES}
            self.names["baseline"] = self.call("CreatePatchBaseline", members)["BaselineId"]
            group = GROUP if number == COUNT - 1 else f"Group {number:02}"
            self.call("RegisterPatchBaselineForPatchGroup", {"BaselineId": "{baseline}", "PatchGroup": group})

    def _make_nodes(self, folder: Path) -> None:
        """Register nodes, and let one command scan them all."""
        tags = [{"Key": "Patch Group", "Value": GROUP}]
        self.names["activation"], code = self.plane.activation(
            RegistrationLimit=COUNT, DefaultInstanceName="web", Description="of the world", Tags=tags
        )
        for number in range(COUNT):
            self.call("CreateActivation", {"IamRole": f"role-{number:02}"})
        activation = (self.names["activation"], code)
        nodes = [PaperNode.registered(self.plane.url, activation, folder / str(at)) for at in range(COUNT)]
        scan = {
            "DocumentName": "AWS-RunPatchBaseline",
            "Targets": [{"Key": "tag:Patch Group", "Values": [GROUP]}],
            "Parameters": {"Operation": ["Scan"]},
        }
        self.names["command"] = self.call("SendCommand", scan)["Command"]["CommandId"]
        # A command goes to one node, then to two more, then to four, as they answer: in the order of their ids.
        nodes.sort(key=lambda node: node.node_id)
        for node in nodes:
            node.scan(FACTS)
            node.close()
        self.names["node"] = nodes[0].node_id

    def _wait_for_the_window(self) -> None:
        def look() -> Any:
            found = self.call("DescribeMaintenanceWindowExecutions", {"WindowId": "{window}"})["WindowExecutions"]
            return found and "EndTime" in found[0] and found[0]["WindowExecutionId"]

        self.names["execution"] = until(look, "the end of the window")
        tasks = self.call("GetMaintenanceWindowExecution", {"WindowExecutionId": "{execution}"})["TaskIds"]
        self.names["task_execution"] = tasks[0]
        where = {"WindowExecutionId": "{execution}", "TaskId": "{task_execution}"}
        (invocation,) = self.call("DescribeMaintenanceWindowExecutionTaskInvocations", where)[
            "WindowExecutionTaskInvocationIdentities"
        ]
        self.names["invocation"] = invocation["InvocationId"]
