"""Patch groups through the operations of the API."""

from typing import Any

import pytest
from tests.fakes.api import Api
from tests.unit.operations.baselines import create, only, predefined

from patchwindow.domain.operating_system import OperatingSystem


def test_a_group_follows_one_baseline_for_each_system(api: Api) -> None:
    debian, ubuntu = create(api), create(api, OperatingSystem="UBUNTU")
    for made in (debian, ubuntu):
        answer = api("RegisterPatchBaselineForPatchGroup", BaselineId=made, PatchGroup="web")
        assert answer == {"BaselineId": made, "PatchGroup": "web"}
        assert api("GetPatchBaseline", BaselineId=made)["PatchGroups"] == ["web"]
    fault = api.fault("RegisterPatchBaselineForPatchGroup", BaselineId=create(api), PatchGroup="web")
    assert fault.code == "AlreadyExistsException"
    assert fault.message == (
        "Patch Group baseline already has a baseline registered for OperatingSystem DEBIAN: "
        f"{debian}; deregister 'web' from it first"
    )
    api("RegisterPatchBaselineForPatchGroup", BaselineId=debian, PatchGroup="Web")


def test_a_group_resolves_to_its_baseline_and_else_to_the_default(api: Api) -> None:
    made = create(api)
    api("RegisterPatchBaselineForPatchGroup", BaselineId=made, PatchGroup="web")

    def baseline(**members: str) -> dict[str, Any]:
        return api("GetPatchBaselineForPatchGroup", **members)

    assert baseline(PatchGroup="web", OperatingSystem="DEBIAN") == {
        "BaselineId": made,
        "PatchGroup": "web",
        "OperatingSystem": "DEBIAN",
    }
    assert baseline(PatchGroup="db", OperatingSystem="DEBIAN")["BaselineId"] == predefined(OperatingSystem.DEBIAN)
    assert baseline(PatchGroup="web") == {
        "BaselineId": predefined(OperatingSystem.WINDOWS),
        "PatchGroup": "web",
        "OperatingSystem": "WINDOWS",
    }


def test_a_deregistered_group_follows_the_default_again(api: Api) -> None:
    made = create(api)
    api("RegisterPatchBaselineForPatchGroup", BaselineId=made, PatchGroup="web")
    answer = api("DeregisterPatchBaselineForPatchGroup", BaselineId=made, PatchGroup="web")
    assert answer == {"BaselineId": made, "PatchGroup": "web"}
    assert api("GetPatchBaseline", BaselineId=made)["PatchGroups"] == []
    fault = api.fault("DeregisterPatchBaselineForPatchGroup", BaselineId=made, PatchGroup="web")
    assert fault.code == "InvalidResourceId"
    assert fault.message == f"patch group 'web' is not registered with patch baseline {made}"


def test_mappings_show_group_and_baseline_page_by_page(api: Api) -> None:
    made, windows = create(api, Description="text"), predefined(OperatingSystem.WINDOWS)
    for group in ("db", "web"):
        for baseline in (made, windows):
            api("RegisterPatchBaselineForPatchGroup", BaselineId=baseline, PatchGroup=group)
    pages = list(api.pages("DescribePatchGroups", "Mappings", MaxResults=1))
    found = [(one["PatchGroup"], one["BaselineIdentity"]["BaselineId"]) for page in pages for one in page]
    assert found == [("db", made), ("db", windows), ("web", made), ("web", windows)]
    assert pages[0][0]["BaselineIdentity"] == {
        "BaselineId": made,
        "BaselineName": "own",
        "OperatingSystem": "DEBIAN",
        "BaselineDescription": "text",
        "DefaultBaseline": False,
    }


@pytest.mark.parametrize(
    ("filters", "count"),
    [
        (only("NAME_PREFIX", "we"), 1),
        (only("OPERATING_SYSTEM", "DEBIAN"), 2),
        (only("OPERATING_SYSTEM", "UBUNTU"), 0),
        ([*only("NAME_PREFIX", "d"), *only("OPERATING_SYSTEM", "DEBIAN", "UBUNTU")], 1),
    ],
)
def test_mappings_can_be_filtered(api: Api, filters: list[dict[str, Any]], count: int) -> None:
    made = create(api)
    for group in ("db", "web"):
        api("RegisterPatchBaselineForPatchGroup", BaselineId=made, PatchGroup=group)
    assert len(api("DescribePatchGroups", Filters=filters)["Mappings"]) == count
