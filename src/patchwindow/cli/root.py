"""The command `patchwindow`: a table of nouns, and the one place where an error becomes a line and an exit code."""

import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any, NoReturn

import click

from patchwindow.cli.exits import Exit
from patchwindow.domain.errors import PatchwindowError

COMMANDS: Mapping[str, str] = {
    "up": "Run a control plane with a node on this machine, and scan it",
    "server": "Run the control plane",
    "ca": "Show the certificate authority that nodes trust",
    "keys": "Make and revoke the access keys of a control plane",
    "people": "Let people sign in to the console of a control plane",
    "webhooks": "Say which webhooks carry out tasks that are no commands",
    "plan": "Check, compare, apply and export plan files",
    "check": "Search a server or an AWS account for what is forgotten",
    "nodes": "List, show, tag and deregister managed nodes",
    "activations": "Let new nodes register",
    "baselines": "Show patch baselines and set the default ones",
    "groups": "Join patch groups and baselines",
    "resource-groups": "Name sets of nodes by their tags",
    "windows": "Show maintenance windows and what they did",
    "calendar": "Show when windows open, with freezes and overlaps",
    "associations": "Run documents on nodes by a schedule",
    "commands": "Show, cancel and read the commands sent to nodes",
    "forecast": "Say what the coming openings of windows will install",
    "compliance": "Show which nodes and patches are compliant",
    "patches": "Show the patches of all nodes",
    "catalog": "Import advisories, and show what is known of patches",
    "explain": "Say why a patch is in its state on a node",
    "changes": "Show who changed what",
    "documents": "Show the documents, and write some of your own",
    "scan": "Find out now which patches nodes miss",
    "patch": "Install missing patches on nodes now",
    "agent": "Run the agent of this machine",
}
"""Every command with its line in the help.  A command lives in the module of its name, under its name,
whose words Python joins with an underscore.

The line stands here and not only in the command, so that `--help` imports no command.
"""


class Root(click.Group):
    """A group that imports a command when it is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - the signature is click's
        """Return the names of all commands."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's too
        """Import and return the command *cmd_name*, `None` if there is no such command."""
        if cmd_name not in COMMANDS:
            return None
        module = cmd_name.replace("-", "_")
        command = getattr(import_module(f"patchwindow.cli.{module}"), module)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's too
        """Write the table; click's own way would import every command for its help."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def main(  # type: ignore[override]  # click's other form, which returns, would pass every error by
        self, args: Sequence[str] | None = None, prog_name: str | None = None, **extra: Any
    ) -> NoReturn:
        """Run a command, and leave the process with its exit code."""
        extra["standalone_mode"] = False
        try:
            result = super().main(args, prog_name, **extra)
        except click.exceptions.NoArgsIsHelpError as misused:
            misused.show()
            sys.exit(Exit.MISUSED)
        except click.UsageError as misused:
            complain(f"{misused.format_message().rstrip('.')}{_where_to_read(misused.ctx)}")
            sys.exit(Exit.MISUSED)
        except click.Abort:
            complain("stopped before the end")
            sys.exit(Exit.FAILED)
        except (PatchwindowError, click.ClickException, OSError) as refused:
            complain(str(refused))
            sys.exit(Exit.FAILED)
        sys.exit(result if isinstance(result, int) else Exit.DONE)


def complain(message: str) -> None:
    """Write *message* as one line to standard error, under the program's name."""
    click.echo(f"patchwindow: {' '.join(message.split())}", err=True)


def _where_to_read(context: click.Context | None) -> str:
    return f" (see `{context.command_path} --help`)" if context else ""


@click.group(cls=Root, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="patchwindow", message="%(prog)s %(version)s")
def root() -> None:
    """Manage operating-system patches through the public AWS Systems Manager API.

    The commands speak to the control plane, or to AWS, that --endpoint-url, --profile and --region name, as in the
    AWS CLI. Results go to standard output, everything else to standard error.
    Exit codes: 0 done, 1 refused or failed, 2 misused.
    """
