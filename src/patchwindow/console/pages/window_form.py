"""Making, changing and deleting a window: when it opens then, which nodes that is for, and what is likely wrong with it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from patchwindow.console import edits
from patchwindow.console.effects import next_openings
from patchwindow.console.pages.window import Warned, schedule_warnings
from patchwindow.console.refusals import by_field
from patchwindow.console.times import zones
from patchwindow.console.view import Act, Again, Done, Shown, View
from patchwindow.console.window_words import told_window
from patchwindow.domain.errors import PatchwindowError

_SHOWN: Final = 5
_LONGEST: Final = timedelta(hours=24)
"""The longest window: what opened before cannot be open any more."""
_TICK: Final = timedelta(seconds=1)
_SAME: Final = ("CutoffTime", "EndsTime", "Status")
_RUNS: Final = ("PENDING", "IN_PROGRESS", "CANCELLING")
_NUMBERS: Final = ("Duration", "Cutoff", "ScheduleOffset")
_TEXTS: Final = ("Name", "Description", "Schedule", "ScheduleTimezone", "StartDate", "EndDate")
_SWITCHES: Final = ("AllowUnassociatedTargets", "Enabled")
_NEW: Final[Mapping[str, Any]] = {
    "Duration": 4, "Cutoff": 1, "Enabled": True, "AllowUnassociatedTargets": False, "ScheduleTimezone": "UTC",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Difference:
    """The first opening that is not as it was."""

    opens_at: datetime
    how: str
    """`gone`, `new`, or `other`: at the same instant, with another end, cutoff or freeze."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """What saving it would mean."""

    changes: Sequence[edits.Change]
    openings_before: Sequence[Mapping[str, Any]]
    openings_now: Sequence[Mapping[str, Any]]
    first: Difference | None
    """None where the openings that are shown are as they were."""
    zone_before: str
    zone_now: str
    warnings: Sequence[Warned]
    node_count: int
    """How many nodes its targets select."""
    enabling: str
    """`gains` or `loses` where the window is switched on or off; empty otherwise."""
    is_new: bool
    running_until: datetime | None
    """Until when an opening is under way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowFormPage:
    """The form."""

    window_id: str
    """Empty where one is made."""
    window: Mapping[str, Any]
    zones: Sequence[str]
    plan: edits.Plan | None
    steps: edits.Steps[Weighed]
    back: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """What deleting it would mean."""

    openings: Sequence[Mapping[str, Any]]
    zone: str
    node_count: int
    target_count: int
    task_count: int
    running_until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletePage:
    """The question whether to delete it."""

    window_id: str
    plan: edits.Plan | None
    steps: edits.Steps[Removed]
    back: str


def show_new(view: View) -> Shown:
    """Return the form for a new window."""
    edits.need_operator(view)
    return _shown(view, {**_NEW, "ScheduleTimezone": view.zone.key}, edits.begin({}))


def create(act: Act) -> Done | Again:
    """Make a window."""
    view, members = act.view, _members(act)
    made: list[str] = []

    def do() -> Done:
        if not made:
            made.append(view.ask("CreateMaintenanceWindow", **members)["WindowId"])
            if not members["Enabled"]:
                view.ask("UpdateMaintenanceWindow", WindowId=made[0], Enabled=False)
        return Done(
            url=f"/console/windows/{made[0]}",
            said=f"{members['Name']} is made; register a target and a task, so that something happens in it",
        )

    def weigh() -> Weighed:
        do()
        return _weigh(view, made[0], {}, (), members)

    outcome = edits.carry_out(act, {}, weigh=weigh, do=do, explain=lambda problem: _by_field(problem, act))
    return outcome if isinstance(outcome, Done) else lambda view: _shown(view, _NEW, outcome)


def show_edit(view: View) -> Shown:
    """Return the form with a window in it."""
    edits.need_operator(view)
    window = read(view)
    return _shown(view, window, edits.begin(told_window(window)))


def update(act: Act) -> Done | Again:
    """Change a window."""
    view, window, members = act.view, read(act.view), _members(act)
    window_id = window["WindowId"]
    before = next_openings(view, window_id, _SHOWN)

    def do() -> Done:
        view.ask("UpdateMaintenanceWindow", WindowId=window_id, Replace=True, **members)
        return Done(url=f"/console/windows/{window_id}", said=f"{members['Name']} is saved")

    def weigh() -> Weighed:
        do()
        return _weigh(view, window_id, window, before, members)

    told = told_window(window)
    outcome = edits.carry_out(act, told, weigh=weigh, do=do, explain=lambda problem: _by_field(problem, act))
    return outcome if isinstance(outcome, Done) else lambda view: _shown(view, window, outcome)


def show_delete(view: View) -> Shown:
    """Ask whether to delete a window."""
    edits.need_operator(view)
    window = read(view)
    return _delete_page(view, window, edits.begin(_all_told(view, window)))


def delete(act: Act) -> Done | Again:
    """Delete a window."""
    view, window = act.view, read(act.view)
    window_id = window["WindowId"]

    def weigh() -> Removed:
        targets = list(view.each("DescribeMaintenanceWindowTargets", "Targets", WindowId=window_id))
        tasks = list(view.each("DescribeMaintenanceWindowTasks", "Tasks", WindowId=window_id))
        return Removed(
            openings=next_openings(view, window_id, _SHOWN),
            zone=window.get("ScheduleTimezone") or "UTC",
            node_count=node_count(view, window_id),
            target_count=len(targets),
            task_count=len(tasks),
            running_until=running_until(view, window_id),
        )

    def do() -> Done:
        view.ask("DeleteMaintenanceWindow", WindowId=window_id)
        return Done(url="/console/windows", said=f"{window['Name']} is deleted")

    outcome = edits.carry_out(act, _all_told(view, window), weigh=weigh, do=do)
    return outcome if isinstance(outcome, Done) else lambda view: _delete_page(view, window, outcome)


