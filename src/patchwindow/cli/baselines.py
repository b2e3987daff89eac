"""`patchwindow baselines`: which patches are approved."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import click

from patchwindow.cli import show
from patchwindow.cli.options import client_command, json_option
from patchwindow.client import SsmClient, call, pages
from patchwindow.domain.errors import Invalid, NotFound


def _approved(rule: Mapping[str, Any]) -> str:
    if "ApproveUntilDate" in rule:
        return f"until {rule['ApproveUntilDate']}"
    return f"after {rule.get('ApproveAfterDays', 0)} days"


def _filters(group: Mapping[str, Any]) -> str:
    return "; ".join(f"{one['Key']}={','.join(one['Values'])}" for one in group.get("PatchFilters", []))


COLUMNS: show.Columns = {
    "BASELINE": lambda baseline: short(baseline["BaselineId"]),
    "OPERATING SYSTEM": "OperatingSystem",
    "DEFAULT": "DefaultBaseline",
    "NAME": "BaselineName",
}
RULES: show.Columns = {
    "APPROVED": _approved,
    "LEVEL": "ComplianceLevel",
    "NON-SECURITY": lambda rule: rule.get("EnableNonSecurity", False),
    "PATCHES": lambda rule: _filters(rule.get("PatchFilterGroup", {})),
}


@click.group()
def baselines() -> None:
    """Show patch baselines and set the default ones."""


@baselines.command("list")
@click.option("--os", "operating_system", metavar="NAME", help="Only those of an operating system, such as DEBIAN")
@click.option("--own", is_flag=True, help="Without the predefined ones")
@json_option
@client_command
def list_(client: SsmClient, *, operating_system: str | None, own: bool, as_json: bool) -> None:
    """List the patch baselines, the predefined ones included."""
    filters = [{"Key": "OWNER", "Values": ["Self"]}] if own else []
    if operating_system:
        filters.append({"Key": "OPERATING_SYSTEM", "Values": [operating_system]})
    show.table(_identities(client, filters), COLUMNS, as_json=as_json)


@baselines.command("show")
@click.argument("baseline")
@json_option
@client_command
def show_(client: SsmClient, *, baseline: str, as_json: bool) -> None:
    """Show the rules of a baseline.

    It is named by its id, its ARN or its name, here and wherever a baseline is named.
    """
    found = show.members(call(client, "GetPatchBaseline", BaselineId=baseline_id(client, baseline)))
    if as_json:
        show.document(found)
        return
    told_apart = ("GlobalFilters", "ApprovalRules", "Sources")
    show.details({name: value for name, value in found.items() if name not in told_apart})
    show.details({"GlobalFilters": _filters(found.get("GlobalFilters", {}))})
    show.section("Approval rules", found.get("ApprovalRules", {}).get("PatchRules", []), RULES)
    show.section("Sources", found.get("Sources", []), {"NAME": "Name", "PRODUCTS": "Products"})


@baselines.command()
@click.argument("operating_system", required=False, metavar="[OS]")
@click.option("--set", "baseline", metavar="BASELINE", help="Make this the default of its operating system")
@json_option
@client_command
def default(client: SsmClient, *, operating_system: str | None, baseline: str | None, as_json: bool) -> None:
    """Show the default baselines, or set one.

    The default decides for nodes that are in no patch group, or in one without a baseline for their system.
    """
    if operating_system and baseline:
        raise click.UsageError(
            f"OS {operating_system!r} and --set {baseline!r} do not go together: a baseline knows its system; leave out OS"
        )
    if baseline:
        made = call(client, "RegisterDefaultPatchBaseline", BaselineId=baseline_id(client, baseline))
        show.note(f"{made['BaselineId']}: now the default")
    elif operating_system:
        found = show.members(call(client, "GetDefaultPatchBaseline", OperatingSystem=operating_system))
        show.table([found], {"BASELINE": "BaselineId", "OPERATING SYSTEM": "OperatingSystem"}, as_json=as_json)
    else:
        defaults = [found for found in _identities(client, []) if found.get("DefaultBaseline")]
        show.table(defaults, COLUMNS, as_json=as_json)


@baselines.command()
@click.argument("baseline")
@client_command
def delete(client: SsmClient, *, baseline: str) -> None:
    """Delete a baseline.

    One that is a default, or that decides for a patch group, is refused.
    """
    id = baseline_id(client, baseline)
    call(client, "DeletePatchBaseline", BaselineId=id)
    show.note(f"{id}: deleted")


def baseline_id(client: SsmClient, named: str) -> str:
    """Return the id with which the API takes the baseline *named* by id, ARN or name.

    AWS takes its predefined baselines by ARN alone, which nobody types.

    Raises: NotFound; Invalid, where several have this name.
    """
    if named.startswith("arn:"):
        return named
    found = [
        identity["BaselineId"]
        for identity in _identities(client, [])
        if named in (identity["BaselineId"], short(identity["BaselineId"]), identity.get("BaselineName"))
    ]
    if not found:
        raise NotFound(f"no baseline {named!r}; `patchwindow baselines list` shows those there are")
    if len(found) > 1:
        ids = ", ".join(short(id) for id in found)
        raise Invalid(f"{len(found)} baselines are named {named!r}: {ids}; name one by its id")
    return str(found[0])


def short(baseline: str) -> str:
    """Return the bare id of a baseline that may be named by its ARN."""
    return baseline.rpartition("/")[2]


def _identities(client: SsmClient, filters: Sequence[Mapping[str, Any]]) -> Iterable[Mapping[str, Any]]:
    return pages(client, "DescribePatchBaselines", "BaselineIdentities", Filters=filters)
