"""The list of windows, and what it says of each."""

import csv
import io
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.fakes.browser import Browser
from tests.fakes.fleet import NOW, Fleet
from tests.fakes.site import Installation

from patchwindow.console.pages.windows import PAGE_SIZE
from patchwindow.domain.opening import parse_instant


def table(console: Browser, **query: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(console.get("/console/windows", format="csv", **query).body)))


def test_each_window_is_there_with_what_the_api_tells_of_it(console: Browser, fleet: Fleet) -> None:
    windows = fleet.world.perform("DescribeMaintenanceWindows")["WindowIdentities"]
    shown = {row["WindowId"]: row for row in table(console)}
    assert set(shown) == {one["WindowId"] for one in windows}
    for one in windows:
        row = shown[one["WindowId"]]
        opens_at = parse_instant("NextExecutionTime", one["NextExecutionTime"])
        assert parse_instant("NextOpening", row["NextOpening"]) == opens_at
        assert opens_at > NOW
        assert (row["TargetCount"], row["TaskCount"]) == ("1", "1")


def test_a_window_that_is_open_shows_its_execution(console: Browser, fleet: Fleet) -> None:
    execution = fleet.world.execution(fleet.windows["Web Server"])
    body = console.get("/console/windows").body
    assert f'href="/console/executions/{execution["WindowExecutionId"]}"' in body
    assert "In progress" in body


def test_the_nodes_of_a_window_are_those_that_its_targets_select(console: Browser, fleet: Fleet) -> None:
    shown = {row["WindowId"]: row for row in table(console)}
    for group, window in fleet.windows.items():
        assert int(shown[window]["NodeCount"]) == sum(one.group == group for one in fleet.members)


def test_a_schedule_is_said_in_words(console: Browser) -> None:
    body = console.get("/console/windows").body
    assert "the second Thursday of each month at 23:00" in body
    assert "every day at 03:00" in body


def test_a_frozen_opening_is_called_so_with_the_reason(console: Browser) -> None:
    body = console.get("/console/windows", Name="Database").body
    assert "Frozen" in body
    assert "end of the year" in body


def test_the_next_opening_leads_to_its_forecast(console: Browser, fleet: Fleet) -> None:
    window = fleet.windows["Application Server"]
    assert f'href="/console/openings/{window}/2026-12-10T22%3A00%3A00Z"' in console.get("/console/windows").body


def test_the_list_is_narrowed_by_name_and_state(console: Browser) -> None:
    assert [row["Name"] for row in table(console, Name="Web")] == ["Web Server patching"]
    assert table(console, State="Disabled") == []
    assert len(table(console, State="Enabled")) == len(table(console))
    assert "No window passes these filters" in console.get("/console/windows", State="Disabled").body


def test_a_state_that_windows_do_not_have_is_refused(console: Browser) -> None:
    answer = console.get("/console/windows", State="<b>open")
    assert answer.status == 400
    assert "use one of Enabled, Disabled" in answer.body
    assert "<b>open" not in answer.body


def test_what_a_filter_holds_stays_text(console: Browser) -> None:
    body = console.get("/console/windows", Name='"><script>alert(1)</script>').body
    assert "<script>alert" not in body


def test_without_windows_it_says_that_nothing_happens_by_itself(browser: Browser) -> None:
    assert "nothing is ever patched by itself" in browser.get("/console/windows").body


def make(here: Installation, name: str, **members: Any) -> str:
    given = {"Schedule": "cron(0 3 * * ? *)", "Duration": 2, "Cutoff": 1, "AllowUnassociatedTargets": True, **members}
    return str(here.perform("CreateMaintenanceWindow", Name=name, **given)["WindowId"])


def test_what_will_not_work_is_said(browser: Browser, here: Installation) -> None:
    make(here, "no task")
    make(here, "over", Schedule="at(2020-01-01T00:00:00)")
    make(here, "off", Enabled=False)
    here.perform(
        "RegisterTaskWithMaintenanceWindow",
        WindowId=make(here, "no node"),
        TaskType="RUN_COMMAND",
        TaskArn="AWS-RunPatchBaseline",
        Targets=[{"Key": "InstanceIds", "Values": ["mi-00000000000000001"]}],
        MaxConcurrency="1",
        MaxErrors="1",
    )
    body = browser.get("/console/windows").body
    assert "no task: nothing runs when it opens" in body
    assert "no node: its targets select nobody" in body
    assert "never again" in body
    assert "Disabled" in body


def test_more_windows_than_a_page_has_are_on_the_next(browser: Browser, here: Installation) -> None:
    for number in range(PAGE_SIZE + 3):
        make(here, f"window {number:02}")
    first = browser.get("/console/windows")
    assert first.body.count("<tr>") == PAGE_SIZE + 1
    (following,) = re.findall(r'rel="next" href="([^"]+)"', first.body)
    after = parse_qs(urlsplit(following).query)["after"]
    second = browser.get("/console/windows", after=after)
    assert second.body.count("<tr>") == 3 + 1


def test_a_viewer_is_offered_no_change(viewer: Browser) -> None:
    assert "/console/windows/new" not in viewer.get("/console/windows").body
