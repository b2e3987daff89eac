"""Question 1: which windows are open now and in the next 24 hours, and how far they are."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.console.reading import table, words
from tests.fakes.browser import Browser
from tests.fakes.fleet import NOW, OPENED, Fleet
from tests.fakes.site import Installation

from patchwindow.console.pages.tonight import axis_of, expected_end

URL = "/console/"


def openings(fleet: Fleet) -> dict[str, Any]:
    found = fleet.world.perform("ListOpenings", After=OPENED, Before=NOW + timedelta(hours=24))["Openings"]
    return {one["WindowId"]: one for one in found}


def test_each_opening_of_the_next_day_has_the_counts_of_the_api(console: Browser, fleet: Fleet) -> None:
    told = openings(fleet)
    shown = {row["WindowId"]: row for row in table(console, URL)}
    assert set(shown) == set(told)
    for window_id, row in shown.items():
        one = told[window_id]
        assert (row["Status"], int(row["TargetCount"])) == (one["Status"], one["TargetCount"])
        assert int(row["CompletedCount"]) == one.get("CompletedCount", 0)
        assert int(row["ErrorCount"]) == one.get("ErrorCount", 0)
        assert row["CutoffTime"] == one["CutoffTime"].strftime("%Y-%m-%dT%H:%M:%SZ")


def test_the_window_that_is_open_says_how_far_it_is_and_leads_to_its_opening(console: Browser, fleet: Fleet) -> None:
    one = openings(fleet)[fleet.windows["Web Server"]]
    body = console.get(URL).body
    assert f"{one['CompletedCount']} of {one['TargetCount']} nodes done, {one['ErrorCount']} failed" in words(body)
    assert f'href="/console/executions/{one["WindowExecutionId"]}">Web Server patching' in body


def test_the_window_s_own_zone_stands_beside_the_reader_s(console: Browser) -> None:
    assert "Thu 3 Dec 2026, 22:00 Thu 3 Dec 2026, 23:00 Europe/Berlin" in words(console.get(URL).body)


def test_a_freeze_that_is_far_off_is_not_said_to_freeze_what_is_open(console: Browser) -> None:
    assert "frozen by" not in words(console.get(URL).body)


def test_every_bar_has_its_cutoff_and_is_told_in_words(console: Browser) -> None:
    body = console.get(URL).body
    bars = re.findall(r'<svg class="chart bar".*?</svg>', body, re.DOTALL)
    assert len(bars) == 2
    assert all(bar.count('class="cutoff"') == 1 and 'role="img" aria-label="' in bar for bar in bars)
    assert "Web Server patching: In progress, from 22:00 to 04:00, cutoff 03:00" in bars[0]


@pytest.mark.parametrize(
    ("done", "total", "minutes"), [(50, 100, 80), (100, 100, None), (0, 100, None), (1, 3, 120), (99, 100, 40.404)]
)
def test_the_end_is_expected_at_the_pace_of_what_is_done(done: int, total: int, minutes: float | None) -> None:
    expected = expected_end(OPENED, NOW, done=done, total=total)
    assert (expected is None) == (minutes is None)
    if expected is not None and minutes is not None:
        assert abs(expected - OPENED - timedelta(minutes=minutes)) < timedelta(seconds=1)


def test_the_axis_begins_at_a_full_hour_and_reaches_a_day_ahead() -> None:
    now = datetime(2026, 12, 3, 22, 40, tzinfo=UTC)
    axis = axis_of([], now)
    assert axis.begins_at == datetime(2026, 12, 3, 21, 0, tzinfo=UTC)
    assert axis.ends_at == now + timedelta(hours=24)


def test_where_nothing_opens_it_says_so(browser: Browser, here: Installation) -> None:
    here.node()
    said = words(browser.get(URL).body)
    assert "No window is open, and none opens within 24 hours." in said
    assert "No window opens within a year" in said
