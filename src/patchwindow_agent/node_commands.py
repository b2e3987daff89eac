"""The commands that make this machine a node and keep it one: they bring the agent, run it, say how it is, take it away."""

import argparse
import json
import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from patchwindow_agent.errors import AgentError, Unusable
from patchwindow_agent.settings import AT_ONCE, DEFAULT_STATE, REBOOT_COMMAND, Kept

if TYPE_CHECKING:
    from patchwindow_agent.setup import Place

# Each command imports what it needs when it runs: a resting agent holds no installer in memory.


def add_to(commands: Any, *, exits: str) -> None:
    """Add the commands to the subparsers *commands*, each with the exit codes *exits* in its help."""

    def add(name: str, perform: Any, text: str) -> argparse.ArgumentParser:
        command: argparse.ArgumentParser = commands.add_parser(name, help=text, epilog=exits)
        command.set_defaults(perform=perform)
        command.add_argument(
            "--state",
            type=Path,
            default=DEFAULT_STATE,
            metavar="DIR",
            help="the folder of this node's state (default: %(default)s)",
        )
        return command

    install = add("install", _install, "register this machine and make the agent its service")
    install.add_argument("--no-service", action="store_true", help="make no service; something else starts the agent")
    register = add("register", _register, "make this machine a managed node")
    for command in (install, register):
        _add_registration(command)
        _add_settings(command)
        command.add_argument("--endpoint", required=True, type=url, metavar="URL", help="the server's URL")

    run = add("run", _run, "take commands from the server until told to stop")
    _add_settings(run)
    run.add_argument("--endpoint", type=url, metavar="URL", help="the server's URL (default: that of the registration)")
    run.add_argument("--stop-with-parent", action="store_true", help="stop when standard input is closed")
    run.add_argument("--self-update", action="store_true", help="take the server's program over when it is another")
    run.add_argument("--trial", action="store_true", help="speak with the server once, take no command, and end")

    status = add("status", _status, "say whether the agent runs and the server answers it")
    status.add_argument("--json", action="store_true", help="print JSON")
    add("unregister", _unregister, "stop the agent and forget its registration")
    add("uninstall", _uninstall, "take the agent and all that it kept off this machine")


def _add_registration(command: argparse.ArgumentParser) -> None:
    command.add_argument("--activation-id", required=True, metavar="ID", help="the activation's id")
    command.add_argument(
        "--activation-code", required=True, metavar="CODE", help="the activation's code; -: the next line of the input"
    )
    command.add_argument("--region", required=True, help="the server's region")
    command.add_argument("--name", default="", help="the computer's name (default: the host name)")
    command.add_argument("--force", action="store_true", help="replace a registration that is there")
    command.add_argument("--ca", type=Path, metavar="FILE", help="the one CA to trust, PEM (default: the system's)")


def _add_settings(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--proxy", type=_proxy, metavar="URL", help="the HTTP proxy to the server, or none (default: HTTPS_PROXY)"
    )
    command.add_argument(
        "--reboot-command",
        metavar="COMMAND",
        help=f"what reboots the machine when a step asks for it; empty: never (default: {REBOOT_COMMAND})",
    )
    command.add_argument(
        "--at-once", type=_at_once, metavar="COUNT", help=f"how many commands may run at once (default: {AT_ONCE})"
    )


def _install(options: argparse.Namespace) -> None:
    from patchwindow_agent import setup  # noqa: PLC0415 - see above

    _check_root()
    print(setup.install(_order(options), _place(), say))


def _register(options: argparse.Namespace) -> None:
    from patchwindow_agent import settings  # noqa: PLC0415 - see above
    from patchwindow_agent.register import greet, register  # noqa: PLC0415 - see above

    kept = Kept(**_given(options))
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
        say=say,
    )
    print(registered.node_id)
    try:
        greet(registered, kept, options.state, os.environ)
    except AgentError as problem:
        say(f"registered, but the server has not heard of this machine yet: {problem}")


def _run(options: argparse.Namespace) -> None:
    from patchwindow_agent import agent, service, settings  # noqa: PLC0415 - see above
    from patchwindow_agent.connection import parse_endpoint  # noqa: PLC0415 - see above

    state = options.state.absolute()
    given, kept = _given(options), settings.load(state)
    if kept is None and "endpoint" not in given:
        raise Unusable(f"{state} does not say where the server is: register this machine, or give --endpoint")
    kept = Kept(**given) if kept is None else kept._replace(**given)
    start = agent.Start(
        endpoint=parse_endpoint(kept.endpoint),
        state=state,
        reboot_command=shlex.split(kept.reboot_command),
        environ=settings.environment(state, kept, os.environ),
        at_once=kept.at_once,
        program=state / service.PROGRAM if options.self_update else None,
    )
    if options.trial:
        agent.Agent(start).try_out()
    else:
        agent.run(start, stops_with_parent=options.stop_with_parent)


def _status(options: argparse.Namespace) -> int:
    from patchwindow_agent import status  # noqa: PLC0415 - see above

    place = _place()
    found, problems = status.look(options.state.absolute(), root=place.root, run=place.run)
    if options.json:
        print(json.dumps({**found, "problems": problems}, indent=1))
    else:
        for name, value in found.items():
            print(f"{name:<20}{_shown(value)}")
    for problem in problems:
        say(problem)
    return 1 if problems else 0


def _unregister(options: argparse.Namespace) -> None:
    from patchwindow_agent import setup  # noqa: PLC0415 - see above

    _check_root()
    setup.unregister(options.state.absolute(), _place(), say)


def _uninstall(options: argparse.Namespace) -> None:
    from patchwindow_agent import setup  # noqa: PLC0415 - see above

    _check_root()
    setup.uninstall(options.state.absolute(), _place(), say)


def _order(options: argparse.Namespace) -> Any:
    from patchwindow_agent import setup  # noqa: PLC0415 - see above

    return setup.Order(
        kept=Kept(**_given(options)),
        state=options.state.absolute(),
        activation_id=options.activation_id,
        activation_code=lambda: _code(options.activation_code),
        region=options.region,
        name=options.name,
        ca=options.ca,
        is_forced=options.force,
        has_service=not options.no_service,
    )


def _given(options: argparse.Namespace) -> dict[str, Any]:
    """Return the settings that were given; the others are as they are kept, or as they are by default."""
    return {name: value for name in Kept._fields if (value := getattr(options, name)) is not None}


def _code(given: str) -> str:
    """Return the activation's code; `-` says that it is the next line of standard input, where nobody else can read it."""
    return sys.stdin.readline().strip() if given == "-" else given


def _place() -> "Place":
    from patchwindow_agent import programs, setup  # noqa: PLC0415 - see above

    return setup.this_machine(programs.runner(os.environ), os.environ)


def _check_root() -> None:
    if os.geteuid() != 0:
        raise Unusable("only root can bring the agent to this machine or take it away: run this with sudo")


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return "-" if value is None else str(value)


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


def url(text: str) -> str:
    """Return *text*, which is the URL of a server."""
    from patchwindow_agent.connection import parse_endpoint  # noqa: PLC0415 - see above

    try:
        parse_endpoint(text)
    except ValueError as problem:
        raise argparse.ArgumentTypeError(str(problem)) from problem
    return text


def say(message: str) -> None:
    """Say what is no result: to standard error."""
    print(f"patchwindow-agent: {message}", file=sys.stderr)
