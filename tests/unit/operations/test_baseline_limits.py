"""Every limit of a baseline's fields, of patch groups and of filters: what lies on it is taken, what lies beyond is not."""

from typing import Any, Final

import pytest
from tests.fakes.api import Api

RULE: Final[dict[str, Any]] = {"PatchFilterGroup": {"PatchFilters": []}, "ApproveAfterDays": 7}
SOURCE: Final[dict[str, Any]] = {"Name": "mirror", "Products": ["*"], "Configuration": "x"}


def filters(count: int) -> dict[str, Any]:
    return {"PatchFilters": [{"Key": "SECTION", "Values": ["net"]}] * count}


def values(*texts: str) -> dict[str, Any]:
    return {"GlobalFilters": {"PatchFilters": [{"Key": "SECTION", "Values": list(texts)}]}}


def rules(*several: dict[str, Any]) -> dict[str, Any]:
    return {"ApprovalRules": {"PatchRules": list(several)}}


def sources(*several: dict[str, Any]) -> dict[str, Any]:
    return {"Sources": list(several)}


def names(count: int) -> list[str]:
    return [f"package-{number}" for number in range(count)]


TAKEN: Final[tuple[dict[str, Any], ...]] = (
    {"Name": "abc"},
    {"Name": "a" * 128},
    {"Name": "A_z-0.9"},
    {"Description": "d"},
    {"Description": "d" * 1024},
    {"GlobalFilters": filters(0)},
    {"GlobalFilters": filters(4)},
    values(*(["v" * 64] * 20)),
    rules(),
    rules(*([RULE] * 10)),
    rules({**RULE, "PatchFilterGroup": filters(4)}),
    rules({**RULE, "ApproveAfterDays": 0}),
    rules({**RULE, "ApproveAfterDays": 360}),
    rules({"PatchFilterGroup": filters(1), "ApproveUntilDate": "2026-03-08"}),
    {"ApprovedPatches": names(50)},
    {"ApprovedPatches": ["a" * 100]},
    {"RejectedPatches": names(50)},
    {"RejectedPatches": ["a" * 100]},
    sources(*([SOURCE] * 20)),
    sources({**SOURCE, "Name": "abc", "Products": ["p" * 128] * 20, "Configuration": "c" * 1024}),
    sources({**SOURCE, "Name": "a" * 50}),
    {"ClientToken": "t"},
    {"ClientToken": "t" * 64},
)
REFUSED: Final[tuple[dict[str, Any], ...]] = (
    {"Name": "ab"},
    {"Name": "a" * 129},
    {"Name": "a b"},
    {"Description": ""},
    {"Description": "d" * 1025},
    {"GlobalFilters": filters(5)},
    {"GlobalFilters": {}},
    values(),
    values(""),
    values("v" * 65),
    values(*(["v"] * 21)),
    {"GlobalFilters": {"PatchFilters": [{"Key": "SECTION"}]}},
    {"GlobalFilters": {"PatchFilters": [{"Values": ["net"]}]}},
    {"GlobalFilters": {"PatchFilters": [{"Key": "COLOUR", "Values": ["red"]}]}},
    rules(*([RULE] * 11)),
    rules({"ApproveAfterDays": 7}),
    rules({**RULE, "PatchFilterGroup": filters(5)}),
    rules({**RULE, "ApproveAfterDays": -1}),
    rules({**RULE, "ApproveAfterDays": 361}),
    rules({**RULE, "ApproveUntilDate": "2026-03-08"}),
    rules({"PatchFilterGroup": filters(1), "ApproveUntilDate": "2026-3-8"}),
    rules({"PatchFilterGroup": filters(1), "ApproveUntilDate": "2026-03-08T00"}),
    rules({**RULE, "ComplianceLevel": "SEVERE"}),
    {"ApprovedPatches": names(51)},
    {"ApprovedPatches": [""]},
    {"ApprovedPatches": ["a" * 101]},
    {"RejectedPatches": names(51)},
    {"RejectedPatches": [""]},
    {"RejectedPatches": ["a" * 101]},
    {"RejectedPatchesAction": "DENY"},
    {"ApprovedPatchesComplianceLevel": "SEVERE"},
    {"AvailableSecurityUpdatesComplianceStatus": "UNKNOWN"},
    sources(*([SOURCE] * 21)),
    sources({**SOURCE, "Name": "ab"}),
    sources({**SOURCE, "Name": "a" * 51}),
    sources({**SOURCE, "Products": []}),
    sources({**SOURCE, "Products": [""]}),
    sources({**SOURCE, "Products": ["p" * 129]}),
    sources({**SOURCE, "Products": ["p"] * 21}),
    sources({**SOURCE, "Configuration": ""}),
    sources({**SOURCE, "Configuration": "c" * 1025}),
    *(sources({name: value for name, value in SOURCE.items() if name != absent}) for absent in SOURCE),
    {"ClientToken": ""},
    {"ClientToken": "t" * 65},
    {"Tags": [{"Key": "", "Value": "x"}]},
    {"Tags": [{"Key": "k" * 129, "Value": "x"}]},
    {"Tags": [{"Key": "k", "Value": "v" * 257}]},
    {"Tags": [{"Key": "k;", "Value": "v"}]},
    {"OperatingSystem": "BEOS"},
)


def shown(members: dict[str, Any]) -> str:
    return str(members)[:60]


