"""`patchwindow explain`: why a patch is in its state on a node, as a person would say it."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import click

from patchwindow.cli import show
from patchwindow.cli.options import json_option, own_client_command
from patchwindow.client import SsmClient, call
from patchwindow.domain.explanation_words import baseline_reason, differences

Members = Mapping[str, Any]

STATES: Final = {
    "Missing": "is missing on {node}",
    "Failed": "could not be installed on {node}",
    "InstalledPendingReboot": "is installed on {node}, and waits for a reboot",
    "InstalledRejected": "is installed on {node}, although it is rejected",
    "AvailableSecurityUpdate": "is a security update for {node} that its baseline does not approve",
    "NotApproved": "is offered to {node}, and its baseline does not approve it",
    "Installed": "is installed on {node}",
    "InstalledOther": "is installed on {node}, beside its baseline",
    "NotApplicable": "is not for {node} as it is",
}
_INDENT: Final = "  "


@click.command()
@click.argument("node")
@click.argument("patch")
@json_option
@own_client_command
def explain(client: SsmClient, *, node: str, patch: str, as_json: bool) -> None:
    """Say why a patch is in its state on a node.

    PATCH is a title, a KBId, a name, a CVE or an advisory.
    """
    answer = show.members(call(client, "ExplainPatch", InstanceId=node, Patch=patch))
    if as_json:
        show.document(answer)
        return
    for line in said(answer):
        click.echo(show.text(line))


def said(answer: Members) -> Iterator[str]:
    """Yield what *answer* says, line by line."""
    for one in answer["Patches"]:
        yield f"{one['Title']} {STATES.get(one['State'], 'is ' + one['State'] + ' on {node}').format(node=answer['InstanceId'])}"
        yield from (f"{_INDENT}{line}" for line in _of_patch(one))
    left = answer["MatchCount"] - len(answer["Patches"])
    if left:
        yield f"{left} more of that name"
    yield from _of_node(answer)


def _of_patch(one: Members) -> Iterator[str]:
    decision = one["Decision"]
    yield one["Reason"]
    days_left = decision.get("Dates", {}).get("DaysLeft")
    if days_left:
        yield f"it waits {days_left} {'day' if days_left == 1 else 'days'} more, until {decision['Dates']['ApprovalDate']}"
    elif "NearestMiss" in decision:
        yield f"it would be approved if {differences(decision['NearestMiss'])}"
    elif decision["Status"] in ("NOT_MATCHED", "EXPLICIT_REJECTED"):
        yield "nothing in the baseline could approve it"
    if one.get("CVEIds"):
        yield f"closes {show.text(one['CVEIds'])}"
    if one.get("ExploitedCVEIds"):
        due = f", and to be closed by {one['DueOn']}" if "DueOn" in one else ""
        yield f"known to be exploited: {show.text(one['ExploitedCVEIds'])}{due}"
    if "NextInstall" in one:
        yield f"could be installed {_opening(one['NextInstall'])}"
    elif one["State"] in ("Missing", "Failed") or days_left:
        yield "no window is to install it"


def _of_node(answer: Members) -> Iterator[str]:
    baseline, evaluation = answer["Baseline"], answer["Evaluation"]
    why = baseline_reason(answer)
    version, current = baseline["Version"], baseline.get("CurrentVersion")
    now = "" if current == version else " (now deleted)" if current is None else f" of {current}"
    yield f"Baseline: {baseline['Name']} ({baseline['BaselineId']}), version {version}{now}; {why}"
    for name, value in answer.get("Override", {}).items():
        yield f"{name}: {value}"
    age = "; that is too long ago to rely on" if evaluation["IsStale"] else ""
    yield f"Found by: the {evaluation['Operation']} that ended {show.text(evaluation['FactsAt'])}{age}"
    if evaluation["EvaluatedAt"] > evaluation["FactsAt"]:
        yield f"Decided: {show.text(evaluation['EvaluatedAt'])}, without a new scan"
    if "NextScan" in answer:
        yield f"Next scan: {_opening(answer['NextScan'])}"


def _opening(opening: Members) -> str:
    if "AssociationId" in opening:
        name, id = opening.get("AssociationName", ""), opening["AssociationId"]
        return f"{show.text(opening['OpensAt'])}, by association {f'{name} ({id})' if name else id}"
    return f"{show.text(opening['OpensAt'])}, when window {opening['WindowName']} ({opening['WindowId']}) opens"
