"""One opening to come, and what it will do."""

import csv
import io
import re
from datetime import timedelta
from typing import Any

import pytest
from tests.fakes.browser import Browser, Loaded
from tests.fakes.fleet import OPENED, Fleet

from patchwindow.console.forecasts import read

APPLICATIONS = "2026-12-10T22:00:00Z"
FROZEN = "2026-12-17T22:00:00Z"
HOUR = timedelta(hours=1)


def opening(console: Browser, window: str, at: str, **query: str) -> Loaded:
    return console.get(f"/console/openings/{window}/{at}", **query)


def told(fleet: Fleet, window: str, weeks: int = 1) -> Any:
    answer = fleet.world.perform("ForecastPatches", WindowId=window, Weeks=weeks)
    return answer["Openings"][0]


def group(count: int, **members: Any) -> dict[str, Any]:
    return {
        "NodeCount": count,
        "InstanceIds": [f"mi-{number}" for number in range(count)],
        "Fate": "Installed",
        "BeginsAt": OPENED,
        "EndsAt": OPENED + HOUR,
        "Installed": [],
        "InstalledCount": 0,
        "Left": [],
        **members,
    }


def answered(*groups: dict[str, Any], **members: Any) -> dict[str, Any]:
    task = {
        "Name": "",
        "DocumentName": "AWS-RunPatchBaseline",
        "Operation": "Install",
        "BeginsAt": OPENED,
        "Nodes": list(groups),
    }
    one = {
        "OpensAt": OPENED,
        "CutoffAt": OPENED + HOUR,
        "EndsAt": OPENED + 2 * HOUR,
        "P50Seconds": 60,
        "P95Seconds": 120,
        "Fits": True,
        **dict.fromkeys(("NodeCount", "InstallCount", "RebootCount", "NoTurnCount", "MissingCount"), 0),
        "Tasks": [task],
        **members,
    }
    return {"AsOf": OPENED, "Openings": [one], "Silent": {"NodeCount": 0}}


def test_its_numbers_are_those_of_the_forecast(console: Browser, fleet: Fleet) -> None:
    window = fleet.windows["Application Server"]
    one = told(fleet, window)
    body = opening(console, window, APPLICATIONS, forecast="1").body
    shown = re.findall(r'<span class="number">([\d,]+)</span><span class="what">([^<]+)</span>', body)
    assert {label: int(number.replace(",", "")) for number, label in shown} == {
        "nodes take part": one["NodeCount"],
        "patches to install, on each node": one["InstallCount"],
        "nodes reboot": one["RebootCount"],
        "get no turn, or nobody knows": one["NoTurnCount"],
        "miss patches afterwards": one["MissingCount"],
    }


def test_it_says_how_long_it_takes_against_the_window(console: Browser, fleet: Fleet) -> None:
    window = fleet.windows["Application Server"]
    one = told(fleet, window)
    assert one["P95Seconds"] == 100 * 60
    body = opening(console, window, APPLICATIONS, forecast="1").body
    assert "<strong>1 h 40 min</strong> in nineteen of twenty; the window is open for 6 h" in body


def test_each_patch_stands_there_with_its_nodes(console: Browser, fleet: Fleet) -> None:
    window = fleet.windows["Application Server"]
    groups = [nodes for task in told(fleet, window)["Tasks"] for nodes in task["Nodes"]]
    rows = csv.DictReader(io.StringIO(opening(console, window, APPLICATIONS, format="csv").body))
    counts = {row["Title"]: int(row["NodeCount"]) for row in rows if row["Outcome"] == "Installed"}
    assert counts
    for title, count in counts.items():
        assert count == sum(one["NodeCount"] for one in groups if title in one.get("Installed", ()))


def test_nodes_that_were_never_scanned_are_not_passed_over(console: Browser, fleet: Fleet) -> None:
    body = opening(console, fleet.windows["Application Server"], APPLICATIONS, forecast="1").body
    assert "never scanned, so nothing is known of its patches" in body


