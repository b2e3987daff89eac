"""The calendar: when windows open, with freezes and overlaps."""

import csv
import io
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.console.test_every_page import BYTES_MAX
from tests.fakes.browser import Browser
from tests.fakes.fleet import Fleet
from tests.fakes.site import Installation

from patchwindow.console.pages.calendar import OPENINGS_MAX, VIEWS
from patchwindow.domain.opening import parse_instant
from patchwindow.operations.calendar_feeds import is_token

BERLIN = "Europe/Berlin"


def page(console: Browser, **query: str) -> str:
    answer = console.get("/console/calendar", **query)
    assert answer.status == 200, answer.body
    return answer.body


def table(console: Browser, **query: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(console.get("/console/calendar", format="csv", **query).body)))


def cell(body: str, day: int) -> str:
    """Return the cell of a day of the month that is shown."""
    cells = re.findall(r'<td class="day([^"]*)"[^>]*>(.*?)</td>', body, re.DOTALL)
    (found,) = (
        f"{classes}{text}"
        for classes, text in cells
        if "outside" not in classes and re.search(rf"</span>{day}( \w+)?</div>", text)
    )
    return found


def make(here: Installation, name: str, role: str = "", **members: Any) -> str:
    given = {"Schedule": "cron(0 3 * * ? *)", "Duration": 2, "Cutoff": 1, "AllowUnassociatedTargets": True, **members}
    window = str(here.perform("CreateMaintenanceWindow", Name=name, **given)["WindowId"])
    if role:
        asked = [{"Key": "tag:Role", "Values": [role]}]
        here.perform("RegisterTargetWithMaintenanceWindow", WindowId=window, ResourceType="INSTANCE", Targets=asked)
    return window


@pytest.mark.parametrize(
    ("view", "after", "before"),
    [
        ("month", datetime(2026, 11, 29, 23, tzinfo=UTC), datetime(2027, 1, 3, 23, tzinfo=UTC)),
        ("week", datetime(2026, 12, 6, 23, tzinfo=UTC), datetime(2026, 12, 13, 23, tzinfo=UTC)),
        ("list", datetime(2026, 12, 9, 23, tzinfo=UTC), datetime(2027, 1, 9, 23, tzinfo=UTC)),
    ],
)
def test_each_view_has_the_openings_of_its_days(
    console: Browser, fleet: Fleet, view: str, after: datetime, before: datetime
) -> None:
    told = fleet.world.perform("ListOpenings", After=after, Before=before, MaxResults=500)["Openings"]
    shown = table(console, **{"view": view, "from": "2026-12-10", "zone": BERLIN})
    assert [(parse_instant("at", row["OpensTime"]), row["WindowId"], row["Status"]) for row in shown] == [
        (one["OpensTime"], one["WindowId"], one["Status"]) for one in told
    ]
    assert shown


def test_an_opening_stands_on_its_day_in_the_zone_that_is_asked_for(console: Browser) -> None:
    # 23:00 in Berlin is the morning after in Tokyo.
    assert "Application Server patching" in cell(page(console, zone=BERLIN), 10)
    body = page(console, zone="Asia/Tokyo")
    assert "Application Server patching" not in cell(body, 10)
    assert '<span class="at">07:00</span> Application Server patching' in cell(body, 11)


def test_what_was_leads_to_its_record_and_what_comes_to_its_forecast(console: Browser, fleet: Fleet) -> None:
    body = page(console, zone=BERLIN)
    execution = fleet.world.execution(fleet.windows["Web Server"])["WindowExecutionId"]
    assert f'href="/console/executions/{execution}"' in cell(body, 3)
    window = fleet.windows["Application Server"]
    assert f'href="/console/openings/{window}/2026-12-10T22%3A00%3A00Z"' in cell(body, 10)


def test_past_ones_have_their_state_and_coming_ones_their_nodes(console: Browser, fleet: Fleet) -> None:
    body = page(console, zone=BERLIN)
    assert "In progress" in cell(body, 3)
    assert "Timed out" in cell(body, 1)
    count = sum(one.group == "Application Server" for one in fleet.members)
    assert f"{count} nodes" in cell(body, 10)


def test_the_days_of_a_freeze_are_shaded_and_say_why(console: Browser) -> None:
    body = page(console, zone=BERLIN)
    assert "frozen" not in cell(body, 14)
    assert "end of the year, from 01:00" in cell(body, 15)
    for day in (15, 16, 31):
        assert "frozen" in cell(body, day)
        assert "<strong>year-end</strong>: end of the year" in cell(body, day)
    january = page(console, zone=BERLIN, **{"from": "2027-01-15"})
    assert "end of the year, until 01:00" in cell(january, 6)
    assert "frozen" not in cell(january, 7)


def test_an_opening_that_a_freeze_keeps_shut_is_called_frozen(console: Browser) -> None:
    assert re.search(r"Database Server patching</a>.*?Frozen", cell(page(console, zone=BERLIN), 17), re.DOTALL)


def test_one_window_can_be_looked_at_alone(console: Browser, fleet: Fleet) -> None:
    window = fleet.windows["Web Server"]
    shown = table(console, window=window)
    assert {row["WindowId"] for row in shown} == {window}
    assert "Nightly scan" not in page(console, window=window)


def test_windows_that_meet_for_the_same_nodes_are_marked(browser: Browser, here: Installation) -> None:
    make(here, "one", "web")
    make(here, "other", "web", Schedule="cron(0 4 * * ? *)")
    make(here, "apart", "db")
    day = (here.clock.now() + timedelta(days=1)).date().isoformat()
    beside = {row["Name"]: row["Beside"] for row in table(browser, view="list", **{"from": day})}
    assert beside == {"one": "other", "other": "one", "apart": ""}
    body = page(browser, view="list", **{"from": day})
    assert "overlaps with other" in body


