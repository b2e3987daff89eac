"""Needs me: what is wrong, the worst first, each with the one thing to do next."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from patchwindow.console.pages.nodes import WITHOUT
from patchwindow.console.view import Cell, Shown, Table, View

_SCAN: Final = {"Operation": "Scan"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """What a kind of concern means, and what to do about it.

    *path* is where the next action is: below the console, with `{}` for the id of the worst one, which is its *member*.
    """

    one: str
    many: str
    why: str
    state: str
    """Whose colour and icon it has."""
    since: str
    """What happened at the time that stands beside each."""
    action: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    member: str = ""
    is_doing: bool = False
    """Whether the action changes something, which viewers may not."""
    all_path: str = ""
    all_query: Mapping[str, str] = field(default_factory=dict)
    """Where all of them are listed."""


ADVICE: Final[Mapping[str, Advice]] = {
    "LostDuringPatch": Advice(
        one="node went silent while it was patched",
        many="nodes went silent while they were patched",
        why="They had begun a command, or waited for a reboot. They may not have come up again: look at their screens.",
        state="ConnectionLost",
        since="last heard of",
        action="Open the longest silent",
        path="/nodes/{}",
        member="InstanceId",
        all_path="/nodes",
        all_query={"State": "Offline"},
    ),
    "FailedNodes": Advice(
        one="node failed to install a patch",
        many="nodes failed to install a patch",
        why="Open one to see which patch failed, and why. Then patch again.",
        state="Failed",
        since="found",
        action="Patch now",
        path="/patch-now",
        is_doing=True,
        all_path="/nodes",
        all_query={"State": "Failed"},
    ),
    "ErrorBudgetReached": Advice(
        one="command was stopped, as too many nodes failed",
        many="commands were stopped, as too many nodes failed",
        why="The rest of the nodes did not get it. Find the cause in the output before it is sent again.",
        state="RateExceeded",
        since="sent",
        action="Open the worst one",
        path="/commands/{}",
        member="CommandId",
        all_path="/commands",
    ),
    "FailedCommands": Advice(
        one="command failed on nodes",
        many="commands failed on nodes",
        why="Those of the last seven days. The output of each node says why.",
        state="Failed",
        since="sent",
        action="Open the worst one",
        path="/commands/{}",
        member="CommandId",
        all_path="/commands",
    ),
    "MissedWindows": Advice(
        one="opening did not do its work",
        many="openings did not do their work",
        why="Those of the last seven days. Their nodes wait for the next one.",
        state="Missed",
        since="due",
        action="Open the latest",
        path="/executions/{}",
        member="WindowExecutionId",
        all_path="/calendar",
    ),
    "PendingReboots": Advice(
        one="node has waited for its reboot for more than two days",
        many="nodes have waited for their reboot for more than two days",
        why="Until then the old version runs, with its holes.",
        state="PendingReboot",
        since="installed",
        action="Patch now, with a reboot",
        path="/patch-now",
        query={"RebootOption": "RebootIfNeeded"},
        is_doing=True,
        all_path="/nodes",
        all_query={"State": "PendingReboot"},
    ),
    "Offline": Advice(
        one="node is not heard of",
        many="nodes are not heard of",
        why="No window reaches them. Start the machine or its agent, or deregister a machine that is gone.",
        state="Offline",
        since="last heard of",
        action="List these nodes",
        path="/nodes",
        query={"State": "Offline"},
    ),
    "NeverScanned": Advice(
        one="node was never scanned",
        many="nodes were never scanned",
        why="Nobody knows what they miss.",
        state="NeverScanned",
        since="scanned",
        action="Scan now",
        path="/patch-now",
        query=_SCAN,
        is_doing=True,
        all_path="/nodes",
        all_query={"State": "NeverScanned"},
    ),
    "StaleScans": Advice(
        one="node has a scan too old to go by",
        many="nodes have a scan too old to go by",
        why="What they missed since then is not known.",
        state="Stale",
        since="scanned",
        action="Scan now",
        path="/patch-now",
        query=_SCAN,
        is_doing=True,
        all_path="/nodes",
        all_query={"State": "Stale"},
    ),
    "UnpatchedNodes": Advice(
        one="node is patched by no window",
        many="nodes are patched by no window",
        why="No window that opens again, and no association, does more than scan there. Give them the tags that a target asks for.",
        state="NotApplicable",
        since="",
        action="See the windows",
        path="/windows",
    ),
    "NodesWithoutGroup": Advice(
        one="node is in no patch group",
        many="nodes are in no patch group",
        why="Their system's default baseline decides, and targets by group pass them by. Give them the tag “Patch Group”.",
        state="NotApplicable",
        since="scanned",
        action="List these nodes",
        path="/nodes",
        query={"PatchGroup": WITHOUT},
    ),
    "IdleWindows": Advice(
        one="window opens for nobody, or with nothing to do",
        many="windows open for nobody, or with nothing to do",
        why="Register what is lacking, or delete the window.",
        state="Missed",
        since="",
        action="Open the next one",
        path="/windows/{}",
        member="WindowId",
        all_path="/windows",
    ),
}
"""By kind of ListConcerns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A node, a command, an opening or a window; the ids that it has not are empty."""

    ids: Mapping[str, str]
    name: str
    since: datetime | None
    status: str
    details: str
    error_count: int
    stopped_count: int
    lacks: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Concern:
    """One kind that there is."""

    kind: str
    count: int
    worst: Sequence[Entry]
    advice: Advice

    @property
    def target(self) -> str:
        """The id that the next action is about; empty where it is about none."""
        return self.worst[0].ids[self.advice.member] if self.advice.member else ""

    @property
    def query(self) -> Mapping[str, str | list[str]]:
        """What fills the next action in: where all nodes are shown, these."""
        if not self.advice.is_doing or self.count > len(self.worst):
            return self.advice.query
        return {**self.advice.query, "node": [one.ids["InstanceId"] for one in self.worst]}


@dataclass(frozen=True, slots=True, kw_only=True)
class AttentionPage:
    """What needs somebody."""

    concerns: Sequence[Concern]
    node_count: int


def show(view: View) -> Shown:
    """Return the page of what needs somebody."""
    concerns = [
        Concern(
            kind=one["Kind"],
            count=one["Count"],
            worst=[_entry(each) for each in one["Worst"]],
            advice=ADVICE[one["Kind"]],
        )
        for one in view.ask("ListConcerns")["Concerns"]
    ]
    page = AttentionPage(
        concerns=concerns,
        node_count=view.ask("GetFleetCompliance", MaxResults=1)["Counts"]["Total"],
    )
    return Shown(
        title="What needs you",
        template="attention.html",
        page=page,
        command=("patchwindow compliance concerns", "patchwindow check"),
        table=Table(_COLUMNS, _cells(concerns)),
    )


_COLUMNS: Final = ("Kind", "Count", "Id", "Name", "Since", "Status")
_IDS: Final = ("InstanceId", "CommandId", "WindowExecutionId", "WindowId")


def _entry(one: Mapping[str, Any]) -> Entry:
    return Entry(
        ids={name: one.get(name, "") for name in _IDS},
        name=one.get("Name") or next(one[name] for name in _IDS if name in one),
        since=one.get("Since"),
        status=one.get("Status", ""),
        details=one.get("StatusDetails", ""),
        error_count=one.get("ErrorCount", 0),
        stopped_count=one.get("StoppedCount", 0),
        lacks=one.get("Lacks", ()),
    )


def _cells(concerns: Sequence[Concern]) -> Iterator[Sequence[Cell]]:
    for concern in concerns:
        for one in concern.worst:
            id = next(filter(None, one.ids.values()))
            status = one.details or one.status or ", ".join(f"no {what}" for what in one.lacks)
            yield concern.kind, concern.count, id, one.name, one.since, status