def test_the_page_comes_before_the_forecast_which_a_link_leads_to(console: Browser, fleet: Fleet) -> None:
    window = fleet.windows["Application Server"]
    body = opening(console, window, APPLICATIONS).body
    assert "How long it takes" not in body
    assert f'href="/console/openings/{window}/{APPLICATIONS}?forecast=1">Show the forecast' in body
    assert 'hx-trigger="load"' in body


def test_a_frozen_opening_says_that_it_does_not_open(console: Browser, fleet: Fleet) -> None:
    body = opening(console, fleet.windows["Database Server"], FROZEN, forecast="1").body
    assert "It does not open: frozen by calendar year-end" in body
    assert "How long it takes" not in body


def test_one_that_has_begun_leads_to_what_comes_of_it(console: Browser, fleet: Fleet) -> None:
    window = fleet.windows["Web Server"]
    body = opening(console, window, "2026-12-03T22:00:00Z", forecast="1").body
    execution = fleet.world.execution(window)["WindowExecutionId"]
    assert f'It has begun: <a href="/console/executions/{execution}">' in body
    assert "How long it takes" not in body


def test_one_too_far_away_says_so(console: Browser, fleet: Fleet) -> None:
    body = opening(console, fleet.windows["Web Server"], "2027-08-05T21:00:00Z", forecast="1").body
    assert "too far away for a forecast, which reaches 26 weeks" in body


@pytest.mark.parametrize("at", ["2026-12-10T23:00:00Z", "2026-11-05T22:00:00Z", "tomorrow", "2026-12-10"])
def test_an_instant_at_which_it_does_not_open_is_refused(console: Browser, fleet: Fleet, at: str) -> None:
    answer = opening(console, fleet.windows["Application Server"], at)
    assert answer.status == 404


def test_a_window_that_there_is_not_is_refused(console: Browser) -> None:
    assert opening(console, "mw-00000000000000fff", APPLICATIONS).status == 404


def test_nodes_to_which_the_same_happens_are_one_line_and_trouble_comes_first() -> None:
    found = read(
        answered(
            group(3),
            group(2, EndsAt=OPENED + 2 * HOUR),
            group(1, Installed=["a"], InstalledCount=1, Reboots=True),
            group(4, Fate="NoTurn", Reason="the cutoff comes first"),
        ),
        OPENED,
    )
    assert found is not None
    (task,) = found.tasks
    assert [(one.count, one.fate, one.reboots) for one in task.groups] == [
        (4, "get no turn", False),
        (1, "install", True),
        (5, "install", False),
    ]
    assert task.groups[2].ends_at == OPENED + 2 * HOUR
    assert task.name == "AWS-RunPatchBaseline"


def test_patches_are_counted_over_all_nodes_also_those_that_come_along() -> None:
    found = read(
        answered(
            group(3, Installed=["a", "b"], InstalledCount=2),
            group(2, Installed=["a"], InstalledCount=1, ComingAlong=["c"]),
        ),
        OPENED,
    )
    assert found is not None
    assert [(one.title, one.count) for one in found.installed] == [("a", 5), ("b", 3), ("c", 2)]


def test_what_is_missing_comes_before_what_is_not_approved_yet() -> None:
    waits = {"Title": "a", "Reason": "approved later", "ApprovedOn": "2026-12-20"}
    missing = {"Title": "b", "Reason": "needs a blocked patch"}
    found = read(answered(group(9, Left=[waits]), group(1, Left=[missing]), group(2, Left=[missing])), OPENED)
    assert found is not None
    assert [(one.title, one.count, one.approved_on) for one in found.left] == [("b", 3, ""), ("a", 9, "2026-12-20")]


def test_what_takes_longer_than_the_window_is_drawn_whole() -> None:
    found = read(answered(Fits=False, P95Seconds=4 * 3600), OPENED)
    assert found is not None
    assert found.axis.ends_at == OPENED + 4 * HOUR
    assert found.axis.width(OPENED, OPENED + found.takes_long) == 1000


def test_an_opening_that_the_forecast_does_not_know_is_none() -> None:
    assert read(answered(), OPENED + HOUR) is None
