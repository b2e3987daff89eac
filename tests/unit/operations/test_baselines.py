"""Patch baselines and defaults through the operations of the API."""

import re
from datetime import timedelta
from typing import Any, Final

import pytest
from tests.fakes.api import Api
from tests.fakes.site import SITE
from tests.unit.operations.baselines import create, only, predefined

from patchwindow.domain.operating_system import OperatingSystem
from patchwindow.domain.predefined import PREDEFINED, arn

UNKNOWN: Final = "pb-0123456789abcdef0"
RULE: Final[dict[str, Any]] = {
    "PatchFilterGroup": {"PatchFilters": [{"Key": "PRIORITY", "Values": ["Important", "Required"]}]},
    "ComplianceLevel": "HIGH",
    "ApproveAfterDays": 7,
    "EnableNonSecurity": True,
}
FULL: Final[dict[str, Any]] = {
    "Name": "debian-live",
    "OperatingSystem": "DEBIAN",
    "Description": "What live machines get",
    "GlobalFilters": {"PatchFilters": [{"Key": "PRODUCT", "Values": ["Debian12"]}]},
    "ApprovalRules": {"PatchRules": [RULE]},
    "ApprovedPatches": ["curl"],
    "ApprovedPatchesComplianceLevel": "CRITICAL",
    "ApprovedPatchesEnableNonSecurity": True,
    "RejectedPatches": ["telnet"],
    "RejectedPatchesAction": "BLOCK",
    "Sources": [{"Name": "mirror", "Products": ["*"], "Configuration": "deb http://mirror.example.net stable main"}],
}
EMPTY: Final[dict[str, Any]] = {
    "GlobalFilters": {"PatchFilters": []},
    "ApprovalRules": {"PatchRules": []},
    "ApprovedPatches": [],
    "ApprovedPatchesComplianceLevel": "UNSPECIFIED",
    "ApprovedPatchesEnableNonSecurity": False,
    "RejectedPatches": [],
    "RejectedPatchesAction": "ALLOW_AS_DEPENDENCY",
    "Sources": [],
}


def listed(api: Api, **members: Any) -> list[dict[str, Any]]:
    return [one for page in api.pages("DescribePatchBaselines", "BaselineIdentities", **members) for one in page]


def test_every_field_is_read_back_as_it_was_given(api: Api) -> None:
    made = create(api, **FULL)
    assert re.fullmatch("pb-[0-9a-f]{17}", made)
    now = int(api.here.clock.now().timestamp())
    dates = {"CreatedDate": now, "ModifiedDate": now}
    assert api("GetPatchBaseline", BaselineId=made) == {"BaselineId": made, "PatchGroups": [], **FULL, **dates}


def test_what_is_not_given_is_read_back_with_its_default(api: Api) -> None:
    found = api("GetPatchBaseline", BaselineId=api("CreatePatchBaseline", Name="own")["BaselineId"])
    assert EMPTY.items() <= found.items()
    assert found["OperatingSystem"] == "WINDOWS"
    assert "Description" not in found
    assert "AvailableSecurityUpdatesComplianceStatus" not in found


def test_a_rule_is_read_back_with_its_defaults_and_with_the_one_date_option_it_has(api: Api) -> None:
    filters: dict[str, Any] = {"PatchFilterGroup": {"PatchFilters": []}}
    rules: list[dict[str, Any]] = [{**filters, "ApproveUntilDate": "2026-03-08"}, {**filters, "ApproveAfterDays": 0}]
    made = create(api, OperatingSystem="WINDOWS", ApprovalRules={"PatchRules": rules})
    read = api("GetPatchBaseline", BaselineId=made)["ApprovalRules"]["PatchRules"]
    assert read == [{**rule, "ComplianceLevel": "UNSPECIFIED", "EnableNonSecurity": False} for rule in rules]


def test_security_updates_not_yet_approved_are_judged_on_windows_as_asked(api: Api) -> None:
    made = create(api, OperatingSystem="WINDOWS", AvailableSecurityUpdatesComplianceStatus="NON_COMPLIANT")
    found = api("GetPatchBaseline", BaselineId=made)
    assert found["AvailableSecurityUpdatesComplianceStatus"] == "NON_COMPLIANT"


