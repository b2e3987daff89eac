"""`patchwindow scan`: find out now what is missing."""

from collections.abc import Callable, Sequence
from typing import Any

import click

from patchwindow.cli.choice import choose
from patchwindow.cli.exits import Exit
from patchwindow.cli.operation import operate, operation_command
from patchwindow.client import SsmClient


@click.command()
@operation_command
def scan(
    client: SsmClient,
    own: Callable[[], SsmClient],
    *,
    nodes: Sequence[str],
    tags: Sequence[tuple[str, str]],
    groups: Sequence[str],
    **how: Any,
) -> Exit:
    """Find out now which patches nodes miss.

    Prints the result of each node. Nothing is installed. Exits with 1 when a node failed.
    """
    return operate(client, own, "Scan", choose(nodes=nodes, tags=tags, groups=groups), **how)
