"""The locks of apt and dpkg: there are three, of which apt waits for one; here one way waits for all."""

import re
from typing import Callable, Optional

from patchwindow_agent.errors import Locked
from patchwindow_agent.programs import Completed

_PAUSE_S = 2

_APT = re.compile(
    r"^E: Could not get lock (\S+?)\.? (?:It is held by process (\d+)(?: \((.*?)\))?|- open)", re.MULTILINE
)
_DPKG = re.compile(r"^dpkg: error: (dpkg .*?) (?:is|was) locked by .*?(?: with pid (\d+))?$", re.MULTILINE)


def held_lock(stderr: str) -> Optional[str]:
    """Return which lock kept a program from its work and who holds it, None where none did."""
    held = _APT.search(stderr) or _DPKG.search(stderr)
    if held is None:
        return None
    if not held[2]:
        return f"{held[1]} is held by another process"
    name = (held[3] if held.re is _APT else None) or "unknown"
    return f"{held[1]} is held by process {held[2]} ({name})"


def patiently(
    attempt: Callable[[], Completed],
    *,
    sleep: Callable[[float], None],
    wait_s: int,
    on_wait: Callable[[str], None] = lambda _: None,
) -> Completed:
    """Return what *attempt* gives once no lock keeps it from its work; *on_wait* hears which one does.

    Raises:
        Locked: the lock was not released within *wait_s* seconds.
    """
    waited_s = 0
    while True:
        done = attempt()
        held = held_lock(done.stderr) if done.exit_code != 0 else None
        if held is None:
            return done
        if waited_s >= wait_s:
            raise Locked(f"{held}; waited {wait_s} s")
        on_wait(held)
        sleep(_PAUSE_S)
        waited_s += _PAUSE_S