@pytest.mark.parametrize("members", TAKEN, ids=shown)
def test_what_lies_within_the_limits_is_taken_and_read_back(api: Api, members: dict[str, Any]) -> None:
    made = api("CreatePatchBaseline", **{"Name": "own", "OperatingSystem": "DEBIAN", **members})["BaselineId"]
    found = api("GetPatchBaseline", BaselineId=made)
    for name, value in members.items():
        if name not in ("ClientToken", "ApprovalRules"):
            assert found[name] == value
    given = members.get("ApprovalRules", {}).get("PatchRules", [])
    read = found["ApprovalRules"]["PatchRules"]
    assert [rule | {"ComplianceLevel": "UNSPECIFIED", "EnableNonSecurity": False} for rule in given] == read


@pytest.mark.parametrize("members", REFUSED, ids=shown)
def test_what_lies_beyond_a_limit_is_refused_in_a_new_baseline_and_in_a_change(
    api: Api, members: dict[str, Any]
) -> None:
    fault = api.fault("CreatePatchBaseline", **{"Name": "own", "OperatingSystem": "DEBIAN", **members})
    assert fault.code == "ValidationException"
    made = api("CreatePatchBaseline", Name="own", OperatingSystem="DEBIAN")["BaselineId"]
    before = api("GetPatchBaseline", BaselineId=made)
    # What only creation has is passed over elsewhere, as all that a request does not know.
    if members.keys().isdisjoint({"ClientToken", "Tags", "OperatingSystem"}):
        assert api.code("UpdatePatchBaseline", BaselineId=made, **members) == "ValidationException"
    assert api("GetPatchBaseline", BaselineId=made) == before


def test_the_operating_system_of_a_baseline_never_changes(api: Api) -> None:
    made = api("CreatePatchBaseline", Name="own", OperatingSystem="DEBIAN")["BaselineId"]
    for more in ({}, {"Replace": True, "Name": "own"}):
        assert (
            api("UpdatePatchBaseline", BaselineId=made, OperatingSystem="UBUNTU", **more)["OperatingSystem"] == "DEBIAN"
        )


def test_a_name_may_be_used_twice(api: Api) -> None:
    ids = {api("CreatePatchBaseline", Name="own")["BaselineId"] for _ in range(2)}
    assert len(ids) == 2


def test_an_absent_name_and_an_absent_id_are_told(api: Api) -> None:
    assert "'name' failed to satisfy constraint: Member must not be null" in api.fault("CreatePatchBaseline").message
    assert "'baselineId'" in api.fault("GetPatchBaseline").message
    assert api.code("GetPatchBaseline", BaselineId="pb-0123") == "ValidationException"
    assert api.code("GetPatchBaseline", BaselineId="p" * 129) == "ValidationException"


@pytest.mark.parametrize("group", ["g", "g" * 256, "Ünï cödé _.:/=+-@ 7", " "])
def test_a_group_has_any_name_that_a_tag_value_may_be(api: Api, group: str) -> None:
    made = api("CreatePatchBaseline", Name="own", OperatingSystem="DEBIAN")["BaselineId"]
    assert api("RegisterPatchBaselineForPatchGroup", BaselineId=made, PatchGroup=group)["PatchGroup"] == group
    assert api("GetPatchBaselineForPatchGroup", PatchGroup=group, OperatingSystem="DEBIAN")["BaselineId"] == made
    assert api("GetPatchBaseline", BaselineId=made)["PatchGroups"] == [group]


@pytest.mark.parametrize("group", ["", "g" * 257, "a;b", "a,b", "a\nb", "a*"])
def test_a_group_has_no_other_name(api: Api, group: str) -> None:
    made = api("CreatePatchBaseline", Name="own", OperatingSystem="DEBIAN")["BaselineId"]
    assert api.code("RegisterPatchBaselineForPatchGroup", BaselineId=made, PatchGroup=group) == "ValidationException"


def test_there_are_at_most_five_filters_of_a_list(api: Api) -> None:
    one = {"Key": "OPERATING_SYSTEM", "Values": ["DEBIAN"]}
    for operation in ("DescribePatchBaselines", "DescribePatchGroups"):
        api(operation, Filters=[one] * 5)
        assert api.code(operation, Filters=[one] * 6) == "ValidationException"


@pytest.mark.parametrize(
    ("operation", "members"),
    [
        ("RegisterDefaultPatchBaseline", {}),
        ("RegisterPatchBaselineForPatchGroup", {"PatchGroup": "web"}),
        ("DeregisterPatchBaselineForPatchGroup", {"PatchGroup": "web"}),
    ],
)
def test_what_names_a_predefined_baseline_takes_its_arn_and_answers_as_asked(
    api: Api, operation: str, members: dict[str, str]
) -> None:
    arn = api("GetDefaultPatchBaseline", OperatingSystem="SUSE")["BaselineId"]
    for id in (arn, arn.partition("/")[2]):
        if operation.startswith("Deregister"):
            api("RegisterPatchBaselineForPatchGroup", BaselineId=arn, **members)
        assert api(operation, BaselineId=id, **members)["BaselineId"] == id
        if operation == "RegisterPatchBaselineForPatchGroup":
            api("DeregisterPatchBaselineForPatchGroup", BaselineId=arn, **members)


def test_the_same_token_gives_the_same_baseline_and_another_request_with_it_is_refused(api: Api) -> None:
    made = api("CreatePatchBaseline", Name="own", ClientToken="token")
    assert api("CreatePatchBaseline", Name="own", ClientToken="token") == made
    assert api.code("CreatePatchBaseline", Name="other", ClientToken="token") == "IdempotentParameterMismatch"
