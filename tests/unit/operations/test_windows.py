"""Maintenance windows through the operations of the API."""

import re
from datetime import timedelta
from typing import Any, Final

import pytest
from tests.fakes.api import Api
from tests.fakes.site import Installation

UNKNOWN: Final = "mw-0123456789abcdef0"
LEAST: Final[dict[str, Any]] = {
    "Name": "nightly",
    "Schedule": "cron(0 2 ? * SUN *)",
    "Duration": 4,
    "Cutoff": 1,
    "AllowUnassociatedTargets": False,
}
FULL: Final[dict[str, Any]] = {
    **LEAST,
    "Description": "Every Sunday",
    "StartDate": "2026-01-01T00:00:00-08:00",
    "EndDate": "2027-01-01T00:00Z",
    "ScheduleTimezone": "Europe/Berlin",
    "ScheduleOffset": 2,
}
TAG: Final = [{"Key": "tag:env", "Values": ["live"]}]


@pytest.fixture
def api(here: Installation) -> Api:
    return Api(here)


def create(api: Api, **members: Any) -> str:
    window_id: str = api("CreateMaintenanceWindow", **{**LEAST, **members})["WindowId"]
    return window_id


def get(api: Api, window_id: str) -> dict[str, Any]:
    return api("GetMaintenanceWindow", WindowId=window_id)


def following(api: Api, **members: Any) -> str | None:
    """Return when a window with *members* opens next."""
    found: str | None = get(api, create(api, **members)).get("NextExecutionTime")
    return found


def openings(api: Api, **members: Any) -> list[str]:
    pages = api.pages("DescribeMaintenanceWindowSchedule", "ScheduledWindowExecutions", **members)
    return [one["ExecutionTime"] for page in pages for one in page]


def engine_opens_at(api: Api, window_id: str) -> str | None:
    with api.here.database.read() as work:
        opening = work.windows.opening_of(window_id)
    return None if opening is None else opening.isoformat()


def target(api: Api, window_id: str, targets: list[dict[str, Any]]) -> None:
    api("RegisterTargetWithMaintenanceWindow", WindowId=window_id, ResourceType="INSTANCE", Targets=targets)


def only(key: str, *values: str) -> list[dict[str, Any]]:
    return [{"Key": key, "Values": list(values)}]


def test_every_field_is_read_back_as_it_was_given(api: Api) -> None:
    made = create(api, **FULL)
    assert re.fullmatch("mw-[0-9a-f]{17}", made)
    now = int(api.here.clock.now().timestamp())
    assert get(api, made) == {
        **FULL,
        "WindowId": made,
        "Enabled": True,
        "CreatedDate": now,
        "ModifiedDate": now,
        "NextExecutionTime": "2026-03-17T02:00+01:00",
    }


def test_what_is_not_given_is_absent(api: Api) -> None:
    assert get(api, create(api)).keys() == {
        *LEAST,
        "WindowId",
        "Enabled",
        "CreatedDate",
        "ModifiedDate",
        "NextExecutionTime",
    }


@pytest.mark.parametrize(
    "member",
    [
        {"StartDate": "2026-05-01T00:00:00+09:00"},
        {"StartDate": "2026-05-01T00:00Z"},
        {"EndDate": "2026-05-01T12:30:00.500-08:00"},
    ],
)
def test_dates_are_echoed_as_they_were_written(api: Api, member: dict[str, str]) -> None:
    made = create(api, **member)
    assert member.items() <= get(api, made).items()
    (listed,) = api("DescribeMaintenanceWindows")["WindowIdentities"]
    assert member.items() <= listed.items()
    assert member.items() <= api("UpdateMaintenanceWindow", WindowId=made, Enabled=False).items()


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"Schedule": "cron(0 16 ? * WED *)"}, "2026-03-18T16:00Z"),
        ({"Schedule": "cron(0 0 ? * SUN *)", "ScheduleTimezone": "Australia/Brisbane"}, "2026-03-15T00:00+10:00"),
        ({"Schedule": "cron(24 30 09 ? * * *)"}, "2026-03-14T09:30:24Z"),
        ({"Schedule": "rate(1 day)"}, "2026-03-15T09:00:00.137Z"),
        ({"Schedule": "at(2026-04-01T02:00:00)", "ScheduleTimezone": "Europe/Berlin"}, "2026-04-01T02:00+02:00"),
        ({"Schedule": "at(2026-03-01T02:00:00)"}, None),
        ({"EndDate": "2026-03-14T00:00:00Z"}, None),
        ({"StartDate": "2026-04-01T00:00:00Z"}, "2026-04-05T02:00Z"),
        ({"ScheduleOffset": 3}, "2026-03-18T02:00Z"),
        ({"Schedule": "cron(0 2 31 2 ? *)"}, None),
    ],
)
def test_the_next_execution_time_has_the_form_of_the_api(
    api: Api, members: dict[str, Any], expected: str | None
) -> None:
    api.here.clock.advance(timedelta(milliseconds=137))
    assert following(api, **members) == expected