def test_all_that_cannot_stand_in_a_baseline_is_told_at_once(api: Api) -> None:
    fault = api.fault(
        "CreatePatchBaseline",
        Name="own",
        OperatingSystem="WINDOWS",
        Sources=FULL["Sources"],
        ApprovalRules={"PatchRules": [{"PatchFilterGroup": {"PatchFilters": only("PRIORITY", "High")}}]},
    )
    assert fault.code == "ValidationException"
    assert "ApprovalRules.PatchRules[0].PatchFilterGroup.PatchFilters[0].Key: PRIORITY is no filter for WINDOWS" in (
        fault.message
    )
    assert "has neither ApproveAfterDays nor ApproveUntilDate; give one of them" in fault.message
    assert "Sources: are for Linux only, and this baseline is for WINDOWS; leave them out" in fault.message
    assert listed(api, Filters=only("OWNER", "Self")) == []


def test_an_update_changes_what_is_given_and_a_list_as_a_whole(api: Api) -> None:
    made = create(api, **FULL)
    before = api("GetPatchBaseline", BaselineId=made)
    api.here.clock.advance(timedelta(seconds=1))
    answer = api("UpdatePatchBaseline", BaselineId=made, RejectedPatches=["ftp"], Description="Changed")
    after = api("GetPatchBaseline", BaselineId=made)
    changed = {"RejectedPatches": ["ftp"], "Description": "Changed", "ModifiedDate": before["ModifiedDate"] + 1}
    assert after == {**before, **changed}
    assert answer == {name: value for name, value in after.items() if name != "PatchGroups"}


def test_replace_makes_everything_default_that_is_not_given_but_system_and_creation(api: Api) -> None:
    made = create(api, **FULL)
    before = api("GetPatchBaseline", BaselineId=made)
    answer = api("UpdatePatchBaseline", BaselineId=made, Replace=True, Name="other")
    kept = {name: before[name] for name in ("BaselineId", "OperatingSystem", "CreatedDate", "ModifiedDate")}
    assert answer == {**EMPTY, **kept, "Name": "other"}


def test_replace_needs_a_name(api: Api) -> None:
    fault = api.fault("UpdatePatchBaseline", BaselineId=create(api), Replace=True, Description="x")
    assert (fault.code, fault.message) == ("ValidationException", "Name must be given with Replace")


def test_an_update_may_not_break_a_baseline(api: Api) -> None:
    made = create(api)
    rules = {"PatchRules": [{**RULE, "ApproveUntilDate": "2026-02-30"}]}
    fault = api.fault("UpdatePatchBaseline", BaselineId=made, ApprovalRules=rules)
    assert "has ApproveAfterDays 7 and ApproveUntilDate 2026-02-30; give only one of them" in fault.message
    assert "'2026-02-30' is no date; write it as YYYY-MM-DD" in fault.message
    assert api("GetPatchBaseline", BaselineId=made)["ApprovalRules"] == {"PatchRules": []}


def test_an_own_baseline_is_found_by_id_and_by_arn(api: Api) -> None:
    made = create(api)
    by_arn = SITE.arn(f"patchbaseline/{made}")
    assert api("GetPatchBaseline", BaselineId=by_arn)["BaselineId"] == made
    assert api("UpdatePatchBaseline", BaselineId=by_arn, Name="other")["BaselineId"] == by_arn
    assert api("DeletePatchBaseline", BaselineId=by_arn) == {"BaselineId": by_arn}


@pytest.mark.parametrize("baseline", PREDEFINED, ids=lambda baseline: baseline.name)
def test_a_predefined_baseline_is_shown_under_its_arn_and_found_by_arn_and_id(api: Api, baseline: Any) -> None:
    shown = arn(baseline.baseline_id, SITE.region)
    for id in (shown, baseline.baseline_id):
        found = api("GetPatchBaseline", BaselineId=id)
        assert (found["BaselineId"], found["Name"]) == (shown, baseline.name)


def test_a_predefined_baseline_is_neither_changed_nor_deleted(api: Api) -> None:
    debian = predefined(OperatingSystem.DEBIAN)
    for operation, done in (("UpdatePatchBaseline", "updated"), ("DeletePatchBaseline", "deleted")):
        fault = api.fault(operation, BaselineId=debian)
        assert fault.code == "AccessDeniedException"
        assert fault.message == (
            f"patch baseline AWS-DebianDefaultPatchBaseline is predefined and cannot be {done}; make one of your own"
        )


@pytest.mark.parametrize(
    ("operation", "more", "code"),
    [
        ("GetPatchBaseline", {}, "DoesNotExistException"),
        ("UpdatePatchBaseline", {}, "DoesNotExistException"),
        ("RegisterDefaultPatchBaseline", {}, "DoesNotExistException"),
        ("RegisterPatchBaselineForPatchGroup", {"PatchGroup": "web"}, "DoesNotExistException"),
        ("DeregisterPatchBaselineForPatchGroup", {"PatchGroup": "web"}, "InvalidResourceId"),
    ],
)
def test_a_baseline_that_does_not_exist_is_named(api: Api, operation: str, more: dict[str, str], code: str) -> None:
    fault = api.fault(operation, BaselineId=UNKNOWN, **more)
    assert fault.code == code
    assert UNKNOWN in fault.message


