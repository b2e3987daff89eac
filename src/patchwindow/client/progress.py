"""Following a command until it is over."""

import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from patchwindow.client.calls import SsmClient, pages
from patchwindow.client.problems import ClientProblem

_OVER: Final = frozenset({"Success", "Failed", "Cancelled", "TimedOut", "Incomplete"})

# A command may be asked for before every replica of the service has heard of it.
_UNHEARD_POLLS_MAX: Final = 10


@dataclass(frozen=True, slots=True)
class NodeChange:
    """A node's invocation came to another status; *before* is None when it was first seen."""

    node_id: str
    before: str | None
    after: str
    details: str


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a command is: its status, its nodes counted by theirs, and what changed since the last time."""

    command_id: str
    status: str
    details: str
    target_count: int
    counts: Mapping[str, int]
    changes: tuple[NodeChange, ...]

    @property
    def is_over(self) -> bool:
        """Say whether nothing more will happen."""
        return self.status in _OVER


def wait_for_command(
    client: SsmClient,
    command_id: str,
    on_progress: Callable[[Progress], None],
    *,
    pause_s: float = 2.0,
    wait_max_s: float = 86_400.0,
    tells_always: bool = False,
    sleep: Callable[[float], None] = time.sleep,
) -> Progress:
    """Call *on_progress* at each change of the command or of a node, and return the last progress.

    With *tells_always* it is called at each look, changed or not.

    Raises:
        ClientProblem: there is no such command, it was not over after *wait_max_s* seconds of waiting,
            or the API could not be asked.
    """
    before: Progress | None = None
    statuses: dict[str, str] = {}
    waited_s = 0.0
    unheard_count = 0
    while True:
        command = next(pages(client, "ListCommands", "Commands", CommandId=command_id), None)
        if command is None:
            unheard_count += 1
            if unheard_count >= _UNHEARD_POLLS_MAX:
                raise ClientProblem(f"there is no command {command_id}; commands are kept for a limited time")
        else:
            progress = _progress(client, command, statuses)
            if tells_always or progress.changes or before is None or progress.status != before.status:
                on_progress(progress)
            if progress.is_over:
                return progress
            before = progress
        if waited_s >= wait_max_s:
            raise ClientProblem(f"command {command_id} is not over after {wait_max_s:.0f} s; it goes on without us")
        sleep(pause_s)
        waited_s += pause_s


def _progress(client: SsmClient, command: Mapping[str, Any], statuses: dict[str, str]) -> Progress:
    """Return the progress of *command*, and bring *statuses* up to date."""
    changes = []
    command_id = command["CommandId"]
    for invocation in pages(client, "ListCommandInvocations", "CommandInvocations", CommandId=command_id):
        node_id, status = invocation["InstanceId"], invocation["Status"]
        if statuses.get(node_id) != status:
            details = invocation.get("StatusDetails", status)
            changes.append(NodeChange(node_id, statuses.get(node_id), status, details))
            statuses[node_id] = status
    return Progress(
        command_id=command_id,
        status=command["Status"],
        details=command.get("StatusDetails", command["Status"]),
        target_count=command.get("TargetCount", len(statuses)),
        counts=Counter(statuses.values()),
        changes=tuple(changes),
    )
