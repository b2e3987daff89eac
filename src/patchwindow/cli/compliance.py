"""`patchwindow compliance`: which nodes and patches are as the baselines want them."""

from collections.abc import Mapping
from typing import Any

import click

from patchwindow.cli import concerns, exposure, fleet, show
from patchwindow.cli.options import client_command, json_option
from patchwindow.cli.patchstates import patch_states
from patchwindow.client import SsmClient, pages
from patchwindow.domain.errors import NotFound

STATES = (
    "Missing",
    "Failed",
    "InstalledPendingReboot",
    "InstalledRejected",
    "AvailableSecurityUpdate",
    "Installed",
    "InstalledOther",
    "NotApplicable",
)
"""The states of a patch, the one to act on first."""

WANTING = STATES[:5]
"""Those that somebody should look at."""

NODES: show.Columns = {
    "NODE": "ResourceId",
    "STATUS": "Status",
    "SEVERITY": "OverallSeverity",
    "NOT COMPLIANT": lambda found: found["NonCompliantSummary"].get("NonCompliantCount", 0),
    "COMPLIANT": lambda found: found["CompliantSummary"].get("CompliantCount", 0),
    "AS OF": lambda found: found.get("ExecutionSummary", {}).get("ExecutionTime"),
}
PATCHES: show.Columns = {
    "STATE": "State",
    "SEVERITY": "Severity",
    "CLASSIFICATION": "Classification",
    "PATCH": "Title",
}
TYPES: show.Columns = {
    "TYPE": "ComplianceType",
    "COMPLIANT": lambda found: found["CompliantSummary"].get("CompliantCount", 0),
    "NOT COMPLIANT": lambda found: found["NonCompliantSummary"].get("NonCompliantCount", 0),
    "CRITICAL": lambda found: _severity(found, "Critical"),
    "HIGH": lambda found: _severity(found, "High"),
    "MEDIUM": lambda found: _severity(found, "Medium"),
    "LOW": lambda found: _severity(found, "Low"),
    "OTHER": lambda found: _severity(found, "Informational") + _severity(found, "Unspecified"),
}


@click.group()
def compliance() -> None:
    """Show which nodes and patches are compliant."""


compliance.add_command(fleet.fleet)
compliance.add_command(fleet.node)
compliance.add_command(fleet.history)
compliance.add_command(concerns.concerns)
compliance.add_command(exposure.exposure)


@compliance.command("list")
@click.option("--non-compliant", is_flag=True, help="Only nodes that are not compliant")
@json_option
@client_command
def list_(client: SsmClient, *, non_compliant: bool, as_json: bool) -> None:
    """List which of the scanned nodes are compliant."""
    filters = [{"Key": "ComplianceType", "Values": ["Patch"], "Type": "EQUAL"}]
    if non_compliant:
        filters.append({"Key": "Status", "Values": ["NON_COMPLIANT"], "Type": "EQUAL"})
    found = pages(client, "ListResourceComplianceSummaries", "ResourceComplianceSummaryItems", Filters=filters)
    show.table(found, NODES, as_json=as_json)


@compliance.command("show")
@click.argument("node")
@click.option(
    "--state", "states", type=click.Choice(STATES), multiple=True, help="Patches in this state; may be repeated"
)
@click.option("--all", "all_", is_flag=True, help="Patches in every state")
@json_option
@client_command
def show_(client: SsmClient, *, node: str, states: tuple[str, ...], all_: bool, as_json: bool) -> None:
    """Show the patches of a node by state.

    Those to act on, unless others are asked for.
    """
    state = next(patch_states(client, [node]), None)
    if state is None:
        raise NotFound(f"node {node!r} has not been scanned; `patchwindow scan --node {node}` does it now")
    filters = [] if all_ else [{"Key": "State", "Values": list(states or WANTING)}]
    found = pages(client, "DescribeInstancePatches", "Patches", InstanceId=node, Filters=filters)
    patches = sorted(found, key=lambda patch: (_rank(patch), patch.get("Title", "")))
    if as_json:
        show.document({"PatchState": state, "Patches": patches})
        return
    show.details(state)
    show.section("Patches", patches, PATCHES)


@compliance.command()
@json_option
@client_command
def summary(client: SsmClient, *, as_json: bool) -> None:
    """Count the nodes that are compliant, and those that are not."""
    show.table(pages(client, "ListComplianceSummaries", "ComplianceSummaryItems"), TYPES, as_json=as_json)


def _rank(patch: Mapping[str, Any]) -> int:
    # A state of a later API version stands last rather than ending the command.
    return STATES.index(patch["State"]) if patch["State"] in STATES else len(STATES)


def _severity(found: Mapping[str, Any], name: str) -> int:
    return int(found["NonCompliantSummary"].get("SeveritySummary", {}).get(f"{name}Count", 0))
