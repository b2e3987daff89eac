"""How the agent of this machine is: registered, running, in contact; read from its state folder, nobody is asked."""

import hashlib
import os
import time
from pathlib import Path
from typing import Any, NamedTuple, Optional

from patchwindow_agent import __version__, contact, files, identity, journal, service, settings
from patchwindow_agent.errors import StateProblem
from patchwindow_agent.programs import Run

# From then on the server itself calls a node lost: two pings of five minutes, and a little.
_SILENT_S = 11 * 60


class Status(NamedTuple):
    """What is found, by name, and what is wrong with it."""

    found: dict[str, Any]
    problems: list[str]


def look(state: Path, *, root: Path, run: Run, now: Optional[float] = None) -> Status:
    """Return how the agent with the folder *state* is.

    Raises:
        StateProblem: the machine is not registered, or the folder cannot be read.
    """
    now = time.time() if now is None else now
    node, kept = identity.load(state), settings.load(state)
    problems = []
    is_running = _is_running(state)
    if not is_running:
        problems.append("the agent does not run")
    heard_at = contact.last(state)
    if heard_at is None:
        problems.append("the server has never answered it")
    elif now - heard_at > _SILENT_S:
        problems.append(f"the server has not answered it for {(now - heard_at) / 60:.0f} minutes")
    manager = service.find(root)
    is_service = manager is not None and service.is_installed(manager, root)
    if manager is not None and is_service and run(manager.ask).exit_code != 0:
        problems.append(f"its service is not active; `{manager.log}` may say why")
    found = {
        "node": node.node_id,
        "server": kept.endpoint if kept is not None else None,
        "proxy": _shown(kept.proxy) if kept is not None else None,
        "version": __version__,
        "program": _digest(state / service.PROGRAM),
        "service": manager.name if manager is not None and is_service else None,
        "running": is_running,
        "lastContact": None if heard_at is None else time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(heard_at)),
        "unfinishedCommands": sorted(journal.Journal(state / "commands").unfinished()),
        "repliesWaiting": len(list((state / "replies").glob("*.json"))),
    }
    return Status(found, problems)


def _is_running(state: Path) -> bool:
    try:
        held = files.lock(state / "lock")
    except StateProblem:
        return False
    if held is None:
        return True
    os.close(held)
    return False


def _digest(path: Path) -> Optional[str]:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return None


def _shown(proxy: Optional[str]) -> Optional[str]:
    """Return *proxy* without its password."""
    return proxy if proxy is None or "@" not in proxy else f"http://{proxy.rpartition('@')[2]}"