@pytest.mark.parametrize(
    ("operation", "more"),
    [
        ("GetPatchBaseline", {}),
        ("RegisterDefaultPatchBaseline", {}),
        ("RegisterPatchBaselineForPatchGroup", {"PatchGroup": "web"}),
        ("DeregisterPatchBaselineForPatchGroup", {"PatchGroup": "web"}),
    ],
)
def test_an_id_of_another_form_is_told_apart_from_an_unknown_one(
    api: Api, operation: str, more: dict[str, str]
) -> None:
    fault = api.fault(operation, BaselineId="pb-0123456789abcdefg", **more)
    assert fault.code == "InvalidResourceId"
    assert fault.message == (
        "'pb-0123456789abcdefg' is not the id or ARN of a patch baseline (pb- and 17 hexadecimal digits)"
    )


def test_deleting_what_is_not_there_succeeds(api: Api) -> None:
    assert api("DeletePatchBaseline", BaselineId=UNKNOWN) == {"BaselineId": UNKNOWN}


def test_a_deleted_baseline_and_its_tags_are_gone(api: Api) -> None:
    made = create(api, Tags=[{"Key": "env", "Value": "live"}])
    api("DeletePatchBaseline", BaselineId=made)
    assert api.code("GetPatchBaseline", BaselineId=made) == "DoesNotExistException"
    with api.here.database.read() as work:
        assert work.tags.of("PatchBaseline", made) == {}


def test_a_baseline_is_not_deleted_while_a_group_follows_it(api: Api) -> None:
    made = create(api)
    for group in ("web", "db"):
        api("RegisterPatchBaselineForPatchGroup", BaselineId=made, PatchGroup=group)
    fault = api.fault("DeletePatchBaseline", BaselineId=made)
    assert fault.code == "ResourceInUseException"
    assert fault.message == ("PatchBaseline to be deleted is used for Patch Group: db, web; deregister it there first")


def test_a_baseline_is_not_deleted_while_it_is_the_default(api: Api) -> None:
    made = create(api)
    api("RegisterDefaultPatchBaseline", BaselineId=made)
    fault = api.fault("DeletePatchBaseline", BaselineId=made)
    assert fault.code == "ResourceInUseException"
    assert fault.message == (f"PatchBaseline {made} is the default for DEBIAN; make another the default first")
    api("RegisterDefaultPatchBaseline", BaselineId=predefined(OperatingSystem.DEBIAN))
    api("DeletePatchBaseline", BaselineId=made)


@pytest.mark.parametrize("system", list(OperatingSystem))
def test_the_default_of_each_system_is_the_one_name_that_terraform_looks_for(api: Api, system: OperatingSystem) -> None:
    filters = [*only("OPERATING_SYSTEM", system), *only("OWNER", "AWS")]
    found = listed(api, Filters=filters)
    named = [one for one in found if re.fullmatch("AWS-[0-9A-Za-z]+PatchBaseline", one["BaselineName"])]
    assert [one["BaselineId"] for one in named] == [predefined(system)]
    assert [one["DefaultBaseline"] for one in named] == [True]
    assert api("GetDefaultPatchBaseline", OperatingSystem=system) == {
        "BaselineId": predefined(system),
        "OperatingSystem": system,
    }


def test_the_default_baseline_is_that_of_windows_unless_a_system_is_named(api: Api) -> None:
    assert api("GetDefaultPatchBaseline") == {
        "BaselineId": predefined(OperatingSystem.WINDOWS),
        "OperatingSystem": "WINDOWS",
    }


def test_a_new_default_displaces_the_former_of_its_system_alone(api: Api) -> None:
    made = create(api, OperatingSystem="UBUNTU")
    assert api("RegisterDefaultPatchBaseline", BaselineId=made) == {"BaselineId": made}
    assert api("GetDefaultPatchBaseline", OperatingSystem="UBUNTU")["BaselineId"] == made
    defaults = {one["BaselineId"] for one in listed(api) if one["DefaultBaseline"]}
    others = {predefined(system) for system in OperatingSystem if system is not OperatingSystem.UBUNTU}
    assert defaults == {made} | others


