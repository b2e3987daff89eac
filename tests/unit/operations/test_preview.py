"""PreviewBaseline: what a proposed baseline would mean for nodes."""

from typing import Any, Final

import pytest
from tests.fakes.api import Api
from tests.fakes.scans import SECURITY, facts_of, package, scan, update
from tests.fakes.site import Installation

OLD: Final = facts_of(
    [package("bash"), package("openssl", origin=SECURITY)],
    [update("openssl", priority="important"), update("bash", origin=0)],
)
EVERYTHING: Final = {
    "OperatingSystem": "DEBIAN",
    "ApprovalRules": {
        "PatchRules": [
            {"PatchFilterGroup": {"PatchFilters": [{"Key": "PRIORITY", "Values": ["*"]}]}, "EnableNonSecurity": True}
        ]
    },
}
NOTHING: Final = {"OperatingSystem": "DEBIAN"}
BASH: Final = {"Title": "bash.amd64:2", "InstanceCount": 1}
OPENSSL: Final = {"Title": "openssl.amd64:2", "InstanceCount": 1}


def scanned(here: Installation, group: str | None = None) -> str:
    node = here.node(tags={} if group is None else {"Patch Group": group})
    scan(here, node, OLD)
    return node


def previewed(api: Api, baseline: dict[str, Any], **members: Any) -> dict[str, dict[str, Any]]:
    answer = api("PreviewBaseline", Baseline=baseline, **members)
    groups = {group.pop("PatchGroup"): group for group in answer["Groups"]}
    assert answer["InstanceCount"] == sum(group["InstanceCount"] for group in groups.values())
    return groups


def test_what_becomes_approved_and_what_no_longer_is_told_by_group(here: Installation, api: Api) -> None:
    for group in ("Web", "Web", "DB", None):
        scanned(here, group)
    wider = previewed(api, EVERYTHING, PatchGroups=["Web", "DB"])
    assert wider == {
        group: {
            "InstanceCount": count,
            "NewlyApprovedCount": 1,
            "NewlyApproved": [BASH | {"InstanceCount": count}],
            "NoLongerApprovedCount": 0,
            "NoLongerApproved": [],
        }
        for group, count in (("DB", 1), ("Web", 2))
    }
    narrower = previewed(api, NOTHING, PatchGroups=["DB"])["DB"]
    assert (narrower["NewlyApproved"], narrower["NoLongerApproved"]) == ([], [OPENSSL])


def test_as_the_default_it_is_for_nodes_whose_group_has_no_baseline(here: Installation, api: Api) -> None:
    own = api("CreatePatchBaseline", Name="own", **NOTHING)["BaselineId"]
    api("RegisterPatchBaselineForPatchGroup", BaselineId=own, PatchGroup="Web")
    for group in ("Web", "DB", None):
        scanned(here, group)
    assert sorted(previewed(api, EVERYTHING, IsDefault=True)) == ["", "DB"]


def test_as_the_next_version_of_a_baseline_it_is_for_those_that_follow_it(here: Installation, api: Api) -> None:
    own = api("CreatePatchBaseline", Name="own", **NOTHING)["BaselineId"]
    api("RegisterPatchBaselineForPatchGroup", BaselineId=own, PatchGroup="Web")
    for group in ("Web", "DB"):
        scanned(here, group)
    (web,) = previewed(api, EVERYTHING, BaselineId=own).values()
    assert web["NewlyApproved"] == [BASH, OPENSSL]


def test_what_was_previewed_is_what_comes_of_the_change(here: Installation, api: Api) -> None:
    own = api("CreatePatchBaseline", Name="own", **NOTHING)["BaselineId"]
    api("RegisterPatchBaselineForPatchGroup", BaselineId=own, PatchGroup="Web")
    node = scanned(here, "Web")
    (web,) = previewed(api, EVERYTHING, BaselineId=own).values()
    api("UpdatePatchBaseline", BaselineId=own, ApprovalRules=EVERYTHING["ApprovalRules"])
    scan(here, node, OLD)
    patches = [patch for page in here.pages("DescribeInstancePatches", "Patches", InstanceId=node) for patch in page]
    missing = [patch["Title"] for patch in patches if patch["State"] == "Missing"]
    assert missing == [one["Title"] for one in web["NewlyApproved"]]


def test_nodes_of_other_systems_and_nodes_without_a_scan_are_not_looked_at(here: Installation, api: Api) -> None:
    scanned(here)
    here.node()
    assert previewed(api, NOTHING | {"OperatingSystem": "UBUNTU"}, IsDefault=True) == {}
    (group,) = previewed(api, NOTHING, IsDefault=True).values()
    assert group["InstanceCount"] == 1


@pytest.mark.parametrize(
    ("baseline", "members", "code"),
    [
        (NOTHING, {"BaselineId": "pb-00000000000000009"}, "DoesNotExistException"),
        (NOTHING | {"GlobalFilters": {"PatchFilters": [{"Key": "SEVERITY", "Values": ["x"]}]}}, {}, None),
    ],
)
def test_what_no_baseline_can_be_is_refused(
    api: Api, baseline: dict[str, Any], members: dict[str, Any], code: str | None
) -> None:
    assert api.code("PreviewBaseline", Baseline=baseline, **members) == (code or "ValidationException")
