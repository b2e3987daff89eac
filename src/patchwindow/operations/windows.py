"""Maintenance windows: making, changing, listing them, and when they open."""

import dataclasses
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, Final

from patchwindow.domain.errors import Invalid, NotFound
from patchwindow.domain.opening import parse_instant
from patchwindow.domain.schedule_zone import format_instant, parse_zone
from patchwindow.domain.window import Target, Window, WindowTarget
from patchwindow.operations.call import Answer, Call, Request, after_text, filter_values, slice_after
from patchwindow.operations.tags import WINDOW, add_new_tags
from patchwindow.operations.targeting import is_selected, targets_of
from patchwindow.ports import ENGINE
from patchwindow.protocol.pages import Key
from patchwindow.protocol.records import attributes, from_members, to_members

_PAGE: Final = 100
_SCHEDULE: Final = ("schedule", "schedule_timezone", "schedule_offset", "start_date", "end_date")
_REPLACE_NEEDS: Final = ("Name", "Schedule", "Duration", "Cutoff", "AllowUnassociatedTargets")
_OPENINGS_MAX: Final = 1000
"""How many coming openings of one window are looked at; AWS publishes no horizon."""


def create(call: Call, request: Request) -> Answer:
    """CreateMaintenanceWindow."""
    window = from_members(
        Window,
        request,
        window_id=f"mw-{call.ids.hex(17)}",
        created_date=call.now,
        modified_date=call.now,
        scheduled_at=call.now,
    )
    _keep(call, window)
    add_new_tags(call, WINDOW, window.window_id, request)
    return {"WindowId": window.window_id}


def get(call: Call, request: Request) -> Answer:
    """GetMaintenanceWindow."""
    window = existing(call, request["WindowId"])
    return {**_members(window), **_next(call, window)}


def update(call: Call, request: Request) -> Answer:
    """UpdateMaintenanceWindow: merges; with Replace, what is not given becomes absent, but Enabled stays as it is."""
    before = existing(call, request["WindowId"])
    if request.get("Replace"):
        missing = [name for name in _REPLACE_NEEDS if name not in request]
        if missing:
            raise Invalid(f"{', '.join(missing)} must be given with Replace")
        after = from_members(
            Window,
            {"Enabled": before.enabled, **request},
            created_date=before.created_date,
            modified_date=call.now,
            scheduled_at=before.scheduled_at,
        )
    else:
        after = dataclasses.replace(before, **attributes(Window, request), modified_date=call.now)
    if any(getattr(before, name) != getattr(after, name) for name in _SCHEDULE):
        after = dataclasses.replace(after, scheduled_at=call.now)
    _keep(call, after)
    members = _members(after)
    del members["CreatedDate"], members["ModifiedDate"]
    return members


def delete(call: Call, request: Request) -> Answer:
    """DeleteMaintenanceWindow: also of an unknown id, as AWS answers it. An open execution runs to its end."""
    call.work.windows.delete(request["WindowId"])
    call.work.tags.remove_all(WINDOW, request["WindowId"])
    return {"WindowId": request["WindowId"]}


def describe(call: Call, request: Request) -> Answer:
    """DescribeMaintenanceWindows: filters Name (the beginning of the name) and Enabled."""
    filters = filter_values(request.get("Filters"), ("Name", "Enabled"), refuse=Invalid)
    is_enabled = _truth(filters["Enabled"]) if filters.get("Enabled") else None

    def fetch(after: Key | None, limit: int) -> Sequence[Window]:
        return call.work.windows.page(
            after=after_text(after), limit=limit, name_prefixes=filters.get("Name", ()), is_enabled=is_enabled
        )

    return call.pages(
        request,
        "WindowIdentities",
        default=_PAGE,
        fetch=fetch,
        key=lambda window: (window.window_id,),
        shape=lambda window: _identity(call, window),
    )


