"""Making, changing and deleting windows with the consequences shown first."""

import re
from collections.abc import Iterator
from html import unescape
from typing import Any

import pytest
from tests.console.forms import fill, save, weigh
from tests.fakes.browser import Browser
from tests.fakes.fleet import HOSTILE, Fleet
from tests.fakes.site import Installation

FILLED: dict[str, str | list[str]] = {
    "Name": "Monthly",
    "Schedule": "cron(0 22 ? * SAT#1 *)",
    "ScheduleTimezone": "Europe/Berlin",
    "Duration": "4",
    "Cutoff": "1",
}


@pytest.fixture
def window(fleet: Fleet) -> Iterator[str]:
    """Return a window for the database servers, daily at 15:00 UTC."""
    made = fleet.world.window(Name="Daily", Description="by day")
    target = fleet.world.target(made, "tag:Patch Group", "Database Server")
    fleet.world.task(made, target)
    yield made
    fleet.world.perform("DeleteMaintenanceWindow", WindowId=made)


def read(fleet: Fleet, window: str) -> dict[str, Any]:
    return fleet.world.perform("GetMaintenanceWindow", WindowId=window)


def count(fleet: Fleet) -> int:
    targets = [{"Key": "tag:Patch Group", "Values": ["Database Server"]}]
    total: int = fleet.world.perform("PreviewTargets", Targets=targets)["InstanceCount"]
    return total


def first_effect(body: str) -> tuple[str, ...]:
    found = re.search(r'takes effect first on <time datetime="([^"]+)".*?: (it[^<.]*)\.', body, re.DOTALL)
    assert found is not None, body
    return found.groups()


def last_change(fleet: Fleet) -> Any:
    return fleet.world.perform("ListChanges", MaxResults=1)["Changes"]


def test_an_edit_shows_the_openings_before_and_then_and_saves_nothing(
    console: Browser, fleet: Fleet, window: str
) -> None:
    before = read(fleet, window)
    shown = weigh(console, f"/console/windows/{window}/edit", {"Schedule": "cron(30 4 ? * SUN *)"})
    until_now, then = re.split(r"Next openings then", shown.body.partition("Next openings until now")[2])
    assert re.findall(r'<time datetime="([^"]+)"', until_now)[:2] == ["2026-12-04T15:00:00Z", "2026-12-05T15:00:00Z"]
    assert re.findall(r'<time datetime="([^"]+)"', then)[:2] == ["2026-12-06T04:30:00Z", "2026-12-13T04:30:00Z"]
    assert f"same {count(fleet)} nodes" in shown.body
    assert first_effect(shown.body) == ("2026-12-04T15:00:00Z", "it does not open then any more")
    assert read(fleet, window) == before


def test_saving_after_that_saves_just_that(console: Browser, fleet: Fleet, window: str) -> None:
    path = f"/console/windows/{window}/edit"
    changed: dict[str, str | list[str]] = {"Schedule": "rate(7 days)", "Description": "", "Cutoff": "0"}
    assert save(console, path, weigh(console, path, changed)).location == f"/console/windows/{window}"
    now = read(fleet, window)
    assert (now["Schedule"], now["Cutoff"], now["Name"], now["Enabled"]) == ("rate(7 days)", 0, "Daily", True)
    assert "Description" not in now


def test_switching_one_off_says_who_loses_it(console: Browser, fleet: Fleet, window: str) -> None:
    path = f"/console/windows/{window}/edit"
    shown = weigh(console, path, {"Enabled": []})
    assert f"It does not open any more: {count(fleet)} nodes lose this window" in shown.body
    assert save(console, path, shown).status == 303
    assert not read(fleet, window)["Enabled"]
    assert f"It opens again: {count(fleet)} nodes get this window" in weigh(console, path, {"Enabled": "true"}).body


@pytest.mark.parametrize(
    ("schedule", "said"),
    [
        ("cron(0 22 ? * 5#5 *)", "month"),
        ("cron(* 22 ? * * *)", "opens 60 times in each of its hours"),
        ("at(2020-01-01T00:00:00)", "never"),
    ],
)
def test_what_is_likely_wrong_is_said_before_it_is_saved(
    console: Browser, window: str, schedule: str, said: str
) -> None:
    shown = weigh(console, f"/console/windows/{window}/edit", {"Schedule": schedule})
    assert said in shown.body.partition('id="consequences"')[2].partition("Next openings")[0]


