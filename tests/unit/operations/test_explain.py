"""ExplainPatch: why a patch is in its state on a node."""

from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.fakes.api import Api
from tests.fakes.scans import SECURITY, facts_of, package, report_of, scan, send, update
from tests.fakes.site import Installation

from patchwindow.domain.association import Association
from patchwindow.domain.baseline import Baseline
from patchwindow.domain.decision import decide
from patchwindow.domain.facts_patches import patches_of
from patchwindow.domain.facts_reading import parse
from patchwindow.domain.window import Target
from patchwindow.operations import cohorts, reports
from patchwindow.operations.report_reading import read
from patchwindow.protocol.records import from_members

FACTS: Final = facts_of(
    [package("bash"), package("openssl", origin=SECURITY), package("zlib", origin=SECURITY)],
    [update("openssl"), update("bash", origin=0), update("zlib", priority="important")],
)
SECURITY_ONLY: Final[dict[str, Any]] = {
    "OperatingSystem": "DEBIAN",
    "ApprovalRules": {
        "PatchRules": [
            {
                "PatchFilterGroup": {"PatchFilters": [{"Key": "PRIORITY", "Values": ["Important"]}]},
                "ComplianceLevel": "HIGH",
            }
        ]
    },
}
WINDOW: Final[dict[str, Any]] = {
    "Name": "thursday",
    "Schedule": "cron(0 23 ? * THU *)",
    "Duration": 6,
    "Cutoff": 1,
    "AllowUnassociatedTargets": False,
}


@pytest.fixture
def api(here: Installation) -> Api:
    return Api(here)


def explained(api: Api, node: str, patch: str) -> dict[str, Any]:
    return api("ExplainPatch", InstanceId=node, Patch=patch)


def scanned(here: Installation, facts: Any = FACTS, **report: Any) -> str:
    node = here.node(tags={"Patch Group": "web"})
    scan(here, node, facts, **report)
    return node


def registered(api: Api, **members: Any) -> str:
    """Make a baseline and let the group follow it."""
    baseline = api("CreatePatchBaseline", **{"Name": "own", **SECURITY_ONLY, **members})["BaselineId"]
    api("RegisterPatchBaselineForPatchGroup", BaselineId=baseline, PatchGroup="web")
    return str(baseline)


def recomputed(here: Installation) -> None:
    """Let all that is due be evaluated anew, as the engine does."""
    with here.database.write() as work:
        for digest in work.cohorts.due(here.clock.now(), 100):
            cohorts.recompute(work, digest, here.clock.now(), 100)


def window(api: Api, operation: str, node: str, **members: Any) -> str:
    """Make a window whose one task carries out *operation* on the nodes of the group."""
    made = api("CreateMaintenanceWindow", **{**WINDOW, **members})["WindowId"]
    target = api(
        "RegisterTargetWithMaintenanceWindow",
        WindowId=made,
        ResourceType="INSTANCE",
        Targets=[{"Key": "InstanceIds", "Values": [node]}],
    )["WindowTargetId"]
    api(
        "RegisterTaskWithMaintenanceWindow",
        WindowId=made,
        Targets=[{"Key": "WindowTargetIds", "Values": [target]}],
        TaskArn="AWS-RunPatchBaseline",
        TaskType="RUN_COMMAND",
        MaxConcurrency="1",
        MaxErrors="1",
        TaskInvocationParameters={"RunCommand": {"Parameters": {"Operation": [operation]}}},
    )
    return str(made)


def associated(here: Installation, document: str, schedule: str, **members: Any) -> None:
    """Make an association with every node."""
    now = here.clock.now()
    made = Association(
        **{
            "association_id": here.ids.uuid(),
            "association_name": document,
            "name": document,
            "schedule_expression": schedule,
            "targets": (Target(key="InstanceIds", values=("*",)),),
            "date": now,
            "last_update_association_date": now,
            "scheduled_at": now,
            **members,
        }
    )
    with here.database.write() as work:
        work.associations.put(made, is_wanted=False, next_run_at=None, wake_at=now)


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


def test_the_next_window_that_installs_it_and_the_next_that_scans_are_named(here: Installation, api: Api) -> None:
    node = scanned(here)
    assert not {"NextScan", "NextInstall"} & explained(api, node, "zlib").keys()
    scans, installs = window(api, "Scan", node, Schedule="rate(1 day)"), window(api, "Install", node)
    answer = explained(api, node, "zlib")
    assert answer["NextScan"]["WindowId"] == scans
    assert answer["NextInstall"]["WindowId"] == installs
    opens_at = datetime.fromtimestamp(answer["NextInstall"]["OpensAt"], UTC)
    assert (opens_at.isoweekday(), opens_at.hour) == (4, 23)
    missing, installed = answer["Patches"]
    assert missing["NextInstall"] == answer["NextInstall"]
    assert "NextInstall" not in installed
    assert "NextInstall" not in explained(api, node, "bash")["Patches"][0], "no baseline approves it"


