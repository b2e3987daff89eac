"""Maintenance windows through the operations of the API."""

import re
from datetime import timedelta
from typing import Any

import pytest
from tests.fakes.api import Api
from tests.unit.operations.windows import (
    FULL,
    LEAST,
    TAG,
    UNKNOWN,
    create,
    engine_opens_at,
    following,
    get,
    target,
)


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


def test_a_window_is_made_enabled_whatever_is_said(api: Api) -> None:
    assert get(api, create(api, Enabled=False))["Enabled"] is True