def test_a_freeze_shows_among_the_openings(console: Browser, fleet: Fleet, window: str) -> None:
    tags = [{"Key": "patchwindow:freezes", "Value": "year-end"}]
    fleet.world.perform("AddTagsToResource", ResourceType="MaintenanceWindow", ResourceId=window, Tags=tags)
    shown = weigh(console, f"/console/windows/{window}/edit", {"Schedule": "cron(0 22 ? * SAT#3 *)"})
    assert "Frozen" in shown.body
    assert first_effect(shown.body) == ("2026-12-04T15:00:00Z", "it does not open then any more")


@pytest.mark.parametrize(
    ("changes", "effect"),
    [
        ({"Schedule": "cron(0 9 * * ? *)"}, ("2026-12-04T09:00:00Z", "it opens then, as it did not before")),
        (
            {"Duration": "4"},
            ("2026-12-04T15:00:00Z", "its cutoff, its end or whether it is frozen is another then"),
        ),
        ({"EndDate": "2026-12-06T00:00:00Z"}, ("2026-12-06T15:00:00Z", "it does not open then any more")),
        ({"Enabled": []}, ("2026-12-04T15:00:00Z", "it does not open then any more")),
    ],
)
def test_its_first_effect_is_the_first_opening_that_is_not_as_it_was(
    console: Browser, window: str, changes: dict[str, str | list[str]], effect: tuple[str, str]
) -> None:
    assert first_effect(weigh(console, f"/console/windows/{window}/edit", changes).body) == effect


def test_another_name_leaves_the_openings_as_they_are(console: Browser, window: str) -> None:
    shown = weigh(console, f"/console/windows/{window}/edit", {"Name": "another"})
    assert "Its next openings stay as they are." in shown.body


def test_the_second_of_two_is_told_what_the_first_changed(console: Browser, fleet: Fleet, window: str) -> None:
    path = f"/console/windows/{window}/edit"
    shown = weigh(console, path, {"Name": "second"})
    fleet.world.perform("UpdateMaintenanceWindow", WindowId=window, Duration=5)
    answer = save(console, path, shown)
    assert '<td>Length in hours</td><td class="old">3</td><td class="new">5</td>' in answer.body
    assert 'value="second"' in answer.body
    assert read(fleet, window)["Name"] == "Daily"
    # Both are kept: the form has the former length still, which its reader now sees as a change of his.
    again = console.post(path, fill(answer.body, {"Duration": "5"}, Step="show"))
    assert save(console, path, again).status == 303
    assert (read(fleet, window)["Name"], read(fleet, window)["Duration"]) == ("second", 5)


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("Name", "x", "length greater than or equal to 3"),
        ("Schedule", "whenever", "whenever"),
        ("Schedule", "", ""),
        ("ScheduleTimezone", "Europe/Nowhere", "Europe/Nowhere"),
        ("ScheduleOffset", "9", "6"),
        ("ScheduleOffset", "two", "two"),
        ("StartDate", "tomorrow", "tomorrow"),
        ("EndDate", "never", "never"),
        ("Duration", "25", "24"),
        ("Duration", "", "is empty"),
        ("Cutoff", "3", "3"),
        ("Cutoff", "1.5", "1.5"),
    ],
)
def test_each_wrong_value_is_said_at_its_field_and_kept(
    console: Browser, window: str, field: str, value: str, said: str
) -> None:
    answer = weigh(console, f"/console/windows/{window}/edit", {field: value, "Description": "kept"})
    assert answer.status == 400
    told = dict(re.findall(r'id="problem-([^"]+)">.*?</svg>(.*?)</p>', answer.body, re.DOTALL))
    assert field in told
    assert said in unescape(told[field])
    assert 'value="kept"' in answer.body
    assert 'value="save"' not in answer.body


def test_a_new_window_is_made_after_its_openings_were_shown(console: Browser, fleet: Fleet) -> None:
    recorded = last_change(fleet)
    shown = weigh(console, "/console/windows/new", FILLED)
    assert re.search(r'<time datetime="2026-12-05T21:00:00Z"', shown.body), "the first Saturday at 22:00 in Berlin"
    assert last_change(fleet) == recorded, "what is only shown is not in the record of changes"
    made = save(console, "/console/windows/new", shown).location.rpartition("/")[2]
    now = read(fleet, made)
    assert (now["Name"], now["Duration"], now["ScheduleTimezone"]) == ("Monthly", 4, "Europe/Berlin")
    assert now["Enabled"]
    assert last_change(fleet)[0]["Operation"] == "CreateMaintenanceWindow"
    assert last_change(fleet) != recorded
    fleet.world.perform("DeleteMaintenanceWindow", WindowId=made)


