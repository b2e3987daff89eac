"""Targets registered with maintenance windows."""

import dataclasses
from typing import Final

from patchwindow.domain.errors import Invalid, NotFound, TargetInUse
from patchwindow.domain.window import Window, WindowTarget
from patchwindow.operations.call import Answer, Call, Request, after_text, filter_values
from patchwindow.operations.targeting import check_keys, targets_of
from patchwindow.operations.windows import existing, locked
from patchwindow.protocol.records import attributes, from_members, to_members

TARGET_IDS: Final = "WindowTargetIds"
_PAGE: Final = 100


def register(call: Call, request: Request) -> Answer:
    """RegisterTargetWithMaintenanceWindow."""
    window = locked(call, request["WindowId"])
    check_keys(request["Targets"])
    target = from_members(WindowTarget, request, window_target_id=call.ids.uuid())
    _check(target)
    call.site.quotas.check("targets-per-window", len(call.work.window_targets.of_window(window.window_id)) + 1)
    call.work.window_targets.put(target.window_target_id, target)
    return {"WindowTargetId": target.window_target_id}


def update(call: Call, request: Request) -> Answer:
    """UpdateMaintenanceWindowTarget: merges, or with Replace makes absent what is not given."""
    before = _existing(call, locked(call, request["WindowId"]), request["WindowTargetId"])
    check_keys(request.get("Targets", ()))
    if request.get("Replace"):
        if "Targets" not in request:
            raise Invalid("Targets must be given with Replace")
        after = from_members(WindowTarget, request, resource_type=before.resource_type)
    else:
        after = dataclasses.replace(before, **attributes(WindowTarget, request))
    _check(after)
    call.work.window_targets.put(after.window_target_id, after)
    members = to_members(after)
    del members["ResourceType"]
    return members


def deregister(call: Call, request: Request) -> Answer:
    """DeregisterTargetFromMaintenanceWindow: with Safe only if no task names it."""
    window_id, target_id = request["WindowId"], request["WindowTargetId"]
    _existing(call, locked(call, window_id), target_id)
    if request.get("Safe"):
        users = [
            task.window_task_id
            for task in call.work.window_tasks.of_window(window_id)
            if any(target.key == TARGET_IDS and target_id in target.values for target in task.targets)
        ]
        if users:
            raise TargetInUse(f"window target {target_id} is used by task {', '.join(users)}; change that first")
    call.work.window_targets.delete(target_id)
    return {"WindowId": window_id, "WindowTargetId": target_id}


def describe(call: Call, request: Request) -> Answer:
    """DescribeMaintenanceWindowTargets."""
    existing(call, request["WindowId"])
    filters = filter_values(request.get("Filters"), ("Type", "WindowTargetId", "OwnerInformation"), refuse=Invalid)
    targets = [
        target
        for target in call.work.window_targets.of_window(request["WindowId"])
        if target.resource_type in filters.get("Type", (target.resource_type,))
        and target.window_target_id in filters.get("WindowTargetId", (target.window_target_id,))
        and target.owner_information in filters.get("OwnerInformation", (target.owner_information,))
    ]
    return call.pages(
        request,
        "Targets",
        default=_PAGE,
        fetch=lambda after, limit: [one for one in targets if one.window_target_id > after_text(after)][:limit],
        key=lambda target: (target.window_target_id,),
        shape=to_members,
    )


def _existing(call: Call, window: Window, target_id: str) -> WindowTarget:
    target = call.work.window_targets.get(window.window_id, target_id)
    if target is None:
        raise NotFound(f"Window target {target_id} does not exist in maintenance window {window.window_id}")
    return target


def _check(target: WindowTarget) -> None:
    targets_of([to_members(one) for one in target.targets], resource_type=target.resource_type)