def test_a_day_with_many_openings_leads_to_all_of_them(browser: Browser, here: Installation) -> None:
    for number in range(VIEWS["month"][1] + 2):
        make(here, f"window {number}")
    day = (here.clock.now() + timedelta(days=1)).date()
    body = page(browser, **{"from": day.isoformat()})
    assert "2 more</a>" in cell(body, day.day)
    assert f"from={day.isoformat()}" in body
    listed = page(browser, view="list", **{"from": day.isoformat()})
    assert all(f"window {number}" in listed for number in range(VIEWS["month"][1] + 2))


def test_more_openings_than_a_page_reads_are_said_to_be_left_out(browser: Browser, here: Installation) -> None:
    make(here, "always", Schedule="rate(30 minutes)")
    body = page(browser, view="list")
    assert "There are more openings than can be shown here" in body
    assert body.count('<li class="opening') == OPENINGS_MAX
    assert len(body.encode()) < BYTES_MAX
    assert "There are more openings" not in page(browser, view="week")


@pytest.mark.parametrize(
    ("view", "earlier", "later"),
    [
        ("month", "2026-11-01", "2027-01-01"),
        ("week", "2026-12-24", "2027-01-07"),
        ("list", "2026-11-30", "2027-01-31"),
    ],
)
def test_one_can_go_back_and_on(console: Browser, view: str, earlier: str, later: str) -> None:
    body = page(console, view=view, **{"from": "2026-12-31"})
    links = dict(re.findall(r'rel="(prev|next)" href="([^"]+)"', body))
    assert f"from={earlier}" in links["prev"]
    assert f"from={later}" in links["next"]


def test_the_hours_of_a_clock_change_are_no_trouble(console: Browser) -> None:
    shown = table(console, view="week", zone=BERLIN, **{"from": "2027-03-28"})
    nightly = [row["OpensTime"] for row in shown if row["Name"] == "Nightly scan"]
    assert nightly[-2:] == ["2027-03-27T02:00:00Z", "2027-03-28T01:00:00Z"]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"view": "<b>year"}, "use one of month, week, list"),
        ({"from": "tomorrow"}, "use one such as 2026-12-03"),
        ({"from": "9999-12-31"}, "no day from 1971 to 2198"),
        ({"from": "0001-01-01", "view": "week"}, "no day from 1971 to 2198"),
        ({"zone": "Mars/Olympus"}, "use an IANA name such as Europe/Berlin"),
        ({"zone": "../../etc/passwd"}, "use an IANA name such as Europe/Berlin"),
        ({"window": "mw-00000000000000fff"}, "mw-00000000000000fff does not exist"),
    ],
)
def test_wrong_input_is_refused_with_what_to_write(console: Browser, query: dict[str, str], said: str) -> None:
    answer = console.get("/console/calendar", **query)
    assert answer.status in (400, 404)
    assert said in answer.body
    assert "<b>year" not in answer.body


@pytest.mark.parametrize("view", list(VIEWS))
def test_without_windows_it_says_that_none_opens(browser: Browser, view: str) -> None:
    assert "No window opens in these days" in page(browser, view=view)


def test_the_url_of_a_feed_is_shown_when_it_is_made_and_not_again(browser: Browser, here: Installation) -> None:
    made = browser.post("/console/calendar", {"Comment": "<b>my phone"})
    assert made.status == 200
    (url,) = re.findall(r"<code>(http[^<]+\.ics)</code>", made.body)
    with here.database.read() as work:
        assert is_token(work, url.removesuffix(".ics").rpartition("/")[2])
    body = page(browser)
    assert url not in body
    assert "&lt;b&gt;my phone" in body
    assert "<b>my phone" not in body


def test_a_feed_that_is_revoked_is_gone(browser: Browser, here: Installation) -> None:
    browser.post("/console/calendar", {"Comment": "mine"})
    (feed,) = here.perform("ListCalendarFeeds")["Feeds"]
    done = browser.follow(browser.post("/console/calendar", {"FeedId": feed["FeedId"]}))
    assert f"The feed {feed['FeedId']} is revoked" in done.body
    assert here.perform("ListCalendarFeeds")["Feeds"] == []
    assert "There is no feed yet" in done.body


def test_a_feed_that_is_gone_already_is_said_to_be(browser: Browser) -> None:
    answer = browser.post("/console/calendar", {"FeedId": "feed-00000000"})
    assert answer.status == 400
    assert "calendar feed feed-00000000 does not exist" in answer.body


def test_a_comment_that_is_too_long_is_refused_at_its_field_and_kept(browser: Browser, here: Installation) -> None:
    answer = browser.post("/console/calendar", {"Comment": "x" * 257})
    assert answer.status == 400
    assert 'id="problem-Comment"' in answer.body
    assert "x" * 257 in answer.body
    assert here.perform("ListCalendarFeeds")["Feeds"] == []


def test_a_viewer_may_not_make_feeds(viewer: Browser, fleet: Fleet) -> None:
    assert "Make a feed" not in page(viewer)
    assert viewer.post("/console/calendar", {"Comment": "mine"}).status == 400
    assert fleet.world.perform("ListCalendarFeeds")["Feeds"] == []


def test_names_stay_text(browser: Browser, here: Installation) -> None:
    make(here, "<script>alert(1)</script>")
    body = page(browser)
    assert "<script>alert" not in body
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in body
