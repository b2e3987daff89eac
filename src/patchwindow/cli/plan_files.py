"""What the commands about plan files share: their options, and a file compared with what there is."""

from collections.abc import Iterable
from pathlib import Path

import click

from patchwindow.cli import show
from patchwindow.client import SsmClient, is_aws
from patchwindow.plans import Comparison, PlanProblems, compare, read_plan
from patchwindow.system import SystemClock

file_argument = click.argument("file", type=click.Path(path_type=Path))

overlay_option = click.option(
    "--overlay",
    "overlays",
    type=click.Path(path_type=Path),
    metavar="FILE",
    multiple=True,
    help="A file of what to say instead, as for one environment; may be repeated, later ones go first",
)


for_option = click.option(
    "--for",
    "service",
    type=click.Choice(["aws", "server"]),
    help="What answers: AWS, or a patchwindow server; otherwise the address says it",
)

prune_option = click.option("--prune", is_flag=True, help="Delete what the plan has made and does not have any more")


def compare_file(
    client: SsmClient, file: Path, overlays: Iterable[Path], *, prunes: bool, service: str | None
) -> Comparison:
    """Compare a plan file with what there is, and say where the service cannot do what the plan wants.

    Raises: ClientProblem; ClickException, where the file has problems.
    """
    is_for_aws = is_aws(client) if service is None else service == "aws"
    try:
        wanted = read_plan(file, overlays)
        if is_for_aws and any(window.freezes for window in wanted.windows.values()):
            show.note(
                "windows of AWS heed no freezes: one that is in a freeze, or opens next in one, is disabled until an "
                "apply after it; let a scheduler apply this plan at least once between two openings"
            )
        return compare(client, wanted, now=SystemClock().now(), heeds_freezes=not is_for_aws, prunes=prunes)
    except PlanProblems as problems:
        for problem in problems.problems:
            show.note(str(problem))
        raise click.ClickException(
            f"{file} has {counted(problems)}, nothing was changed; correct the lines above"
        ) from problems


def counted(problems: PlanProblems) -> str:
    """Return how many there are, in words."""
    count = len(problems.problems)
    return f"{count} problem{'' if count == 1 else 's'}"
