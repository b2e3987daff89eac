"""`patchwindow agent`: the agent of this machine, in this environment."""

import os
import sys

import click


@click.command(
    add_help_option=False,
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def agent(arguments: tuple[str, ...]) -> None:
    """Run the agent of this machine.

    The agent reads all arguments itself; `patchwindow agent --help` is its own help.
    """
    # The agent takes this process over, so that signals and exit codes are its own; `-P`, because a root process
    # must not import from whatever directory it was started in.
    os.execv(sys.executable, [sys.executable, "-P", "-m", "patchwindow_agent", *arguments])  # noqa: S606 - no shell is the point
