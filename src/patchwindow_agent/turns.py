"""Doing a thing again and again until the agent stops, with pauses while it fails; and the agent's log."""

import contextlib
import sys
import threading
import traceback
from typing import Callable

from patchwindow_agent.errors import AgentError, Asleep

_PAUSE_MAX_S = 60.0


def pause_s(failure_count: int, chance: Callable[[float, float], float]) -> float:
    """Return how long to wait after so many failures in a row.

    Longer each time, a minute at most, and by chance, so that a fleet does not come back all at once.
    """
    return min(2.0 ** min(failure_count, 10), _PAUSE_MAX_S) * chance(0.5, 1.0)


class Turns:
    """The turns of one agent: all of its threads stop together."""

    def __init__(self, chance: Callable[[float, float], float]) -> None:
        self.chance = chance
        self.stopping = threading.Event()

    def pause(self, failure_count: int) -> None:
        """Wait as after so many failures, no longer than until the agent stops."""
        self.stopping.wait(pause_s(failure_count, self.chance))

    def repeat(self, turn: Callable[[], None]) -> None:
        """Do *turn* again and again until the agent stops, with pauses while it fails."""
        failure_count = 0
        while not self.stopping.is_set():
            try:
                turn()
            except AgentError as problem:
                failure_count += 1
                wait_s = problem.retry_after_s if isinstance(problem, Asleep) else pause_s(failure_count, self.chance)
                log(f"{problem}; trying again in {wait_s:.0f} s")
                self.stopping.wait(wait_s)
            except Exception:  # noqa: BLE001 - one bad answer must not silence the node for good
                failure_count += 1
                log(traceback.format_exc())
                self.pause(failure_count)
            else:
                failure_count = 0


def log(message: str) -> None:
    """Say *message* to whoever keeps the agent's log; a log on a full disk must not be what ends the agent."""
    with contextlib.suppress(OSError):
        print(f"patchwindow-agent: {message}", file=sys.stderr, flush=True)
