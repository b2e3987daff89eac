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
from patchwindow_agent.settings import AT_ONCE, DEFAULT_STATE, REBOOT_COMMAND

# Each command imports what it needs when it runs: a resting agent holds no package manager in memory, and a patch
# operation no channel.


class Exit(IntEnum):
    """What the exit code says. 168 and 169 mean something to a document's step, and are never used.

    A patch operation ends with 194 to have the machine rebooted and to be run again.
    """

    DONE = 0
    FAILED = 1
    MISUSED = 2
    UNSUPPORTED = 3
    REBOOT = 194


CAPABILITY_VARIABLE = "PATCHWINDOW_URL"

_EXITS = "exit codes: 0 done, 1 failed, 2 misused, 3 no package manager that is known here, 194 (patch) reboot, and run it again"


def _register(options: argparse.Namespace) -> None:
    from patchwindow_agent import settings  # noqa: PLC0415 - see above
    from patchwindow_agent.register import greet, register  # noqa: PLC0415 - see above

    kept = settings.Kept(options.endpoint, proxy=options.proxy)
    if options.ca is not None:
        settings.keep_ca(options.ca, options.state)
    registered = register(
        kept,
        activation_id=options.activation_id,
        activation_code=_code(options.activation_code),
        region=options.region,
        state=options.state,
        name=options.name,
        is_forced=options.force,
        environ=os.environ,
    )
    print(registered.node_id)
    try:
        greet(registered, kept, options.state, os.environ)
    except AgentError as problem:
        _complain(f"registered, but the server has not heard of this machine yet: {problem}")


def _run(options: argparse.Namespace) -> None:
    from patchwindow_agent import settings  # noqa: PLC0415 - see above
    from patchwindow_agent.agent import Start, run  # noqa: PLC0415 - see above
    from patchwindow_agent.connection import parse_endpoint  # noqa: PLC0415 - see above

    state = options.state.absolute()
    given = {name: value for name in settings.Kept._fields if (value := getattr(options, name)) is not None}
    kept = settings.load(state)
    if kept is None and "endpoint" not in given:
        raise Unusable(f"{state} does not say where the server is: register this machine, or give --endpoint")
    kept = settings.Kept(**given) if kept is None else kept._replace(**given)
    start = Start(
        endpoint=parse_endpoint(kept.endpoint),
        state=state,
        reboot_command=shlex.split(kept.reboot_command),
        environ=settings.environment(state, kept, os.environ),
        at_once=kept.at_once,
    )
    run(start, stops_with_parent=options.stop_with_parent)


def _patch(options: argparse.Namespace) -> Exit:
    from patchwindow_agent import patch  # noqa: PLC0415 - see above

    try:
        url = _url(options.url or "")
    except argparse.ArgumentTypeError as problem:
        raise Unusable(f"{CAPABILITY_VARIABLE} does not hold the URL of a patch operation: {problem}") from problem
    ended = patch.run(url, environ=os.environ)
    print(ended.text)
    return Exit(ended.exit_code)


def _facts(_: argparse.Namespace) -> None:
    import json  # noqa: PLC0415 - see above

    from patchwindow_agent import patch  # noqa: PLC0415 - see above

    print(json.dumps(patch.facts(os.environ), indent=1, ensure_ascii=False), flush=True)


def _code(given: str) -> str:
    """Return the activation's code; `-` says that it is the next line of standard input, where nobody else can read it."""
    return sys.stdin.readline().strip() if given == "-" else given


def _at_once(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 16:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 to 16")
    return int(text)


def _proxy(text: str) -> str:
    from patchwindow_agent.settings import check_proxy  # noqa: PLC0415 - see above

    try:
        return check_proxy(text)
    except ValueError as problem:
        raise argparse.ArgumentTypeError(str(problem)) from problem


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
    register.add_argument(
        "--activation-code", required=True, metavar="CODE", help="the activation's code; -: the next line of the input"
    )
    register.add_argument("--region", required=True, help="the server's region")
    register.add_argument("--name", default="", help="the computer's name (default: the host name)")
    register.add_argument("--force", action="store_true", help="replace a registration that is there")

    run = commands.add_parser("run", help="take commands from the server until told to stop", epilog=_EXITS)
    run.set_defaults(perform=_run)
    run.add_argument("--stop-with-parent", action="store_true", help="stop when standard input is closed")
    run.add_argument(
        "--reboot-command",
        metavar="COMMAND",
        help=f"what reboots the machine when a step asks for it; empty: never (default: {REBOOT_COMMAND})",
    )
    run.add_argument(
        "--at-once",
        type=_at_once,
        metavar="COUNT",
        help=f"how many commands may run at once (default: {AT_ONCE})",
    )
    register.add_argument("--endpoint", required=True, type=_url, metavar="URL", help="the server's URL")
    register.add_argument(
        "--ca", type=Path, metavar="FILE", help="the one CA to trust, PEM (default: those of the system)"
    )
    run.add_argument(
        "--endpoint", type=_url, metavar="URL", help="the server's URL (default: that of the registration)"
    )
    for command in (register, run):
        command.add_argument(
            "--proxy", type=_proxy, metavar="URL", help="the HTTP proxy to the server, or none (default: HTTPS_PROXY)"
        )
        command.add_argument(
            "--state",
            type=Path,
            default=DEFAULT_STATE,
            metavar="DIR",
            help="the folder of this node's state (default: %(default)s)",
        )

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
        code: Optional[Exit] = options.perform(options)
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
    return Exit.DONE if code is None else code


def main() -> NoReturn:
    """Carry out this process's command line and end it."""
    sys.exit(perform())


if __name__ == "__main__":
    main()
