"""Which nodes a command goes to: named one by one, by tags, or by patch groups."""

from collections.abc import Mapping, Sequence
from typing import Any

import click

from patchwindow.cli.options import grouped

NODES_MAX = 50
"""`SendCommand` takes no more by name."""

GROUP_TAG = "Patch Group"


def choose(*, nodes: Sequence[str], tags: Sequence[tuple[str, str]], groups: Sequence[str]) -> Mapping[str, Any]:
    """Return the members of `SendCommand` that choose these nodes.

    Raises: click.UsageError, where none are chosen, too many are named, or names and tags are mixed.
    """
    keys = grouped([*tags, *((GROUP_TAG, group) for group in groups)])
    if nodes and keys:
        raise click.UsageError("--node does not go together with --tag and --group; use one or the other")
    if len(nodes) > NODES_MAX:
        raise click.UsageError(
            f"--node was given {len(nodes)} times, at most {NODES_MAX} fit into one command; use --tag or --group"
        )
    if nodes:
        return {"InstanceIds": list(nodes)}
    if keys:
        return {"Targets": [{"Key": f"tag:{key}", "Values": values} for key, values in keys.items()]}
    raise click.UsageError("no nodes chosen; name them with --node ID, --tag KEY=VALUE or --group NAME")


def chosen(members: Mapping[str, Any]) -> str:
    """Return in words which nodes *members* choose."""
    if "InstanceIds" in members:
        return f"{'node' if len(members['InstanceIds']) == 1 else 'nodes'} {', '.join(members['InstanceIds'])}"
    keys = (
        f"{one['Key'].removeprefix('tag:')!r} {' or '.join(map(repr, one['Values']))}" for one in members["Targets"]
    )
    return f"every node with tag {' and '.join(keys)}"
