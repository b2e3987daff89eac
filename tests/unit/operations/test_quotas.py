"""How much of each kind may be kept, through the operations that make more of it."""

import dataclasses
from collections.abc import Callable
from typing import Any, Final

import pytest
from tests.fakes.api import Api

from patchwindow.domain.errors import Invalid
from patchwindow.operations.quotas import QUOTA_MAX, Quotas, names

WINDOW: Final[dict[str, Any]] = {
    "Name": "nightly",
    "Schedule": "rate(1 day)",
    "Duration": 2,
    "Cutoff": 1,
    "AllowUnassociatedTargets": True,
}
QUERY: Final = {
    "Type": "TAG_FILTERS_1_0",
    "Query": '{"ResourceTypeFilters": ["AWS::AllSupported"], "TagFilters": [{"Key": "env", "Values": ["live"]}]}',
}


def allow(api: Api, **quotas: int) -> None:
    api.here.service.site = dataclasses.replace(api.here.service.site, quotas=Quotas(**quotas))


def test_a_quota_that_is_not_set_has_its_default() -> None:
    assert Quotas.of(["windows=500", "tasks-per-window=50"]) == Quotas(windows=500, tasks_per_window=50)
    assert Quotas.of([]) == Quotas()


def test_of_a_quota_that_is_set_twice_the_last_counts() -> None:
    assert Quotas.of(["windows=1", "windows=2"]).windows == 2


def test_every_field_is_a_quota_that_can_be_set() -> None:
    for place, (name, field) in enumerate(zip(names(), dataclasses.fields(Quotas), strict=True), 1):
        assert getattr(Quotas.of([f"{name}={place}"]), field.name) == place


@pytest.mark.parametrize("setting", ["window=3", "windows", "", "=3", "tasks_per_window=3", "Windows=3"])
def test_an_unknown_quota_is_refused_with_the_known_ones(setting: str) -> None:
    with pytest.raises(Invalid) as refusal:
        Quotas.of([setting])
    known = ", ".join(names())
    assert str(refusal.value) == f"quota {setting!r} is not known; use NAME=NUMBER with one of {known}"


@pytest.mark.parametrize("value", ["", "0", "-1", "1.5", "many", " 1", "1_000", "²", str(QUOTA_MAX + 1), "9" * 5000])
def test_a_quota_is_a_whole_number(value: str) -> None:
    with pytest.raises(Invalid) as refusal:
        Quotas.of([f"windows={value}"])
    assert str(refusal.value) == f"quota windows is {value!r}; use a whole number from 1 to {QUOTA_MAX}"


def test_a_quota_is_reached_before_it_is_crossed(api: Api) -> None:
    allow(api, windows=2)
    made = [api("CreateMaintenanceWindow", **WINDOW)["WindowId"] for _ in range(2)]
    fault = api.fault("CreateMaintenanceWindow", **WINDOW)
    assert fault.code == "ResourceLimitExceededException"
    assert fault.message == (
        "quota windows is 2, and this would be 3; "
        "remove some, or start the server with a greater one: --quota windows=3"
    )
    api("UpdateMaintenanceWindow", WindowId=made[0], Description="changed")
    api("DeleteMaintenanceWindow", WindowId=made[0])
    assert api("CreateMaintenanceWindow", **WINDOW)


def only_window(api: Api) -> str:
    """Return the id of the one window, which is made if there is none."""
    found = api("DescribeMaintenanceWindows")["WindowIdentities"] or [api("CreateMaintenanceWindow", **WINDOW)]
    window_id: str = found[0]["WindowId"]
    return window_id


def register_group(api: Api, place: int) -> tuple[str, dict[str, Any]]:
    baseline = api("GetDefaultPatchBaseline", OperatingSystem="DEBIAN")["BaselineId"]
    return "RegisterPatchBaselineForPatchGroup", {"BaselineId": baseline, "PatchGroup": f"group-{place}"}


@pytest.mark.parametrize(
    ("quota", "request_of", "code"),
    [
        (
            "baselines",
            lambda _, place: ("CreatePatchBaseline", {"Name": f"base-{place}", "OperatingSystem": "DEBIAN"}),
            "ResourceLimitExceededException",
        ),
        ("groups-per-baseline", register_group, "ResourceLimitExceededException"),
        ("activations", lambda *_: ("CreateActivation", {"IamRole": "service"}), "ValidationException"),
        (
            "resource-groups",
            lambda _, place: ("CreateGroup", {"Name": f"group-{place}", "ResourceQuery": QUERY}),
            "BadRequestException",
        ),
        (
            "targets-per-window",
            lambda api, _: (
                "RegisterTargetWithMaintenanceWindow",
                {
                    "WindowId": only_window(api),
                    "ResourceType": "INSTANCE",
                    "Targets": [{"Key": "tag:env", "Values": ["live"]}],
                },
            ),
            "ResourceLimitExceededException",
        ),
    ],
)
def test_what_would_cross_a_quota_is_refused(
    api: Api, quota: str, request_of: Callable[[Api, int], tuple[str, dict[str, Any]]], code: str
) -> None:
    allow(api, **{quota.replace("-", "_"): 2})
    for place in range(2):
        operation, members = request_of(api, place)
        api(operation, **members)
    operation, members = request_of(api, 2)
    fault = api.fault(operation, **members)
    assert fault.code == code
    assert fault.message.startswith(f"quota {quota} is 2, and this would be 3; ")


def test_predefined_baselines_do_not_count(api: Api) -> None:
    allow(api, baselines=1)
    assert api("CreatePatchBaseline", Name="mine", OperatingSystem="DEBIAN")


def test_a_group_that_is_refused_is_not_registered(api: Api) -> None:
    allow(api, groups_per_baseline=1)
    for place in range(2):
        operation, members = register_group(api, place)
        if place:
            api.fault(operation, **members)
        else:
            api(operation, **members)
    assert [one["PatchGroup"] for one in api("DescribePatchGroups")["Mappings"]] == ["group-0"]


def test_tags_of_an_activation_have_the_quota_of_the_node_that_gets_them(api: Api) -> None:
    allow(api, tags_per_resource=1)
    tags = [{"Key": key, "Value": ""} for key in ("one", "two")]
    assert api("CreateActivation", IamRole="service", Tags=tags[:1])
    fault = api.fault("CreateActivation", IamRole="service", Tags=tags)
    assert fault.message.startswith("quota tags-per-resource is 1, and this would be 2; ")