def read(view: View) -> dict[str, Any]:
    """Return the window that the URL names.

    Raises:
        NotFound: it does not exist.
    """
    return view.ask("GetMaintenanceWindow", WindowId=view.path["window_id"])


def node_count(view: View, window_id: str) -> int:
    """Return how many nodes the targets of a window select."""
    targets = view.each("DescribeMaintenanceWindowTargets", "Targets", WindowId=window_id)
    count: int = view.ask("CompareTargets", After=[one["Targets"] for one in targets])["InstanceCount"]
    return count


def running_until(view: View, window_id: str) -> datetime | None:
    """Return when the opening of a window that is under way ends."""
    span = {"After": view.now - _LONGEST, "Before": view.now + _TICK}
    found = view.each("ListOpenings", "Openings", WindowId=window_id, **span, MaxResults=500)
    return max((one["EndsTime"] for one in found if one["Status"] in _RUNS), default=None)


def _all_told(view: View, window: Mapping[str, Any]) -> dict[str, str]:
    """Return what goes with a window, so that nothing goes that its reader has not seen."""
    targets = view.each("DescribeMaintenanceWindowTargets", "Targets", WindowId=window["WindowId"])
    tasks = view.each("DescribeMaintenanceWindowTasks", "Tasks", WindowId=window["WindowId"])
    return {
        **told_window(window),
        "Targets": edits.words([one.get("Name") or one["WindowTargetId"] for one in targets]),
        "Tasks": edits.words([one.get("Name") or one["WindowTaskId"] for one in tasks]),
    }


def first_difference(
    before: Sequence[Mapping[str, Any]], now: Sequence[Mapping[str, Any]], *, shown: int
) -> Difference | None:
    """Return the first opening that is not as it was; a list that has *shown* openings says nothing of what comes after its last."""
    was, will = ({one["OpensTime"]: [one[name] for name in _SAME] for one in found} for found in (before, now))
    until = min((found[-1]["OpensTime"] for found in (before, now) if len(found) >= shown), default=None)
    for at in sorted(was | will):
        if until is not None and at > until:
            return None
        if was.get(at) != will.get(at):
            return Difference(at, "new" if at not in was else "gone" if at not in will else "other")
    return None


def _by_field(problem: PatchwindowError, act: Act) -> Mapping[str, str]:
    # AWS says it in these letters, and so do we.
    return {"Cutoff": str(problem)} if str(problem).startswith("Cuttoff") else by_field(problem, act.form)


def _members(act: Act) -> dict[str, Any]:
    """Return what the form says; what is empty is left out, but a name, which would be refused."""
    given: dict[str, Any] = {name: act.first(name) for name in _TEXTS}
    given |= {name: edits.whole(act, name) for name in _NUMBERS}
    given |= {name: bool(act.first(name)) for name in _SWITCHES}
    for name, label in (
        ("Duration", "how many hours it is open"),
        ("Cutoff", "how many hours before its end nothing starts any more"),
    ):
        if given[name] is None:
            act.problems.setdefault(name, f"is empty; say {label}")
            given[name] = _NEW[name]
    return {name: value for name, value in given.items() if value not in ("", None) or name in ("Name", "Schedule")}


def _weigh(
    view: View,
    window_id: str,
    before: Mapping[str, Any],
    openings_before: Sequence[Mapping[str, Any]],
    members: Mapping[str, Any],
) -> Weighed:
    """Return what it means, as the window stands changed now."""
    was, now = before.get("Enabled", False), members["Enabled"]
    openings_now = next_openings(view, window_id, _SHOWN) if now else []
    return Weighed(
        changes=edits.compare(told_window(before) if before else {}, told_window(members)),
        openings_before=openings_before,
        openings_now=openings_now,
        first=first_difference(openings_before, openings_now, shown=_SHOWN),
        zone_before=before.get("ScheduleTimezone") or "UTC",
        zone_now=members.get("ScheduleTimezone") or "UTC",
        warnings=schedule_warnings(view, view.ask("GetMaintenanceWindow", WindowId=window_id)),
        node_count=node_count(view, window_id),
        enabling="" if was == now or not before else "gains" if now else "loses",
        is_new=not before,
        running_until=running_until(view, window_id),
    )


def _shown(view: View, window: Mapping[str, Any], steps: edits.Steps[Weighed]) -> Shown:
    window_id = window.get("WindowId", "")
    page = WindowFormPage(
        window_id=window_id,
        window=window,
        zones=zones(),
        plan=edits.plan_of(view, "MaintenanceWindow", window_id) if window_id else None,
        steps=steps,
        back="/console/windows" + (f"/{window_id}" if window_id else ""),
    )
    title = f"Edit {window['Name']}" if window_id else "New window"
    return Shown(title=title, template="window_form.html", page=page)


def _delete_page(view: View, window: Mapping[str, Any], steps: edits.Steps[Removed]) -> Shown:
    window_id = window["WindowId"]
    page = DeletePage(
        window_id=window_id,
        plan=edits.plan_of(view, "MaintenanceWindow", window_id),
        steps=steps,
        back=f"/console/windows/{window_id}",
    )
    return Shown(title=f"Delete {window['Name']}", template="window_delete.html", page=page)
