"""What the coming openings of windows will do to a fleet, if nothing changes: what is forecast, and the way to it.

The rules are those of the engine and of patch operations; `forecast_run.py` plays them. A node is taken to answer, a
patch to install, and an operation to last as long as most did before.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from patchwindow.domain.forecast_facts import ForecastTask
from patchwindow.domain.forecast_patches import Left, Step
from patchwindow.domain.list_scheduling import Spread
from patchwindow.domain.window import Window


class Fate(StrEnum):
    """What comes of nodes at their turn in a task, or instead of it."""

    INSTALLED = "Installed"
    SCANNED = "Scanned"
    RAN = "Ran"
    NO_TURN = "NoTurn"
    CUT_OFF = "CutOff"
    NEVER_SCANNED = "NeverScanned"
    LIST_UNKNOWN = "ListUnknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class NodesForecast:
    """Nodes to which a task does the same: between the first begin and the last end.

    *step* is what an installation does; *left* is what is not installed after it; *reason* says why a fate is no good.
    """

    node_ids: tuple[str, ...]
    fate: Fate
    begins_at: datetime
    ends_at: datetime
    step: Step | None = None
    left: tuple[Left, ...] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskForecast:
    """A task of an opening: when it begins, how long it takes, and what it does to its nodes.

    It does not begin where *problem* says why not.
    """

    task: ForecastTask
    begins_at: datetime
    takes: Spread
    nodes: tuple[NodesForecast, ...] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpeningForecast:
    """An opening of a window; *given_up* says why it does not open, and is empty where it does."""

    window: Window
    opens_at: datetime
    cutoff_at: datetime
    ends_at: datetime
    takes: Spread
    tasks: tuple[TaskForecast, ...] = ()
    given_up: str = ""

    @property
    def fits(self) -> bool:
        """Return whether all of it has ended by the end of the window, in nineteen cases of twenty."""
        return self.opens_at + self.takes.p95 <= self.ends_at


@dataclass(frozen=True, slots=True, kw_only=True)
class NodesLeft:
    """Nodes on which the same patches are left at the end of a forecast."""

    node_ids: tuple[str, ...]
    left: tuple[Left, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """All of it. Of nodes that were never scanned nothing is known, and those that are silent are taken to come back."""

    as_of: datetime
    until: datetime
    openings: tuple[OpeningForecast, ...]
    left: tuple[NodesLeft, ...]
    never_scanned: tuple[str, ...]
    silent: tuple[str, ...]
