"""ExplainPatch: why a patch is in its state on a node."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.fakes.api import Api
from tests.fakes.scans import report_of, scan, send
from tests.fakes.site import Installation
from tests.unit.operations.explaining import (
    FACTS,
    REDHAT,
    SECURITY_ONLY,
    explained,
    recomputed,
    redhat_facts,
    registered,
    scanned,
    window,
)

from patchwindow.domain.baseline import Baseline
from patchwindow.domain.decision import decide
from patchwindow.domain.facts_patches import patches_of
from patchwindow.domain.facts_reading import parse
from patchwindow.operations import reports
from patchwindow.operations.report_reading import read
from patchwindow.protocol.records import from_members


def test_what_a_node_has_of_a_package_is_told_with_what_to_act_on_first(here: Installation, api: Api) -> None:
    node = scanned(here, installedAt=[0, 1_700_000_000, 0])
    answer = explained(api, node, "openssl")
    assert answer["MatchCount"] == 2
    missing, installed = answer["Patches"]
    assert (missing["Title"], missing["State"], missing["ComplianceStatus"]) == (
        "openssl.amd64:2",
        "Missing",
        "NON_COMPLIANT",
    )
    assert (installed["Title"], installed["State"], installed["InstalledTime"]) == (
        "openssl.amd64:1",
        "Installed",
        1_700_000_000,
    )
    assert "InstalledTime" not in missing


@pytest.mark.parametrize("term", ["openssl", "OpenSSL", "openssl.amd64", "openssl.amd64:2", " openssl "])
def test_a_patch_is_named_by_title_kb_id_or_name_in_any_case(here: Installation, api: Api, term: str) -> None:
    assert explained(api, scanned(here), term)["Patches"][0]["Title"] == "openssl.amd64:2"


def test_a_patch_that_is_named_by_nothing_is_refused_with_what_is_near(here: Installation, api: Api) -> None:
    node = scanned(here)
    fault = api.fault("ExplainPatch", InstanceId=node, Patch="opensl")
    assert fault.code == "DoesNotExistException"
    assert fault.message.endswith("is installed or offered; near it in name: openssl")
    assert f"node {node} has no patch 'opensl'" in fault.message
    assert "near it in name: openssl" in api.fault("ExplainPatch", InstanceId=node, Patch="openssl.amd64:9").message
    assert api.fault("ExplainPatch", InstanceId=node, Patch="CVE-2026-1").message.endswith("check how it is written")


def test_a_patch_is_found_by_a_cve_that_imported_advisories_join_with_it(here: Installation, api: Api) -> None:
    node = scanned(here)
    seen_at = here.clock.now()
    fix = {"OperatingSystem": "DEBIAN", "Product": "Debian12", "Name": "openssl", "Version": "2", "Extent": "SINCE"}
    advisory = {"Id": "DSA-1", "CVEIds": ["CVE-2026-1001"], "Fixes": [fix]}
    cve = {"CVEId": "CVE-2026-1001", "IsKnownExploited": True, "DueOn": "2026-03-20"}
    api("ImportAdvisories", Source="tracker", Advisories=[advisory], Cves=[cve])
    here.clock.advance(timedelta(days=1))
    for term in ("cve-2026-1001", "DSA-1"):
        (one,) = explained(api, node, term)["Patches"]
        assert (one["Title"], one["State"]) == ("openssl.amd64:2", "Missing")
        assert (one["CVEIds"], one["ExploitedCVEIds"], one["DueOn"]) == (["CVE-2026-1001"],) * 2 + ("2026-03-20",)
        assert (one["AdvisoryIds"], one["FirstSeen"]) == (["DSA-1"], seen_at.timestamp())


def test_by_first_sight_a_delay_counts_from_the_first_report_of_any_node(here: Installation, api: Api) -> None:
    days = {"PatchRules": [{**SECURITY_ONLY["ApprovalRules"]["PatchRules"][0], "ApproveAfterDays": 7}]}
    own = registered(api, ApprovalRules=days)
    tag = {"Key": "patchwindow:ApproveByFirstSeen", "Value": "true"}
    api("AddTagsToResource", ResourceType="PatchBaseline", ResourceId=own, Tags=[tag])
    node = scanned(here)
    window(api, "Install", node, Schedule="rate(1 day)")
    first = here.clock.now().date()
    decision = explained(api, node, "zlib")["Patches"][0]["Decision"]
    assert decision["Dates"] == {
        "Kind": "first seen",
        "Date": str(first),
        "DelayDays": 7,
        "ApprovalDate": str(first + timedelta(days=7)),
        "DaysLeft": 7,
    }
    assert decision["NearestMiss"] == [{"Key": "DAY", "Value": str(first), "Wanted": [str(first + timedelta(days=7))]}]
    opens_at = explained(api, node, "zlib")["Patches"][0]["NextInstall"]["OpensAt"]
    assert datetime.fromtimestamp(opens_at, UTC).date() == first + timedelta(days=7)
    here.clock.advance(timedelta(days=3))
    recomputed(here)
    scan(here, node, FACTS)
    assert explained(api, node, "zlib")["Patches"][0]["Decision"]["Dates"]["DaysLeft"] == 4


def test_a_node_that_was_never_scanned_has_nothing_to_explain(here: Installation, api: Api) -> None:
    fault = api.fault("ExplainPatch", InstanceId=here.node(), Patch="openssl")
    assert (fault.code, "has not been scanned" in fault.message) == ("DoesNotExistException", True)
    assert api.code("ExplainPatch", InstanceId="mi-00000000000000000", Patch="openssl") == "InvalidInstanceId"


def test_the_decision_comes_in_parts_with_the_rule_and_what_it_asked(here: Installation, api: Api) -> None:
    registered(api)
    decision = explained(api, scanned(here), "zlib")["Patches"][0]["Decision"]
    assert decision == {
        "Status": "APPROVED",
        "Reason": "rule 1 approves it: PRIORITY important, at once, since apt knows no dates",
        "ComplianceLevel": "HIGH",
        "RuleNumber": 1,
        "Compared": [
            {"Key": "PRIORITY", "Value": "important", "Wanted": ["Important"]},
            {"Key": "SECURITY", "Value": "true", "Wanted": ["true"]},
        ],
        "ApprovedEntries": [],
        "RejectedEntries": [],
    }


def test_what_is_offered_and_not_approved_is_told_with_its_nearest_miss(here: Installation, api: Api) -> None:
    registered(api)
    (offered, _) = explained(api, scanned(here), "bash")["Patches"]
    assert (offered["State"], offered["Decision"]["Status"]) == ("NotApproved", "NOT_MATCHED")
    assert "ComplianceStatus" not in offered
    assert offered["Decision"]["NearestMiss"] == [
        {"Key": "PRIORITY", "Value": "optional", "Wanted": ["Important"]},
        {"Key": "SECURITY", "Value": "false", "Wanted": ["true"]},
    ]


def test_a_notice_that_is_young_waits_and_says_from_which_of_its_dates_that_counts(
    here: Installation, api: Api
) -> None:
    today = here.clock.now().date()
    node = here.node(ping=REDHAT)
    window(api, "Install", node, Schedule="rate(1 day)")
    scan(here, node, redhat_facts(issued=today - timedelta(days=3)))
    (one,) = explained(api, node, "RHSA-2026:1")["Patches"]
    assert (one["Title"], one["State"], one["CVEIds"]) == ("kernel.x86_64:0:5.14-2", "NotApproved", ["CVE-2026-1001"])
    assert one["Decision"]["Status"] == "PENDING_APPROVAL"
    assert one["Decision"]["Dates"] == {
        "Kind": "published",
        "Date": str(today - timedelta(days=3)),
        "DelayDays": 7,
        "ApprovalDate": str(today + timedelta(days=4)),
        "DaysLeft": 4,
    }
    assert datetime.fromtimestamp(one["NextInstall"]["OpensAt"], UTC).date() == today + timedelta(days=4)
    here.clock.advance(timedelta(days=4))
    recomputed(here)
    (one,) = explained(api, node, "CVE-2026-1001")["Patches"]
    assert (one["State"], one["Decision"]["Status"], one["Decision"]["Dates"]["DaysLeft"]) == ("Missing", "APPROVED", 0)


def test_an_evaluation_that_is_due_is_explained_as_of_the_last_day_on_which_it_held(
    here: Installation, api: Api
) -> None:
    today = here.clock.now().date()
    node = here.node(ping=REDHAT)
    scan(here, node, redhat_facts(issued=today - timedelta(days=3)))
    here.clock.advance(timedelta(days=30))
    answer = explained(api, node, "RHSA-2026:1")
    assert answer["Evaluation"]["EvaluatedOn"] == str(today + timedelta(days=3))
    assert answer["Patches"][0]["State"] == "NotApproved"
    assert answer["Patches"][0]["Decision"]["Dates"]["DaysLeft"] == 1


def test_entries_of_the_lists_are_named(here: Installation, api: Api) -> None:
    registered(api, ApprovedPatches=["openssl"], RejectedPatches=["zlib"])
    node = scanned(here)
    by_list = explained(api, node, "openssl")["Patches"][0]["Decision"]
    assert (by_list["Status"], by_list["ApprovedEntries"]) == ("EXPLICIT_APPROVED", ["openssl"])
    rejected = explained(api, node, "zlib")["Patches"][0]["Decision"]
    assert (rejected["Status"], rejected["RejectedEntries"]) == ("EXPLICIT_REJECTED", ["zlib"])
    assert rejected["NearestMiss"] == [{"Key": "REJECTED_PATCHES", "Value": "zlib", "Wanted": []}]


def test_it_says_which_baseline_in_which_version_and_why_this_one(here: Installation, api: Api) -> None:
    assert explained(api, scanned(here), "zlib")["Baseline"] == {
        "BaselineId": "pb-09a5f8eb62bde80b1",
        "Name": "AWS-DebianDefaultPatchBaseline",
        "Version": 1,
        "CurrentVersion": 1,
        "Reason": "DEFAULT",
    }
    own = registered(api)
    node = scanned(here)
    answer = explained(api, node, "zlib")
    assert (answer["Baseline"]["BaselineId"], answer["Baseline"]["Reason"]) == (own, "PATCH_GROUP")
    assert (answer["PatchGroup"], answer["OperatingSystem"]) == ("web", "DEBIAN")


def test_it_says_from_what_it_was_judged_and_how_old_that_is(here: Installation, api: Api) -> None:
    node = scanned(here)
    at = here.clock.now()
    evaluation = explained(api, node, "zlib")["Evaluation"]
    assert evaluation["FactsAt"] == at.timestamp()
    assert (evaluation["Operation"], evaluation["EvaluatedOn"]) == ("Scan", str(at.date()))
    assert evaluation["IsStale"] is False
    here.clock.advance(timedelta(days=7, seconds=1))
    assert explained(api, node, "zlib")["Evaluation"]["IsStale"] is True


def test_a_baseline_that_changes_is_told_with_both_its_versions_until_it_has_decided_anew(
    here: Installation, api: Api
) -> None:
    own = registered(api)
    node = scanned(here)
    facts_at = here.clock.now()
    here.clock.advance(timedelta(hours=1))
    api("UpdatePatchBaseline", BaselineId=own, RejectedPatches=["zlib"])
    before = explained(api, node, "zlib")
    assert (before["Baseline"]["Version"], before["Baseline"]["CurrentVersion"]) == (1, 2)
    assert before["Patches"][0]["State"] == "Missing"
    recomputed(here)
    after = explained(api, node, "zlib")
    assert (after["Baseline"]["Version"], after["Patches"][0]["State"]) == (2, "NotApproved")
    assert after["Evaluation"]["FactsAt"] == facts_at.timestamp()
    assert after["Evaluation"]["EvaluatedAt"] == here.clock.now().timestamp()


def test_a_choice_that_has_changed_since_is_told_as_a_former_one(here: Installation, api: Api) -> None:
    own = registered(api)
    node = scanned(here)
    api("DeregisterPatchBaselineForPatchGroup", BaselineId=own, PatchGroup="web")
    assert explained(api, node, "zlib")["Baseline"]["Reason"] == "FORMER"
    recomputed(here)
    assert explained(api, node, "zlib")["Baseline"]["Reason"] == "DEFAULT"


def test_what_the_last_operation_was_given_beside_the_baseline_is_told(here: Installation, api: Api) -> None:
    node = here.node()
    snapshot = "11111111-2222-4333-8444-555555555555"
    command_id = send(here, node, SnapshotId=snapshot)
    with here.call("report") as call:
        reports.receive(call, command_id, node, read(report_of(here, FACTS)))
    assert explained(api, node, "zlib")["Override"] == {"SnapshotId": snapshot}
    assert "Override" not in explained(api, scanned(here), "zlib")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    asked=st.fixed_dictionaries(
        {
            "priorities": st.lists(
                st.sampled_from(["Required", "Important", "Optional"]), min_size=1, max_size=2, unique=True
            ),
            "with_other": st.booleans(),
            "approved": st.lists(st.sampled_from(["bash", "zlib"]), max_size=1),
            "rejected": st.lists(st.sampled_from(["bash", "openssl"]), max_size=1),
            "term": st.sampled_from(["bash", "openssl", "zlib"]),
        }
    )
)
def test_an_explanation_replays_to_the_same_verdict(here: Installation, api: Api, asked: dict[str, Any]) -> None:
    rule = {
        "PatchFilterGroup": {"PatchFilters": [{"Key": "PRIORITY", "Values": asked["priorities"]}]},
        "EnableNonSecurity": asked["with_other"],
    }
    made = api(
        "CreatePatchBaseline",
        Name="own",
        OperatingSystem="DEBIAN",
        ApprovalRules={"PatchRules": [rule]},
        ApprovedPatches=asked["approved"],
        RejectedPatches=asked["rejected"],
    )["BaselineId"]
    api("RegisterPatchBaselineForPatchGroup", BaselineId=made, PatchGroup=made)
    node = here.node(tags={"Patch Group": made})
    scan(here, node, FACTS)
    answer = explained(api, node, asked["term"])
    facts = patches_of(parse(FACTS))
    patches = {patch.title: patch for (patch,) in (*facts.installed, *facts.offered)}
    for one in answer["Patches"]:
        told = one["Decision"]
        # All that the answer does not name is left out.
        some = (rule,) if "RuleNumber" in told else ()
        alone = from_members(
            Baseline,
            {
                "Name": "alone",
                "OperatingSystem": "DEBIAN",
                "ApprovedPatches": told["ApprovedEntries"],
                "RejectedPatches": told["RejectedEntries"],
                "ApprovalRules": {"PatchRules": list(some)},
            },
        )
        replayed = decide(patches[one["Title"]], alone, date.fromisoformat(answer["Evaluation"]["EvaluatedOn"]))
        assert str(replayed.status) == told["Status"]
        assert replayed.is_approved == ("NearestMiss" not in told)
