"""`patchwindow commands logs`: what steps wrote, whole and while they write it."""

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import click

from patchwindow.cli import show
from patchwindow.cli.options import both_client_command, json_option
from patchwindow.client import ClientProblem, SsmClient, call, pages
from patchwindow.domain.errors import UnknownInvocation

Members = dict[str, Any]

_ENDED: Final = frozenset({"Success", "Cancelled", "Failed", "TimedOut"})
_LOOK_EVERY_S: Final = 1.0
_STREAMS: Final = ("stdout", "stderr")
# What GetCommandInvocation calls the two.
_CONTENTS: Final = {"stdout": "StandardOutputContent", "stderr": "StandardErrorContent"}


@click.command()
@click.argument("command")
@click.option("--node", metavar="ID", help="Only what this node wrote")
@click.option("--step", metavar="NAME", help="Only what this step wrote")
@click.option("--follow", is_flag=True, help="Go on until the command has ended on the node")
@json_option
@both_client_command
def logs(
    client: SsmClient,
    own: Callable[[], SsmClient],
    *,
    command: str,
    node: str | None,
    step: str | None,
    follow: bool,
    as_json: bool,
) -> None:
    """Print what a command wrote on each node.

    What its steps wrote to standard error goes to standard error here too. A server of one's own has all of it; AWS
    gives the beginning, 24000 characters.
    """
    if follow and (node is None or as_json):
        raise click.UsageError("--follow goes on with one node, as text; name it with --node, and leave out --json")
    reader = _Reader(client, own, command, step)
    written: list[Members] = []
    while True:
        invocations = _invocations(client, command, node)
        for invocation in invocations:
            for piece in reader.new_of(invocation):
                written.append(piece)
                if not as_json:
                    _print(piece)
        if not follow or reader.is_complete(invocations[0]):
            break
        time.sleep(_LOOK_EVERY_S)
    if as_json:
        show.document([{name: value for name, value in piece.items() if name != "Begins"} for piece in written])
    for problem in reader.problems:
        show.note(problem)


class _Reader:
    """Reads streams from where they were read to before."""

    def __init__(self, client: SsmClient, own: Callable[[], SsmClient], command: str, step: str | None) -> None:
        self._client = client
        self._command = command
        self._step = step
        self._offsets: dict[tuple[str, str, str], int] = {}
        self._open: set[tuple[str, str, str]] = set()
        self._begun: set[tuple[str, str]] = set()
        self.problems: dict[str, None] = {}
        try:
            self._own: SsmClient | None = own()
        except ClientProblem:
            self._own = None

    def new_of(self, invocation: Mapping[str, Any]) -> Iterator[Members]:
        """Yield what is new of the steps of an invocation, piece by piece."""
        for name in self._steps_of(invocation):
            for stream in _STREAMS:
                read = self._whole if self._own is not None else self._beginning
                yield from read(invocation, name, stream)

    def is_complete(self, invocation: Mapping[str, Any]) -> bool:
        """Return whether the command has ended on the node, and all that it wrote was read."""
        return invocation["Status"] in _ENDED and not self._open

    def _steps_of(self, invocation: Mapping[str, Any]) -> list[str]:
        if self._step is not None:
            return [self._step]
        names = [step["Name"] for step in invocation.get("CommandPlugins", ())]
        if self._own is not None and invocation["Status"] not in _ENDED:
            # A step that runs has not been told of.
            found = call(self._own, "GetStepOutput", CommandId=self._command, InstanceId=invocation["InstanceId"])
            names += [name for name in found.get("StepNames", ()) if name not in names]
        return names

    def _whole(self, invocation: Mapping[str, Any], name: str, stream: str) -> Iterator[Members]:
        key = (invocation["InstanceId"], name, stream)
        while True:
            offset = self._offsets.get(key, 0)
            asked = {"CommandId": self._command, "InstanceId": key[0], "StepName": name, "Stream": stream}
            found = call(self._own, "GetStepOutput", **asked, Offset=offset)
            self._offsets[key] = found["NextOffset"]
            (self._open.discard if found["IsComplete"] else self._open.add)(key)
            if found["Content"]:
                yield self._piece(invocation, name, stream, found["Content"])
            if found["IsCut"] and found["IsComplete"]:
                self.problems[f"{name} wrote more to {stream} on {key[0]} than is kept; that was its beginning"] = None
            if found.get("DeliveryProblem"):
                self.problems[f"{stream} of {name} is not in its bucket: {found['DeliveryProblem']}"] = None
            if found["NextOffset"] == offset or found["NextOffset"] >= found["Length"]:
                return

    def _beginning(self, invocation: Mapping[str, Any], name: str, stream: str) -> Iterator[Members]:
        key = (invocation["InstanceId"], name, stream)
        if invocation["Status"] not in _ENDED or key in self._offsets:
            return
        found = call(self._client, "GetCommandInvocation", CommandId=self._command, InstanceId=key[0], PluginName=name)
        content = found.get(_CONTENTS[stream], "")
        self._offsets[key] = len(content)
        if content:
            self.problems["AWS gives no more than the beginning of what a step wrote; its bucket has the rest"] = None
            yield self._piece(invocation, name, stream, content)

    def _piece(self, invocation: Mapping[str, Any], name: str, stream: str, content: str) -> Members:
        place = (invocation["InstanceId"], name)
        begins = place not in self._begun
        self._begun.add(place)
        return {
            "InstanceId": invocation["InstanceId"],
            "StepName": name,
            "StatusDetails": invocation["StatusDetails"],
            "Stream": stream,
            "Content": content,
            "Begins": begins,
        }


def _print(piece: Members) -> None:
    if piece["Begins"]:
        show.note(f"==> {piece['InstanceId']} {piece['StepName']}: {piece['StatusDetails']}")
    click.echo(show.written(piece["Content"]), nl=False, err=piece["Stream"] == "stderr")


def _invocations(client: SsmClient, command: str, node: str | None) -> list[Mapping[str, Any]]:
    chosen: dict[str, Any] = {"InstanceId": node} if node else {}
    found = list(
        pages(client, "ListCommandInvocations", "CommandInvocations", CommandId=command, Details=True, **chosen)
    )
    if not found:
        where = f"on node {node!r}" if node else "on any node"
        raise UnknownInvocation(
            f"command {command!r} did not run {where}; `patchwindow commands show {command}` shows where it did"
        )
    return found
