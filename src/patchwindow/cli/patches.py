"""`patchwindow patches`: the patches of all nodes."""

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any, Final

import click

from patchwindow.cli import show
from patchwindow.cli.options import json_option, limit_option, own_client_command
from patchwindow.client import SsmClient, pages
from patchwindow.domain.errors import NotFound

STATES: Final = (
    "Missing",
    "Failed",
    "InstalledPendingReboot",
    "InstalledRejected",
    "AvailableSecurityUpdate",
    "NotApproved",
    "Installed",
    "InstalledOther",
    "NotApplicable",
)
"""The states of a patch, the one to act on first; NotApproved is what the API has no word for."""

WANTING: Final = STATES[:5]
"""Those that somebody should look at."""


def _count(*states: str) -> Any:
    return lambda patch: sum(patch["StateCounts"].get(state, 0) for state in states)


COLUMNS: Final[show.Columns] = {
    "NODES": "InstanceCount",
    "MISSING": _count("Missing"),
    "FAILED": _count("Failed"),
    "REBOOT": _count("InstalledPendingReboot"),
    "INSTALLED": _count("Installed", "InstalledOther"),
    "NOT APPROVED": _count("NotApproved", "AvailableSecurityUpdate"),
    "SEVERITY": "Severity",
    "PRODUCT": "Product",
    "FIRST SEEN": "FirstSeen",
    "PATCH": "Title",
}
NODES: Final[show.Columns] = {"NODE": "InstanceId", "STATE": "State"}
FAILED: Final[show.Columns] = {**NODES, "WHY IT FAILED": "Reason"}

state_option = click.option(
    "--state", "states", type=click.Choice(STATES), multiple=True, help="In this state on a node; may be repeated"
)


@click.group()
def patches() -> None:
    """Show the patches of all nodes."""


@patches.command("list")
@state_option
@click.option("--all", "all_", is_flag=True, help="In every state")
@click.option("--name", "names", metavar="TEXT", multiple=True, help="With this in the title or the KBId")
@click.option("--cve", "cves", metavar="ID", multiple=True, help="That close this CVE")
@click.option("--advisory", "advisories", metavar="ID", multiple=True, help="That this advisory is about")
@click.option("--known-exploited", is_flag=True, help="That close a CVE which is known to be exploited")
@click.option("--severity", "severities", metavar="NAME", multiple=True, help="Of this severity")
@click.option("--classification", "classes", metavar="NAME", multiple=True, help="Of this classification")
@click.option("--product", "products", metavar="NAME", multiple=True, help="For this product, such as Debian12")
@click.option("--min-age", metavar="DAYS", type=click.IntRange(0), help="First reported so many days ago or more")
@click.option("--max-age", metavar="DAYS", type=click.IntRange(0), help="First reported so many days ago or less")
@limit_option(100)
@json_option
@own_client_command
def list_(
    client: SsmClient,
    *,
    states: tuple[str, ...],
    all_: bool,
    names: tuple[str, ...],
    cves: tuple[str, ...],
    advisories: tuple[str, ...],
    known_exploited: bool,
    severities: tuple[str, ...],
    classes: tuple[str, ...],
    products: tuple[str, ...],
    min_age: int | None,
    max_age: int | None,
    limit: int,
    as_json: bool,
) -> None:
    """List the patches of all nodes, and how many have each.

    Those that somebody should act on, unless others are asked for.
    """
    asked: Mapping[str, Sequence[str]] = {
        "State": () if all_ else states or WANTING,
        "Name": names,
        "CVE": cves,
        "AdvisoryId": advisories,
        "KnownExploited": ("true",) if known_exploited else (),
        "Severity": severities,
        "Classification": classes,
        "Product": products,
        "MinAgeDays": () if min_age is None else (str(min_age),),
        "MaxAgeDays": () if max_age is None else (str(max_age),),
    }
    filters = [{"Key": key, "Values": list(values)} for key, values in asked.items() if values]
    found = pages(client, "ListPatches", "Patches", Filters=filters)
    show.table(islice(found, limit), COLUMNS, as_json=as_json)


@patches.command("show")
@click.argument("title")
@click.option("--product", metavar="NAME", help="For this product, such as Debian12")
@state_option
@limit_option(100)
@json_option
@own_client_command
def show_(
    client: SsmClient, *, title: str, product: str | None, states: tuple[str, ...], limit: int, as_json: bool
) -> None:
    """Show a patch, and on which nodes it is in which state.

    TITLE is the whole title, or a KBId that no other patch has.
    """
    filters = [{"Key": "Name", "Values": [title]}]
    if product:
        filters.append({"Key": "Product", "Values": [product]})
    alike = list(islice(pages(client, "ListPatches", "Patches", Filters=filters), 1000))
    found = _named(title, alike)
    if not found:
        raise NotFound(_unknown(title, alike))
    narrowed: dict[str, Any] = {
        name: value for name, value in {"Product": product, "States": list(states)}.items() if value
    }
    nodes = list(islice(pages(client, "ListPatchInstances", "Instances", Title=found[0]["Title"], **narrowed), limit))
    if as_json:
        show.document({"Patches": found, "Instances": nodes})
        return
    for patch in found:
        show.details(patch)
    show.section("Nodes", nodes, FAILED if any(node.get("Reason") for node in nodes) else NODES)


def _named(term: str, alike: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the patches with the one title that *term* names; there are several where products share it."""
    for member in ("Title", "KBId"):
        found = [patch for patch in alike if patch[member].casefold() == term.casefold()]
        if len({patch["Title"] for patch in found}) == 1:
            return found
    return []


def _unknown(title: str, alike: Sequence[Mapping[str, Any]]) -> str:
    titles = ", ".join(patch["Title"] for patch in alike[:5])
    near = f"titles with it: {titles}" if titles else "`patchwindow patches list --all` shows those there are"
    return f"no node has a patch with the title {title!r}; {near}"