def test_the_list_and_the_window_itself_say_the_same_of_what_comes_next(api: Api) -> None:
    made = create(api, Schedule="cron(0 10 * * ? *)")
    create(api, Schedule="cron(0 2 31 2 ? *)")
    api("UpdateMaintenanceWindow", WindowId=create(api), Enabled=False)
    # The last is due by then, and no engine has opened it: the one after it comes next.
    for hours, expected in ((0, "2026-03-14T10:00Z"), (0.999, "2026-03-14T10:00Z"), (0.001, "2026-03-15T10:00Z")):
        api.here.clock.advance(timedelta(hours=hours))
        listed = api("DescribeMaintenanceWindows")["WindowIdentities"]
        assert [one["NextExecutionTime"] for one in listed if "NextExecutionTime" in one] == [expected]
        assert get(api, made)["NextExecutionTime"] == expected


def test_what_is_said_to_come_next_is_what_the_engine_will_open(api: Api) -> None:
    made = create(api)
    with api.here.database.write() as work:
        window = work.windows.get(made)
        assert window is not None
        work.windows.put(window, next_opening_at=api.here.clock.now() + timedelta(days=1))
    expected = f"{api.here.clock.now() + timedelta(days=1):%Y-%m-%dT%H:%MZ}"
    assert get(api, made)["NextExecutionTime"] == expected
    assert [one["NextExecutionTime"] for one in api("DescribeMaintenanceWindows")["WindowIdentities"]] == [expected]


def test_the_next_execution_time_moves_on_with_the_clock(api: Api) -> None:
    made = create(api, Schedule="cron(0 10 * * ? *)")
    assert get(api, made)["NextExecutionTime"] == "2026-03-14T10:00Z"
    api.here.clock.advance(timedelta(hours=1))
    assert get(api, made)["NextExecutionTime"] == "2026-03-15T10:00Z"


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"Cutoff": 4}, "Cuttoff was 4 but must be smaller than 3 (Duration - 1 )"),
        ({"Duration": 1, "Cutoff": 1}, "Cuttoff was 1 but must be smaller than 0 (Duration - 1 )"),
        ({"ScheduleTimezone": "Mars/Olympus"}, "ScheduleTimezone is Mars/Olympus; use an IANA name such as "),
        ({"ScheduleTimezone": ""}, "ScheduleTimezone is empty; use an IANA name such as "),
        ({"StartDate": ""}, "StartDate is empty; use a time such as "),
        ({"EndDate": "tomorrow"}, "EndDate is tomorrow; use a time such as "),
        (
            {"StartDate": "2026-05-01T00:00Z", "EndDate": "2026-04-01T00:00Z"},
            "EndDate is 2026-04-01T00:00Z, before StartDate 2026-05-01T00:00Z; use a later EndDate",
        ),
        ({"Schedule": "rate(1 day)", "ScheduleOffset": 1}, "ScheduleOffset is 1, but only a cron can have one; "),
        ({"Schedule": "at(2026-05-01T00:00:00)", "ScheduleOffset": 1}, "ScheduleOffset is 1, but only a cron can "),
    ],
)
def test_what_makes_no_window_is_refused(api: Api, members: dict[str, Any], message: str) -> None:
    fault = api.fault("CreateMaintenanceWindow", **{**LEAST, **members})
    assert fault.code == "ValidationException"
    assert fault.message.startswith(message)
    made = create(api)
    assert api.fault("UpdateMaintenanceWindow", WindowId=made, **members) == fault
    assert api.fault("UpdateMaintenanceWindow", WindowId=made, Enabled=False, **members) == fault


