"""The patch operation: fetch the order, carry it out alone on this machine, report it, return what it says."""

import contextlib
import os
import time
from pathlib import Path
from typing import Any, Callable, Iterator, Mapping, Optional

from patchwindow_agent import files, machine, managers, operation_text
from patchwindow_agent.capability import SCHEMA, Capability, Task
from patchwindow_agent.errors import Locked, StateProblem
from patchwindow_agent.installation import Ended, Installation
from patchwindow_agent.operation_journal import OperationJournal, is_under_way
from patchwindow_agent.package_manager import PackageManager, Phase
from patchwindow_agent.pending import Pending, titles_of
from patchwindow_agent.results import EXIT_SUCCEEDED

CANNOT_REBOOT = "PATCHWINDOW_CANNOT_REBOOT"
"""The environment variable in which an agent says why it will not reboot the machine."""

CUT_OFF = "PATCHWINDOW_CUT_OFF"
"""The environment variable in which an agent says that it runs a step again whose end it did not learn."""

PART = "PATCHWINDOW_PART"
"""The environment variable in which a step says which part of its command it is, where there are several."""

# Set by every agent, in every step.
_COMMAND_ID = "SSM_COMMAND_ID"
_LOCK_WAIT_S = 600
_OWN_LOCK_WAIT_S = 7200
_LOCK_PAUSE_S = 1


def run(url: str, *, environ: Mapping[str, str], boot_id: Callable[[], str] = machine.boot_id) -> Ended:
    """Carry out the operation that *url* stands for and return what it has to say, and its exit code.

    Raises:
        AgentError: it could not be carried out or reported.
    """
    with contextlib.closing(Capability(url, environ=environ, part=environ.get(PART, ""))) as server:
        operations = _state(environ) / "operations"
        task = server.task(is_under_way=is_under_way(operations, environ.get(_COMMAND_ID, "")))
        if task.operation == "Nothing":
            return Ended("nothing to do: the command says NoReboot", 0)
        cache = _cache(environ)
        manager = managers.find(environ, cache=cache)
        pending = Pending(_state(environ) / "pending-reboot.json")
        was_unheard = bool(environ.get(CUT_OFF))
        # What the agent lost sight of may still be at work, for as long as a step may take.
        with _alone(cache, wait_s=_OWN_LOCK_WAIT_S if was_unheard else _LOCK_WAIT_S):
            if task.operation == "Scan":
                return _scanned(task, manager, server, pending, boot_id=boot_id())
            ids = (task.command_id, task.node_id, *([task.part] if task.part else []))
            journal = OperationJournal(operations, *ids)
            journal.forget_old()
            return Installation(
                task,
                manager=manager,
                server=server,
                journal=journal,
                pending=pending,
                boot_id=boot_id(),
                cannot_reboot=environ.get(CANNOT_REBOOT, ""),
                was_unheard=was_unheard,
            ).run()


def facts(environ: Mapping[str, str]) -> dict[str, Any]:
    """Return what this machine would report, by the package lists as they are.

    Raises:
        AgentError: there are no facts.
    """
    found, _ = managers.find(environ, cache=_cache(environ)).facts()
    return found


def _scanned(task: Task, manager: PackageManager, server: Capability, pending: Pending, *, boot_id: str) -> Ended:
    """Report what a scan finds (docs/facts.md); cut off, it simply runs again."""
    started_at = time.time()
    with manager.using(task.sources) if task.sources else contextlib.nullcontext():
        server.tell(Phase.REFRESHING, 0, 0, "")
        lists = manager.refresh()
        server.tell(Phase.SCANNING, 0, 0, "")
        found, installed_at = manager.facts()
    report = {
        "schema": SCHEMA,
        "operation": task.operation,
        "startedAt": started_at,
        "endedAt": max(time.time(), started_at),
        "bootId": boot_id,
        "lists": {"refreshed": lists.is_refreshed, "asOf": lists.as_of, "problem": lists.problem},
        "facts": found,
        "installedAt": installed_at,
        "pendingReboot": pending.waiting(boot_id, titles_of(found)),
    }
    verdict = server.report(report)
    # With hooks the scan is the first part, and says by its exit code whether others follow.
    return Ended(operation_text.verdict_text(verdict, report), EXIT_SUCCEEDED if verdict.get("isOver") is True else 0)


def _state(environ: Mapping[str, str]) -> Path:
    """Return the folder of what must survive a reboot."""
    if environ.get("XDG_STATE_HOME"):
        return Path(environ["XDG_STATE_HOME"]) / "patchwindow"
    return Path("/var/lib/patchwindow") if os.geteuid() == 0 else Path("~/.local/state/patchwindow").expanduser()


def _cache(environ: Mapping[str, str]) -> Optional[Path]:
    """Return a folder of our own that can be written, None where this user has none."""
    if environ.get("XDG_CACHE_HOME"):
        base = Path(environ["XDG_CACHE_HOME"])
    elif os.geteuid() == 0:
        base = Path("/var/cache")
    else:
        base = Path("~").expanduser() / ".cache"
    folder = base / "patchwindow"
    try:
        files.make_private(folder)
    except StateProblem:
        return None
    return folder if os.access(folder, os.W_OK) else None


@contextlib.contextmanager
def _alone(cache: Optional[Path], *, wait_s: int) -> Iterator[None]:
    """Wait until no other patch operation runs, and let none begin meanwhile."""
    if cache is None:
        # Such a user can only read, which disturbs nobody.
        yield
        return
    path = cache / "patch.lock"
    for _ in range(wait_s // _LOCK_PAUSE_S):
        descriptor = files.lock(path)
        if descriptor is not None:
            break
        time.sleep(_LOCK_PAUSE_S)
    else:
        raise Locked(f"another patch operation has held {path} for {wait_s} s: try again when it has ended")
    try:
        yield
    finally:
        os.close(descriptor)
