"""What a forecast says of one opening, as a page shows it: nodes to which the same happens, patches by how many get them."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from patchwindow.console.charts import Axis

GROUPS_MAX: Final = 40
PATCHES_MAX: Final = 100
"""So many are shown; all are counted."""
_NAMED_MAX: Final = 3
_FATES: Final = {
    "Installed": "install",
    "Scanned": "are scanned",
    "Ran": "run it",
    "NoTurn": "get no turn",
    "CutOff": "are cut off",
    "NeverScanned": "nobody knows",
    "ListUnknown": "install what a list names at that time",
}
_GOOD: Final = ("Installed", "Scanned", "Ran")


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Nodes to which a task does the same."""

    count: int
    node_ids: Sequence[str]
    """The first of them."""
    fate: str
    is_good: bool
    installed: Sequence[str]
    installed_count: int
    reboots: bool
    waits_for_reboot: bool
    ends_at: datetime
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskForecast:
    """A task of the opening."""

    name: str
    document: str
    operation: str
    begins_at: datetime
    problem: str
    groups: Sequence[Group]
    more_count: int


@dataclass(frozen=True, slots=True)
class PatchCount:
    """A patch, and on how many nodes what is said of it is so."""

    title: str
    count: int
    reason: str = ""
    approved_on: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpeningForecast:
    """What an opening will do."""

    as_of: datetime
    given_up: str
    """Why it does not open; empty where it does."""
    opens_at: datetime
    cutoff_at: datetime
    ends_at: datetime
    takes: timedelta
    """In one case of two."""
    takes_long: timedelta
    """In nineteen cases of twenty."""
    fits: bool
    nodes: int
    installs: int
    reboots: int
    no_turn: int
    missing: int
    tasks: Sequence[TaskForecast]
    installed: Sequence[PatchCount]
    left: Sequence[PatchCount]
    silent: int

    @property
    def axis(self) -> Axis:
        """The time that is drawn: of the window, or longer where all of it takes longer."""
        return Axis(self.opens_at, max(self.ends_at, self.opens_at + self.takes_long))


def read(answer: Mapping[str, Any], opens_at: datetime) -> OpeningForecast | None:
    """Return what ForecastPatches says of the opening of its window at that instant; None where it knows none."""
    one = next((one for one in answer["Openings"] if one["OpensAt"] == opens_at), None)
    if one is None:
        return None
    tasks = [_task(task) for task in one["Tasks"]]
    groups = [group for task in one["Tasks"] for group in task["Nodes"]]
    return OpeningForecast(
        as_of=answer["AsOf"],
        given_up=one.get("GivenUp", ""),
        opens_at=opens_at,
        cutoff_at=one["CutoffAt"],
        ends_at=one["EndsAt"],
        takes=timedelta(seconds=one["P50Seconds"]),
        takes_long=timedelta(seconds=one["P95Seconds"]),
        fits=one["Fits"],
        nodes=one["NodeCount"],
        installs=one["InstallCount"],
        reboots=one["RebootCount"],
        no_turn=one["NoTurnCount"],
        missing=one["MissingCount"],
        tasks=tasks,
        installed=_counted((title, "", "", group["NodeCount"]) for group in groups for title in _gets(group)),
        left=_counted(
            (left["Title"], left["Reason"], left.get("ApprovedOn", ""), group["NodeCount"])
            for group in groups
            for left in group["Left"]
        ),
        silent=answer["Silent"]["NodeCount"],
    )


def _gets(group: Mapping[str, Any]) -> Iterator[str]:
    yield from group.get("Installed", ())
    yield from group.get("ComingAlong", ())


def _counted(found: Iterator[tuple[str, str, str, int]]) -> list[PatchCount]:
    """Return each patch with each reason once, those on most nodes first."""
    counts: Counter[tuple[str, str, str]] = Counter()
    for title, reason, approved_on, count in found:
        counts[title, reason, approved_on] += count
    ordered = sorted(counts.items(), key=lambda pair: (bool(pair[0][2]), -pair[1], pair[0]))
    return [PatchCount(title, count, reason, approved_on) for (title, reason, approved_on), count in ordered]


def _task(task: Mapping[str, Any]) -> TaskForecast:
    groups = sorted(_groups(task["Nodes"]), key=lambda group: (group.is_good, -group.installed_count, -group.count))
    return TaskForecast(
        name=task["Name"] or task["DocumentName"],
        document=task["DocumentName"],
        operation=task["Operation"],
        begins_at=task["BeginsAt"],
        problem=task.get("Problem", ""),
        groups=groups[:GROUPS_MAX],
        more_count=max(len(groups) - GROUPS_MAX, 0),
    )


def _groups(found: Sequence[Mapping[str, Any]]) -> Iterator[Group]:
    """Yield the groups; those to which the same happens are one, whatever their packages are and when it is their turn."""
    alike: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
    for one in found:
        key = (one["Fate"], one.get("Reason", ""), tuple(one.get("Installed", ())), one.get("InstalledCount", 0))
        alike.setdefault((*key, one.get("Reboots", False), one.get("WaitsForReboot", False)), []).append(one)
    for (fate, reason, installed, count, reboots, waits), ones in alike.items():
        yield Group(
            count=sum(one["NodeCount"] for one in ones),
            node_ids=[id for one in ones for id in one["InstanceIds"]][:_NAMED_MAX],
            fate=_FATES.get(fate, fate),
            is_good=fate in _GOOD,
            installed=installed,
            installed_count=count,
            reboots=reboots,
            waits_for_reboot=waits,
            ends_at=max(one["EndsAt"] for one in ones),
            reason=reason,
        )
