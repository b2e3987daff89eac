"""How the agent comes to a machine and leaves it: program, registration and service, each found in place when it is there."""

import contextlib
import os
import shutil
import sys
import time
from pathlib import Path
from typing import Callable, Mapping, NamedTuple, Optional

from patchwindow_agent import contact, files, identity, node_key, register, service, settings
from patchwindow_agent.errors import AgentError, ServiceProblem, StateProblem, Unsupported
from patchwindow_agent.programs import Run

_COME_UP_S = 60.0
_LOOK_EVERY_S = 0.5

# What the agent keeps in its state folder. Named one by one: what else may be there is none of ours.
_REGISTRATION = ("identity.json", node_key.FILE, "credentials", contact.FILE, "commands", "replies", "output")
_PROGRAM = tuple(service.PROGRAM + ending for ending in ("", ".new", ".old", ".bad"))
_REST = ("settings.json", "ca.pem", "lock", "starts", service.SCRIPT, *_PROGRAM)


class Order(NamedTuple):
    """What an installation is told."""

    kept: settings.Kept
    state: Path
    activation_id: str
    activation_code: Callable[[], str]
    region: str
    name: str
    # The one authority to trust; None for those of the system.
    ca: Optional[Path]
    is_forced: bool
    has_service: bool


class Place(NamedTuple):
    """The machine that is installed on."""

    root: Path
    run: Run
    environ: Mapping[str, str]
    # The program that is installed: the zip application that runs.
    program: Path


def this_machine(run: Run, environ: Mapping[str, str]) -> Place:
    """Return the machine that this process runs on."""
    return Place(Path("/"), run, environ, Path(sys.argv[0]).resolve())


def install(order: Order, place: Place, say: Callable[[str], None]) -> str:
    """Register this machine if it is not, keep the program, make it a service, and return the node's id.

    Done again, it renews the program, the settings and the service, and keeps the registration.

    Raises:
        Unsupported: nothing here that is known starts services.
        StateProblem: the folder or the program cannot be used, or the machine is registered with another server.
        Unreachable, Refused: the server did not register the machine.
        ServiceProblem: the service does not come up.
    """
    manager = service.find(place.root) if order.has_service else None
    if order.has_service and manager is None:
        raise Unsupported(
            "neither systemd nor launchd runs this machine: give --no-service, and let what starts services here run "
            f"`sh {order.state / service.SCRIPT}`"
        )
    program = _program(place.program)
    # Before anything is changed: a line that was meant for another machine must not cost this one its agent.
    _check_server(order)
    if order.ca is not None:
        settings.keep_ca(order.ca, order.state)
    node_id = _registered(order, place, say)
    files.write_bytes(order.state / service.PROGRAM, program)
    for name in (f"{service.PROGRAM}.old", f"{service.PROGRAM}.bad", "starts"):
        (order.state / name).unlink(missing_ok=True)
    service.write_script(order.state)
    if manager is None:
        say(f"no service was made: start the agent with `sh {order.state / service.SCRIPT}`")
        return node_id
    since = time.time()
    service.install(manager, order.state, root=place.root, run=place.run)
    _wait_for_contact(manager, order.state, since)
    return node_id


def unregister(state: Path, place: Place, say: Callable[[str], None]) -> None:
    """Stop the service, and forget the registration and all that belongs to it.

    Raises:
        StateProblem: there is no registration, or an agent that is no service still runs with the folder.
        ServiceProblem: the service does not stop.
    """
    node_id = identity.load(state).node_id
    _stop(state, place)
    _remove(state, _REGISTRATION)
    # As in the public API: what a node's own credentials could remove, an intruder on it could hide.
    say(f"{node_id} is no longer this machine; take it off the server with `patchwindow nodes deregister {node_id}`")


def uninstall(state: Path, place: Place, say: Callable[[str], None]) -> None:
    """Take the agent off this machine: service, registration, program.

    Raises:
        StateProblem: there is none, or an agent that is no service still runs with the folder.
        ServiceProblem: the service does not stop.
    """
    if not state.is_dir():
        raise StateProblem(f"{state} is no state folder of an agent: nothing is installed there")
    if identity.is_registered(state):
        unregister(state, place, say)
    else:
        _stop(state, place)
    _remove(state, _REST)
    with contextlib.suppress(OSError):
        state.rmdir()
    if state.exists():
        say(f"{state} holds more than the agent kept there, and stays")


def _check_server(order: Order) -> None:
    before = settings.load(order.state) if identity.is_registered(order.state) and not order.is_forced else None
    if before is not None and before.endpoint != order.kept.endpoint:
        node_id = identity.load(order.state).node_id
        raise StateProblem(
            f"this machine is {node_id} of {before.endpoint}: give --force to register it with {order.kept.endpoint}"
        )


def _registered(order: Order, place: Place, say: Callable[[str], None]) -> str:
    """Return the id of this node, which is registered now if it was not."""
    if identity.is_registered(order.state) and not order.is_forced:
        node_id = identity.load(order.state).node_id
        settings.save(order.kept, order.state)
        say(f"this machine is {node_id} already; the activation was not used")
        return node_id
    made = register.register(
        order.kept,
        activation_id=order.activation_id,
        activation_code=order.activation_code(),
        region=order.region,
        state=order.state,
        name=order.name,
        is_forced=order.is_forced,
        environ=place.environ,
        say=say,
    )
    try:
        register.greet(made, order.kept, order.state, place.environ)
    except AgentError as problem:
        say(f"registered, but the server has not heard of this machine yet: {problem}")
    return made.node_id


def _program(path: Path) -> bytes:
    try:
        content = path.read_bytes()
    except OSError:
        content = b""
    if b"PK\x03\x04" not in content[:200]:
        raise StateProblem(f"{path} is not the agent's zip application: install with the agent.pyz of the server")
    return content


def _wait_for_contact(manager: service.Manager, state: Path, since: float) -> None:
    ends_at = time.monotonic() + _COME_UP_S
    while time.monotonic() < ends_at:
        heard_at = contact.last(state)
        if heard_at is not None and heard_at >= since:
            return
        time.sleep(_LOOK_EVERY_S)
    raise ServiceProblem(
        f"the agent is installed, and the server has not answered it in {_COME_UP_S:.0f} s; `{manager.log}` may say why"
    )


def _stop(state: Path, place: Place) -> None:
    manager = service.find(place.root)
    if manager is not None:
        service.remove(manager, root=place.root, run=place.run)
    held = files.lock(state / "lock")
    if held is None:
        raise StateProblem(f"an agent still runs with the state folder {state}: stop it, then do this again")
    os.close(held)


def _remove(state: Path, names: tuple[str, ...]) -> None:
    for name in names:
        path = state / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