def test_a_new_window_may_begin_disabled(console: Browser, fleet: Fleet) -> None:
    shown = weigh(console, "/console/windows/new", {**FILLED, "Enabled": []})
    made = save(console, "/console/windows/new", shown).location.rpartition("/")[2]
    assert not read(fleet, made)["Enabled"]
    fleet.world.perform("DeleteMaintenanceWindow", WindowId=made)


def test_deleting_says_what_goes_with_it(console: Browser, fleet: Fleet, window: str) -> None:
    path = f"/console/windows/{window}/delete"
    shown = console.post(path, fill(console.get(path).body, Step="show"))
    assert f"{count(fleet)} nodes lose this window. Its 1 target and 1 task go with it" in shown.body
    assert '<time datetime="2026-12-04T15:00:00Z"' in shown.body
    assert read(fleet, window)
    assert save(console, path, shown).location == "/console/windows"
    assert console.get(path).status == 404


def test_deleting_one_that_is_open_says_that_it_goes_on(console: Browser, fleet: Fleet) -> None:
    path = f"/console/windows/{fleet.windows['Web Server']}/delete"
    shown = console.post(path, fill(console.get(path).body, Step="show"))
    assert re.search(r'This opening goes on to its end, <time datetime="2026-12-04T04:00:00Z"', shown.body)


def test_one_that_was_changed_meanwhile_is_not_deleted(console: Browser, fleet: Fleet, window: str) -> None:
    path = f"/console/windows/{window}/delete"
    shown = console.post(path, fill(console.get(path).body, Step="show"))
    fleet.world.perform("UpdateMaintenanceWindow", WindowId=window, Name="needed")
    assert "Somebody else has changed it meanwhile" in save(console, path, shown).body
    assert read(fleet, window)["Name"] == "needed"


def test_one_that_got_a_task_meanwhile_is_not_deleted(console: Browser, fleet: Fleet, window: str) -> None:
    path = f"/console/windows/{window}/delete"
    shown = console.post(path, fill(console.get(path).body, Step="show"))
    target = fleet.world.target(window, "tag-key", "Patch Group", Name="everybody")
    fleet.world.task(window, target, Name="urgent")
    answer = save(console, path, shown).body
    assert re.search(r"<td>Targets</td>.*everybody</td>", answer)
    assert re.search(r"<td>Tasks</td>.*urgent</td>", answer)
    assert read(fleet, window)


def test_one_that_a_plan_made_points_to_the_plan(console: Browser, fleet: Fleet, window: str) -> None:
    tags = [{"Key": "patchwindow:plan", "Value": "fleet"}, {"Key": "patchwindow:name", "Value": "daily"}]
    fleet.world.perform("AddTagsToResource", ResourceType="MaintenanceWindow", ResourceId=window, Tags=tags)
    for form in ("edit", "delete"):
        body = console.get(f"/console/windows/{window}/{form}").body
        assert "Made by the plan <strong>fleet</strong>, there called <strong>daily</strong>" in body


def test_hostile_words_stay_words(console: Browser, fleet: Fleet, window: str) -> None:
    fleet.world.perform("UpdateMaintenanceWindow", WindowId=window, Description=HOSTILE)
    shown = weigh(console, f"/console/windows/{window}/edit", {"Description": HOSTILE + "2"})
    assert HOSTILE not in shown.body
    assert "&lt;script&gt;" in shown.body


@pytest.mark.parametrize("form", ["new", "{}/edit", "{}/delete"])
def test_a_viewer_is_refused(viewer: Browser, fleet: Fleet, window: str, form: str) -> None:
    path = f"/console/windows/{form.format(window)}"
    assert viewer.get(path).status == 403
    assert viewer.post(path, {**FILLED, "Step": "show"}).status == 403
    assert read(fleet, window)["Name"] == "Daily"


def test_the_first_window_of_an_empty_fleet_is_made(here: Installation, browser: Browser) -> None:
    shown = weigh(browser, "/console/windows/new", FILLED)
    assert "nothing happens in it until you register some" in shown.body
    assert save(browser, "/console/windows/new", shown).status == 303
    assert len(here.perform("DescribeMaintenanceWindows")["WindowIdentities"]) == 1
