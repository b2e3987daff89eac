"""The agent's command line: `python3 agent.pyz …` or `python3 -m patchwindow_agent …`."""

import argparse
import os
import sys
from enum import IntEnum
from typing import NoReturn, Optional, Sequence

from patchwindow_agent import __version__, node_commands
from patchwindow_agent.errors import AgentError, Unsupported, Unusable

# Each command imports what it needs when it runs: a resting agent holds no package manager in memory, and a patch
# operation no channel.


class Exit(IntEnum):
    """What the exit code says. 169 means something to a document's step, and is never used.

    A patch operation ends with 194 to have the machine rebooted and to be run again, and with 168 where the other parts of
    its command have nothing to do.
    """

    DONE = 0
    FAILED = 1
    MISUSED = 2
    UNSUPPORTED = 3
    OVER = 168
    REBOOT = 194


CAPABILITY_VARIABLE = "PATCHWINDOW_URL"

_EXITS = "exit codes: 0 done, 1 failed, 2 misused, 3 nothing that is known here to do it with, 194 (patch) reboot, and run it again"


def _patch(options: argparse.Namespace) -> Exit:
    from patchwindow_agent import patch  # noqa: PLC0415 - see above

    try:
        url = node_commands.url(options.url or "")
    except argparse.ArgumentTypeError as problem:
        raise Unusable(f"{CAPABILITY_VARIABLE} does not hold the URL of a patch operation: {problem}") from problem
    ended = patch.run(url, environ=os.environ)
    print(ended.text)
    return Exit(ended.exit_code)


def _facts(_: argparse.Namespace) -> None:
    import json  # noqa: PLC0415 - see above

    from patchwindow_agent import patch  # noqa: PLC0415 - see above

    print(json.dumps(patch.facts(os.environ), indent=1, ensure_ascii=False), flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="patchwindow-agent", description="The agent of patchwindow", epilog=_EXITS)
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    node_commands.add_to(commands, exits=_EXITS)

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


def perform(arguments: Optional[Sequence[str]] = None) -> Exit:
    """Carry out one command line and return its exit code."""
    options = _parser().parse_args(arguments)
    try:
        code: Optional[int] = options.perform(options)
    except Unsupported as problem:
        node_commands.say(str(problem))
        return Exit.UNSUPPORTED
    except AgentError as problem:
        node_commands.say(str(problem))
        return Exit.FAILED
    except BrokenPipeError:
        # Whoever read the output has seen enough; without this the interpreter complains of it once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return Exit.FAILED
    return Exit.DONE if code is None else Exit(code)


def main() -> NoReturn:
    """Carry out this process's command line and end it."""
    sys.exit(perform())


if __name__ == "__main__":
    main()
