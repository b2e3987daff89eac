"""The commands that were sent, one of them live, and what it wrote on one node."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from patchwindow.console.pages.execution import Command, command_of
from patchwindow.console.pages.nodes import names_of
from patchwindow.console.site_types import LivePart
from patchwindow.console.view import Act, Cell, Done, Shown, Table, View
from patchwindow.domain.errors import UnknownCommand, UnknownInvocation

PAGE_SIZE: Final = 50
OUTPUT_BYTES_MAX: Final = 100_000
"""So much of the end of a step's output stands in a page; all of it is a download."""
_UNDER_WAY: Final = ("Pending", "InProgress", "Cancelling")
_STATUSES: Final = ("Pending", "InProgress", "Success", "Cancelled", "Failed", "TimedOut", "Cancelling")
_STREAMS: Final = ("stdout", "stderr")


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandsPage:
    """The list."""

    commands: Sequence[Mapping[str, Any]]
    status: str
    statuses: Sequence[str]
    next: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandPage:
    """One command."""

    about: Mapping[str, Any]
    command: Command
    progress: Sequence[Mapping[str, Any]]
    """What nodes at work say of their patch operation."""
    names: Mapping[str, str]
    live: bool


@dataclass(frozen=True, slots=True)
class Step:
    """What one step wrote to one stream."""

    name: str
    stream: str
    text: str
    length: int
    is_cut: bool
    """Whether more was written than the server keeps."""
    is_shortened: bool
    """Whether the server has more than stands here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InvocationPage:
    """A command on one node."""

    command_id: str
    node_id: str
    node_name: str
    about: Mapping[str, Any]
    steps: Sequence[Step]
    live: bool


def show_all(view: View) -> Shown:
    """Return the list of commands, the newest first."""
    status = view.first("status")
    filters = [{"key": "Status", "value": status}] if status else None
    answer = view.ask("ListCommands", Filters=filters, MaxResults=PAGE_SIZE, NextToken=view.first("after") or None)
    page = CommandsPage(
        commands=answer["Commands"], status=status, statuses=_STATUSES, next=answer.get("NextToken", "")
    )
    return Shown(
        title="Commands",
        template="commands.html",
        page=page,
        command=("patchwindow commands list",),
        table=Table(
            ("CommandId", "DocumentName", "RequestedDateTime", "Status", "TargetCount", "CompletedCount", "ErrorCount"),
            [
                (one["CommandId"], one["DocumentName"], one["RequestedDateTime"], one["StatusDetails"],
                 one["TargetCount"], one["CompletedCount"], one["ErrorCount"])
                for one in answer["Commands"]
            ],
        ),
    )  # fmt: skip


def show(view: View) -> Shown:
    """Return one command."""
    page = _page(view)
    command_id = page.command.command_id
    return Shown(
        title=page.about["DocumentName"],
        template="command.html",
        page=page,
        command=(f"patchwindow commands show {command_id}", f"patchwindow commands logs {command_id}"),
        table=Table(("InstanceId", "Name", "StatusDetails"), _rows(view, command_id)),
    )


def look(view: View) -> LivePart:
    """Return the part of a command's page that changes."""
    page = _page(view)
    return LivePart(template="_command_page_live.html", page=page, is_over=not page.live)


def cancel(act: Act) -> Done:
    """Cancel a command."""
    command_id = act.view.path["command_id"]
    act.view.ask("CancelCommand", CommandId=command_id)
    return Done(url=f"/console/commands/{command_id}", said="The command is being cancelled")


def show_node(view: View) -> Shown:
    """Return a command on one node, with what its steps wrote."""
    page = _invocation(view)
    return Shown(
        title=f"{page.about['DocumentName']} on {page.node_name}",
        template="invocation.html",
        page=page,
        command=(f"patchwindow commands logs {page.command_id} --node {page.node_id} --follow",),
    )


def look_node(view: View) -> LivePart:
    """Return the part of that page that changes."""
    page = _invocation(view)
    return LivePart(template="_invocation_live.html", page=page, is_over=not page.live)


def _page(view: View) -> CommandPage:
    command_id = view.path["command_id"]
    found = view.ask("ListCommands", CommandId=command_id)["Commands"]
    if not found:
        raise UnknownCommand(f"command {command_id} does not exist, or is forgotten")
    live = found[0]["Status"] in _UNDER_WAY
    told = view.ask("GetPatchProgress", CommandId=command_id, MaxResults=PAGE_SIZE)["Instances"] if live else []
    progress = [one for one in told if one["Phase"] != "Reported"]
    return CommandPage(
        about=found[0],
        command=command_of(view, command_id),
        progress=progress,
        names=names_of(view, [one["InstanceId"] for one in progress]),
        live=live,
    )


def _rows(view: View, command_id: str) -> Iterator[Sequence[Cell]]:
    for one in view.each("GetCommandStates", "Instances", CommandId=command_id, MaxResults=1000):
        yield one["InstanceId"], one["InstanceName"], one["StatusDetails"]


def _invocation(view: View) -> InvocationPage:
    command_id, node_id = view.path["command_id"], view.path["node_id"]
    found = view.ask("ListCommandInvocations", CommandId=command_id, InstanceId=node_id, Details=True)
    if not found["CommandInvocations"]:
        raise UnknownInvocation(f"command {command_id} was not sent to node {node_id}")
    about = found["CommandInvocations"][0]
    return InvocationPage(
        command_id=command_id,
        node_id=node_id,
        node_name=about["InstanceName"] or node_id,
        about=about,
        steps=list(_steps(view, command_id, node_id)),
        live=about["Status"] in ("Pending", "InProgress", "Delayed", "Cancelling"),
    )


def _steps(view: View, command_id: str, node_id: str) -> Iterator[Step]:
    where = {"CommandId": command_id, "InstanceId": node_id}
    for name in view.ask("GetStepOutput", **where, MaxBytes=1024)["StepNames"]:
        for stream in _STREAMS:
            length = view.ask("GetStepOutput", **where, StepName=name, Stream=stream, MaxBytes=1024)["Length"]
            if not length:
                continue
            since = max(length - OUTPUT_BYTES_MAX, 0)
            told = view.ask(
                "GetStepOutput", **where, StepName=name, Stream=stream, Offset=since, MaxBytes=OUTPUT_BYTES_MAX
            )
            yield Step(name, stream, told["Content"], length, told["IsCut"], since > 0)
