"""Lists of maintenance windows, and which windows are found by what."""

from typing import Any

import pytest
from tests.fakes.api import Api
from tests.unit.operations.windows import FULL, TAG, create, get, only, target


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
