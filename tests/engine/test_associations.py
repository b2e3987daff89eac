"""Associations run when they should, on whom they should, and once."""

import json
from datetime import timedelta
from typing import Any

import pytest
from tests.engine.agent import STEP, Agent, step
from tests.engine.world import World
from tests.fakes.calendars import calendar
from tests.fakes.site import as_node

from patchwindow.domain.errors import InUse, UnknownDocument

DAILY = "cron(0 15 ? * * *)"
EVERYBODY = [{"Key": "InstanceIds", "Values": ["*"]}]


def associate(world: World, **members: Any) -> str:
    """Return a new association that runs a script, with every node unless *members* say otherwise."""
    made = world.perform(
        "CreateAssociation",
        **{"Name": "AWS-RunShellScript", "Parameters": {"commands": ["true"]}, "Targets": EVERYBODY, **members},
    )
    return str(made["AssociationDescription"]["AssociationId"])


def runs(world: World, association: str) -> list[dict[str, Any]]:
    """Return the runs of the association, the first first."""
    found: list[dict[str, Any]] = world.perform("DescribeAssociationExecutions", AssociationId=association)[
        "AssociationExecutions"
    ]
    return found[::-1]


def states(world: World, association: str) -> list[str]:
    return [run["Status"] for run in runs(world, association)]


def overview(world: World, association: str) -> dict[str, Any]:
    found: dict[str, Any] = world.perform("DescribeAssociation", AssociationId=association)["AssociationDescription"]
    return dict(found["Overview"])


def targets(world: World, association: str, run: int = -1) -> dict[str, str]:
    """Return the status of each node in one run."""
    execution = runs(world, association)[run]["ExecutionId"]
    answer = world.perform("DescribeAssociationExecutionTargets", AssociationId=association, ExecutionId=execution)
    return {one["ResourceId"]: one["Status"] for one in answer["AssociationExecutionTargets"]}


def items(world: World, node: Agent) -> list[dict[str, Any]]:
    """Return what is said of the node's compliance with associations."""
    with world.database.read() as work:
        found = work.compliance_items.get(node.id, "Association")
    return [] if found is None else [{"Id": one.id, "Status": str(one.status)} for one in found.items]


def test_a_new_association_runs_at_once_and_once(world: World) -> None:
    node = world.node()
    association = associate(world)
    assert overview(world, association)["Status"] == "Pending"
    world.turn()
    assert states(world, association) == ["InProgress"]
    assert len(node.run()) == 1
    world.after(seconds=2)
    assert states(world, association) == ["Success"]
    assert overview(world, association) == {
        "Status": "Success",
        "DetailedStatus": "Success",
        "AssociationStatusAggregatedCount": {"Success": 1},
    }
    assert targets(world, association) == {node.id: "Success"}
    assert items(world, node) == [{"Id": association, "Status": "COMPLIANT"}]
    world.after(hours=48)
    assert states(world, association) == ["Success"]
    assert node.take() == []


def test_an_association_runs_once_at_each_instant_of_its_schedule(world: World) -> None:
    node = world.node()
    association = associate(world, ScheduleExpression=DAILY, ApplyOnlyAtCronInterval=True)
    world.turn()
    assert states(world, association) == []
    for day in (15, 16, 17):
        world.at(15, day=day)
        world.new_engine().turn()
        node.run()
        world.at(15, 1, day=day)
    assert states(world, association) == ["Success"] * 3


def test_a_clock_that_is_set_back_does_not_run_an_instant_again(world: World) -> None:
    node = world.node()
    members = {"Name": "AWS-RunShellScript", "Parameters": {"commands": ["true"]}, "Targets": EVERYBODY}
    schedule = {"ScheduleExpression": DAILY, "ApplyOnlyAtCronInterval": True}
    association = associate(world, **schedule)
    world.at(15)
    node.run()
    world.at(15, 1)
    world.at(14, 59)
    # The update reckons the next run anew, from a time that has been before.
    world.perform("UpdateAssociation", AssociationId=association, **members, **schedule)
    world.at(15)
    world.at(15, 2)
    assert states(world, association) == ["Success"]