@pytest.mark.parametrize(
    "says",
    [
        {"TaskInvocationParameters": {"RunCommand": {"Parameters": {"Operation": ["Install"]}}}},
        {"TaskParameters": {"Operation": {"Values": ["Install"]}}},
    ],
)
def test_a_task_may_name_the_node_itself_and_say_what_it_does_in_the_deprecated_way(
    here: Installation, api: Api, says: dict[str, Any]
) -> None:
    node = scanned(here)
    made = api("CreateMaintenanceWindow", **{**WINDOW, "AllowUnassociatedTargets": True})["WindowId"]
    task = {"WindowId": made, "TaskType": "RUN_COMMAND", "MaxConcurrency": "1", "MaxErrors": "1"}
    named = [{"Key": "InstanceIds", "Values": [node]}]
    api("RegisterTaskWithMaintenanceWindow", **task, **says, Targets=named, TaskArn="AWS-RunShellScript")
    assert "NextInstall" not in explained(api, node, "zlib")
    api("RegisterTaskWithMaintenanceWindow", **task, **says, Targets=named, TaskArn="AWS-RunPatchBaseline")
    assert explained(api, node, "zlib")["NextInstall"]["WindowId"] == made


def test_of_two_tasks_of_one_window_the_one_with_its_turn_first_is_named(here: Installation, api: Api) -> None:
    node = scanned(here)
    made = api("CreateMaintenanceWindow", **{**WINDOW, "AllowUnassociatedTargets": True})["WindowId"]
    says = {"RunCommand": {"Parameters": {"Operation": ["Install"]}}}
    task = {"WindowId": made, "TaskType": "RUN_COMMAND", "MaxConcurrency": "1", "MaxErrors": "1"}
    tasks = {
        priority: api(
            "RegisterTaskWithMaintenanceWindow",
            **task,
            Targets=[{"Key": "InstanceIds", "Values": [node]}],
            TaskArn="AWS-RunPatchBaseline",
            TaskInvocationParameters=says,
            Priority=priority,
        )["WindowTaskId"]
        for priority in (5, 1, 3)
    }
    assert explained(api, node, "zlib")["NextInstall"]["WindowTaskId"] == tasks[1]


def test_an_association_that_scans_is_the_next_scan_where_it_comes_first(here: Installation, api: Api) -> None:
    node = scanned(here)
    window(api, "Scan", node)
    associated(here, "AWS-RunPatchBaselineAssociation", "rate(1 day)", parameters={"Operation": ["Scan"]})
    others: tuple[dict[str, Any], ...] = (
        {"parameters": {"Operation": ["Install"]}},
        {"parameters": {"Operation": ["Scan"]}, "targets": (Target(key="tag:Patch Group", values=("db",)),)},
        {"parameters": {}},
    )
    for other in others:
        associated(here, "AWS-RunPatchBaseline", "rate(30 minutes)", **other)
    associated(here, "AWS-RunShellScript", "rate(30 minutes)", parameters={"Operation": ["Scan"]})
    answer = explained(api, node, "zlib")
    assert answer["NextScan"]["AssociationName"] == "AWS-RunPatchBaselineAssociation"
    assert answer["NextScan"]["OpensAt"] == (here.clock.now() + timedelta(days=1)).timestamp()
    assert answer["NextInstall"]["OpensAt"] == (here.clock.now() + timedelta(minutes=30)).timestamp()
    assert not {"WindowId", "WindowName"} & answer["NextScan"].keys()


def test_what_the_last_operation_was_given_beside_the_baseline_is_told(here: Installation, api: Api) -> None:
    node = here.node()
    snapshot = "11111111-2222-4333-8444-555555555555"
    command_id = send(here, node, SnapshotId=snapshot)
    with here.call("report") as call:
        reports.receive(call, command_id, node, read(report_of(here, FACTS)))
    assert explained(api, node, "zlib")["Override"] == {"SnapshotId": snapshot}
    assert "Override" not in explained(api, scanned(here), "zlib")


@pytest.mark.parametrize("change", [{"Enabled": False}, {"EndDate": "2026-03-15T00:00:00Z"}])
def test_a_window_that_does_not_open_patches_nothing(here: Installation, api: Api, change: dict[str, Any]) -> None:
    node = scanned(here)
    made = window(api, "Install", node)
    api("UpdateMaintenanceWindow", WindowId=made, **change)
    assert "NextInstall" not in explained(api, node, "zlib")


def test_a_window_for_other_nodes_patches_none_of_this(here: Installation, api: Api) -> None:
    node, other = scanned(here), here.node()
    window(api, "Install", other)
    assert "NextInstall" not in explained(api, node, "zlib")


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
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
