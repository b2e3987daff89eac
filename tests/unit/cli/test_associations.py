"""`patchwindow associations`."""

import json
from datetime import UTC, datetime
from typing import Any, Final

import pytest
from tests.unit.cli.fake import Answers, Members, refusal, run

from patchwindow.cli.exits import Exit

ID: Final = "8dfe3659-4309-493a-8755-0123456789ab"
RUN: Final = "1dfe3659-4309-493a-8755-0123456789ab"
COMMAND: Final = "2dfe3659-4309-493a-8755-0123456789ab"
NODE: Final = "mi-0123456789abcdef0"
RAN_AT: Final = datetime(2026, 7, 2, 1, tzinfo=UTC)
TARGETS: Final = [{"Key": "tag:Role", "Values": ["web", "db"]}]
ASSOCIATION: Final[Members] = {
    "AssociationId": ID,
    "AssociationName": "scan",
    "Name": "AWS-RunPatchBaseline",
    "Targets": TARGETS,
    "ScheduleExpression": "rate(1 day)",
    "LastExecutionDate": RAN_AT,
    "Overview": {"Status": "Success", "DetailedStatus": "Success"},
}
DESCRIBED: Final = {**ASSOCIATION, "Parameters": {"Operation": ["Scan"]}}
INSTALLING: Final = {**ASSOCIATION, "Parameters": {"Operation": ["Install"]}}
EXECUTION: Final = {
    "ExecutionId": RUN,
    "Status": "Success",
    "DetailedStatus": "Success",
    "CreatedTime": RAN_AT,
    "ResourceCountByStatus": "{Success=1}",
}
TARGET: Final = {
    "ResourceId": NODE,
    "Status": "Success",
    "DetailedStatus": "Success",
    "LastExecutionDate": RAN_AT,
    "OutputSource": {"OutputSourceId": COMMAND, "OutputSourceType": "RunCommand"},
}
ANSWERS: Answers = {
    "ListAssociations": {"Associations": [ASSOCIATION]},
    "DescribeAssociation": {"AssociationDescription": DESCRIBED},
    "DescribeAssociationExecutions": {"AssociationExecutions": [EXECUTION, {**EXECUTION, "ExecutionId": "0" * 36}]},
    "DescribeAssociationExecutionTargets": {"AssociationExecutionTargets": [TARGET]},
    "CreateAssociation": {"AssociationDescription": DESCRIBED},
}


def test_list_prints_how_each_association_stands() -> None:
    header, line = run("associations", "list", answers=ANSWERS).stdout.splitlines()
    assert header.split() == ["ASSOCIATION", "STATUS", "LAST", "RUN", "SCHEDULE", "DOCUMENT", "NAME", "NODES"]
    parts = (ID, "Success", "2026-07-02T01:00:00Z", "rate(1 day)", "AWS-RunPatchBaseline", "scan", "tag:Role=web,db")
    assert line == "  ".join(parts)


def test_list_asks_for_what_is_wanted_alone() -> None:
    asked = run("associations", "list", "--node", NODE, "--status", "Failed", "--document", "AWS-Noop").asked
    wanted = [("InstanceId", NODE), ("AssociationStatusName", "Failed"), ("Name", "AWS-Noop")]
    filters = [{"key": key, "value": value} for key, value in wanted]
    assert asked == [("ListAssociations", {"AssociationFilterList": filters})]


def test_show_prints_the_last_runs_and_the_nodes_of_the_latest() -> None:
    outcome = run("associations", "show", ID, "--limit", "1", answers=ANSWERS)
    lines = outcome.stdout.splitlines()
    assert "Targets             tag:Role=web,db" in lines
    assert "Parameters          Operation=Scan" in lines
    runs = lines.index("Runs")
    assert lines[runs + 2] == f"{RUN}  Success  2026-07-02T01:00:00Z  Success=1  Success"
    assert lines[-1] == f"{NODE}  Success  2026-07-02T01:00:00Z  {COMMAND}  Success"
    assert outcome.asked[-1][1] == {"AssociationId": ID, "ExecutionId": RUN}


def test_show_of_one_that_never_ran_has_no_runs() -> None:
    answers: Answers = {**ANSWERS, "DescribeAssociationExecutions": {"AssociationExecutions": []}}
    found = json.loads(run("associations", "show", ID, "--json", answers=answers).stdout)
    assert (found["Association"]["AssociationId"], found["Executions"], found["Targets"]) == (ID, [], [])