def test_instants_that_passed_without_a_server_are_made_up_for_by_one_run(world: World) -> None:
    world.node()
    association = associate(world, ScheduleExpression="rate(30 minutes)")
    world.turn()
    world.clock.advance(runs(world, association)[0]["CreatedTime"] - world.clock.now())
    world.after(hours=5)
    assert len(runs(world, association)) == 2


def test_a_newer_run_times_out_an_unfinished_older_one(world: World) -> None:
    node = world.node()
    association = associate(world)
    world.turn()
    (command,) = node.take()
    world.perform("StartAssociationsOnce", AssociationIds=[association])
    world.turn()
    assert states(world, association) == ["TimedOut", "InProgress"]
    assert targets(world, association, 0) == {node.id: "TimedOut"}
    assert targets(world, association) == {node.id: "Pending"}
    assert world.standing(command)[0] == "Cancelling"
    assert runs(world, association)[0]["DetailedStatus"] == "Superseded"


def test_a_node_that_joins_the_targets_gets_a_run_of_its_own(world: World) -> None:
    first = world.node(Role="web")
    association = associate(world, Targets=[{"Key": "tag:Role", "Values": ["web"]}])
    world.turn()
    first.run()
    world.after(seconds=2)
    other = world.node(Role="web")
    world.node(Role="db")
    world.after(seconds=30)
    assert first.take() == []
    assert len(other.run()) == 1
    world.after(seconds=30)
    assert states(world, association) == ["Success", "Success"]
    assert targets(world, association) == {other.id: "Success"}
    assert overview(world, association)["AssociationStatusAggregatedCount"] == {"Success": 2}


def test_an_association_that_waits_for_its_schedule_does_not_run_for_those_who_join(world: World) -> None:
    association = associate(world, ScheduleExpression=DAILY, ApplyOnlyAtCronInterval=True)
    world.at(15)
    node = world.node()
    world.after(minutes=5)
    assert node.take() == []
    assert len(runs(world, association)) == 1


def test_a_node_that_was_off_is_made_up_for_when_it_is_heard_of_again(world: World) -> None:
    node = world.node()
    association = associate(world)
    world.turn()
    world.after(hours=2)
    world.after(minutes=1)
    assert targets(world, association) == {node.id: "TimedOut"}
    assert overview(world, association)["Status"] == "Failed"
    assert items(world, node) == [{"Id": association, "Status": "NON_COMPLIANT"}]
    assert len(runs(world, association)) == 1
    world.perform("UpdateInstanceInformation", as_node(node.id), InstanceId=node.id)
    world.after(minutes=1)
    assert len(node.run()) == 1
    world.after(minutes=1)
    assert states(world, association) == ["TimedOut", "Success"]
    assert overview(world, association)["Status"] == "Success"
    assert items(world, node) == [{"Id": association, "Status": "COMPLIANT"}]


def test_what_nodes_fail_at_is_told_before_the_others_have_ended(world: World) -> None:
    one, other = world.nodes(2)
    association = associate(world, AssociationName="scan", ComplianceSeverity="HIGH")
    world.turn()
    for command in one.take():
        one.say(command, "Failed", {STEP: step("Failed", 1)})
    world.after(seconds=2)
    assert targets(world, association) == {one.id: "Failed", other.id: "Pending"}
    assert items(world, one) == [{"Id": association, "Status": "NON_COMPLIANT"}]
    assert items(world, other) == []
    assert overview(world, association)["Status"] == "Failed"


def test_limits_are_those_of_commands(world: World) -> None:
    nodes = world.nodes(3)
    associate(world, MaxConcurrency="1", MaxErrors="0")
    world.turn()
    assert [bool(node.run("Failed")) for node in nodes] == [True, False, False]
    world.after(seconds=2)
    assert [bool(node.take()) for node in nodes] == [False, False, False]


def test_what_cannot_be_sent_fails_and_says_why(world: World) -> None:
    association = associate(world, Targets=[{"Key": "resource-groups:Name", "Values": ["gone"]}])
    world.turn()
    (run,) = runs(world, association)
    assert run["Status"] == "Failed"
    assert "gone" in run["DetailedStatus"]
    assert overview(world, association)["Status"] == "Failed"


