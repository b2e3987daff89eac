"""Maintenance windows: making, changing and listing them. When they open is told in `openings.py`."""

import dataclasses
from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import Any, Final

from patchwindow.domain.errors import Invalid, NotFound
from patchwindow.domain.schedule_zone import format_instant, parse_zone
from patchwindow.domain.window import Window
from patchwindow.operations.call import Answer, Call, Request, after_text, filter_values
from patchwindow.operations.tags import WINDOW, add_new_tags
from patchwindow.protocol.pages import Key
from patchwindow.protocol.records import attributes, from_members, to_members
from patchwindow.store.windows import StoredWindow

_PAGE: Final = 100
_SCHEDULE: Final = ("schedule", "schedule_timezone", "schedule_offset", "start_date", "end_date")
_REPLACE_NEEDS: Final = ("Name", "Schedule", "Duration", "Cutoff", "AllowUnassociatedTargets")


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
    call.site.quotas.check("windows", call.work.windows.count() + 1)
    call.work.windows.put(window, next_opening_at=_next_opening(call, window))
    add_new_tags(call, WINDOW, window.window_id, request)
    return {"WindowId": window.window_id}


def get(call: Call, request: Request) -> Answer:
    """GetMaintenanceWindow."""
    window = existing(call, request["WindowId"])
    return {**_members(window), **_next(call, window, call.work.windows.opening_of(window.window_id))}


def update(call: Call, request: Request) -> Answer:
    """UpdateMaintenanceWindow: merges; with Replace, what is not given becomes absent, but Enabled stays as it is."""
    before = locked(call, request["WindowId"])
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

    def fetch(after: Key | None, limit: int) -> Sequence[StoredWindow]:
        return call.work.windows.page(
            after=after_text(after), limit=limit, name_prefixes=filters.get("Name", ()), is_enabled=is_enabled
        )

    return call.pages(
        request,
        "WindowIdentities",
        default=_PAGE,
        fetch=fetch,
        key=lambda stored: (stored.window.window_id,),
        shape=lambda stored: _identity(call, stored),
    )


def existing(call: Call, window_id: str) -> Window:
    """Return the window.

    Raises:
        NotFound: there is none of this id.
    """
    return _found(window_id, call.work.windows.get(window_id))


def locked(call: Call, window_id: str) -> Window:
    """Return the window, and keep others from changing it and what is registered with it until the call ends.

    Raises:
        NotFound: there is none of this id.
    """
    return _found(window_id, call.work.windows.lock(window_id))


def _found(window_id: str, window: Window | None) -> Window:
    if window is None:
        raise NotFound(f"Maintenance window {window_id} does not exist")
    return window


def _keep(call: Call, window: Window) -> None:
    opening = _next_opening(call, window)
    due = call.work.windows.opening_of(window.window_id)
    if window.enabled and due is not None and due <= call.now and window.scheduled_at < due:
        # The engine is about to open it; a change of another field must not make that opening vanish, be it the last.
        opening = due
    call.work.windows.put(window, next_opening_at=opening)


def _members(window: Window) -> dict[str, Any]:
    members = to_members(window)
    del members["ScheduledAt"]
    return members


def _identity(call: Call, stored: StoredWindow) -> dict[str, Any]:
    members = _members(stored.window)
    for name in ("AllowUnassociatedTargets", "CreatedDate", "ModifiedDate"):
        del members[name]
    return {**members, **_next(call, stored.window, stored.next_opening_at)}


def _next_opening(call: Call, window: Window) -> datetime | None:
    # The timing is made in any case: it refuses what is no schedule.
    timing = window.timing()
    opening = timing.next_opening(call.now) if window.enabled else None
    # Where a clock was set back, openings that lie ahead have their records already: they will not come again.
    while opening is not None and call.work.executions.is_recorded(window.window_id, opening):
        opening = timing.next_opening(opening)
    return opening


def _next(call: Call, window: Window, opening: datetime | None) -> dict[str, str]:
    """Return the member that says when *window* opens, which the engine noted as *opening*."""
    if opening is not None and opening <= call.now:
        # The engine is about to open it. What comes next is the opening after that, also to whoever asks a moment early.
        opening = _next_opening(call, window)
    return {} if opening is None else {"NextExecutionTime": format_instant(opening, zone_of(window))}


def zone_of(window: Window) -> tzinfo:
    """Return the zone in which the window's times are shown."""
    return parse_zone(window.schedule_timezone or "UTC")


def _truth(values: Sequence[str]) -> bool:
    if len(values) != 1 or values[0].lower() not in ("true", "false"):
        raise Invalid(f"filter Enabled is {', '.join(values)}; use true or false")
    return values[0].lower() == "true"