def describe_schedule(call: Call, request: Request) -> Answer:
    """DescribeMaintenanceWindowSchedule: the coming openings of one window, or of those that have a target, in order."""
    filters = filter_values(request.get("Filters"), ("ScheduledAfter", "ScheduledBefore"), refuse=Invalid)
    since = max([call.now, *_instants(filters, "ScheduledAfter")])
    until = min(_instants(filters, "ScheduledBefore"), default=None)
    if "WindowId" in request:
        windows = [existing(call, request["WindowId"])]
    elif request.get("Targets"):
        windows = list(_windows_of(call, targets_of(request["Targets"])))
    else:
        windows = list(_all(call))
    openings = sorted(
        (opening, window.window_id, window)
        for window in windows
        if window.enabled
        for opening in _openings(window, since, until)
    )
    return call.pages(
        request,
        "ScheduledWindowExecutions",
        default=_PAGE,
        fetch=lambda after, limit: slice_after(list(enumerate(openings)), after, limit),
        key=lambda numbered: (numbered[0],),
        shape=lambda numbered: {
            "WindowId": numbered[1][1],
            "Name": numbered[1][2].name,
            "ExecutionTime": format_instant(numbered[1][0], _zone(numbered[1][2])),
        },
    )


def describe_for_target(call: Call, request: Request) -> Answer:
    """DescribeMaintenanceWindowsForTarget: windows with a registered target that would include the resource."""
    windows = sorted(_windows_of(call, targets_of(request["Targets"])), key=lambda window: window.window_id)
    return call.pages(
        request,
        "WindowIdentities",
        default=_PAGE,
        fetch=lambda after, limit: slice_after(list(enumerate(windows)), after, limit),
        key=lambda numbered: (numbered[0],),
        shape=lambda numbered: {"WindowId": numbered[1].window_id, "Name": numbered[1].name},
    )


def existing(call: Call, window_id: str) -> Window:
    """Return the window.

    Raises:
        NotFound: there is none of this id.
    """
    window = call.work.windows.get(window_id)
    if window is None:
        raise NotFound(f"Maintenance window {window_id} does not exist")
    return window


def _keep(call: Call, window: Window) -> None:
    opening = window.timing().next_opening(call.now) if window.enabled else None
    due = call.work.windows.opening_of(window.window_id)
    if opening is not None and due is not None and due <= call.now and window.scheduled_at < due:
        # The engine is about to open it; a change of another field must not make that opening vanish.
        opening = due
    call.work.windows.put(window, next_opening_at=opening)
    call.work.wake(ENGINE)


def _members(window: Window) -> dict[str, Any]:
    members = to_members(window)
    del members["ScheduledAt"]
    return members


def _identity(call: Call, window: Window) -> dict[str, Any]:
    members = _members(window)
    for name in ("AllowUnassociatedTargets", "CreatedDate", "ModifiedDate"):
        del members[name]
    return {**members, **_next(call, window)}


def _next(call: Call, window: Window) -> dict[str, str]:
    opening = window.timing().next_opening(call.now) if window.enabled else None
    return {} if opening is None else {"NextExecutionTime": format_instant(opening, _zone(window))}


def _zone(window: Window) -> Any:
    return parse_zone(window.schedule_timezone or "UTC")


def _openings(window: Window, since: datetime, until: datetime | None) -> Iterator[datetime]:
    for opening in islice(window.timing().openings(since), _OPENINGS_MAX):
        if until is not None and opening >= until:
            return
        yield opening


def _windows_of(call: Call, targets: tuple[Target, ...]) -> Iterator[Window]:
    """Yield the windows that have a registered target with the same definition, or one that selects a named node."""
    found: dict[str, None] = {}
    for registered in call.work.window_targets.all():
        if _includes(call, registered, targets):
            found.setdefault(registered.window_id)
    for window_id in found:
        window = call.work.windows.get(window_id)
        if window is not None:
            yield window


def _includes(call: Call, registered: WindowTarget, targets: tuple[Target, ...]) -> bool:
    def covers(one: Target) -> bool:
        same = any(other.key == one.key and set(one.values) & set(other.values) for other in registered.targets)
        return same or (
            one.key == "InstanceIds" and any(is_selected(call.work, node_id, registered.targets) for node_id in one.values)
        )

    return all(covers(one) for one in targets)


def _all(call: Call) -> Iterator[Window]:
    after = ""
    while page := call.work.windows.page(after=after, limit=_PAGE):
        yield from page
        after = page[-1].window_id


def _instants(filters: dict[str, tuple[str, ...]], key: str) -> list[datetime]:
    return [parse_instant(key, value) for value in filters.get(key, ())]


def _truth(values: Sequence[str]) -> bool:
    if len(values) != 1 or values[0].lower() not in ("true", "false"):
        raise Invalid(f"filter Enabled is {', '.join(values)}; use true or false")
    return values[0].lower() == "true"
