"""The calls that make, change and take away windows, their targets and their tasks."""

from typing import Any

from patchwindow.client import call, pages
from patchwindow.plans.difference import Change
from patchwindow.plans.once import answers, create_once
from patchwindow.plans.state import FREEZES, FREEZES_TAG, Address, Kind
from patchwindow.plans.work import Work, changed_members, set_members


def create_window(work: Work, change: Change) -> str:
    request = set_members(change)
    freezes = request.pop(FREEZES, [])
    request["Tags"] = [*work.tags(change.address), *_freezes_tag(freezes)]
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


def update_window(work: Work, change: Change) -> None:
    if FREEZES in change.changed:
        _heed(work, change)
    if change.changed == (FREEZES,):
        return
    # Always as a whole: a schedule, its zone, its offset and its bounds mean something only together.
    members = set_members(change) | {"Enabled": change.members["Enabled"]}
    members.pop(FREEZES, None)
    call(work.client, "UpdateMaintenanceWindow", WindowId=change.id, Replace=True, **members)


def _heed(work: Work, change: Change) -> None:
    """Name in the window's tag what it heeds; a tag without a value would name nothing, so it goes."""
    place = {"ResourceType": "MaintenanceWindow", "ResourceId": change.id}
    if tags := _freezes_tag(change.members[FREEZES]):
        call(work.client, "AddTagsToResource", **place, Tags=tags)
    else:
        call(work.client, "RemoveTagsFromResource", **place, TagKeys=[FREEZES_TAG])


def _freezes_tag(freezes: list[str]) -> list[dict[str, str]]:
    return [{"Key": FREEZES_TAG, "Value": " ".join(freezes)}] if freezes else []


def delete_window(work: Work, change: Change) -> None:
    """Delete it, with what is left in it."""
    call(work.client, "DeleteMaintenanceWindow", WindowId=change.id)


def register_target(work: Work, change: Change) -> str:
    window_id = work.window_id(change.address)

    def is_there(id: str) -> bool:
        listed = pages(work.client, "DescribeMaintenanceWindowTargets", "Targets", WindowId=window_id)
        return any(target["WindowTargetId"] == id for target in listed)

    request = set_members(change) | {"WindowId": window_id}
    return create_once(work.client, "RegisterTargetWithMaintenanceWindow", request, "WindowTargetId", is_there)


def update_target(work: Work, change: Change) -> None:
    place = {"WindowId": work.window_id(change.address), "WindowTargetId": change.id}
    call(work.client, "UpdateMaintenanceWindowTarget", **place, **changed_members(change))


def deregister_target(work: Work, change: Change) -> None:
    """Take it from its window, unless a task there still refers to it."""
    place = {"WindowId": work.window_id(change.address), "WindowTargetId": change.id}
    call(work.client, "DeregisterTargetFromMaintenanceWindow", **place, Safe=True)


def register_task(work: Work, change: Change) -> str:
    window_id = work.window_id(change.address)
    request = _with_target_ids(work, change, set_members(change)) | {"WindowId": window_id}
    return create_once(
        work.client,
        "RegisterTaskWithMaintenanceWindow",
        request,
        "WindowTaskId",
        lambda made: answers(work.client, "GetMaintenanceWindowTask", WindowId=window_id, WindowTaskId=made),
    )


def update_task(work: Work, change: Change) -> None:
    place = {"WindowId": work.window_id(change.address), "WindowTaskId": change.id}
    members = _with_target_ids(work, change, changed_members(change))
    call(work.client, "UpdateMaintenanceWindowTask", **place, **members)


def deregister_task(work: Work, change: Change) -> None:
    """Take it from its window."""
    place = {"WindowId": work.window_id(change.address), "WindowTaskId": change.id}
    call(work.client, "DeregisterTaskFromMaintenanceWindow", **place)


def _with_target_ids(work: Work, change: Change, members: dict[str, Any]) -> dict[str, Any]:
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