@pytest.mark.parametrize(
    ("options", "targets"),
    [
        (["--node", NODE], [{"Key": "InstanceIds", "Values": [NODE]}]),
        (["--all-nodes"], [{"Key": "InstanceIds", "Values": ["*"]}]),
        (["--tag", "Role=web", "--tag", "Role=db"], TARGETS),
        (["--group", "Web Server"], [{"Key": "tag:Patch Group", "Values": ["Web Server"]}]),
    ],
)
def test_create_is_for_the_nodes_that_are_chosen(options: list[str], targets: list[Any]) -> None:
    outcome = run("associations", "create", "AWS-Noop", *options, answers=ANSWERS)
    assert outcome.asked == [("CreateAssociation", {"Name": "AWS-Noop", "Targets": targets})]
    assert f"AssociationId       {ID}" in outcome.stdout.splitlines()


def test_create_passes_on_how_it_runs() -> None:
    options = (
        *("--parameter", "Operation=Scan", "--schedule", "cron(0 2 ? * SUN *)", "--only-on-schedule", "--name", "scan"),
        *("--max-concurrency", "10%", "--max-errors", "2", "--severity", "HIGH", "--json"),
    )
    outcome = run("associations", "create", "AWS-RunPatchBaseline", "--all-nodes", *options, answers=ANSWERS)
    assert outcome.asked[0][1] == {
        "Name": "AWS-RunPatchBaseline",
        "Targets": [{"Key": "InstanceIds", "Values": ["*"]}],
        "AssociationName": "scan",
        "Parameters": {"Operation": ["Scan"]},
        "ScheduleExpression": "cron(0 2 ? * SUN *)",
        "ApplyOnlyAtCronInterval": True,
        "MaxConcurrency": "10%",
        "MaxErrors": "2",
        "ComplianceSeverity": "HIGH",
    }
    assert json.loads(outcome.stdout)["AssociationId"] == ID


@pytest.mark.parametrize(
    ("options", "when"),
    [
        (["--schedule", "rate(7 days)"], "all nodes at once, and on every node that joins"),
        (["--schedule", "cron(0 2 ? * SUN *)", "--only-on-schedule"], "all nodes at every opening of cron(0 2 ? * SUN"),
    ],
)
def test_create_of_one_that_installs_asks_first(options: list[str], when: str) -> None:
    words = ("associations", "create", "AWS-RunPatchBaseline", "--all-nodes", "--parameter", "Operation=Install")
    refused = run(*words, *options, answers=ANSWERS, typed="n\n")
    assert refused.exit_code == Exit.FAILED
    assert refused.asked == []
    assert f"AWS-RunPatchBaseline would install patches on {when}" in refused.stderr
    assert run(*words, *options, answers=ANSWERS, typed="y\n").exit_code == Exit.DONE
    assert "would install" not in run(*words, *options, "--yes", answers=ANSWERS).stderr


def test_run_of_one_that_scans_does_not_ask() -> None:
    outcome = run("associations", "run", ID, answers=ANSWERS)
    assert outcome.asked[-1] == ("StartAssociationsOnce", {"AssociationIds": [ID]})
    assert outcome.stderr == f"{ID}: asked for; `patchwindow associations show {ID}` tells how it goes\n"


def test_run_of_one_that_installs_asks_first() -> None:
    answers: Answers = {**ANSWERS, "DescribeAssociation": {"AssociationDescription": INSTALLING}}
    refused = run("associations", "run", ID, answers=answers, typed="n\n")
    assert refused.exit_code == Exit.FAILED
    assert [name for name, _ in refused.asked] == ["DescribeAssociation"]
    assert "would install patches on tag:Role=web,db now, and may reboot" in refused.stderr
    assert run("associations", "run", ID, "--yes", answers=answers).asked[-1][0] == "StartAssociationsOnce"


def test_delete_names_the_association() -> None:
    outcome = run("associations", "delete", ID)
    assert outcome.asked == [("DeleteAssociation", {"AssociationId": ID})]
    assert outcome.stderr == f"{ID}: deleted\n"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "no nodes chosen"),
        (["--all-nodes", "--tag", "Role=web"], "--all-nodes does not go together with"),
        (["--node", NODE, "--tag", "Role=web"], "--node does not go together with"),
        (["--all-nodes", "--severity", "BAD"], "BAD"),
        (["--all-nodes", "--parameter", "Operation"], "KEY=VALUE"),
    ],
)
def test_misuse_asks_nobody(options: list[str], said: str) -> None:
    outcome = run("associations", "create", "AWS-Noop", *options)
    assert outcome.exit_code == Exit.MISUSED
    assert said in outcome.stderr
    assert outcome.asked == []


def test_a_refusal_is_one_line() -> None:
    refused = refusal("AssociationDoesNotExist", f"association {ID} does not exist")
    outcome = run("associations", "show", ID, answers={"DescribeAssociation": refused})
    assert outcome.exit_code == Exit.FAILED
    assert outcome.stderr == (
        f"patchwindow: DescribeAssociation: AssociationDoesNotExist: association {ID} does not exist\n"
    )
