"""Registering, changing and deregistering targets of a window: which nodes gain and lose it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from patchwindow.console import edits
from patchwindow.console.effects import next_open
from patchwindow.console.pages.nodes import names_of
from patchwindow.console.pages.window_form import read, running_until
from patchwindow.console.refusals import by_field
from patchwindow.console.view import Act, Again, Done, Shown, View
from patchwindow.console.window_words import told_target
from patchwindow.domain.errors import NotFound, PatchwindowError

CONDITIONS_MAX: Final = 5
"""The API takes no more."""
_TEXTS: Final = ("Name", "Description", "OwnerInformation")
_KEYS: Final = ("tag:Patch Group", "tag-key", "InstanceIds", "resource-groups:Name")
_NEW: Final[Mapping[str, Any]] = {"Targets": [{"Key": "tag:Patch Group", "Values": []}]}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """Which nodes gain and lose something; of those that are many the first are named."""

    count: int
    former_count: int
    gained_count: int
    gained: Sequence[tuple[str, str]]
    lost_count: int
    lost: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """What saving it would mean."""

    changes: Sequence[edits.Change]
    reached: Reached
    tasks: Sequence[str]
    """The tasks that run on this target."""
    first_at: datetime | None
    """The first opening that is changed by it."""
    zone: str
    running_until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetPage:
    """The form."""

    window: Mapping[str, Any]
    target_id: str
    """Empty where one is registered."""
    target: Mapping[str, Any]
    count: int
    """How many conditions the form has."""
    keys: Sequence[str]
    plan: edits.Plan | None
    steps: edits.Steps[Weighed]
    doing: str
    """`deregister` where that is to be confirmed."""
    back: str


def show_new(view: View) -> Shown:
    """Return the form for a further target."""
    edits.need_operator(view)
    return _shown(view, _NEW, edits.begin({}), 2, "")


def register(act: Act) -> Done | Again:
    """Register a target."""
    view, window, members = act.view, read(act.view), _members(act)
    is_of_groups = any(one["Key"].startswith("resource-groups:") for one in members["Targets"])
    kind = "RESOURCE_GROUP" if is_of_groups else "INSTANCE"
    before = _registered(view)

    made: list[str] = []

    def do() -> Done:
        if not made:
            given = {name: value for name, value in members.items() if value}
            answer = view.ask(
                "RegisterTargetWithMaintenanceWindow", WindowId=window["WindowId"], ResourceType=kind, **given
            )
            made.append(answer["WindowTargetId"])
        return Done(url=_back(view), said="The target is registered; name it in a task, so that something runs on it")

    def weigh() -> Weighed:
        do()
        changes = edits.compare({}, told_target(members))
        after = reached(view, _asks(before), [*_asks(before), members["Targets"]])
        return _weigh(view, window, changes, after, [])

    outcome = edits.carry_out(act, {}, weigh=weigh, do=do, explain=lambda problem: _by_field(problem, act))
    return outcome if isinstance(outcome, Done) else lambda view: _shown(view, _NEW, outcome, _rows(act), "")


def show_edit(view: View) -> Shown:
    """Return the form with a target in it."""
    edits.need_operator(view)
    target = _target(view)
    return _shown(view, target, edits.begin(told_target(target)), len(target["Targets"]) + 1, "")


def update(act: Act) -> Done | Again:
    """Change a target, or deregister it."""
    view, window, target = act.view, read(act.view), _target(act.view)
    ids = {"WindowId": window["WindowId"], "WindowTargetId": target["WindowTargetId"]}
    is_to_go = act.first("Do") == "deregister"
    members = {"Targets": []} if is_to_go else _members(act)
    registered = _registered(view)

    def do() -> Done:
        if is_to_go:
            if any(one["WindowTargetId"] == target["WindowTargetId"] for one in _registered(view)):
                view.ask("DeregisterTargetFromMaintenanceWindow", **ids, Safe=True)
            return Done(url=_back(view), said="The target is deregistered")
        given = {name: value for name, value in members.items() if value or name == "Targets"}
        view.ask("UpdateMaintenanceWindowTarget", **ids, Replace=True, **given)
        return Done(url=_back(view), said="The target is saved")

    def weigh() -> Weighed:
        do()
        others = [one for one in registered if one["WindowTargetId"] != target["WindowTargetId"]]
        after = _asks(others) + ([] if is_to_go else [members["Targets"]])
        changes = [] if is_to_go else edits.compare(told_target(target), told_target(members))
        nodes = reached(view, _asks(registered), after)
        return _weigh(view, window, changes, nodes, _tasks_on(view, target["WindowTargetId"]))

    told = told_target(target)
    outcome = edits.carry_out(act, told, weigh=weigh, do=do, explain=lambda problem: _by_field(problem, act))
    if isinstance(outcome, Done):
        return outcome
    count = len(target["Targets"]) + 1 if is_to_go else _rows(act)
    return lambda view: _shown(view, target, outcome, count, "deregister" if is_to_go else "")


def reached(view: View, before: Sequence[Any], after: Sequence[Any]) -> Reached:
    """Return which nodes are gained and lost where some registered targets take the place of others."""
    found = view.ask("CompareTargets", Before=list(before), After=list(after))
    names = names_of(view, [*found["GainedInstanceIds"], *found["LostInstanceIds"]])
    return Reached(
        count=found["InstanceCount"],
        former_count=found["FormerInstanceCount"],
        gained_count=found["GainedCount"],
        gained=[(id, names.get(id, "")) for id in found["GainedInstanceIds"]],
        lost_count=found["LostCount"],
        lost=[(id, names.get(id, "")) for id in found["LostInstanceIds"]],
    )


def _weigh(
    view: View,
    window: Mapping[str, Any],
    changes: Sequence[edits.Change],
    nodes: Reached,
    tasks: Sequence[str],
) -> Weighed:
    return Weighed(
        changes=changes,
        reached=nodes,
        tasks=tasks,
        first_at=next_open(view, window["WindowId"]),
        zone=window.get("ScheduleTimezone") or "UTC",
        running_until=running_until(view, window["WindowId"]),
    )


def _members(act: Act) -> dict[str, Any]:
    conditions = [
        {"Key": act.first(f"Key.{row}"), "Values": edits.lines(act, f"Values.{row}")}
        for row in range(CONDITIONS_MAX)
        if edits.lines(act, f"Values.{row}")
    ]
    if not conditions:
        act.problems["Values.0"] = "is empty; say which nodes, such as the name of a patch group"
    return {"Targets": conditions, **{name: act.first(name) for name in _TEXTS}}


def _by_field(problem: PatchwindowError, act: Act) -> dict[str, str]:
    """Return what is wrong with a target at the condition that it is about."""
    message = str(problem)
    for row in range(CONDITIONS_MAX):
        key, values = act.first(f"Key.{row}"), edits.lines(act, f"Values.{row}")
        if any(repr(value) in message for value in values):
            return {f"Values.{row}": message}
        if key and f"{key!r}" in message:
            return {f"Key.{row}": message}
    found = by_field(problem, act.form)
    return {"Key.0": message} if "targets" in message.lower() and "" in found else found


def _rows(act: Act) -> int:
    """Return how many conditions to show again: those that say something, and an empty one."""
    said = [row for row in range(CONDITIONS_MAX) if act.first(f"Key.{row}") or act.first(f"Values.{row}")]
    return min(max(said, default=0) + 2, CONDITIONS_MAX)


def _registered(view: View) -> list[dict[str, Any]]:
    return list(view.each("DescribeMaintenanceWindowTargets", "Targets", WindowId=view.path["window_id"]))


def _asks(registered: Sequence[Mapping[str, Any]]) -> list[Any]:
    return [one["Targets"] for one in registered]


def _target(view: View) -> dict[str, Any]:
    window_id, target_id = view.path["window_id"], view.path["target_id"]
    for one in _registered(view):
        if one["WindowTargetId"] == target_id:
            return one
    raise NotFound(f"Window target {target_id} does not exist in maintenance window {window_id}")


def _tasks_on(view: View, target_id: str) -> list[str]:
    tasks = view.each("DescribeMaintenanceWindowTasks", "Tasks", WindowId=view.path["window_id"])
    return [
        one.get("Name") or one["TaskArn"]
        for one in tasks
        if any(target_id in target["Values"] for target in one.get("Targets", ()))
    ]


def _back(view: View) -> str:
    return f"/console/windows/{view.path['window_id']}"


def _shown(view: View, target: Mapping[str, Any], steps: edits.Steps[Weighed], count: int, doing: str) -> Shown:
    window = read(view)
    page = TargetPage(
        window=window,
        target_id=target.get("WindowTargetId", ""),
        target=target,
        count=min(count, CONDITIONS_MAX),
        keys=_KEYS,
        plan=edits.plan_of(view, "MaintenanceWindow", window["WindowId"]),
        steps=steps,
        doing=doing,
        back=_back(view),
    )
    title = f"Target {target.get('Name') or page.target_id}" if page.target_id else "New target"
    return Shown(title=f"{title} of {window['Name']}", template="target_form.html", page=page)
