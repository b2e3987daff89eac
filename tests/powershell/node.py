"""A made-up Windows node of a real server: a command is sent to it, and its agent runs the step of the document again after each restart."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar, Final

from tests.fakes.edge import Edge
from tests.fakes.site import SITE, as_node
from tests.powershell.machine import PROFILE, Machine
from tests.powershell.update_agent import Update

from patchwindow.documents import library
from patchwindow.documents.patch_script import script_digest
from patchwindow.operations.capabilities import capability_url
from patchwindow.operations.sending import dispatch
from patchwindow.protocol.messages import message_id

REBOOT: Final = 3010
_PING: Final = {
    "PlatformType": "Windows",
    "PlatformName": "Microsoft Windows Server 2022 Datacenter",
    "PlatformVersion": "10.0.20348",
}


def step(document: str, name: str = "PatchWindows") -> str:
    """Return the PowerShell of a step of a document, without its values."""
    steps = library.get(document).content["mainSteps"]
    (found,) = (one["inputs"]["runCommand"] for one in steps if one["name"] == name)
    return "\n".join(found)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an operation ended for the agent, and how often the machine was restarted for it."""

    code: int
    reboot_count: int
    output: list[str]
    errors: list[str]


class WindowsNode:
    """A machine and its registration."""

    WEEK: ClassVar = timedelta(days=7, seconds=1)

    def __init__(self, edge: Edge, *updates: Update) -> None:
        self.edge = edge
        self.machine = Machine(edge)
        self.machine.updates.updates = list(updates)
        self.node_id = edge.here.node(ping=_PING)

    def approve(self, *kbs: str, **more: Any) -> None:
        """Let the nodes of Windows follow a baseline that approves exactly these."""
        here = self.edge.here
        made = here.perform(
            "CreatePatchBaseline", Name="ours", OperatingSystem="WINDOWS", ApprovedPatches=list(kbs), **more
        )
        here.perform("RegisterDefaultPatchBaseline", BaselineId=made["BaselineId"])

    def script(self, operation: str = "Install", *, reboots: bool = True, digest: str = "") -> str:
        """Send a command, and return the script of its step as the node gets it."""
        name = "AWS-RunPatchBaseline"
        return self._filled(step(name), self._send(name, operation, reboots=reboots), digest or script_digest())

    def parts(self, *, reboots: bool = True) -> Mapping[str, str]:
        """Send an installation with hooks, and return the scripts of its parts by the names of their steps."""
        name = "AWS-RunPatchBaselineWithHooks"
        command_id = self._send(name, "Install", reboots=reboots)
        return {
            part: self._filled(step(name, part), command_id, script_digest())
            for part in ("ScanWindows", "InstallWindows", "RebootWindows")
        }

    def _send(self, document: str, operation: str, *, reboots: bool) -> str:
        given = {"Operation": [operation], "RebootOption": ["RebootIfNeeded" if reboots else "NoReboot"]}
        answer = self.edge.here.perform(
            "SendCommand", DocumentName=document, InstanceIds=[self.node_id], Parameters=given
        )
        command_id: str = answer["Command"]["CommandId"]
        with self.edge.here.call("dispatch") as call:
            command = call.work.commands.get(command_id)
            assert command is not None
            dispatch(call.work, command, call.work.invocations.unsent(command_id, 1), call.now)
        taken = message_id(command_id, self.node_id)
        self.edge.here.perform("AcknowledgeMessage", as_node(self.node_id), MessageId=taken)
        return command_id

    def _filled(self, script: str, command_id: str, digest: str) -> str:
        url = capability_url(SITE, command_id, self.node_id)
        return script.replace("{{ PatchwindowUrl }}", url).replace("{{ PatchwindowScriptDigest }}", digest)

    def operate(self, operation: str = "Install", *, reboots: bool = True, rounds_max: int = 10) -> Outcome:
        """Run a patch operation to its end."""
        return self.run(self.script(operation, reboots=reboots), rounds_max=rounds_max)

    def run(self, script: str, *, rounds_max: int = 10) -> Outcome:
        """Run a step as an agent does: again after each restart that it asks for."""
        output: list[str] = []
        for reboot_count in range(rounds_max):
            code = self.machine.run(script)
            output += self.machine.output
            if code != REBOOT:
                return Outcome(code, reboot_count, output, self.machine.errors)
            self.machine.restart()
        raise AssertionError(f"the operation asks for more than {rounds_max} restarts: {output}")

    def states(self) -> dict[str, str]:
        """Return the state of each patch by its title, as the API shows it."""
        (pages,) = [self.edge.here.perform("DescribeInstancePatches", InstanceId=self.node_id)["Patches"]]
        return {one["Title"]: one["State"] for one in pages}

    def counts(self) -> Any:
        """Return the patch state of the node, as the API shows it."""
        (found,) = self.edge.here.perform("DescribeInstancePatchStates", InstanceIds=[self.node_id])[
            "InstancePatchStates"
        ]
        return found

    def report(self) -> Any:
        """Return the last report as it was sent."""
        return self.reports()[-1]

    def reports(self) -> list[Any]:
        """Return all reports as they were sent."""
        return [json.loads(body) for name, body in self.machine.web.sent if name == "report"]

    def phases(self) -> list[str]:
        """Return the phases that the server was told, in order, each once."""
        told = [json.loads(body)["phase"] for name, body in self.machine.web.sent if name == "progress"]
        return [phase for at, phase in enumerate(told) if not at or told[at - 1] != phase]

    def records(self) -> list[str]:
        """Return the paths of the journals on the machine."""
        return self.machine.disk.children(rf"{PROFILE}\patchwindow\operations")

    def boot_id(self) -> str:
        """Return the id that the script gave to this boot; empty where it has not run in it."""
        values = self.machine.registry.values(r"SOFTWARE\patchwindow-boot") or {}
        return str(values.get("Id", ""))