def test_an_association_of_nobody_succeeds(world: World) -> None:
    association = associate(world)
    world.turn()
    world.after(seconds=2)
    assert states(world, association) == ["Success"]
    assert overview(world, association)["Status"] == "Success"


def test_nodes_that_leave_the_targets_are_said_nothing_of_after_the_next_run(world: World) -> None:
    node = world.node(Role="web")
    association = associate(world, Targets=[{"Key": "tag:Role", "Values": ["web"]}])
    world.turn()
    node.run("Failed")
    world.after(seconds=2)
    world.perform("RemoveTagsFromResource", ResourceType="ManagedInstance", ResourceId=node.id, TagKeys=["Role"])
    world.perform("StartAssociationsOnce", AssociationIds=[association])
    world.turn()
    world.after(seconds=2)
    assert overview(world, association)["Status"] == "Success"
    assert items(world, node) == []


def test_the_compliance_of_an_association_that_is_manual_is_left_to_others(world: World) -> None:
    node = world.node()
    associate(world, SyncCompliance="MANUAL")
    world.turn()
    node.run()
    world.after(seconds=2)
    assert items(world, node) == []


def test_a_run_ends_on_nodes_that_were_not_reached_by_the_end_of_its_duration(world: World) -> None:
    one, other = world.nodes(2)
    association = associate(world, Duration=1, MaxConcurrency="1")
    world.turn()
    one.take()
    world.after(hours=1, seconds=1)
    assert other.take() == []
    world.after(hours=2)
    world.after(minutes=1)
    assert targets(world, association, 0)[other.id] in ("Skipped", "TimedOut")
    assert other.take() == []


def test_deleting_an_association_leaves_what_was_sent_and_nothing_else(world: World) -> None:
    node = world.node()
    association = associate(world)
    world.turn()
    node.run()
    world.after(seconds=2)
    world.perform("DeleteAssociation", AssociationId=association)
    assert items(world, node) == []
    assert world.perform("ListAssociations")["Associations"] == []
    assert len(world.perform("ListCommands")["Commands"]) == 1
    world.after(hours=1)
    assert node.take() == []


def test_an_association_runs_when_its_document_has_another_default_version(world: World) -> None:
    node = world.node()
    content = {
        "schemaVersion": "2.2",
        "mainSteps": [
            {"action": "aws:runShellScript", "name": "say", "inputs": {"runCommand": ["true"], "timeoutSeconds": "60"}}
        ],
    }
    world.perform("CreateDocument", Name="Say-Hello", Content=json.dumps(content))
    only_by_schedule = {"ScheduleExpression": DAILY, "ApplyOnlyAtCronInterval": True}
    following = [associate(world, Name="Say-Hello", Parameters={}), associate(world, Name="Say-Hello", Parameters={})]
    others = [
        associate(world, Name="Say-Hello", Parameters={}, DocumentVersion="1"),
        associate(world, Name="Say-Hello", Parameters={}, **only_by_schedule),
        associate(world),
    ]
    world.turn()
    node.run()
    world.after(seconds=2)
    before = {id: len(runs(world, id)) for id in (*following, *others)}
    changed = json.dumps({**content, "description": "Says a word."})
    world.perform("UpdateDocument", Name="Say-Hello", Content=changed, DocumentVersion="$LATEST")
    world.turn()
    assert {id: len(runs(world, id)) for id in before} == before
    for _ in range(2):
        # The second time it is the default already.
        world.perform("UpdateDocumentDefaultVersion", Name="Say-Hello", DocumentVersion="2")
        world.turn()
        expected = {id: count + (id in following) for id, count in before.items()}
        assert {id: len(runs(world, id)) for id in before} == expected


def about(world: World, node: Agent) -> dict[str, Any]:
    """Return what is said of the node's associations together, in a list of nodes."""
    (found,) = world.perform("DescribeInstanceInformation", Filters=[{"Key": "InstanceIds", "Values": [node.id]}])[
        "InstanceInformationList"
    ]
    return {name: value for name, value in found.items() if "Association" in name}


