"""The calendar of a year for 1,000 windows: read from the store, worked out, and written as the feed gives it.

Once with windows that open monthly, as the reference plan's do, and once weekly.  A third of the windows heed a calendar, and
every four of them are for the same nodes.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from bench.report import median, table, verdict

from patchwindow.operations.calendar_feeds import text_of
from patchwindow.operations.call import Caller, Site
from patchwindow.operations.service import Service
from patchwindow.store.database import Database
from patchwindow.store.settings import Role
from patchwindow.system import SystemClock, SystemIds

_WINDOWS: Final = 1000
_ROUNDS: Final = 5
_GOAL_S: Final = 1.0
_ZONES: Final = ("Europe/Berlin", "America/New_York", "UTC")
_SCHEDULES: Final = {"monthly": "cron({minute} {hour} ? * TUE#2 *)", "weekly": "cron({minute} {hour} ? * TUE *)"}
_CALENDAR: Final = """\
BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//patchwindow//bench//EN
BEGIN:VEVENT
UID:1@bench
DTSTAMP:20260101T000000Z
DTSTART;VALUE=DATE:20261220
DTEND;VALUE=DATE:20270104
RRULE:FREQ=YEARLY
SUMMARY:year-end
END:VEVENT
END:VCALENDAR
"""


def run() -> None:
    """Measure, and print."""
    rows = [_measured(name, schedule) for name, schedule in _SCHEDULES.items()]
    print(table(["1,000 windows", "openings", "processor, ms", "size, KiB"], [row for row, _ in rows]))
    print(f"\nmedians of {_ROUNDS}; {verdict(goal='monthly under 1 s', is_met=rows[0][1] < _GOAL_S)}")


def _measured(name: str, schedule: str) -> tuple[list[str], float]:
    with TemporaryDirectory() as folder:
        database = Database(Path(folder) / "patchwindow.db")
        database.migrate()
        _fill(database, schedule)
        took: list[float] = []
        text = ""
        for _ in range(_ROUNDS):
            with database.read() as work:
                began_at = time.process_time()
                text = text_of(work, datetime.now(UTC))
                took.append(time.process_time() - began_at)
        database.close()
    openings = text.count("STATUS:")
    return [name, f"{openings:,}", f"{median(took) * 1000:.0f}", f"{len(text) // 1024:,}"], median(took)


def _fill(database: Database, schedule: str) -> None:
    site = Site(account_id="", region="", public_url="", seal_key=b"", program_digest="")
    service = Service(database=database, clock=SystemClock(), ids=SystemIds(), site=site)
    perform: Callable[..., Any] = service.perform
    caller = Caller(id="bench", role=Role.ADMIN)
    document = {
        "Name": "year-end",
        "DocumentType": "ChangeCalendar",
        "DocumentFormat": "TEXT",
        "Content": _CALENDAR.replace("\n", "\r\n"),
    }
    perform("CreateDocument", document, caller)
    for number in range(_WINDOWS):
        heeds = [{"Key": "patchwindow:freezes", "Value": "year-end"}] if number % 3 == 0 else []
        window = perform(
            "CreateMaintenanceWindow",
            {
                "Name": f"window-{number}",
                "Schedule": schedule.format(minute=number % 60, hour=number % 24),
                "ScheduleTimezone": _ZONES[number % len(_ZONES)],
                "Duration": 4,
                "Cutoff": 1,
                "AllowUnassociatedTargets": True,
                "Tags": heeds,
            },
            caller,
        )["WindowId"]
        target = {"Key": "tag:Patch Group", "Values": [f"group-{number // 4}"]}
        members = {"WindowId": window, "ResourceType": "INSTANCE", "Targets": [target]}
        perform("RegisterTargetWithMaintenanceWindow", members, caller)
