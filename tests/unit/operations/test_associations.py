"""Associations by the API: what is made, changed, listed and refused, and how runs are told."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from tests.fakes.api import Api
from tests.fakes.scans import SECURITY, facts_of, package, report_of, update
from tests.fakes.site import Installation, as_node

from patchwindow.domain.errors import Invalid
from patchwindow.engine.engine import Engine
from patchwindow.operations import reports
from patchwindow.operations.report_reading import read

SCRIPT: Mapping[str, Any] = {
    "Name": "AWS-RunShellScript",
    "Parameters": {"commands": ["true"]},
    "Targets": [{"Key": "tag:Role", "Values": ["web"]}],
}
UNKNOWN = "00000000-0000-4000-8000-ffffffffffff"
FACTS = facts_of([package("openssl", origin=SECURITY)], [update("openssl")])


def turn(here: Installation) -> None:
    """Let the engine do all that is due."""
    Engine(database=here.database, clock=here.clock, ids=here.ids).turn()


def make(api: Api, **members: Any) -> dict[str, Any]:
    return dict(api("CreateAssociation", **{**SCRIPT, **members})["AssociationDescription"])


def ids_of(api: Api, *filters: tuple[str, str]) -> list[str]:
    asked = {"AssociationFilterList": [{"key": key, "value": value} for key, value in filters]} if filters else {}
    return [one["AssociationId"] for one in api("ListAssociations", **asked)["Associations"]]


def test_an_association_is_described_as_it_was_made(api: Api) -> None:
    members = {
        "AssociationName": "nightly",
        "DocumentVersion": "1",
        "ScheduleExpression": "cron(0 2 ? * SUN *)",
        "ApplyOnlyAtCronInterval": True,
        "ScheduleOffset": 2,
        "Duration": 3,
        "MaxConcurrency": "10%",
        "MaxErrors": "1",
        "ComplianceSeverity": "HIGH",
        "SyncCompliance": "AUTO",
        "OutputLocation": {"S3Location": {"OutputS3BucketName": "logs"}},
    }
    made = make(api, **members)
    assert {**SCRIPT, **members}.items() <= made.items()
    assert made["AssociationVersion"] == "1"
    assert made["Overview"] == {
        "Status": "Pending",
        "DetailedStatus": "Creating",
        "AssociationStatusAggregatedCount": {},
    }
    found = api("DescribeAssociation", AssociationId=made["AssociationId"])["AssociationDescription"]
    assert found == made
    (listed,) = api("ListAssociations")["Associations"]
    assert listed["AssociationName"] == "nightly"
    assert "Parameters" not in listed


def test_the_legacy_form_names_one_node_and_one_document(api: Api, here: Installation) -> None:
    node = here.node()
    legacy = {"Name": "AWS-Noop", "InstanceId": node}
    made = api("CreateAssociation", **legacy)["AssociationDescription"]
    assert made["Targets"] == [{"Key": "InstanceIds", "Values": [node]}]
    assert api("DescribeAssociation", **legacy)["AssociationDescription"]["AssociationId"] == made["AssociationId"]
    assert api.code("CreateAssociation", **legacy) == "AssociationAlreadyExists"
    status = {"Date": 1_800_000_000, "Name": "Failed", "Message": "no"}
    told = api("UpdateAssociationStatus", **legacy, AssociationStatus=status)["AssociationDescription"]
    assert told["Status"]["Message"] == "no"
    assert api.code("UpdateAssociationStatus", **legacy, AssociationStatus=status) == "StatusUnchanged"
    api("DeleteAssociation", **legacy)
    assert api.code("DescribeAssociation", **legacy) == "AssociationDoesNotExist"
    assert api.code("DescribeAssociation", Name="AWS-Noop", InstanceId="mi-" + "f" * 17) == "InvalidInstanceId"
    assert api.code("DeleteAssociation", Name="nothing", InstanceId=node) == "InvalidDocument"


def test_an_update_makes_a_version_and_whatever_it_leaves_out_is_gone(api: Api) -> None:
    id = make(api, AssociationName="nightly", ScheduleExpression="rate(1 hour)", MaxErrors="1")["AssociationId"]
    changed = api("UpdateAssociation", AssociationId=id, Name="AWS-Noop")["AssociationDescription"]
    assert changed["AssociationVersion"] == "2"
    assert not {"AssociationName", "ScheduleExpression", "MaxErrors", "Targets", "Parameters"} & changed.keys()
    assert "Name" not in api("UpdateAssociation", AssociationId=id, AssociationVersion="2")["AssociationDescription"]
    versions = api("ListAssociationVersions", AssociationId=id)["AssociationVersions"]
    assert [one["AssociationVersion"] for one in versions] == ["1", "2", "3"]
    assert versions[0]["AssociationName"] == "nightly"
    first = api("DescribeAssociation", AssociationId=id, AssociationVersion="1")["AssociationDescription"]
    assert first["MaxErrors"] == "1"
    assert api.code("UpdateAssociation", AssociationId=id, AssociationVersion="1") == "InvalidAssociationVersion"
    for target in ({"Values": ["web"]}, {"Key": "tag:Role"}):
        assert api.code("UpdateAssociation", AssociationId=id, Targets=[target]) == "InvalidTarget"
    assert api.code("DescribeAssociation", AssociationId=id, AssociationVersion="9") == "InvalidAssociationVersion"


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"Name": "nothing"}, "InvalidDocument"),
        ({"DocumentVersion": "7"}, "InvalidDocumentVersion"),
        ({"Parameters": {"comands": ["true"]}}, "InvalidParameters"),
        ({"Targets": []}, "InvalidTarget"),
        ({"Targets": [{"Key": "Colour", "Values": ["red"]}]}, "InvalidTarget"),
        ({"Targets": [{"Values": ["red"]}]}, "InvalidTarget"),
        ({"Targets": [{"Key": "tag:Role"}]}, "InvalidTarget"),
        ({"ScheduleExpression": "cron(0 2 1 * ? *)"}, "InvalidSchedule"),
        ({"ScheduleExpression": "rate(29 minutes)"}, "InvalidSchedule"),
        ({"ScheduleExpression": "rate(1 hour)", "ApplyOnlyAtCronInterval": True}, "InvalidSchedule"),
        ({"ScheduleExpression": "cron(0 2 ? * SUN *)", "ScheduleOffset": 1}, "InvalidSchedule"),
        ({"TargetMaps": [{"a": ["b"]}]}, "InvalidTargetMaps"),
        ({"OutputLocation": {"S3Location": {"OutputS3KeyPrefix": "logs"}}}, "InvalidOutputLocation"),
        ({"OutputLocation": {"S3Location": {"OutputS3BucketName": "My_Logs"}}}, "InvalidOutputLocation"),
        ({"Tags": [{"Key": "aws:x", "Value": ""}]}, "InvalidTag"),
        ({"Tags": [{"Key": "x", "Value": ""}] * 2}, "InvalidTag"),
        ({"CalendarNames": ["closed"]}, "InvalidDocument"),
        ({"AlarmConfiguration": {"Alarms": [{"Name": "on"}]}}, "InvalidParameters"),
        ({"Targets": [], "InstanceId": "mi-" + "f" * 17}, "InvalidInstanceId"),
    ],
)
def test_what_could_not_run_is_refused(api: Api, members: Mapping[str, Any], code: str) -> None:
    assert api.code("CreateAssociation", **{**SCRIPT, **members}) == code
    assert ids_of(api) == []


@pytest.mark.parametrize("named", ["InstanceId", "Targets"])
def test_a_document_that_cannot_run_on_a_named_node_is_refused(api: Api, here: Installation, named: str) -> None:
    node = here.node(ping={"PlatformType": "Windows", "PlatformName": "Windows Server", "PlatformVersion": "10"})
    members: dict[str, Any] = {"InstanceId": node}
    if named == "Targets":
        members = {"Targets": [{"Key": "InstanceIds", "Values": [node]}]}
    refused = api.fault("CreateAssociation", Name="AWS-RunShellScript", Parameters={"commands": ["1"]}, **members)
    assert refused.code == "UnsupportedPlatformType"
    assert node in refused.message
    assert ids_of(api) == []


def test_a_batch_makes_what_it_can_and_tells_the_rest(api: Api) -> None:
    answer = api("CreateAssociationBatch", Entries=[dict(SCRIPT), {**SCRIPT, "ScheduleExpression": "weekly"}])
    (made,), (failed,) = answer["Successful"], answer["Failed"]
    assert ids_of(api) == [made["AssociationId"]]
    assert failed["Entry"]["ScheduleExpression"] == "weekly"
    assert failed["Fault"] == "Client"
    assert "weekly" in failed["Message"]


def test_a_batch_names_a_node_by_its_id_once(api: Api, here: Installation) -> None:
    node = here.node()
    twice = [{"Name": "AWS-Noop", "InstanceId": node}, {**SCRIPT, "Targets": [], "InstanceId": node}]
    refused = api.fault("CreateAssociationBatch", Entries=twice)
    assert refused.code == "DuplicateInstanceId"
    assert refused.message == f"2 entries name node {node} by InstanceId; name it in one, or by Targets"
    assert ids_of(api) == []


def test_filters_choose_associations(api: Api, here: Installation) -> None:
    web = here.node(tags={"Role": "web"})
    one = make(api, AssociationName="one")["AssociationId"]
    turn(here)
    here.clock.advance(timedelta(hours=1))
    other = api("CreateAssociation", Name="AWS-Noop", Targets=[{"Key": "InstanceIds", "Values": ["*"]}])
    every = other["AssociationDescription"]["AssociationId"]
    db = here.node()
    assert ids_of(api, ("AssociationName", "one")) == [one]
    assert ids_of(api, ("Name", "AWS-Noop")) == [every]
    assert ids_of(api, ("InstanceId", web)) == [one, every]
    assert ids_of(api, ("InstanceId", db)) == [every]
    assert ids_of(api, ("AssociationId", one), ("Name", "AWS-Noop")) == []
    assert ids_of(api, ("AssociationStatusName", "Pending")) == [one, every]
    assert ids_of(api, ("LastExecutedBefore", "2200-01-01T00:00:00Z")) == [one]
    assert ids_of(api, ("LastExecutedAfter", "2200-01-01T00:00:00Z")) == []
    assert ids_of(api, ("ResourceGroupName", "web")) == []
    assert api.code("ListAssociations", AssociationFilterList=[{"key": "LastExecutedAfter", "value": "soon"}])


def test_runs_and_their_nodes_are_told(api: Api, here: Installation) -> None:
    node = here.node(tags={"Role": "web"})
    id = make(api, AssociationName="nightly")["AssociationId"]
    turn(here)
    (run,) = api("DescribeAssociationExecutions", AssociationId=id)["AssociationExecutions"]
    assert (run["Status"], run["ResourceCountByStatus"]) == ("InProgress", "{Pending=1}")
    where = {"AssociationId": id, "ExecutionId": run["ExecutionId"]}
    (target,) = api("DescribeAssociationExecutionTargets", **where)["AssociationExecutionTargets"]
    assert (target["ResourceId"], target["Status"]) == (node, "Pending")
    (command,) = api("ListCommands")["Commands"]
    assert target["OutputSource"] == {"OutputSourceId": command["CommandId"], "OutputSourceType": "RunCommand"}
    for key, value, count in (("Status", "Pending", 1), ("ResourceId", "other", 0), ("ResourceType", "x", 0)):
        found = api("DescribeAssociationExecutionTargets", **where, Filters=[{"Key": key, "Value": value}])
        assert len(found["AssociationExecutionTargets"]) == count
    for key, value, type, count in (
        ("ExecutionId", run["ExecutionId"], "EQUAL", 1),
        ("Status", "Success", "EQUAL", 0),
        ("CreatedTime", "2200-01-01T00:00:00Z", "LESS_THAN", 1),
        ("CreatedTime", "2200-01-01T00:00:00Z", "GREATER_THAN", 0),
    ):
        asked = [{"Key": key, "Value": value, "Type": type}]
        found = api("DescribeAssociationExecutions", AssociationId=id, Filters=asked)
        assert len(found["AssociationExecutions"]) == count
    (status,) = api("DescribeInstanceAssociationsStatus", InstanceId=node)["InstanceAssociationStatusInfos"]
    assert (status["Status"], status["AssociationName"]) == ("Pending", "nightly")
    (effective,) = api("DescribeEffectiveInstanceAssociations", InstanceId=node)["Associations"]
    assert "aws:runShellScript" in effective["Content"]
    assert here.perform("ListInstanceAssociations", as_node(node), InstanceId=node) == {"Associations": []}


def test_what_names_no_document_cannot_be_run(api: Api) -> None:
    id, other = make(api)["AssociationId"], make(api)["AssociationId"]
    api("UpdateAssociation", AssociationId=id)
    refused = api.fault("StartAssociationsOnce", AssociationIds=[other, id])
    assert refused.code == "InvalidAssociation"
    assert refused.message == f"association {id} names no document since its last update; update it with Name"


def test_what_is_not_there_is_refused_by_its_name(api: Api) -> None:
    id = make(api)["AssociationId"]
    for operation in ("DescribeAssociation", "DeleteAssociation", "ListAssociationVersions", "UpdateAssociation"):
        assert api.code(operation, AssociationId=UNKNOWN) == "AssociationDoesNotExist"
    assert api.code("StartAssociationsOnce", AssociationIds=[id, UNKNOWN]) == "AssociationDoesNotExist"
    assert api.code("DescribeAssociationExecutions", AssociationId=UNKNOWN) == "AssociationDoesNotExist"
    where = {"AssociationId": id, "ExecutionId": UNKNOWN}
    assert api.code("DescribeAssociationExecutionTargets", **where) == "AssociationExecutionDoesNotExist"
    for operation in ("DescribeInstanceAssociationsStatus", "DescribeEffectiveInstanceAssociations"):
        assert api.code(operation, InstanceId="mi-" + "f" * 17) == "InvalidInstanceId"


def test_lists_come_in_pages(api: Api, here: Installation) -> None:
    node = here.node(tags={"Role": "web"})
    ids = [make(api)["AssociationId"] for _ in range(3)]
    for operation, member, request in (
        ("ListAssociations", "Associations", {}),
        ("DescribeInstanceAssociationsStatus", "InstanceAssociationStatusInfos", {"InstanceId": node}),
        ("DescribeEffectiveInstanceAssociations", "Associations", {"InstanceId": node}),
    ):
        pages = list(here.pages(operation, member, MaxResults=2, **request))
        assert [[one["AssociationId"] for one in page] for page in pages] == [ids[:2], ids[2:]]
    for _ in range(2):
        here.perform("UpdateAssociation", AssociationId=ids[0], **SCRIPT)
        turn(here)
        here.clock.advance(timedelta(seconds=1))
    for operation, member, key in (
        ("ListAssociationVersions", "AssociationVersions", "AssociationVersion"),
        ("DescribeAssociationExecutions", "AssociationExecutions", "ExecutionId"),
    ):
        whole = [one[key] for one in here.perform(operation, AssociationId=ids[0])[member]]
        single = [
            one[key] for page in here.pages(operation, member, MaxResults=1, AssociationId=ids[0]) for one in page
        ]
        assert single == whole
        assert len(whole) > 1


def scan_for(here: Installation, node: str, association: str, **parameters: str) -> dict[str, Any]:
    """Let a node be scanned for an association, and return the verdict."""
    given = {"Operation": "Scan", "AssociationId": association, **parameters}
    sent = here.perform(
        "SendCommand",
        DocumentName="AWS-RunPatchBaselineAssociation",
        InstanceIds=[node],
        Parameters={name: [value] for name, value in given.items()},
    )
    with here.call("report") as call:
        return reports.receive(call, sent["Command"]["CommandId"], node, read(report_of(here, FACTS)))


def test_a_scan_for_an_association_is_its_compliance_and_leaves_the_patch_state(api: Api, here: Installation) -> None:
    node = here.node(tags={"Role": "web"})
    document = {"Name": "AWS-RunPatchBaselineAssociation", "Parameters": {"Operation": ["Scan"]}}
    association = make(api, **document, AssociationName="scan", ComplianceSeverity="MEDIUM")["AssociationId"]
    verdict = scan_for(here, node, association)
    assert verdict["counts"]["Missing"] == 1
    assert api("DescribeInstancePatchStates", InstanceIds=[node])["InstancePatchStates"] == []
    asked = {"ResourceIds": [node], "Filters": [{"Key": "ComplianceType", "Values": ["Association"]}]}
    (item,) = api("ListComplianceItems", **asked)["ComplianceItems"]
    assert (item["Id"], item["Title"], item["Status"]) == (association, "scan", "NON_COMPLIANT")
    assert item["Severity"] == "MEDIUM"
    assert item["Details"]["PatchBaselineId"] == verdict["baselineId"]
    assert item["Details"]["DocumentName"] == "AWS-RunPatchBaselineAssociation"


def test_a_scan_says_whether_its_association_is_met_where_runs_say_nothing(api: Api, here: Installation) -> None:
    node = here.node(tags={"Role": "web"})
    document = {"Name": "AWS-RunPatchBaselineAssociation", "Parameters": {"Operation": ["Scan"]}}
    association = make(api, **document, SyncCompliance="MANUAL")["AssociationId"]
    scan_for(here, node, association)
    asked = {"ResourceIds": [node], "Filters": [{"Key": "ComplianceType", "Values": ["Association"]}]}
    (item,) = api("ListComplianceItems", **asked)["ComplianceItems"]
    assert (item["Id"], item["Status"]) == (association, "NON_COMPLIANT")
    api(
        "PutComplianceItems",
        ResourceId=node,
        ResourceType="ManagedInstance",
        ComplianceType="Association",
        UploadType="PARTIAL",
        ExecutionSummary={"ExecutionTime": 1_800_000_000},
        Items=[{"Id": association, "Severity": "HIGH", "Status": "COMPLIANT"}],
    )
    (item,) = api("ListComplianceItems", **asked)["ComplianceItems"]
    assert (item["Id"], item["Status"], item["Severity"]) == (association, "COMPLIANT", "HIGH")


def test_the_baseline_of_a_scan_for_an_association_is_that_of_its_tag(api: Api, here: Installation) -> None:
    node = here.node()
    association = make(api)["AssociationId"]
    by_tag = {"BaselineTags": "Key=for,Values=web"}
    assert scan_for(here, node, association, **by_tag)["baselineName"] == "AWS-DebianDefaultPatchBaseline"
    tags = [{"Key": "for", "Value": "web"}]
    for name in ("one", "two"):
        api("CreatePatchBaseline", Name=name, OperatingSystem="DEBIAN", Tags=tags)
        if name == "one":
            assert scan_for(here, node, association, **by_tag)["baselineName"] == "one"
    with pytest.raises(Invalid, match="Key=for,Values=web"):
        scan_for(here, node, association, **by_tag)