def test_a_list_entry_has_what_the_baseline_says_and_leaves_out_what_is_absent(api: Api) -> None:
    made = create(api, Name="described", Description="text")
    plain = create(api, Name="plain-one")
    entry = {"BaselineId": made, "BaselineName": "described", "OperatingSystem": "DEBIAN", "DefaultBaseline": False}
    assert listed(api, Filters=only("NAME_PREFIX", "described")) == [{**entry, "BaselineDescription": "text"}]
    assert listed(api, Filters=only("NAME_PREFIX", "plain")) == [
        {**entry, "BaselineId": plain, "BaselineName": "plain-one"}
    ]


@pytest.mark.parametrize(
    ("filters", "count"),
    [
        ([], len(PREDEFINED) + 3),
        (only("OWNER", "AWS"), len(PREDEFINED)),
        (only("OWNER", "Self"), 3),
        (only("OWNER", "All"), len(PREDEFINED) + 3),
        (only("NAME_PREFIX", "we"), 2),
        (only("NAME_PREFIX", "WE"), 0),
        (only("NAME_PREFIX", "w%"), 0),
        (only("OPERATING_SYSTEM", "DEBIAN"), 3),
        (only("OPERATING_SYSTEM", "DEBIAN", "UBUNTU"), 5),
        ([*only("OPERATING_SYSTEM", "DEBIAN"), *only("OWNER", "Self")], 2),
    ],
)
def test_filters_are_anded_and_a_name_is_found_by_its_beginning(
    api: Api, filters: list[dict[str, Any]], count: int
) -> None:
    create(api, Name="web-live")
    create(api, Name="web-test", OperatingSystem="UBUNTU")
    create(api, Name="db-live")
    assert len(listed(api, Filters=filters)) == count


@pytest.mark.parametrize(
    ("operation", "filters", "message"),
    [
        ("DescribePatchBaselines", only("NAME", "x"), "filter key 'NAME' is not known here; use one of NAME_PREFIX, "),
        ("DescribePatchBaselines", only("OWNER", "Me"), "OWNER 'Me' is not one of AWS, Self, All"),
        ("DescribePatchBaselines", only("OWNER", "AWS", "Self"), "filter OWNER takes exactly one value, not 2"),
        ("DescribePatchBaselines", only("OPERATING_SYSTEM", "BEOS"), "OPERATING_SYSTEM 'BEOS' is not one of WINDOWS, "),
        ("DescribePatchBaselines", [{"Values": ["x"]}], "filter key '' is not known here; use one of NAME_PREFIX, "),
        ("DescribePatchBaselines", [{"Key": "OWNER"}], "filter OWNER has no values; give at least one, or leave "),
        (
            "DescribePatchGroups",
            only("OWNER", "Self"),
            "filter key 'OWNER' is not known here; use one of NAME_PREFIX, ",
        ),
        ("DescribePatchGroups", only("NAME_PREFIX", "a", "b"), "filter NAME_PREFIX takes exactly one value, not 2"),
    ],
)
def test_a_filter_that_cannot_be_is_refused(
    api: Api, operation: str, filters: list[dict[str, Any]], message: str
) -> None:
    fault = api.fault(operation, Filters=filters)
    assert fault.code == "ValidationException"
    assert fault.message.startswith(message)


def test_pages_together_are_the_whole_list(api: Api) -> None:
    pages = list(api.pages("DescribePatchBaselines", "BaselineIdentities", MaxResults=4))
    assert [len(page) for page in pages] == [4, 4, 4, 4, 1]
    assert [one for page in pages for one in page] == listed(api)


def test_a_token_is_good_for_the_request_it_was_given_to(api: Api) -> None:
    token = api("DescribePatchBaselines", MaxResults=4)["NextToken"]
    assert api("DescribePatchBaselines", MaxResults=10, NextToken=token)["BaselineIdentities"]
    for operation, more in (("DescribePatchBaselines", {"Filters": only("OWNER", "AWS")}), ("DescribePatchGroups", {})):
        fault = api.fault(operation, NextToken=token, **more)
        assert fault.code == "ValidationException"
        assert fault.message == (f"NextToken {token!r} was not given out for this request; start again without it")
    assert api.code("DescribePatchBaselines", NextToken="made up") == "ValidationException"
    assert "BaselineIdentities" in api("DescribePatchBaselines", NextToken="")


@pytest.mark.parametrize("size", [0, 101])
def test_a_page_has_from_1_to_100_entries(api: Api, size: int) -> None:
    assert api.code("DescribePatchBaselines", MaxResults=size) == "ValidationException"
    assert api.code("DescribePatchGroups", MaxResults=size) == "ValidationException"
