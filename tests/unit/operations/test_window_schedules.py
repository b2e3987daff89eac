"""The coming openings of maintenance windows, of one and of all."""

from datetime import timedelta
from typing import Any

import pytest
from tests.fakes.api import Api
from tests.unit.operations.windows import TAG, UNKNOWN, create, only, openings, target


def test_the_schedule_of_a_window_lists_its_coming_openings_in_its_zone(api: Api) -> None:
    made = create(api, ScheduleTimezone="Europe/Berlin", EndDate="2026-04-06T00:00:00Z")
    create(api)
    assert api("DescribeMaintenanceWindowSchedule", WindowId=made)["ScheduledWindowExecutions"] == [
        {"WindowId": made, "Name": "nightly", "ExecutionTime": f"2026-{when}"}
        for when in ("03-15T02:00+01:00", "03-22T02:00+01:00", "03-29T03:00+02:00", "04-05T02:00+02:00")
    ]


def test_the_schedule_of_all_windows_is_in_order_of_time_and_leaves_out_disabled_ones(api: Api) -> None:
    end = {"EndDate": "2026-03-16T12:00:00Z"}
    first, second = (create(api, Schedule=f"cron(0 {hour} * * ? *)", **end) for hour in (10, 11))
    same = create(api, Schedule="cron(0 11 * * ? *)", **end)
    api("UpdateMaintenanceWindow", WindowId=create(api, **end), Enabled=False)
    found = api("DescribeMaintenanceWindowSchedule")["ScheduledWindowExecutions"]
    assert [one["WindowId"] for one in found] == [first, second, same] * 3
    pages = list(api.pages("DescribeMaintenanceWindowSchedule", "ScheduledWindowExecutions", MaxResults=2))
    assert [len(page) for page in pages] == [2, 2, 2, 2, 1]
    assert [one for page in pages for one in page] == found


def test_a_later_page_of_the_schedule_misses_nothing_though_openings_pass_meanwhile(api: Api) -> None:
    made = create(api, Schedule="rate(1 minute)")
    page = api("DescribeMaintenanceWindowSchedule", WindowId=made, MaxResults=2)
    api.here.clock.advance(timedelta(seconds=90))
    rest = api("DescribeMaintenanceWindowSchedule", WindowId=made, MaxResults=2, NextToken=page["NextToken"])
    times = [one["ExecutionTime"] for answer in (page, rest) for one in answer["ScheduledWindowExecutions"]]
    assert times == [f"2026-03-14T09:0{minute}Z" for minute in (1, 2, 3, 4)]


def test_the_schedule_ends_though_a_window_opens_forever(api: Api) -> None:
    create(api, Schedule="rate(1 minute)")
    assert len(openings(api)) == 1000
    assert len(openings(api, MaxResults=300)) == 1000


def test_the_schedule_is_whole_up_to_the_time_that_was_asked_for(api: Api) -> None:
    create(api, Schedule="rate(1 minute)")
    assert len(openings(api, Filters=only("ScheduledBefore", "2026-03-15T09:00:00Z"))) == 24 * 60 - 1


def test_a_page_of_the_schedule_has_no_more_than_a_thousand_openings_whatever_is_asked_for(api: Api) -> None:
    create(api, Schedule="rate(1 minute)")
    asked = {"Filters": only("ScheduledBefore", "2026-03-15T09:00:00Z"), "MaxResults": 2_000_000_000}
    pages = list(api.pages("DescribeMaintenanceWindowSchedule", "ScheduledWindowExecutions", **asked))
    assert [len(page) for page in pages] == [1000, 24 * 60 - 1 - 1000]


def test_of_a_window_and_a_target_the_window_decides_whose_openings_are_told(api: Api) -> None:
    made, other = create(api), create(api)
    target(api, other, TAG)
    answer = api("DescribeMaintenanceWindowSchedule", WindowId=made, Targets=TAG, ResourceType="INSTANCE", MaxResults=1)
    assert [one["WindowId"] for one in answer["ScheduledWindowExecutions"]] == [made]
    api("UpdateMaintenanceWindow", WindowId=made, Enabled=False)
    assert api("DescribeMaintenanceWindowSchedule", WindowId=made) == {"ScheduledWindowExecutions": []}


def test_the_schedule_of_many_windows_is_that_of_each_of_them_merged(api: Api) -> None:
    made = [create(api, Name=f"window-{n}", Schedule=f"cron({n % 7} {n % 24} */{n % 3 + 1} * ? *)") for n in range(240)]
    api.here.clock.advance(timedelta(days=2, hours=3))
    until = {"Filters": only("ScheduledBefore", "2026-03-20T00:00:00Z")}
    member = "ScheduledWindowExecutions"
    each = [api.pages("DescribeMaintenanceWindowSchedule", member, WindowId=one, **until) for one in made]
    expected = sorted((one["ExecutionTime"], one["WindowId"]) for pages in each for page in pages for one in page)
    pages = api.pages("DescribeMaintenanceWindowSchedule", member, MaxResults=50, **until)
    assert [(one["ExecutionTime"], one["WindowId"]) for page in pages for one in page] == expected
    assert len(expected) > 500


def test_the_schedule_begins_with_what_the_engine_will_open(api: Api) -> None:
    made = create(api, Schedule="cron(0 2 * * ? *)", EndDate="2026-03-19T00:00:00Z")
    with api.here.database.write() as work:
        window = work.windows.get(made)
        assert window is not None
        work.windows.put(window, next_opening_at=api.here.clock.now() + timedelta(days=2, hours=-7))
    assert openings(api) == ["2026-03-16T02:00Z", "2026-03-17T02:00Z", "2026-03-18T02:00Z"]


@pytest.mark.parametrize(
    ("filters", "days"),
    [
        (only("ScheduledAfter", "2026-03-16T02:00:00Z"), [17, 18]),
        (only("ScheduledBefore", "2026-03-16T02:00:00Z"), [15]),
        ([*only("ScheduledAfter", "2026-03-15T12:00Z"), *only("ScheduledBefore", "2026-03-17T12:00Z")], [16, 17]),
        (only("ScheduledAfter", "2020-01-01T00:00:00Z"), [15, 16, 17, 18]),
        (only("ScheduledAfter", "2026-03-15T12:00:00Z", "2026-03-16T12:00:00Z"), [17, 18]),
    ],
)
def test_the_schedule_can_be_narrowed_to_a_time(api: Api, filters: list[dict[str, Any]], days: list[int]) -> None:
    create(api, Schedule="cron(0 2 * * ? *)", EndDate="2026-03-19T00:00:00Z")
    assert openings(api, Filters=filters) == [f"2026-03-{day}T02:00Z" for day in days]


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"WindowId": UNKNOWN}, "DoesNotExistException"),
        ({"Filters": only("ScheduledAfter", "soon")}, "ValidationException"),
        ({"Filters": only("ExecutedAfter", "2026-03-16T02:00:00Z")}, "ValidationException"),
        ({"Targets": only("tag:env"), "ResourceType": "INSTANCE"}, "ValidationException"),
        ({"MaxResults": 0}, "ValidationException"),
    ],
)
def test_a_schedule_that_cannot_be_asked_for_is_refused(api: Api, members: dict[str, Any], code: str) -> None:
    assert api.code("DescribeMaintenanceWindowSchedule", **members) == code
