"""Change calendars, and the windows that heed them.

A calendar counts as its default version says, as every document does.  Where it changes, windows that are open heed the
change at once: a freeze that is declared in the middle of a night stops what has not begun.
"""

import dataclasses
import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, Final

from patchwindow.domain.errors import Invalid, InvalidDocumentType
from patchwindow.domain.freeze import TAG, Freeze, Heeded, closed, heeded, in_force, names
from patchwindow.domain.opening import parse_instant
from patchwindow.domain.own_document import CALENDAR
from patchwindow.domain.run import WindowExecution
from patchwindow.domain.schedule_zone import format_instant, parse_zone
from patchwindow.domain.window import Window
from patchwindow.ical.reading import FreezeCalendar, read
from patchwindow.operations.call import Answer, Call, Request, bare_id
from patchwindow.operations.documents_found import find_any
from patchwindow.ports import ENGINE
from patchwindow.store.commands import EXECUTING
from patchwindow.store.tags import WINDOW_TAGS
from patchwindow.store.work import Work

HORIZON: Final = timedelta(days=34)
"""So far beyond an opening freezes are looked for. A command that is sent in it waits for nodes at most 30 days, the longest
TimeoutSeconds, and runs for 48 hours on the last."""
DETAILS_MAX: Final = 250
_LOOKED_AHEAD: Final = (timedelta(days=8), timedelta(days=90), timedelta(days=800))
_WITHOUT_COLON: Final = re.compile(r"([+-]\d{2})(\d{2})$")


def get_state(call: Call, request: Request) -> Answer:
    """GetCalendarState: OPEN if all the calendars are open at that time, and when that changes next, if within two years."""
    if not request["CalendarNames"]:
        raise Invalid("CalendarNames is empty; name one calendar or more")
    text = request.get("AtTime")
    at = call.now if text is None else parse_instant("AtTime", _WITHOUT_COLON.sub(r"\1:\2", text))
    members: dict[str, Any] = {"AtTime": format_instant(at, UTC) if text is None else text}
    for ahead in _LOOKED_AHEAD:
        freezes = freezes_of(call.work, request["CalendarNames"], at, at + ahead, UTC)
        is_open = in_force(freezes, at) is None
        times = [*closed(freezes)]
        changes = [starts for starts, _ in times] if is_open else [ends for starts, ends in times if starts <= at]
        # What a calendar is at the end of what was looked at is no change of it.
        later = [change for change in changes if at < change < at + ahead]
        members["State"] = "OPEN" if is_open else "CLOSED"
        if later:
            return {**members, "NextTransitionTime": format_instant(min(later), UTC)}
    return members


def freezes_of(
    work: Work, calendars: Iterable[str], since: datetime, until: datetime, zone: tzinfo
) -> tuple[Freeze, ...]:
    """Return when any of *calendars* is closed between the two; *zone* is that of times that have none.

    Raises:
        UnknownDocument: there is no such document.
        InvalidDocumentType: it is no calendar.
    """
    return tuple(
        freeze for name in calendars for freeze in _calendar(work, name).freezes(bare_id(name), since, until, zone)
    )


def heeded_by(work: Work, window: Window, opens_at: datetime) -> Heeded:
    """Return what the calendars that the window's tag names leave of its opening.

    Raises:
        UnknownDocument, InvalidDocumentType: a calendar is not there, so that nobody can say.
    """
    return _heeded(work, window, opens_at, window.cutoff_at(opens_at))


def from_now(work: Work, calendars: Iterable[str], now: datetime) -> Heeded:
    """Return what *calendars* leave of what would begin *now*, with the first freeze after it; in UTC.

    Raises:
        UnknownDocument, InvalidDocumentType: a calendar is not there, so that nobody can say.
    """
    until = now + HORIZON
    return heeded(freezes_of(work, calendars, now, until, UTC), now, until)


def check_calendars(work: Work, calendars: Iterable[str]) -> None:
    """Refuse names of what is no calendar.

    Raises:
        UnknownDocument: there is no such document.
        InvalidDocumentType: it is no calendar.
    """
    for name in calendars:
        _calendar(work, name)


