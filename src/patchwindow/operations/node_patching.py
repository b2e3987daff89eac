"""What scans and patches a node by itself, windows and associations, and when it does so next."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from patchwindow.domain.association import Association
from patchwindow.domain.errors import NotFound
from patchwindow.domain.opening import Timing
from patchwindow.domain.patch_parts import WITH_HOOKS
from patchwindow.domain.resource_group import TagQuery
from patchwindow.domain.window import Target, TaskType, Window, WindowTask
from patchwindow.operations.association_nodes import is_for
from patchwindow.operations.call import Call, bare_id
from patchwindow.operations.tags import NODE
from patchwindow.operations.targeting import IDS, Selection, group_queries, includes, selection
from patchwindow.operations.targets import TARGET_IDS
from patchwindow.store.work import Work

SCAN: Final = "Scan"
INSTALL: Final = "Install"

_DOCUMENTS: Final = frozenset({"AWS-RunPatchBaseline", "AWS-RunPatchBaselineAssociation", WITH_HOOKS})
_PAGE: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Patching:
    """A task of an enabled window, or an association with a schedule, that scans or patches the node in question.

    *named* is what answers call it by; of several at one instant the one of the lowest *priority* has its turn first.
    """

    operation: str
    timing: Timing
    named: Mapping[str, str]
    priority: int = 0


@dataclass(frozen=True, slots=True)
class Opening:
    """When something has its turn."""

    at: datetime
    by: Patching

    def members(self) -> dict[str, Any]:
        """Return it as answers have it."""
        return {**self.by.named, "OpensAt": self.at}


def patching_of(call: Call, node_id: str) -> list[Patching]:
    """Return all that runs a patch document on the node by itself."""
    tags = call.work.tags.of(NODE, node_id)
    queries = group_queries(call.work)
    return [*_tasks(call, node_id, tags, queries), *_associations(call, node_id, tags, queries)]


def patched_nodes(work: Work, windows: Iterable[Window]) -> set[str]:
    """Return the nodes on which one of *windows*, or an association with a schedule, does more than scan."""
    found: set[str] = set()
    values_of: defaultdict[str, set[str]] = defaultdict(set)
    for ids, tags in _patching_targets(work, {window.window_id for window in windows}):
        if ids is None and len(tags) == 1 and tags[0][1]:
            # Most windows ask for one value of the same few tags: these are looked up together.
            values_of[tags[0][0]].update(tags[0][1])
        else:
            found.update(work.nodes.selected_ids(ids=ids, tags=tags))
    for key, values in values_of.items():
        found.update(work.nodes.selected_ids(ids=None, tags=[(key, sorted(values))]))
    return found


def _patching_targets(work: Work, window_ids: Collection[str]) -> list[Selection]:
    """Return what those select, each selection once: many windows are for the same nodes."""
    registered = {target.window_target_id: target.targets for target in work.window_targets.all()}
    wanted = [
        targets
        for task in work.window_tasks.all()
        if task.window_id in window_ids and _does_more_than_scan(task.task_type, task.task_arn, _operation(task))
        for targets in _targets_of(task, registered)
    ]
    for association in _all(work):
        operation = ((association.parameters or {}).get("Operation") or [""])[0]
        is_one = _does_more_than_scan(TaskType.RUN_COMMAND, association.name or "", str(operation))
        if is_one and association.timing() is not None and association.selecting is not None:
            wanted.append(tuple(association.selecting))
    found: list[Selection] = []
    for targets in dict.fromkeys(wanted):
        try:
            selected = selection(work, targets)
        except NotFound:
            # A resource group that is gone selects nobody.
            continue
        if selected is not None:
            found.append(selected)
    return found


def _does_more_than_scan(task_type: TaskType, document: str, operation: str) -> bool:
    # What other documents and webhooks do to nodes is for their owner to know: they may well patch.
    return task_type is not TaskType.RUN_COMMAND or bare_id(document) not in _DOCUMENTS or operation != SCAN


def _targets_of(task: WindowTask, registered: Mapping[str, tuple[Target, ...]]) -> Iterator[tuple[Target, ...]]:
    for target in task.targets:
        if target.key == TARGET_IDS:
            yield from (registered[id] for id in target.values if id in registered)
        else:
            yield (target,)


def next_opening(patching: Iterable[Patching], operation: str, after: datetime) -> Opening | None:
    """Return the first time after *after* at which one of *patching* carries out *operation*; None where none does."""
    openings = (
        Opening(at, each)
        for each in patching
        if each.operation == operation and (at := each.timing.next_opening(after)) is not None
    )
    return min(openings, key=lambda opening: (opening.at, opening.by.priority), default=None)


def _tasks(call: Call, node_id: str, tags: Mapping[str, str], queries: Mapping[str, TagQuery]) -> Iterator[Patching]:
    reached = {
        target.window_target_id
        for target in call.work.window_targets.all()
        if includes(target.targets, node_id, tags, queries)
    }
    windows: dict[str, Window | None] = {}
    for task in call.work.window_tasks.all():
        if not _is_for(task, node_id, reached):
            continue
        if task.window_id not in windows:
            windows[task.window_id] = call.work.windows.get(task.window_id)
        window = windows[task.window_id]
        if window is not None and window.enabled:
            named = {"WindowId": window.window_id, "WindowName": window.name, "WindowTaskId": task.window_task_id}
            yield Patching(operation=_operation(task), timing=window.timing(), named=named, priority=task.priority)


def _is_for(task: WindowTask, node_id: str, reached: set[str]) -> bool:
    if task.task_type is not TaskType.RUN_COMMAND or bare_id(task.task_arn) not in _DOCUMENTS:
        return False
    return any(
        (target.key == TARGET_IDS and not reached.isdisjoint(target.values))
        or (target.key == IDS and node_id in target.values)
        for target in task.targets
    )


def _operation(task: WindowTask) -> str:
    """Return what the task tells the patch document to do; it may say so in the deprecated way alone."""
    given = (task.task_invocation_parameters or {}).get("RunCommand") or {}
    values = (given.get("Parameters") or {}).get("Operation")
    if not given:
        values = ((task.task_parameters or {}).get("Operation") or {}).get("Values")
    return str(values[0]) if values else ""


def _associations(
    call: Call, node_id: str, tags: Mapping[str, str], queries: Mapping[str, TagQuery]
) -> Iterator[Patching]:
    for association in _all(call.work):
        if bare_id(association.name or "") not in _DOCUMENTS or not is_for(association, node_id, tags, queries):
            continue
        timing, values = association.timing(), (association.parameters or {}).get("Operation")
        if timing is not None and values:
            named = {"AssociationId": association.association_id, "AssociationName": association.association_name}
            yield Patching(
                operation=str(values[0]),
                timing=timing,
                named={name: text for name, text in named.items() if text is not None},
            )


def _all(work: Work) -> Iterator[Association]:
    after = ""
    while page := work.associations.page(after=after, limit=_PAGE):
        yield from page
        after = page[-1].association_id
