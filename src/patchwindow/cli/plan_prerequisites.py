"""`patchwindow plan prerequisites`: what there must be before nodes can be patched."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import click

from patchwindow.checks import (
    DEFAULT_NODE_ROLE,
    DEFAULT_WINDOW_ROLE,
    Repair,
    check_account,
    check_server,
    collect_account,
    collect_nodes,
    repairs_of_account,
    repairs_of_server,
)
from patchwindow.cli import show
from patchwindow.cli.findings import findings_options, report
from patchwindow.cli.options import Connect, confirm, connect_command, yes_option
from patchwindow.cli.plan_files import for_option
from patchwindow.client import SsmClient, call, is_aws
from patchwindow.plans import Finding
from patchwindow.system import SystemClock

_Looked = tuple[Sequence[Finding], Sequence[Repair]]


@click.command()
@for_option
@click.option("--node-role", default=DEFAULT_NODE_ROLE, show_default=True, help="The role of managed nodes; AWS only")
@click.option("--window-role", default=DEFAULT_WINDOW_ROLE, show_default=True, help="The role of windows; AWS only")
@click.option(
    "--patch-group", metavar="NAME", help="With --fix, the group of nodes that have none; otherwise none is tagged"
)
@click.option("--fix", is_flag=True, help="Create the roles and tags that are missing")
@yes_option
@findings_options
@connect_command
def prerequisites(
    connect: Connect,
    *,
    service: str | None,
    node_role: str,
    window_role: str,
    patch_group: str | None,
    fix: bool,
    yes: bool,
    form: str,
    fail_on: str,
) -> None:
    """Say what is missing before nodes can be patched.

    Of AWS: roles, instance profiles, agents, tags, ways out to the service. Of a patchwindow server: the same of its nodes.
    """
    clients: Callable[[str], SsmClient] = cache(lambda name: connect() if name == "ssm" else connect(service=name))
    client = clients("ssm")

    def look() -> _Looked:
        if is_aws(client) if service is None else service == "aws":
            account = collect_account(clients, node_role=node_role, window_role=window_role)
            return check_account(account), repairs_of_account(account, patch_group)
        snapshot = collect_nodes(client, now=SystemClock().now())
        return check_server(snapshot), repairs_of_server(snapshot, patch_group)

    findings, repairs = look()
    if fix and repairs:
        _carry_out(repairs, clients, asks=not yes)
        findings, _ = look()
    report(findings, client.meta.endpoint_url, form=form, fail_on=fail_on)


def _carry_out(repairs: Sequence[Repair], clients: Callable[[str], Any], *, asks: bool) -> None:
    """Create what is missing, saying each when it is done; before, say all of it and ask.

    Raises: ClientProblem, where a call is refused; ClickException, where the answer is no.
    """
    if asks:
        for repair in repairs:
            show.note(f"will {repair}")
        confirm(f"This makes {len(repairs)} change{'' if len(repairs) == 1 else 's'}")
    for repair in repairs:
        for each in repair.calls:
            call(clients(each.service), each.operation, **each.members)
        show.note(f"done: {repair}")
