"""`patchwindow associations`: documents that run on nodes by themselves, at once and by a schedule."""

from collections.abc import Mapping
from itertools import islice
from typing import Any

import click

from patchwindow.cli import show
from patchwindow.cli.choice import choose, chosen
from patchwindow.cli.options import (
    client_command,
    confirm,
    grouped,
    json_option,
    limit_option,
    pair,
    tag_option,
    yes_option,
)
from patchwindow.cli.windows import targets
from patchwindow.client import SsmClient, call, pages
from patchwindow.domain.association import ALL_NODES, INSTANCE_IDS, Severity
from patchwindow.domain.association_execution import Overview

COLUMNS: show.Columns = {
    "ASSOCIATION": "AssociationId",
    "STATUS": lambda one: one.get("Overview", {}).get("Status"),
    "LAST RUN": "LastExecutionDate",
    "SCHEDULE": "ScheduleExpression",
    "DOCUMENT": "Name",
    "NAME": "AssociationName",
    "NODES": lambda one: targets(one.get("Targets", [])),
}
RUNS: show.Columns = {
    "RUN": "ExecutionId",
    "STATUS": "Status",
    "STARTED": "CreatedTime",
    "NODES": lambda run: run.get("ResourceCountByStatus", "").strip("{}"),
    "DETAILS": "DetailedStatus",
}
NODES: show.Columns = {
    "NODE": "ResourceId",
    "STATUS": "Status",
    "ENDED": "LastExecutionDate",
    "COMMAND": lambda node: node.get("OutputSource", {}).get("OutputSourceId"),
    "DETAILS": "DetailedStatus",
}


@click.group()
def associations() -> None:
    """Run documents on nodes by a schedule."""


@associations.command("list")
@click.option("--node", metavar="ID", help="Only those that are for a node")
@click.option("--status", type=click.Choice([status.value for status in Overview]), help="Only those that stand so")
@click.option("--document", metavar="NAME", help="Only those that run this document")
@json_option
@client_command
def list_(client: SsmClient, *, node: str | None, status: str | None, document: str | None, as_json: bool) -> None:
    """List the associations."""
    wanted = {"InstanceId": node, "AssociationStatusName": status, "Name": document}
    filters = [{"key": key, "value": value} for key, value in wanted.items() if value]
    chosen_ones: dict[str, Any] = {"AssociationFilterList": filters} if filters else {}
    show.table(pages(client, "ListAssociations", "Associations", **chosen_ones), COLUMNS, as_json=as_json)


@associations.command("show")
@click.argument("association")
@limit_option(5)
@json_option
@client_command
def show_(client: SsmClient, *, association: str, limit: int, as_json: bool) -> None:
    """Show an association, its runs and their nodes.

    Of the latest run it is shown how it stands on each node.
    """
    found = call(client, "DescribeAssociation", AssociationId=association)["AssociationDescription"]
    every = pages(client, "DescribeAssociationExecutions", "AssociationExecutions", AssociationId=association)
    runs = list(islice(every, limit))
    nodes = list(_nodes(client, association, runs[0]["ExecutionId"])) if runs else []
    if as_json:
        show.document({"Association": found, "Executions": runs, "Targets": nodes})
        return
    _show(found)
    show.section("Runs", runs, RUNS)
    show.section("Nodes of the latest run", nodes, NODES)


