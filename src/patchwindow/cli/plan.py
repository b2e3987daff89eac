"""`patchwindow plan`: make a fleet be patched as a file says."""

from collections.abc import Callable, Iterable
from pathlib import Path

import click

from patchwindow.cli import show
from patchwindow.cli.findings import findings_options, report
from patchwindow.cli.options import client_command, confirm, json_option, yes_option
from patchwindow.cli.plan_diff import diff
from patchwindow.cli.plan_export import export_
from patchwindow.cli.plan_files import compare_file, file_argument, for_option, overlay_option, prune_option
from patchwindow.cli.plan_prerequisites import prerequisites
from patchwindow.client import SsmClient
from patchwindow.plans import (
    Action,
    Applied,
    Change,
    Comparison,
    Plan,
    PlanProblems,
    apply,
    as_findings,
    check,
    read_fleet,
    read_plan,
    schema_text,
)
from patchwindow.system import SystemClock


@click.group()
def plan() -> None:
    """Check, compare, apply and export plan files."""


plan.add_command(diff)
plan.add_command(prerequisites)
plan.add_command(export_)


@plan.command()
def schema() -> None:
    """Print the JSON Schema of plan files, for editors and CI."""
    click.echo(schema_text(), nl=False)


@plan.command("check")
@file_argument
@overlay_option
@click.option("--for", "service", type=click.Choice(["aws"]), help="Check against the quotas of this service, too")
@click.option(
    "--nodes",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Hold the plan against these nodes: an export of forecast --export, or JSON, ids with their tags",
)
@findings_options
def check_(
    *, file: Path, overlays: tuple[Path, ...], service: str | None, nodes: Path | None, form: str, fail_on: str
) -> None:
    """Search a plan file for mistakes and traps, offline.

    Finds schedules that hardly mean what was meant, rules that approve nothing or everything, rate controls that hold
    nothing back, windows that overlap for the same nodes.
    """
    try:
        fleet = None if nodes is None else read_fleet(nodes)
        findings = check(read_plan(file, overlays), now=SystemClock().now(), is_for_aws=service == "aws", fleet=fleet)
    except PlanProblems as problems:
        findings = as_findings(problems)
    report(findings, str(file), form=form, fail_on=fail_on)


@plan.command("apply")
@file_argument
@overlay_option
@for_option
@prune_option
@yes_option
@json_option
@client_command
def apply_(
    client: SsmClient,
    *,
    file: Path,
    overlays: tuple[Path, ...],
    service: str | None,
    prune: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Make what is there be as a plan file says.

    Says what will change, and asks. A second apply changes nothing; one after a failure goes on where that stopped.
    What has left the plan is named and stays, without --prune.
    """
    wanted, applied = apply_file(client, file, overlays, on_change=_tell, asks=not yes, prunes=prune, service=service)
    _show(wanted, applied, as_json=as_json)


def apply_file(
    client: SsmClient,
    file: Path,
    overlays: Iterable[Path] = (),
    *,
    on_change: Callable[[Change], None],
    asks: bool = False,
    prunes: bool = False,
    service: str | None = None,
) -> tuple[Plan, Applied]:
    """Apply a plan file, telling *on_change* of each change, and return the plan and what was done.

    Raises: ClientProblem; ClickException, where the file has problems, the answer to the question is no, or it is
    interrupted.
    """
    try:
        comparison = compare_file(client, file, overlays, prunes=prunes, service=service)
    except KeyboardInterrupt:
        raise click.ClickException("interrupted before the first change; nothing was done") from None
    if asks:
        _ask(comparison)
    done_count = 0

    def count(change: Change) -> None:
        nonlocal done_count
        done_count += change.changes_something
        on_change(change)

    try:
        return comparison.plan, apply(client, comparison, count)
    except KeyboardInterrupt:
        total = len(comparison.coming)
        next_one = f"; the next, {comparison.coming[done_count]}, may be done or not" if done_count < total else ""
        raise click.ClickException(
            f"interrupted: {done_count} of {total} changes are done{next_one}; apply again, and it goes on from there"
        ) from None


def _ask(comparison: Comparison) -> None:
    """Name what would change, and ask whether to go on; where nothing would, there is nothing to ask."""
    coming = comparison.coming
    for change in coming:
        show.note(f"will {change}")
    if coming:
        confirm(f"This makes {len(coming)} change{'' if len(coming) == 1 else 's'} for plan {comparison.plan.name!r}")


def _tell(change: Change) -> None:
    match change.action:
        case Action.CREATE | Action.UPDATE | Action.DELETE:
            show.note(f"done: {change}")
        case Action.LEAVE:
            show.note(f"no longer in the plan, and stays: {change.address} ({change.id})")
        case Action.KEEP:
            pass


def _show(wanted: Plan, applied: Applied, *, as_json: bool) -> None:
    outcome = {
        "Created": applied.created,
        "Updated": applied.updated,
        "Deleted": applied.deleted,
        "Unchanged": applied.unchanged,
        "Left": applied.left,
    }
    if as_json:
        records = {name: [_record(change) for change in changes] for name, changes in outcome.items()}
        show.document({"Plan": wanted.name, **records})
    else:
        show.details({"Plan": wanted.name, **{name: len(changes) for name, changes in outcome.items()}})


def _record(change: Change) -> dict[str, object]:
    return {"Kind": change.address.kind.value, "Path": change.address.path, "Changed": change.changed}