@pytest.mark.parametrize("schedule", ["rate(1 hours)", "rate(5 hour)", "rate(0 days)", "cron(0 2 * * *)", "daily"])
def test_what_is_no_schedule_is_named(api: Api, schedule: str) -> None:
    fault = api.fault("CreateMaintenanceWindow", **{**LEAST, "Schedule": schedule})
    assert fault.code == "ValidationException"
    assert schedule in fault.message


@pytest.mark.parametrize(
    "members",
    [
        {"Name": "ab"},
        {"Description": ""},
        {"Duration": 25},
        {"Duration": 0},
        {"Cutoff": 24},
        {"ScheduleOffset": 0},
        {"ScheduleOffset": 7},
        {"Schedule": ""},
        {"ClientToken": ""},
    ],
)
def test_what_the_model_forbids_is_refused_in_its_words(api: Api, members: dict[str, Any]) -> None:
    (member,) = members
    fault = api.fault("CreateMaintenanceWindow", **{**LEAST, **members})
    assert fault.code == "ValidationException"
    shown = member[:1].lower() + member[1:]
    assert f" at '{shown}' failed to satisfy constraint: Member must have " in fault.message


@pytest.mark.parametrize("member", LEAST)
def test_what_is_required_must_be_given(api: Api, member: str) -> None:
    rest = {name: value for name, value in LEAST.items() if name != member}
    fault = api.fault("CreateMaintenanceWindow", **rest)
    assert fault.code == "ValidationException"
    assert fault.message.endswith("failed to satisfy constraint: Member must not be null")


def test_an_update_changes_what_is_given_and_echoes_the_whole_window(api: Api) -> None:
    made = create(api, **FULL)
    before = get(api, made)
    api.here.clock.advance(timedelta(seconds=1))
    answer = api("UpdateMaintenanceWindow", WindowId=made, Description="Changed", Duration=5)
    after = get(api, made)
    assert after == {**before, "Description": "Changed", "Duration": 5, "ModifiedDate": before["ModifiedDate"] + 1}
    extra = ("CreatedDate", "ModifiedDate", "NextExecutionTime")
    assert answer == {name: value for name, value in after.items() if name not in extra}


def test_replace_makes_absent_what_is_not_given_but_leaves_enabled(api: Api) -> None:
    made = create(api, **FULL)
    api("UpdateMaintenanceWindow", WindowId=made, Enabled=False)
    answer = api("UpdateMaintenanceWindow", WindowId=made, Replace=True, **{**LEAST, "Name": "other"})
    assert answer == {**LEAST, "Name": "other", "WindowId": made, "Enabled": False}
    answer = api("UpdateMaintenanceWindow", WindowId=made, Replace=True, Enabled=True, **LEAST)
    assert answer == {**LEAST, "WindowId": made, "Enabled": True}


def test_replace_names_what_it_lacks(api: Api) -> None:
    fault = api.fault("UpdateMaintenanceWindow", WindowId=create(api), Replace=True, Name="other", Cutoff=0)
    assert fault.code == "ValidationException"
    assert fault.message == "Schedule, Duration, AllowUnassociatedTargets must be given with Replace"


def test_an_update_to_the_same_keeps_the_anchor_of_a_rate(api: Api) -> None:
    made = create(api, Schedule="rate(7 days)")
    before = get(api, made)["NextExecutionTime"]
    api.here.clock.advance(timedelta(days=1))
    api("UpdateMaintenanceWindow", WindowId=made, Replace=True, Enabled=True, **{**LEAST, "Schedule": "rate(7 days)"})
    assert get(api, made)["NextExecutionTime"] == before


def test_a_changed_offset_does_not_count_matches_that_have_passed(api: Api) -> None:
    api.here.clock.advance(timedelta(days=2))
    made = create(api)
    assert get(api, made)["NextExecutionTime"] == "2026-03-22T02:00Z"
    api("UpdateMaintenanceWindow", WindowId=made, ScheduleOffset=3)
    assert get(api, made)["NextExecutionTime"] == "2026-03-25T02:00Z"