@associations.command()
@click.argument("document")
@click.option("--node", "nodes", multiple=True, metavar="ID", help="A node; may be repeated")
@tag_option
@click.option("--group", "groups", multiple=True, metavar="NAME", help="The nodes of a patch group; may be repeated")
@click.option("--all-nodes", is_flag=True, help="Every node there is, and every one to come")
@click.option("--name", metavar="NAME", help="What to call it")
@click.option(
    "--parameter", "parameters", type=pair, metavar="NAME=VALUE", multiple=True, help="Of the document; may be repeated"
)
@click.option("--schedule", metavar="EXPRESSION", help="cron(…), rate(…) or at(…), in UTC; otherwise it runs once")
@click.option("--only-on-schedule", is_flag=True, help="Wait for the schedule; otherwise it also runs at once")
@click.option("--max-concurrency", metavar="N|N%", help="How many nodes at a time; otherwise all")
@click.option("--max-errors", metavar="N|N%", help="After how many failed nodes no further one starts; otherwise never")
@click.option(
    "--severity",
    type=click.Choice([level.value for level in Severity]),
    help="How bad it is where it fails; otherwise UNSPECIFIED",
)
@yes_option
@json_option
@client_command
def create(
    client: SsmClient,
    *,
    document: str,
    nodes: tuple[str, ...],
    tags: list[tuple[str, str]],
    groups: tuple[str, ...],
    all_nodes: bool,
    name: str | None,
    parameters: list[tuple[str, str]],
    schedule: str | None,
    only_on_schedule: bool,
    max_concurrency: str | None,
    max_errors: str | None,
    severity: str | None,
    yes: bool,
    as_json: bool,
) -> None:
    """Let a document run on nodes, now and by a schedule.

    Nodes that join the targets later get a run of their own, unless it only runs on schedule.
    """
    where, words = _where(nodes=nodes, tags=tags, groups=groups, all_nodes=all_nodes)
    given = grouped(parameters)
    if _installs(given) and not yes:
        when = f"at every opening of {schedule}" if only_on_schedule else "at once, and on every node that joins"
        confirm(f"{document} would install patches on {words} {when}, and may reboot")
    members = {
        "AssociationName": name,
        "Parameters": given or None,
        "ScheduleExpression": schedule,
        "ApplyOnlyAtCronInterval": only_on_schedule or None,
        "MaxConcurrency": max_concurrency,
        "MaxErrors": max_errors,
        "ComplianceSeverity": severity,
    }
    known = {member: value for member, value in members.items() if value is not None}
    made = call(client, "CreateAssociation", Name=document, Targets=where, **known)["AssociationDescription"]
    if as_json:
        show.document(made)
        return
    _show(made)


@associations.command()
@click.argument("association")
@client_command
def delete(client: SsmClient, *, association: str) -> None:
    """Delete an association.

    What it sent runs to its end.
    """
    call(client, "DeleteAssociation", AssociationId=association)
    show.note(f"{association}: deleted")


@associations.command()
@click.argument("association")
@yes_option
@client_command
def run(client: SsmClient, *, association: str, yes: bool) -> None:
    """Run an association now on all its nodes.

    A run that has not ended yet is taken back.
    """
    found = call(client, "DescribeAssociation", AssociationId=association)["AssociationDescription"]
    if _installs(found.get("Parameters", {})) and not yes:
        where = targets(found.get("Targets", []))
        confirm(f"{found.get('Name')} would install patches on {where} now, and may reboot")
    call(client, "StartAssociationsOnce", AssociationIds=[association])
    show.note(f"{association}: asked for; `patchwindow associations show {association}` tells how it goes")


def _where(
    *, nodes: tuple[str, ...], tags: list[tuple[str, str]], groups: tuple[str, ...], all_nodes: bool
) -> tuple[list[Mapping[str, Any]], str]:
    """Return the targets, and in words which nodes they are."""
    if all_nodes:
        if nodes or tags or groups:
            raise click.UsageError(
                "--all-nodes does not go together with --node, --tag and --group; use one or the other"
            )
        return [{"Key": INSTANCE_IDS, "Values": [*ALL_NODES]}], "all nodes"
    members = choose(nodes=nodes, tags=tags, groups=groups)
    if "InstanceIds" in members:
        return [{"Key": INSTANCE_IDS, "Values": members["InstanceIds"]}], chosen(members)
    return members["Targets"], chosen(members)


def _installs(parameters: Mapping[str, list[str]]) -> bool:
    return "Install" in parameters.get("Operation", [])


def _nodes(client: SsmClient, association: str, execution: str) -> Any:
    return pages(
        client,
        "DescribeAssociationExecutionTargets",
        "AssociationExecutionTargets",
        AssociationId=association,
        ExecutionId=execution,
    )


def _show(association: Mapping[str, Any]) -> None:
    plain = {name: value for name, value in association.items() if not isinstance(value, dict)}
    standing = association.get("Overview", {})
    show.details(
        {
            **plain,
            "Targets": targets(association.get("Targets", [])),
            "Parameters": association.get("Parameters"),
            "Status": standing.get("Status"),
            "DetailedStatus": standing.get("DetailedStatus"),
        }
    )