def windows_heeding(work: Work, calendar: str) -> list[str]:
    """Return the ids of the windows whose tag names the calendar, in order."""
    found = work.tags.with_key(WINDOW_TAGS, TAG)
    return [window_id for window_id, value in found.items() if calendar in map(bare_id, names(value))]


def heed_change(call: Call, calendar: str) -> None:
    """Let windows that are open stop where the calendar, which has changed, freezes them now.

    A freeze that was taken away gives an open window nothing back: what it has ended stays ended.
    """
    for window_id in windows_heeding(call.work, calendar):
        tighten(call, window_id)


def tighten(call: Call, window_id: str) -> None:
    """Let the window, if it is open, stop where the calendars that its tag names freeze it now."""
    window = call.work.windows.get(window_id)
    for execution in [] if window is None else call.work.executions.lock_open(window_id):
        assert window is not None
        found = _heeded(call.work, window, call.now, execution.cutoff_at)
        frozen_at = call.now if not found.opens else None if found.freeze is None else found.freeze.starts_at
        if frozen_at is None or found.freeze is None:
            continue
        if execution.frozen_at is None or frozen_at < execution.frozen_at:
            _freeze(call, execution, frozen_at, found.freeze)


def freeze_command(call: Call, command_id: str, frozen_at: datetime) -> None:
    """Let a command, if it has not ended, go to no node from *frozen_at* on."""
    sent = call.work.commands.lock(command_id)
    if sent is not None and sent.status in EXECUTING and (sent.frozen_at is None or frozen_at < sent.frozen_at):
        call.work.commands.put(dataclasses.replace(sent, frozen_at=frozen_at), wake_at=call.now)
        call.work.wake(ENGINE)


def not_opened(freeze: Freeze, opens_at: datetime, zone: tzinfo) -> str:
    """Return the words for an opening that was given up for *freeze*."""
    because = f" ({freeze.reason})" if freeze.reason else ""
    return (
        f"Frozen: the opening at {format_instant(opens_at, zone)} lies in a freeze of calendar {freeze.calendar}, from "
        f"{format_instant(freeze.starts_at, zone)} to {format_instant(freeze.ends_at, zone)}{because}."
    )[:DETAILS_MAX]


def not_known(problem: Exception, opens_at: datetime, zone: tzinfo) -> str:
    """Return the words for an opening that was given up because a calendar that the window heeds is not there."""
    return f"Not opened at {format_instant(opens_at, zone)}: the tag {TAG} cannot be heeded, as {problem}."[
        :DETAILS_MAX
    ]


def with_freeze(details: str, execution: WindowExecution, now: datetime) -> str:
    """Return the *details* of an execution that ends, and of the freeze that began in it."""
    if execution.frozen_at is None or now < execution.frozen_at:
        return details
    began = f"Calendar {execution.frozen_by} let nothing start from {format_instant(execution.frozen_at, UTC)} on."
    return f"{details} {began}".strip()[:DETAILS_MAX]


def _heeded(work: Work, window: Window, opens_at: datetime, cutoff_at: datetime) -> Heeded:
    value = work.tags.of(WINDOW_TAGS, window.window_id).get(TAG, "")
    if not value:
        return Heeded(opens=True, cutoff_at=cutoff_at)
    zone = parse_zone(window.schedule_timezone or "UTC")
    until = max(cutoff_at, opens_at) + HORIZON
    return heeded(freezes_of(work, names(value), opens_at, until, zone), opens_at, cutoff_at)


def _freeze(call: Call, execution: WindowExecution, frozen_at: datetime, freeze: Freeze) -> None:
    changed = dataclasses.replace(
        execution,
        frozen_at=frozen_at,
        frozen_by=freeze.calendar,
        cutoff_at=min(execution.cutoff_at, frozen_at),
    )
    call.work.executions.put(changed, wake_at=call.now)
    for command_id in call.work.executions.commands_of(execution.window_execution_id):
        freeze_command(call, command_id, frozen_at)
    call.work.wake(ENGINE)


def _calendar(work: Work, name: str) -> FreezeCalendar:
    document = find_any(work, name)
    if document.type != CALENDAR:
        raise InvalidDocumentType(f"document {document.name} is of type {document.type}; name one of type {CALENDAR}")
    return read(document.text)