def test_a_disabled_window_opens_never_and_an_enabled_one_again(api: Api) -> None:
    made = create(api)
    api("UpdateMaintenanceWindow", WindowId=made, Enabled=False)
    found = get(api, made)
    assert found["Enabled"] is False
    assert "NextExecutionTime" not in found
    assert engine_opens_at(api, made) is None
    api("UpdateMaintenanceWindow", WindowId=made, Enabled=True)
    assert engine_opens_at(api, made) == "2026-03-15T02:00:00+00:00"


def test_an_opening_that_is_due_is_not_lost_by_a_change_of_something_else(api: Api) -> None:
    made = create(api)
    api.here.clock.advance(timedelta(hours=17, seconds=1))
    api("UpdateMaintenanceWindow", WindowId=made, Description="Changed")
    assert engine_opens_at(api, made) == "2026-03-15T02:00:00+00:00"
    api("UpdateMaintenanceWindow", WindowId=made, Schedule="cron(0 3 ? * SUN *)")
    assert engine_opens_at(api, made) == "2026-03-15T03:00:00+00:00"


@pytest.mark.parametrize("operation", ["GetMaintenanceWindow", "UpdateMaintenanceWindow"])
def test_an_unknown_window_is_named(api: Api, operation: str) -> None:
    fault = api.fault(operation, WindowId=UNKNOWN)
    assert (fault.code, fault.message) == (
        "DoesNotExistException",
        f"Maintenance window {UNKNOWN} does not exist",
    )


def test_deleting_answers_the_id_and_succeeds_again(api: Api) -> None:
    made = create(api, Tags=[{"Key": "env", "Value": "live"}])
    target(api, made, TAG)
    for _ in range(2):
        assert api("DeleteMaintenanceWindow", WindowId=made) == {"WindowId": made}
    assert api.code("GetMaintenanceWindow", WindowId=made) == "DoesNotExistException"
    with api.here.database.read() as work:
        assert work.tags.of("MaintenanceWindow", made) == {}
        assert work.window_targets.all() == []


def test_tags_are_set_with_the_window(api: Api) -> None:
    made = create(api, Tags=[{"Key": "env", "Value": "live"}])
    tags = api("ListTagsForResource", ResourceType="MaintenanceWindow", ResourceId=made)
    assert tags == {"TagList": [{"Key": "env", "Value": "live"}]}


def test_a_list_entry_has_neither_dates_of_change_nor_the_rule_for_targets(api: Api) -> None:
    made = create(api, **FULL)
    found = get(api, made)
    absent = ("AllowUnassociatedTargets", "CreatedDate", "ModifiedDate")
    entry = {name: value for name, value in found.items() if name not in absent}
    assert api("DescribeMaintenanceWindows") == {"WindowIdentities": [entry]}


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        ([], ["nightly", "nightly-db", "weekly"]),
        (only("Name", "night"), ["nightly", "nightly-db"]),
        (only("Name", "Night"), []),
        (only("Name", "nightly-", "week"), ["nightly-db", "weekly"]),
        (only("Enabled", "true"), ["nightly", "weekly"]),
        (only("Enabled", "False"), ["nightly-db"]),
        ([*only("Name", "night"), *only("Enabled", "True")], ["nightly"]),
    ],
)
def test_windows_are_found_by_the_beginning_of_the_name_and_by_enabled(
    api: Api, filters: list[dict[str, Any]], names: list[str]
) -> None:
    create(api)
    api("UpdateMaintenanceWindow", WindowId=create(api, Name="nightly-db"), Enabled=False)
    create(api, Name="weekly")
    found = api("DescribeMaintenanceWindows", Filters=filters)["WindowIdentities"]
    assert [one["Name"] for one in found] == names


@pytest.mark.parametrize(
    ("filters", "message"),
    [
        (only("State", "x"), "filter key 'State' is not known here; use one of Name, Enabled"),
        (only("Enabled", "yes"), "filter Enabled is yes; use true or false"),
        (only("Enabled", "true", "false"), "filter Enabled is true, false; use true or false"),
        (only("Name"), "filter Name has no values; give at least one, or leave the filter out"),
    ],
)
def test_a_filter_of_windows_that_cannot_be_is_refused(api: Api, filters: list[dict[str, Any]], message: str) -> None:
    fault = api.fault("DescribeMaintenanceWindows", Filters=filters)
    assert (fault.code, fault.message) == ("ValidationException", message)


