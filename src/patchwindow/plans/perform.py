"""Carrying out changes: which calls of the API make, change and take away each kind of resource."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from patchwindow.client import ClientProblem, SsmClient
from patchwindow.plans import calls_associations, calls_baselines, calls_freezes, calls_windows
from patchwindow.plans.difference import Action, Change
from patchwindow.plans.state import Kind
from patchwindow.plans.work import Work


@dataclass(frozen=True, slots=True)
class Applied:
    """What was done: changes that made something, that changed something, that found nothing to do, that took something away; and
    leftovers.
    """

    created: tuple[Change, ...]
    updated: tuple[Change, ...]
    unchanged: tuple[Change, ...]
    deleted: tuple[Change, ...]
    left: tuple[Change, ...]


def perform(
    changes: Iterable[Change],
    client: SsmClient,
    *,
    plan_name: str,
    predefined_ids: Mapping[str, str],
    on_change: Callable[[Change], None],
) -> Applied:
    """Carry out *changes* in their order, telling *on_change* of each when it is done, and return what was done.

    Each call is safe to repeat: after a failure, the same plan is applied again and goes on where it stopped.

    Raises:
        ClientProblem: a call was refused; the message names the change, and what came before it stays done.
    """
    changes = list(changes)
    # What is there is known from the start: what is deleted refers to what is deleted after it.
    there = {change.address: change.id for change in changes if change.id is not None}
    work = Work(client, plan_name, predefined_ids, there)
    done: dict[Action, list[Change]] = {action: [] for action in Action}
    for change in changes:
        try:
            id = _carry_out(work, change)
        except ClientProblem as problem:
            raise ClientProblem(f"{change}: {problem}", code=problem.code) from problem
        if id is not None:
            work.ids[change.address] = id
        done[change.action].append(change)
        on_change(change)
    order = (Action.CREATE, Action.UPDATE, Action.KEEP, Action.DELETE, Action.LEAVE)
    return Applied(*(tuple(done[action]) for action in order))


def _carry_out(work: Work, change: Change) -> str | None:
    """Do what *change* says, and return the id of its resource."""
    match change.action:
        case Action.CREATE:
            return _CREATE[change.address.kind](work, change)
        case Action.UPDATE:
            _UPDATE[change.address.kind](work, change)
            return change.id
        case Action.DELETE:
            _DELETE[change.address.kind](work, change)
            return None
        case Action.KEEP | Action.LEAVE:
            return change.id


_CREATE: Final[Mapping[Kind, Callable[[Work, Change], str]]] = {
    Kind.BASELINE: calls_baselines.create_baseline,
    Kind.DEFAULT: calls_baselines.register_default,
    Kind.GROUP: calls_baselines.register_group,
    Kind.FREEZE: calls_freezes.create_freeze,
    Kind.WINDOW: calls_windows.create_window,
    Kind.TARGET: calls_windows.register_target,
    Kind.TASK: calls_windows.register_task,
    Kind.ASSOCIATION: calls_associations.create_association,
}
_UPDATE: Final[Mapping[Kind, Callable[[Work, Change], object]]] = {
    Kind.BASELINE: calls_baselines.update_baseline,
    Kind.DEFAULT: calls_baselines.register_default,
    Kind.GROUP: calls_baselines.move_group,
    Kind.FREEZE: calls_freezes.update_freeze,
    Kind.WINDOW: calls_windows.update_window,
    Kind.TARGET: calls_windows.update_target,
    Kind.TASK: calls_windows.update_task,
    Kind.ASSOCIATION: calls_associations.update_association,
}
_DELETE: Final[Mapping[Kind, Callable[[Work, Change], None]]] = {
    Kind.BASELINE: calls_baselines.delete_baseline,
    Kind.DEFAULT: calls_baselines.reset_default,
    Kind.GROUP: calls_baselines.deregister_group,
    Kind.FREEZE: calls_freezes.delete_freeze,
    Kind.WINDOW: calls_windows.delete_window,
    Kind.TARGET: calls_windows.deregister_target,
    Kind.TASK: calls_windows.deregister_task,
    Kind.ASSOCIATION: calls_associations.delete_association,
}
