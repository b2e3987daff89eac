"""Change calendars, windows that heed them, and the feed, at a running server and by its own programs."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
import vobject
from botocore.exceptions import ClientError
from tests.fakes.calendars import calendar
from tests.fakes.commandline import PATCHWINDOW, Done, environment, run
from tests.fakes.server import Plane, until


def patchwindow(plane: Plane, *arguments: str) -> Done:
    """Run `patchwindow` as an operator of the running server."""
    return run([*PATCHWINDOW, *arguments], plane.shell().environ)


def feeds(plane: Plane, *arguments: str) -> str:
    """Run `patchwindow calendar feed` on the data directory of the running server."""
    command = [*PATCHWINDOW, "calendar", "feed", *arguments, "--data", str(plane.server.data)]
    return run(command, environment(plane.home)).out


def test_a_window_whose_calendar_is_closed_is_recorded_and_not_opened(plane: Plane, tmp_path: Path) -> None:
    now = datetime.now(UTC)
    path = tmp_path / "year-end.ics"
    path.write_bytes(calendar((now - timedelta(hours=1), now + timedelta(hours=1), "closing of the books")).encode())
    made = patchwindow(plane, "documents", "create", "year-end", str(path), "--json")
    assert json.loads(made.out)["DocumentType"] == "ChangeCalendar"
    state = plane.client.get_calendar_state(CalendarNames=["year-end"])
    assert state["State"] == "CLOSED"
    # Time enough to look at it before.
    soon = datetime.now(UTC) + timedelta(seconds=8)
    window = plane.client.create_maintenance_window(
        Name="night",
        Schedule=f"at({soon:%Y-%m-%dT%H:%M:%S})",
        Duration=2,
        Cutoff=1,
        AllowUnassociatedTargets=True,
        Tags=[{"Key": "patchwindow:freezes", "Value": "year-end"}],
    )["WindowId"]
    shown = patchwindow(plane, "calendar", "--days", "1").out
    assert "frozen by year-end (closing of the books)" in shown

    def executions() -> list[Any]:
        return list(plane.client.describe_maintenance_window_executions(WindowId=window)["WindowExecutions"])

    (execution,) = until(executions, "the window opens")
    assert execution["Status"] == "CANCELLED"
    assert "lies in a freeze of calendar year-end" in execution["StatusDetails"]
    with pytest.raises(ClientError, match=r"ResourceInUse|AssociatedInstances|InvalidDocumentOperation"):
        plane.client.delete_document(Name="year-end")


def test_a_calendar_program_reads_the_feed_until_it_is_revoked(plane: Plane) -> None:
    plane.client.create_maintenance_window(
        Name="patch-tuesday",
        Schedule="cron(0 22 ? * TUE#2 *)",
        ScheduleTimezone="Europe/Berlin",
        Duration=4,
        Cutoff=1,
        AllowUnassociatedTargets=True,
    )
    url = feeds(plane, "create", "--comment", "a phone").strip()
    assert url.startswith(f"{plane.url}/calendar/")
    with urlopen(url) as answer:
        assert answer.headers["Content-Type"] == "text/calendar; charset=utf-8"
        events = vobject.readOne(answer.read().decode()).contents["vevent"]
    assert "patch-tuesday" in {event.summary.value for event in events}
    (feed,) = json.loads(feeds(plane, "list", "--json"))
    assert feed["Comment"] == "a phone"
    assert url.rpartition("/")[2].removesuffix(".ics") not in json.dumps(feed)
    feeds(plane, "revoke", feed["FeedId"])
    with pytest.raises(HTTPError, match="404"):
        urlopen(url)