def test_pages_of_windows_together_are_the_whole_list(api: Api) -> None:
    made = [create(api) for _ in range(23)]
    pages = list(api.pages("DescribeMaintenanceWindows", "WindowIdentities", MaxResults=10))
    assert [len(page) for page in pages] == [10, 10, 3]
    assert [one["WindowId"] for page in pages for one in page] == made


def test_a_token_of_windows_is_good_for_its_request_alone(api: Api) -> None:
    for _ in range(11):
        create(api)
    token = api("DescribeMaintenanceWindows", MaxResults=10)["NextToken"]
    others: list[tuple[str, dict[str, Any]]] = [
        ("DescribeMaintenanceWindows", {"Filters": only("Name", "x")}),
        ("DescribeMaintenanceWindowSchedule", {}),
        ("DescribeMaintenanceWindows", {"NextToken": "e30"}),
    ]
    for operation, members in others:
        assert api.code(operation, **{"NextToken": token, **members}) == "ValidationException"


@pytest.mark.parametrize("size", [9, 101])
def test_a_page_of_windows_has_from_10_to_100_entries(api: Api, size: int) -> None:
    assert api.code("DescribeMaintenanceWindows", MaxResults=size) == "ValidationException"


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


def test_a_window_is_made_enabled_whatever_is_said(api: Api) -> None:
    assert get(api, create(api, Enabled=False))["Enabled"] is True


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


def test_windows_are_found_by_the_node_that_their_targets_select(api: Api) -> None:
    node, other = api.here.node(tags={"env": "live", "role": "web"}), api.here.node(tags={"env": "test"})
    by_id, by_tag, by_key, _ = made = [create(api, Name=f"window-{place}") for place in range(4)]
    target(api, by_id, only("InstanceIds", other, node))
    target(api, by_id, only("InstanceIds", node))
    target(api, by_tag, [*TAG, *only("tag:role", "db", "web")])
    target(api, by_key, only("tag-key", "env", "role"))
    for node_id, expected in ((node, made[:3]), (other, [by_id]), ("mi-0123456789abcdef0", [])):
        asked = {"Targets": only("InstanceIds", node_id), "ResourceType": "INSTANCE"}
        found = api("DescribeMaintenanceWindowsForTarget", **asked)["WindowIdentities"]
        assert [one["WindowId"] for one in found] == expected
        scheduled = api("DescribeMaintenanceWindowSchedule", **asked)["ScheduledWindowExecutions"]
        assert sorted({one["WindowId"] for one in scheduled}) == expected


def test_windows_are_found_by_the_tag_filter_that_a_target_has(api: Api) -> None:
    made = create(api)
    target(api, made, [*TAG, *only("tag:role", "web")])
    for targets, count in ((TAG, 1), (only("tag:env", "test"), 0), (only("tag:env", "test", "live"), 1)):
        found = api("DescribeMaintenanceWindowsForTarget", Targets=targets, ResourceType="INSTANCE")
        assert len(found["WindowIdentities"]) == count


def test_windows_of_a_target_are_pages_of_id_and_name(api: Api) -> None:
    made = [create(api) for _ in range(3)]
    for window_id in made:
        target(api, window_id, TAG)
    pages = api.pages(
        "DescribeMaintenanceWindowsForTarget", "WindowIdentities", Targets=TAG, ResourceType="INSTANCE", MaxResults=2
    )
    expected = [{"WindowId": window_id, "Name": "nightly"} for window_id in made]
    assert list(pages) == [expected[:2], expected[2:]]


@pytest.mark.parametrize(
    ("targets", "message"),
    [
        ([], "Please specify at least one target, such as Key=tag:<key>,Values=<value>"),
        ([{"Values": ["x"]}], "Targets[0] has no Key; give it one such as InstanceIds or tag:<key>"),
        (only("tag:env"), "Please specify at least one target. Filter values can't be null or empty, as those of "),
        (only("env", "live"), "target key 'env' is not known; use "),
    ],
)
def test_a_target_to_look_for_that_cannot_be_is_refused(api: Api, targets: list[dict[str, Any]], message: str) -> None:
    fault = api.fault("DescribeMaintenanceWindowsForTarget", Targets=targets, ResourceType="INSTANCE")
    assert fault.code == "ValidationException"
    assert fault.message.startswith(message)
