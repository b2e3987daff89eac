"""The agent's command line: `python3 agent.pyz …` or `python3 -m patchwindow_agent …`."""

import argparse
import os
import shlex
import sys
from enum import IntEnum
from pathlib import Path
from typing import NoReturn, Optional, Sequence

from patchwindow_agent import __version__
from patchwindow_agent.errors import AgentError, Unsupported, Unusable

# Each command imports what it needs when it runs: a resting agent holds no package manager in memory, and a patch
# operation no channel.


class Exit(IntEnum):
    """What the exit code says. 168, 169 and 194 mean something to a document's step, and are never used."""

    DONE = 0
    FAILED = 1
    MISUSED = 2
    UNSUPPORTED = 3


CAPABILITY_VARIABLE = "PATCHWINDOW_URL"

_EXITS = "exit codes: 0 done, 1 failed, 2 misused, 3 no package manager that is known here"


def _register(options: argparse.Namespace) -> None:
    from patchwindow_agent.register import greet, register  # noqa: PLC0415 - see above

    registered = register(
        options.endpoint,
        activation_id=options.activation_id,
        activation_code=options.activation_code,
        region=options.region,
        state=options.state,
        name=options.name,
        is_forced=options.force,
    )
    print(registered.node_id)
    try:
        greet(registered, options.endpoint)
    except AgentError as problem:
        _complain(f"registered, but the server has not heard of this machine yet: {problem}")


def _run(options: argparse.Namespace) -> None:
    from patchwindow_agent.agent import Settings, run  # noqa: PLC0415 - see above
    from patchwindow_agent.connection import parse_endpoint  # noqa: PLC0415 - see above

    settings = Settings(
        endpoint=parse_endpoint(options.endpoint),
        state=options.state.absolute(),
        reboot_command=shlex.split(options.reboot_command),
        environ=os.environ,
    )
    run(settings, stops_with_parent=options.stop_with_parent)


def _patch(options: argparse.Namespace) -> None:
    from patchwindow_agent import patch  # noqa: PLC0415 - see above

    try:
        url = _url(options.url or "")
    except argparse.ArgumentTypeError as problem:
        raise Unusable(f"{CAPABILITY_VARIABLE} does not hold the URL of a patch operation: {problem}") from problem
    print(patch.run(url, environ=os.environ))


def _facts(_: argparse.Namespace) -> None:
    import json  # noqa: PLC0415 - see above

    from patchwindow_agent import patch  # noqa: PLC0415 - see above

    facts, _installed_at = patch.back_end(os.environ).facts()
    print(json.dumps(facts, indent=1, ensure_ascii=False), flush=True)


def _url(text: str) -> str:
    from patchwindow_agent.connection import parse_endpoint  # noqa: PLC0415 - see above

    try:
        parse_endpoint(text)
    except ValueError as problem:
        raise argparse.ArgumentTypeError(str(problem)) from problem
    return text


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="patchwindow-agent", description="The agent of patchwindow", epilog=_EXITS)
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    register = commands.add_parser("register", help="make this machine a managed node", epilog=_EXITS)
    register.set_defaults(perform=_register)
    register.add_argument("--activation-id", required=True, metavar="ID", help="the activation's id")
    register.add_argument("--activation-code", required=True, metavar="CODE", help="the activation's code")
    register.add_argument("--region", required=True, help="the server's region")
    register.add_argument("--name", default="", help="the computer's name (default: the host name)")
    register.add_argument("--force", action="store_true", help="replace a registration that is there")

    run = commands.add_parser("run", help="take commands from the server until told to stop", epilog=_EXITS)
    run.set_defaults(perform=_run)
    run.add_argument("--stop-with-parent", action="store_true", help="stop when standard input is closed")
    run.add_argument(
        "--reboot-command",
        metavar="COMMAND",
        default="/sbin/shutdown -r +1",
        help="what reboots the machine when a step asks for it; empty: never (default: %(default)s)",
    )
    for command in (register, run):
        command.add_argument("--endpoint", required=True, type=_url, metavar="URL", help="the server's URL")
        command.add_argument("--state", required=True, type=Path, metavar="DIR", help="the folder of this node's state")

    text = f"The command's capability URL is taken from the environment variable {CAPABILITY_VARIABLE}."
    patch = commands.add_parser(
        "patch", help="carry out one patch operation and report it", description=text, epilog=_EXITS
    )
    patch.set_defaults(perform=_patch)
    # No option: every user of the machine can read a command line, and who has this URL speaks for the node.
    patch.set_defaults(url=os.environ.get(CAPABILITY_VARIABLE))

    facts = commands.add_parser("facts", help="print what this machine would report, as JSON", epilog=_EXITS)
    facts.set_defaults(perform=_facts)
    return parser


def _complain(message: str) -> None:
    print(f"patchwindow-agent: {message}", file=sys.stderr)


def perform(arguments: Optional[Sequence[str]] = None) -> Exit:
    """Carry out one command line and return its exit code."""
    options = _parser().parse_args(arguments)
    try:
        options.perform(options)
    except Unsupported as problem:
        _complain(str(problem))
        return Exit.UNSUPPORTED
    except AgentError as problem:
        _complain(str(problem))
        return Exit.FAILED
    except BrokenPipeError:
        # Whoever read the output has seen enough; without this the interpreter complains of it once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return Exit.FAILED
    return Exit.DONE


def main() -> NoReturn:
    """Carry out this process's command line and end it."""
    sys.exit(perform())


if __name__ == "__main__":
    main()
