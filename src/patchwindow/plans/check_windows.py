"""Rules across the members of windows, and what their targets and tasks refer to."""

from collections.abc import Callable
from typing import Final

from patchwindow.domain.cron import Cron
from patchwindow.domain.errors import Invalid
from patchwindow.domain.opening import parse_instant
from patchwindow.domain.schedule import parse
from patchwindow.domain.schedule_zone import parse_zone
from patchwindow.plans.definitions import Association, Nodes, Plan, Target, Task, Window
from patchwindow.plans.nodes import hint
from patchwindow.plans.problems import Mark

Note = Callable[[Mark, str], None]

# These have the parameters Operation and RebootOption.
PATCH_DOCUMENTS: Final = frozenset(
    {"AWS-RunPatchBaseline", "AWS-RunPatchBaselineAssociation", "AWS-RunPatchBaselineWithHooks"}
)
_TARGET_KEYS_MAX: Final = 5
TASK_TARGETS_MAX: Final = 10


def is_patch_document(document: str) -> bool:
    """Say whether *document*, a name or an ARN, is one that scans and installs."""
    return document.rpartition("/")[2] in PATCH_DOCUMENTS


def installs(run: Task | Association) -> bool:
    """Say whether *run* installs patches."""
    return is_patch_document(run.document) and "Install" in (run.parameters.get("Operation") or (run.operation,))


def check_windows(plan: Plan, note: Note) -> None:
    """Note windows that cannot open, and targets and tasks that name what does not exist."""
    for name, window in plan.windows.items():
        what = f"window {name!r}"
        _check_times(window, what, note)
        check_freezes(plan, window, what, note)
        for target_name, target in window.targets.items():
            check_nodes(plan, target, f"{what}: target {target_name!r}", note)
        for task_name, task in window.tasks.items():
            _check_task(window, task, f"{what}: task {task_name!r}", note)


def _check_times(window: Window, what: str, note: Note) -> None:
    """Note a schedule, zone, bounds or length that the API would refuse, each at its own place."""
    marks = window.marks

    def attempt(member: str, check: Callable[[], object]) -> bool:
        try:
            check()
        except Invalid as problem:
            note(marks.at(member), f"{what}: {problem}")
            return False
        return True

    if window.sound("schedule") and attempt("schedule", lambda: parse(window.schedule)):
        offset = window.offset
        if offset is not None and not isinstance(parse(window.schedule), Cron):
            note(marks.at("offset"), f"{what}: offset is {offset}, but only a cron schedule can have one; leave it out")
    if (zone := window.timezone) is not None:
        attempt("timezone", lambda: parse_zone(zone))
    if window.sound("duration", "cutoff") and window.cutoff >= window.duration:
        most = window.duration - 1
        note(marks.at("cutoff"), f"{what}: cutoff is {window.cutoff}, and {window.duration} hours allow at most {most}")
    start, end = window.start_date, window.end_date
    dated = start is not None and attempt("start_date", lambda: parse_instant("startDate", start))
    dated = end is not None and attempt("end_date", lambda: parse_instant("endDate", end)) and dated
    if start is None or end is None or not dated:
        return
    if parse_instant("endDate", end) < parse_instant("startDate", start):
        note(marks.at("end_date"), f"{what}: endDate is {end}, before startDate {start}")


def check_nodes(plan: Plan, target: Target | Nodes, what: str, note: Note) -> None:
    """Note what names no nodes, names them in ways that exclude each other, or a group that is not there."""
    marks = target.marks
    filters = [target.patch_group, target.patch_groups, target.tags]
    if not any((*filters, target.node_ids)) and target.sound("patch_group", "patch_groups", "tags", "node_ids"):
        note(marks.record, f"{what} names no nodes; say patchGroup, patchGroups, tags or nodeIds")
    if target.node_ids and any(filters):
        note(marks.at("node_ids"), f"{what}: nodeIds cannot stand beside other ways to name nodes; make two targets")
    if target.patch_group and target.patch_groups:
        note(marks.at("patch_group"), f"{what} has patchGroup and patchGroups; put them into patchGroups")
    if target.tags and len(target.tags) + bool(target.patch_group or target.patch_groups) > _TARGET_KEYS_MAX:
        note(marks.at("tags"), f"{what} asks for more than {_TARGET_KEYS_MAX} tags, the patch group included")
    if target.patch_group is not None:
        _check_group(plan, target.patch_group, marks.at("patch_group"), what, note)
    for index, group in enumerate(target.patch_groups or ()):
        _check_group(plan, group, marks.at("patch_groups", index), what, note)


def check_freezes(plan: Plan, what_heeds: Window | Association, what: str, note: Note) -> None:
    """Note freezes that the plan does not have."""
    for index, name in enumerate(what_heeds.freezes or ()):
        if name not in plan.freezes and plan.sound("freezes"):
            mark = what_heeds.marks.at("freezes", index)
            note(mark, f"{what}: there is no freeze {name!r} in this plan; {hint(name, plan.freezes)}")


def _check_group(plan: Plan, group: str, mark: Mark, what: str, note: Note) -> None:
    if group not in plan.patch_groups and plan.sound("patch_groups"):
        note(mark, f"{what}: there is no patch group {group!r} in this plan; {hint(group, plan.patch_groups)}")


def _check_task(window: Window, task: Task, what: str, note: Note) -> None:
    """Note a task without targets, with targets that the window does not have, or with half a patch operation."""
    marks = task.marks
    for index, name in enumerate(task.targets or ()):
        if name not in window.targets and window.sound("targets"):
            note(marks.at("targets", index), f"{what}: the window has no target {name!r}; {hint(name, window.targets)}")
    if task.targets is None and len(window.targets) > TASK_TARGETS_MAX:
        count = len(window.targets)
        note(
            marks.record,
            f"{what} runs on all {count} targets of its window, {TASK_TARGETS_MAX} are possible; name some",
        )
    if task.targets is None and not window.targets and window.sound("targets") and task.sound("targets"):
        note(marks.record, f"{what} has nothing to run on; give the window a target")
    check_document(task, what, note)


def check_document(run: Task | Association, what: str, note: Note) -> None:
    """Note what patches without an operation, and words of patch documents beside another document."""
    marks = run.marks
    if not run.sound("document"):
        return
    if is_patch_document(run.document):
        if run.operation is None and run.sound("operation") and "Operation" not in run.parameters:
            note(marks.record, f"{what} needs operation, Scan or Install, here or in defaults")
        for member, key in (("operation", "Operation"), ("reboot_option", "RebootOption")):
            if key in run.parameters and member not in marks.inherited and getattr(run, member) is not None:
                note(marks.at("parameters", key), f"{what} says {key} twice; keep one of {member!r} and this")
        return
    for member, key in (("operation", "operation"), ("reboot_option", "rebootOption")):
        if member not in marks.inherited and getattr(run, member) is not None:
            note(marks.at(member), f"{what}: {run.document} has no {key}; put its parameters under parameters")