def with_status(world: World, status: str) -> list[str]:
    filters = [{"Key": "AssociationStatus", "Values": [status]}]
    found = world.perform("DescribeInstanceInformation", Filters=filters)["InstanceInformationList"]
    return [one["InstanceId"] for one in found]


def test_a_list_of_nodes_says_how_each_stands_with_all_its_associations(world: World) -> None:
    node = world.node()
    assert about(world, node) == {}
    associate(world)
    world.turn()
    began_at = world.clock.now()
    assert with_status(world, "Pending") == [node.id]
    node.run()
    world.after(seconds=2)
    assert about(world, node) == {
        "AssociationStatus": "Success",
        "AssociationOverview": {
            "DetailedStatus": "Success",
            "InstanceAssociationStatusAggregatedCount": {"Success": 1},
        },
        "LastAssociationExecutionDate": began_at,
        "LastSuccessfulAssociationExecutionDate": began_at,
    }
    failing = associate(world)
    world.turn()
    node.run("Failed")
    world.after(seconds=2)
    told = about(world, node)
    assert (told["AssociationStatus"], with_status(world, "Failed"), with_status(world, "Success")) == (
        "Failed",
        [node.id],
        [],
    )
    assert told["AssociationOverview"]["InstanceAssociationStatusAggregatedCount"] == {"Failed": 1, "Success": 1}
    assert told["LastSuccessfulAssociationExecutionDate"] == began_at < told["LastAssociationExecutionDate"]
    world.perform("DeleteAssociation", AssociationId=failing)
    assert with_status(world, "Success") == [node.id]


def under_calendar(world: World, starts_h: float, ends_h: float, **members: Any) -> str:
    """Return a new association under a calendar that is closed from and to so many hours after now."""
    now = world.clock.now()
    text = calendar((now + timedelta(hours=starts_h), now + timedelta(hours=ends_h), "freeze"))
    world.perform("CreateDocument", Name="year-end", Content=text, DocumentType="ChangeCalendar", DocumentFormat="TEXT")
    return associate(world, CalendarNames=["year-end"], **members)


def test_while_its_calendar_is_closed_an_association_waits_and_then_runs_once(world: World) -> None:
    node = world.node()
    association = under_calendar(world, -1, 48, ScheduleExpression=DAILY)
    assert world.perform("DescribeAssociation", AssociationId=association)["AssociationDescription"][
        "CalendarNames"
    ] == ["year-end"]
    world.turn()
    world.at(16)
    world.at(13, 59, 59, day=17)
    assert not node.run()
    assert not runs(world, association)
    world.at(14, day=17)
    assert len(node.run()) == 1
    assert len(runs(world, association)) == 1


def test_an_association_whose_calendar_closes_reaches_no_further_node(world: World) -> None:
    first, second = world.nodes(2)
    association = under_calendar(world, 1, 48, MaxConcurrency="1")
    world.turn()
    (taken,) = first.take()
    world.at(15)
    first.say(taken, "Success", {STEP: step()})
    world.turn()
    assert not second.poll()
    assert set(targets(world, association).values()) == {"Success", "TimedOut"}


def test_a_calendar_that_an_association_runs_under_cannot_be_deleted(world: World) -> None:
    association = under_calendar(world, -1, 1)
    with pytest.raises(InUse, match=f"document year-end is used by association {association}"):
        world.perform("DeleteDocument", Name="year-end")
    with pytest.raises(UnknownDocument, match="document 'quarter-end' does not exist"):
        associate(world, CalendarNames=["quarter-end"])


def test_a_calendar_that_is_closed_at_once_stops_what_an_association_runs(world: World) -> None:
    first, second = world.nodes(2)
    under_calendar(world, 100, 101, MaxConcurrency="1")
    world.turn()
    (taken,) = first.take()
    now = world.clock.now()
    text = calendar((now, now + timedelta(hours=9), "incident"))
    world.perform("UpdateDocument", Name="year-end", Content=text, DocumentFormat="TEXT", DocumentVersion="$LATEST")
    world.perform("UpdateDocumentDefaultVersion", Name="year-end", DocumentVersion="2")
    first.say(taken, "Success", {STEP: step()})
    world.turn()
    assert not second.poll()
