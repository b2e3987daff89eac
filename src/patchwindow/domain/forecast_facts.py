"""What a forecast rests on: the fleet as it is known at one instant, without a database."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from patchwindow.domain.baseline import Baseline
from patchwindow.domain.facts import Facts
from patchwindow.domain.facts_patches import Sighting
from patchwindow.domain.freeze import Freeze
from patchwindow.domain.operating_system import OperatingSystem
from patchwindow.domain.window import Window


class Work(StrEnum):
    """What a task does to the patches of its nodes."""

    INSTALL = "Install"
    SCAN = "Scan"
    OTHER = "Other"


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastCohort:
    """Nodes with the same facts, system and group, of which the same waits for a reboot, by title."""

    cohort_id: str
    facts_digest: str
    operating_system: OperatingSystem
    patch_group: str
    baseline_id: str
    pending_reboot: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastNode:
    """A node; without a cohort it was never scanned, and without being heard of it may not come to its turn.

    *tags* are for others who read an export, None where they were not asked for: targets know their nodes.
    """

    node_id: str
    cohort_id: str = ""
    is_heard: bool = True
    tags: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastTarget:
    """The nodes of one target of a task, in the order of sending; *problem* says why the target selects none.

    *absent_count* more are named and not there: they are undeliverable at once, and MaxConcurrency counts them.
    """

    node_ids: tuple[str, ...] = ()
    absent_count: int = 0
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastTask:
    """A task of a window; a command of it is over after *lasts_s* seconds, whatever its nodes are doing.

    *list_name* is the parameter that names a list to be fetched, which nobody knows before.
    """

    task_id: str
    name: str = ""
    priority: int = 0
    document: str = ""
    work: Work = Work.OTHER
    may_reboot: bool = False
    list_name: str = ""
    lasts_s: int
    max_concurrency: str
    is_cancelled_at_cutoff: bool = False
    targets: tuple[ForecastTarget, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastWindow:
    """An enabled window with its tasks, and the freezes that it heeds; it does not open where these cannot be read."""

    window: Window
    tasks: tuple[ForecastTask, ...] = ()
    freezes: tuple[Freeze, ...] = ()
    freezes_problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedDurations:
    """How long former operations took on nodes of a group, in whole seconds."""

    work: Work
    patch_group: str = ""
    seconds: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetFacts:
    """All of it, as of an instant. *facts* and the two below are by the digest of the facts.

    *first_seen* is the ledger of first sights for baselines that go by it. *references* are the CVEs and advisories
    that the catalogue joins with offered patches, by title.
    """

    as_of: datetime
    cohorts: tuple[ForecastCohort, ...] = ()
    nodes: tuple[ForecastNode, ...] = ()
    windows: tuple[ForecastWindow, ...] = ()
    durations: tuple[RecordedDurations, ...] = ()
    baselines: Mapping[str, Baseline] = field(default_factory=dict)
    facts: Mapping[str, Facts] = field(default_factory=dict)
    first_seen: Mapping[str, Mapping[Sighting, date]] = field(default_factory=dict)
    references: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)
