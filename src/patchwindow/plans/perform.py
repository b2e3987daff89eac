"""Carrying out changes: which calls of the API make, and change, each kind of resource."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from patchwindow.client import ClientProblem, SsmClient, call, pages
from patchwindow.plans.difference import Action, Change
from patchwindow.plans.once import answers, create_once
from patchwindow.plans.state import BASELINE, DEFAULTS, FIXED, NAME_TAG, PLAN_TAG, Address, Kind


@dataclass(frozen=True, slots=True)
class Applied:
    """What was done: changes that made something, that changed something, that found nothing to do; and leftovers."""

    created: tuple[Change, ...]
    updated: tuple[Change, ...]
    unchanged: tuple[Change, ...]
    left: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class _Work:
    """What one carrying-out knows: whom it asks, for which plan, and the id of everything so far."""

    client: SsmClient
    plan_name: str
    predefined_ids: Mapping[str, str]
    ids: dict[Address, str] = field(default_factory=dict)

    def baseline_id(self, name: str) -> str:
        """Return the id of a baseline of the plan, or of a predefined one."""
        return self.ids.get(Address(Kind.BASELINE, (name,))) or self.predefined_ids[name]

    def tags(self, address: Address) -> list[dict[str, str]]:
        """Return the tags by which a later look knows what the plan has made."""
        return [{"Key": PLAN_TAG, "Value": self.plan_name}, {"Key": NAME_TAG, "Value": address.path[0]}]


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
    work = _Work(client, plan_name, predefined_ids)
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
    return Applied(*(tuple(done[action]) for action in (Action.CREATE, Action.UPDATE, Action.KEEP, Action.LEAVE)))


def _carry_out(work: _Work, change: Change) -> str | None:
    """Do what *change* says, and return the id of its resource."""
    match change.action:
        case Action.CREATE:
            return _CREATE[change.address.kind](work, change)
        case Action.UPDATE:
            _UPDATE[change.address.kind](work, change)
            return change.id
        case Action.KEEP | Action.LEAVE:
            return change.id


def _create_baseline(work: _Work, change: Change) -> str:
    request = _set_members(change) | {"Tags": work.tags(change.address)}
    return create_once(
        work.client,
        "CreatePatchBaseline",
        request,
        "BaselineId",
        lambda made: answers(work.client, "GetPatchBaseline", BaselineId=made),
    )


def _update_baseline(work: _Work, change: Change) -> None:
    call(work.client, "UpdatePatchBaseline", BaselineId=change.id, **_update(change))


def _register_default(work: _Work, change: Change) -> str:
    id = work.baseline_id(change.members[BASELINE])
    call(work.client, "RegisterDefaultPatchBaseline", BaselineId=id)
    return id


def _register_group(work: _Work, change: Change) -> str:
    id = work.baseline_id(change.members[BASELINE])
    group = change.address.path[0]
    call(work.client, "RegisterPatchBaselineForPatchGroup", BaselineId=id, PatchGroup=group)
    return id


def _move_group(work: _Work, change: Change) -> None:
    """Register another baseline; a group has one for each operating system, so the former one goes first."""
    group = change.address.path[0]
    call(work.client, "DeregisterPatchBaselineForPatchGroup", BaselineId=change.id, PatchGroup=group)
    _register_group(work, change)


def _create_window(work: _Work, change: Change) -> str:
    request = _set_members(change) | {"Tags": work.tags(change.address)}
    # A window cannot be created disabled.  It opens onto nothing in between, for it has no tasks yet.
    is_enabled = request.pop("Enabled", True)
    id = create_once(
        work.client,
        "CreateMaintenanceWindow",
        request,
        "WindowId",
        lambda made: answers(work.client, "GetMaintenanceWindow", WindowId=made),
    )
    if not is_enabled:
        call(work.client, "UpdateMaintenanceWindow", WindowId=id, Enabled=False)
    return id


def _update_window(work: _Work, change: Change) -> None:
    # Always as a whole: a schedule, its zone, its offset and its bounds mean something only together.
    members = _set_members(change) | {"Enabled": change.members["Enabled"]}
    call(work.client, "UpdateMaintenanceWindow", WindowId=change.id, Replace=True, **members)


def _register_target(work: _Work, change: Change) -> str:
    window_id = _window_id(work, change)

    def is_there(id: str) -> bool:
        listed = pages(work.client, "DescribeMaintenanceWindowTargets", "Targets", WindowId=window_id)
        return any(target["WindowTargetId"] == id for target in listed)

    request = _set_members(change) | {"WindowId": window_id}
    return create_once(work.client, "RegisterTargetWithMaintenanceWindow", request, "WindowTargetId", is_there)


def _update_target(work: _Work, change: Change) -> None:
    place = {"WindowId": _window_id(work, change), "WindowTargetId": change.id}
    call(work.client, "UpdateMaintenanceWindowTarget", **place, **_update(change))


def _register_task(work: _Work, change: Change) -> str:
    window_id = _window_id(work, change)
    request = _with_target_ids(work, change, _set_members(change)) | {"WindowId": window_id}
    return create_once(
        work.client,
        "RegisterTaskWithMaintenanceWindow",
        request,
        "WindowTaskId",
        lambda made: answers(work.client, "GetMaintenanceWindowTask", WindowId=window_id, WindowTaskId=made),
    )


def _update_task(work: _Work, change: Change) -> None:
    place = {"WindowId": _window_id(work, change), "WindowTaskId": change.id}
    members = _with_target_ids(work, change, _update(change))
    call(work.client, "UpdateMaintenanceWindowTask", **place, **members)


_CREATE: Final[Mapping[Kind, Callable[[_Work, Change], str]]] = {
    Kind.BASELINE: _create_baseline,
    Kind.DEFAULT: _register_default,
    Kind.GROUP: _register_group,
    Kind.WINDOW: _create_window,
    Kind.TARGET: _register_target,
    Kind.TASK: _register_task,
}
_UPDATE: Final[Mapping[Kind, Callable[[_Work, Change], object]]] = {
    Kind.BASELINE: _update_baseline,
    Kind.DEFAULT: _register_default,
    Kind.GROUP: _move_group,
    Kind.WINDOW: _update_window,
    Kind.TARGET: _update_target,
    Kind.TASK: _update_task,
}


def _window_id(work: _Work, change: Change) -> str:
    return work.ids[Address(Kind.WINDOW, change.address.path[:1])]


def _with_target_ids(work: _Work, change: Change, members: dict[str, Any]) -> dict[str, Any]:
    """Return *members* with the ids of a task's targets for their names."""
    if "Targets" in members:
        window = change.address.path[0]
        members["Targets"] = [
            {
                "Key": entry["Key"],
                "Values": [work.ids[Address(Kind.TARGET, (window, name))] for name in entry["Values"]],
            }
            for entry in members["Targets"]
        ]
    return members


def _set_members(change: Change) -> dict[str, Any]:
    """Return the members that are set; one that holds its default need not be said."""
    defaults = DEFAULTS[change.address.kind]
    return {name: value for name, value in change.members.items() if value != defaults[name]}


def _update(change: Change) -> dict[str, Any]:
    """Return the request of an update: the changed members, or all where one of them must become absent.

    Without ``Replace``, a member that is not sent stays as it is, so only a replacement can take one away.
    """
    if any(change.members[name] is None for name in change.changed):
        fixed = FIXED[change.address.kind]
        return {name: value for name, value in _set_members(change).items() if name not in fixed} | {"Replace": True}
    return {name: change.members[name] for name in change.changed}
