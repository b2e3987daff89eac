"""How far patch operations are: what nodes tell while they work, and GetPatchProgress."""

from collections.abc import Mapping
from typing import Any, Final

from patchwindow.domain.errors import Invalid, UnknownCommand
from patchwindow.operations.call import Answer, Call, Request
from patchwindow.operations.report_reading import SCHEMA
from patchwindow.operations.reports import sent_to
from patchwindow.store.patch_operations import PatchProgress

PHASES: Final = (
    "Repairing",
    "Refreshing",
    "Scanning",
    "Simulating",
    "Downloading",
    "Installing",
    "Rebooting",
    "Verifying",
)
_COUNT_MAX: Final = 1_000_000
_WHAT_MAX: Final = 256
_PAGE: Final = 100


def read(told: Mapping[str, Any]) -> tuple[str, int, int, str]:
    """Return phase, done, total and what is at hand, of a word of progress from JSON.

    Raises:
        Invalid: it is not of this schema; the message says where.
    """
    if told.get("schema") != SCHEMA:
        raise Invalid(f"schema: {told.get('schema')!r} is not known; this server reads schema {SCHEMA}")
    phase, what = told.get("phase"), told.get("what", "")
    if phase not in PHASES:
        raise Invalid(f"phase: {phase!r:.100} is none; use one of {', '.join(PHASES)}")
    if not isinstance(what, str):
        raise Invalid(f"what: {what!r:.100} is no text")
    return phase, _count(told, "done"), _count(told, "total"), "".join(filter(str.isprintable, what))[:_WHAT_MAX]


def tell(call: Call, command_id: str, node_id: str, told: tuple[str, int, int, str]) -> Answer:
    """Keep what a node says of its operation.

    Raises:
        Denied: the command has ended on the node, too long ago for a report.
    """
    sent_to(call, command_id, node_id)
    phase, done, total, what = told
    progress = PatchProgress(node_id=node_id, phase=phase, done=done, total=total, what=what, told_at=call.now)
    call.work.patch_operations.put_progress(command_id, progress)
    return {}


def get(call: Call, request: Request) -> Answer:
    """GetPatchProgress: of each node of a command that has said so, how far its operation is."""
    command_id = request["CommandId"]
    if call.work.commands.get(command_id) is None:
        raise UnknownCommand(f"command {command_id} does not exist; ListCommands has those that do")

    def fetch(after: Any, limit: int) -> list[PatchProgress]:
        return call.work.patch_operations.progress(
            command_id, after="" if after is None else str(after[0]), limit=limit
        )

    answer = call.pages(
        request,
        "Instances",
        default=_PAGE,
        fetch=fetch,
        key=lambda one: (one.node_id,),
        shape=_members,
    )
    orders = call.work.patch_operations.orders(command_id, [one["InstanceId"] for one in answer["Instances"]])
    for one in answer["Instances"]:
        if (made := orders.get(one["InstanceId"])) is not None:
            one["BaselineId"] = made.baseline_id
            if made.baseline_revision is not None:
                one["BaselineRevision"] = made.baseline_revision
    return answer


def _members(one: PatchProgress) -> dict[str, Any]:
    return {
        "InstanceId": one.node_id,
        "Phase": one.phase,
        "Done": one.done,
        "Total": one.total,
        "What": one.what,
        "ToldTime": one.told_at,
    }


def _count(told: Mapping[str, Any], name: str) -> int:
    value = told.get(name, 0)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _COUNT_MAX:
        raise Invalid(f"{name}: {value!r:.100} is no whole number from 0 to {_COUNT_MAX}")
    return value
