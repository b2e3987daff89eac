"""`patchwindow plan diff`: what an apply would change, and what that means for nodes."""

import json
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import click

from patchwindow.cli import show
from patchwindow.cli.options import both_client_command, json_option
from patchwindow.cli.plan_files import compare_file, file_argument, for_option, overlay_option, prune_option
from patchwindow.client import ClientProblem, SsmClient
from patchwindow.plans import (
    Action,
    Approval,
    Change,
    Comparison,
    Nodes,
    Reach,
    approvals,
    reaches,
    touches_approvals,
)
from patchwindow.system import SystemClock

_SHOWN_MAX: Final = 5


@click.command()
@file_argument
@overlay_option
@for_option
@prune_option
@json_option
@both_client_command
def diff(
    client: SsmClient,
    connect_own: Callable[[], SsmClient],
    *,
    file: Path,
    overlays: tuple[Path, ...],
    service: str | None,
    prune: bool,
    as_json: bool,
) -> None:
    """Show what an apply would change, and what it means.

    Changes nothing. Nodes are those that are known now; one that comes later is not among them.
    """
    comparison = compare_file(client, file, overlays, prunes=prune, service=service)
    nodes, now = Nodes(client), SystemClock().now()
    windows = list(reaches(nodes, comparison, now))
    patches = _approvals(client, connect_own, comparison, nodes, now)
    left = [change for change in comparison.changes if change.action is Action.LEAVE]
    if as_json:
        show.document(
            {
                "plan": comparison.plan.name,
                "changes": [_record(change) for change in comparison.coming],
                "left": [_record(change) for change in left],
                "windows": [_window(reach) for reach in windows],
                "patches": None if patches is None else [_patches(approval) for approval in patches],
            }
        )
        return
    for line in (*_lines(comparison.coming), *map(_sentence, windows), *map(_approved, patches or ())):
        click.echo(line)
    for change in left:
        show.note(f"no longer in the plan, and stays: {change.address} ({change.id})")
    count = len(comparison.coming)
    show.note(f"{file}: {count} change{'' if count == 1 else 's'}")


def _approvals(
    client: SsmClient, connect_own: Callable[[], SsmClient], comparison: Comparison, nodes: Nodes, now: datetime
) -> list[Approval] | None:
    """Return what becomes of patches, None where the service does not tell; that it does not is said."""
    if not touches_approvals(comparison):
        return []
    try:
        return list(approvals(client, connect_own(), comparison, nodes, now))
    except ClientProblem as problem:
        show.note(f"which patches become approved is not known here: {problem}")
        return None


def _lines(changes: Iterable[Change]) -> Iterator[str]:
    for change in changes:
        yield f"{change.action.value} {change.address}"
        for name in change.changed:
            yield f"    {name}: {_text(change.before.get(name))} -> {_text(change.members.get(name))}"


def _text(value: Any) -> str:
    return show.UNKNOWN if value is None else json.dumps(value, ensure_ascii=False, sort_keys=True)


def _record(change: Change) -> dict[str, Any]:
    """Return a change as JSON: of an update the members that change, of what is made or deleted all that it has."""
    members: Iterable[str] = change.changed
    if change.action in (Action.CREATE, Action.DELETE):
        members = [name for name, value in change.members.items() if value is not None]
    before, after = (
        change.before,
        {} if change.action is Action.DELETE else change.members,
    )
    return {
        "action": change.action.value,
        "kind": change.address.kind.value,
        "path": change.address.path,
        "id": change.id,
        "members": {name: {"from": before.get(name), "to": after.get(name)} for name in members},
    }


def _window(reach: Reach) -> dict[str, Any]:
    return {
        "window": reach.window,
        "gaining": reach.gaining,
        "losing": reach.losing,
        "opensAt": reach.opens_at,
    }


def _patches(approval: Approval) -> dict[str, Any]:
    return {
        "baseline": approval.baseline,
        "group": approval.group,
        "nodes": approval.node_count,
        "newlyApprovedCount": approval.newly_approved_count,
        "newlyApproved": approval.newly_approved,
        "noLongerApprovedCount": approval.no_longer_approved_count,
        "noLongerApproved": approval.no_longer_approved,
        "opensAt": approval.opens_at,
    }


def _approved(approval: Approval) -> str:
    who = f"of group {approval.group}" if approval.group else "without a group"
    parts = [
        f"{count} {verb} ({_some(tuple(titles))}{'' if count == len(titles) else ' and more'})"
        for count, titles, verb in (
            (approval.newly_approved_count, approval.newly_approved, "newly approved"),
            (approval.no_longer_approved_count, approval.no_longer_approved, "approved no longer"),
        )
        if count
    ]
    if not parts:
        parts = ["the same patches are approved"]
    elif approval.opens_at:
        parts.append(f"takes effect first at {show.text(approval.opens_at)}")
    else:
        parts.append("no window of the plan installs there within a year")
    return f"baseline {approval.baseline}, {_nodes(approval.node_count)} {who}: {'; '.join(parts)}"


def _sentence(reach: Reach) -> str:
    parts = [
        f"{_nodes(len(nodes))} {verb} it ({_some(nodes)})"
        for nodes, verb in ((reach.gaining, "gain"), (reach.losing, "lose"))
        if nodes
    ]
    when = f"it opens next at {show.text(reach.opens_at)}" if reach.opens_at else "it does not open within a year"
    return f"window {reach.window}: {'; '.join([*parts, when])}"


def _nodes(count: int) -> str:
    return f"{count} node{'' if count == 1 else 's'}"


def _some(nodes: tuple[str, ...]) -> str:
    more = len(nodes) - _SHOWN_MAX
    return ", ".join(nodes[:_SHOWN_MAX]) + (f" and {more} more" if more > 0 else "")
