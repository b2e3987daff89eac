"""`patchwindow patch`: install now what is missing and approved."""

from collections.abc import Callable, Sequence
from typing import Any

import click

from patchwindow.cli.choice import choose, chosen
from patchwindow.cli.exits import Exit
from patchwindow.cli.operation import operate, operation_command
from patchwindow.cli.options import confirm, yes_option
from patchwindow.client import SsmClient


@click.command()
@yes_option
@operation_command
def patch(
    client: SsmClient,
    own: Callable[[], SsmClient],
    *,
    nodes: Sequence[str],
    tags: Sequence[tuple[str, str]],
    groups: Sequence[str],
    yes: bool,
    reboot_option: str,
    **how: Any,
) -> Exit:
    """Install missing patches on nodes now.

    Installs what the baselines approve, and prints the result of each node. Does not wait for a maintenance window. Exits with 1 when a node failed.
    """
    where = choose(nodes=nodes, tags=tags, groups=groups)
    if not yes:
        reboots = "without a reboot" if reboot_option == "NoReboot" else "with a reboot where one is needed"
        confirm(f"This installs the missing approved patches on {chosen(where)}, now, {reboots}")
    return operate(client, own, "Install", where, reboot_option=reboot_option, **how)
