"""`patchwindow calendar`: the page, the list, the file, and where they come from."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import vobject
from tests.fakes.calendars import calendar
from tests.unit.cli.fake import Answers, Members, refusal, run

from patchwindow.cli.calendar_page import months
from patchwindow.cli.exits import Exit
from patchwindow.domain.freeze import Freeze
from patchwindow.domain.window_calendar import PlannedWindow, occurrences

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime.now(UTC).replace(microsecond=0)
PLAN = """
name: shop
freezes:
  year-end: {{dates: [{{from: {begins}, to: {ends}, reason: closing}}]}}
windows:
  web: {{schedule: "cron(0 22 * * ? *)", duration: 3, cutoff: 1, freezes: year-end, targets: {{all: {{tags: {{Role: web}}}}}}}}
  also: {{schedule: "cron(0 23 * * ? *)", duration: 3, cutoff: 1, targets: {{all: {{tags: {{Role: web}}}}}}}}
  idle: {{schedule: "cron(0 1 * * ? *)", duration: 3, cutoff: 1, enabled: false}}
"""


def window(name: str, *openings: datetime, nodes: str = "", freezes: tuple[Freeze, ...] = ()) -> PlannedWindow:
    """Return a window of three hours."""
    return PlannedWindow(
        id=name,
        name=name,
        openings=openings,
        duration_hours=3,
        cutoff_hours=1,
        zone="UTC",
        changed_at=openings[0],
        nodes=frozenset(nodes.split()),
        freezes=freezes,
    )


@pytest.fixture
def plan(tmp_path: Path) -> str:
    """A plan whose window `web` is frozen for two days from tomorrow on."""
    path = tmp_path / "plan.yaml"
    begins, ends = (f"{NOW + timedelta(days=days):%Y-%m-%d}" for days in (1, 2))
    path.write_text(PLAN.format(begins=begins, ends=ends), encoding="utf-8")
    return str(path)


def test_a_month_marks_openings_overlaps_and_freezes_in_the_zone_that_is_asked_for() -> None:
    freeze = Freeze(datetime(2026, 12, 24, tzinfo=UTC), datetime(2026, 12, 27, tzinfo=UTC), "year-end")
    # In Berlin it is the next day already.
    late = datetime(2026, 12, 9, 23, 30, tzinfo=UTC)
    found = occurrences(
        [
            window("web", late, datetime(2026, 12, 24, 2, tzinfo=UTC), freezes=(freeze,)),
            window("db", datetime(2026, 12, 16, 2, tzinfo=UTC), nodes="a"),
            window("also", datetime(2026, 12, 16, 3, tzinfo=UTC), nodes="a"),
        ]
    )
    since = datetime(2026, 12, 1, tzinfo=UTC)
    assert [*months(found, [freeze], BERLIN, since, since + timedelta(days=30))] == [
        "       December 2026",
        "Mon Tue Wed Thu Fri Sat Sun",
        "     1   2   3   4   5   6",
        " 7   8   9  10* 11  12  13",
        "14  15  16! 17  18  19  20",
        "21  22  23  24# 25~ 26~ 27~",
        "28  29  30  31",
        "",
        "* opens  ! overlaps  # does not open  ~ freeze",
        "",
    ]


def test_a_plan_is_shown_offline(plan: str) -> None:
    outcome = run("calendar", plan, "--days", "4", "--zone", "Europe/Berlin")
    assert outcome.exit_code == Exit.DONE
    assert not outcome.connected
    assert f"{NOW.astimezone(BERLIN):%B %Y}" in outcome.stdout
    assert "frozen by year-end (closing)" in outcome.stdout
    assert "overlaps with also" in outcome.stdout
    assert "idle" not in outcome.stdout


def test_json_tells_each_opening(plan: str) -> None:
    told = json.loads(run("calendar", "show", plan, "--days", "4", "--json").stdout)
    assert len(told) == 8
    assert {one["Name"] for one in told} == {"web", "also"}
    frozen = [one for one in told if not one["Opens"]]
    assert [(one["Name"], one["Freeze"]) for one in frozen] == [("web", "year-end")] * 2
    assert all(one["Overlaps"] == [] for one in frozen)


def test_a_file_for_calendar_programs_is_read_by_another_parser(plan: str, tmp_path: Path) -> None:
    path = tmp_path / "windows.ics"
    assert run("calendar", plan, "--days", "4", "--ics", str(path)).exit_code == Exit.DONE
    written = path.read_bytes().decode()
    assert "\n" not in written.replace("\r\n", "")
    events = vobject.readOne(written).contents["vevent"]
    assert len(events) == 9, "eight openings and a freeze"
    assert (
        sum(one.contents.get("status", [None])[0] is not None and one.status.value == "CANCELLED" for one in events)
        == 2
    )
    assert run("calendar", plan, "--days", "4", "--ics", "-").stdout.startswith("BEGIN:VCALENDAR")


def test_a_plan_with_problems_is_told_and_shows_nothing(tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    path.write_text("windows: {}", encoding="utf-8")
    outcome = run("calendar", str(path))
    assert outcome.exit_code == Exit.FAILED
    assert "has 1 problem; correct the lines above" in outcome.stderr


def test_an_unknown_zone_is_misuse() -> None:
    outcome = run("calendar", "--zone", "Middle/Earth")
    assert outcome.exit_code == Exit.MISUSED
    assert "'Middle/Earth' is no time zone; use an IANA name such as Europe/Berlin" in outcome.stderr


AT = (NOW + timedelta(days=2)).replace(hour=22, minute=0, second=0)
IDS = ("mw-0123456789abcdef0", "mw-0123456789abcdef1")


def get(members: Members) -> Members:
    return {
        "WindowId": members["WindowId"],
        "Name": "web" if members["WindowId"] == IDS[0] else "also",
        "Schedule": "cron(0 22 * * ? *)",
        "ScheduleTimezone": "Europe/Berlin",
        "Duration": 3,
        "Cutoff": 1,
        "ModifiedDate": NOW - timedelta(days=9),
    }


def tags(members: Members) -> Members:
    value = "year-end" if members["ResourceId"] == IDS[0] else ""
    return {"TagList": [{"Key": "patchwindow:freezes", "Value": value}] if value else []}


def answers(document: Members | Exception) -> Answers:
    return {
        "DescribeMaintenanceWindows": {"WindowIdentities": [{"WindowId": id} for id in IDS]},
        "GetMaintenanceWindow": get,
        "DescribeMaintenanceWindowSchedule": lambda members: {
            "ScheduledWindowExecutions": [{"WindowId": members["WindowId"], "ExecutionTime": f"{AT:%Y-%m-%dT%H:%MZ}"}]
        },
        "DescribeMaintenanceWindowTargets": {
            "Targets": [{"Targets": [{"Key": "tag:Role", "Values": ["web"]}]}],
        },
        "ListTagsForResource": tags,
        "GetDocument": document,
    }


def test_without_a_file_the_windows_of_the_service_are_shown_with_the_freezes_that_they_heed() -> None:
    text = calendar((AT - timedelta(hours=1), AT + timedelta(hours=1), "closing"))
    outcome = run("calendar", answers=answers({"Content": text}))
    assert outcome.exit_code == Exit.DONE, outcome.stderr
    assert "frozen by year-end (closing)" in outcome.stdout
    assert "overlaps" not in outcome.stdout.partition("OPENS")[2]


def test_windows_of_the_service_that_are_open_together_for_the_same_nodes_overlap() -> None:
    outcome = run("calendar", "--json", answers=answers({"Content": calendar()}))
    assert [(one["Name"], one["Overlaps"]) for one in json.loads(outcome.stdout)] == [
        ("also", ["web"]),
        ("web", ["also"]),
    ]


def test_a_window_whose_calendar_is_not_there_is_told_not_to_open() -> None:
    outcome = run("calendar", answers=answers(refusal("InvalidDocument", "document 'year-end' does not exist")))
    assert "does not open: calendar year-end cannot be read" in outcome.stdout


def test_a_feed_is_made_listed_and_revoked(tmp_path: Path) -> None:
    where = ("--data", str(tmp_path))
    assert "no server has run on this data yet" in run("calendar", "feed", "create", *where).stderr
    assert json.loads(run("calendar", "feed", "list", "--json", *where).stdout) == []
    outcome = run("calendar", "feed", "revoke", "feed-00000000", *where)
    assert outcome.exit_code == Exit.FAILED
    assert "there is no feed feed-00000000" in outcome.stderr
