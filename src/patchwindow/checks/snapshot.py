"""What a check looks at: everything that the API told of nodes, windows and baselines, at one instant.  Values only."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum

from patchwindow.domain.operating_system import OperatingSystem


class Topic(StrEnum):
    """What is asked of the API by itself, so that it may be refused by itself."""

    NODES = "the nodes"
    NODE_TAGS = "the patch groups of nodes"
    SCANS = "the last scans"
    GROUPS = "the registered patch groups"
    BASELINES = "the baselines"
    RELEASES = "when patches were released"
    WINDOWS = "the windows"
    TARGETS = "the nodes of targets"
    TASKS = "what tasks are given"
    CALENDARS = "the freezes of windows"
    ASSOCIATIONS = "the associations"
    RUNS = "former runs"
    ROLES = "the roles"
    SETTINGS = "the default role of instances"
    INSTANCES = "the instances"
    SECURITY_GROUPS = "the security groups"


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A managed node; *group* is the value of its tag Patch Group, None without one, and empty where it is not told."""

    id: str
    name: str = ""
    ping_status: str = "Online"
    last_ping_at: datetime | None = None
    system: OperatingSystem | None = None
    product: str = ""
    agent_version: str = ""
    has_latest_agent: bool | None = None
    registered_at: datetime | None = None
    group: str | None = None
    scanned_at: datetime | None = None

    def __str__(self) -> str:
        return f"node {self.id} ({self.name})" if self.name else f"node {self.id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowTarget:
    """A target of a window, and the nodes that it means now."""

    id: str
    name: str = ""
    nodes: frozenset[str] = frozenset()

    def __str__(self) -> str:
        return f"target {self.name or self.id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowTask:
    """A task of a window; *parts* has the nodes of each of its targets, which it works through one after another.

    *operation* and *reboot_option* are parameters of the document, None where it was given none of that name.
    """

    id: str
    name: str = ""
    document: str
    priority: int = 0
    max_concurrency: str = "1"
    is_cancelled_at_cutoff: bool = False
    target_ids: tuple[str, ...] = ()
    parts: tuple[frozenset[str], ...] = ()
    operation: str | None = None
    reboot_option: str | None = None

    def __str__(self) -> str:
        return f"task {self.name or self.id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """How long a document, or an operation of one, took on a node."""

    document: str
    operation: str | None
    duration: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """An execution of a window that has ended: who took part, who was to and did not, and how long each one took.

    *has_idle_tasks* says that the window, or a task of it, did not begin, so that none of its nodes was asked at all; what
    was cancelled was not to reach them.
    """

    started_at: datetime
    took_part: frozenset[str] = frozenset()
    missed: frozenset[str] = frozenset()
    has_idle_tasks: bool = False
    ran: tuple[Ran, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """A change calendar that a window's tag names; *is_closed* says that it is at the window's next opening."""

    name: str
    is_there: bool = True
    is_closed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A maintenance window with its targets, its tasks and its last runs, the latest first.

    *free_at* is its first opening, within a year, at which none of its calendars is closed.
    """

    id: str
    name: str
    schedule: str
    zone: str | None = None
    offset: int | None = None
    start_date: str | None = None
    end_date: str | None = None
    duration_hours: int = 1
    cutoff_hours: int = 0
    is_enabled: bool = True
    next_at: datetime | None = None
    targets: tuple[WindowTarget, ...] = ()
    tasks: tuple[WindowTask, ...] = ()
    calendars: tuple[Calendar, ...] = ()
    free_at: datetime | None = None
    runs: tuple[Run, ...] = ()

    def __str__(self) -> str:
        return f"window {self.name} ({self.id})"

    @property
    def nodes(self) -> frozenset[str]:
        """The nodes that a task runs on."""
        return frozenset[str]().union(*(part for task in self.tasks for part in task.parts))


@dataclass(frozen=True, slots=True, kw_only=True)
class Association:
    """A scheduled run of a document that patches, outside of windows, and the nodes that it means now."""

    id: str
    name: str = ""
    operation: str | None = None
    nodes: frozenset[str] = frozenset()

    def __str__(self) -> str:
        return f"association {self.name} ({self.id})" if self.name else f"association {self.id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """An approval rule that counts days: *filters* by their keys, and the days."""

    days: int
    filters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """A baseline; *rules* are those that approve some days after a date."""

    id: str
    name: str
    system: OperatingSystem
    is_own: bool = True
    is_default: bool = False
    has_dates: bool = True
    rules: tuple[Rule, ...] = ()

    def __str__(self) -> str:
        return f"baseline {self.name} ({self.id})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A patch group that is registered with a baseline, for the baseline's operating system."""

    name: str
    system: OperatingSystem
    baseline_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """A version of a package came out."""

    product: str
    name: str
    classification: str = ""
    severity: str = ""
    on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """All that was told, and of what was not, in whose words; a scan is old from the age *stale_after* on."""

    taken_at: datetime
    stale_after: timedelta = timedelta(days=7)
    nodes: Mapping[str, Node] = field(default_factory=dict)
    windows: tuple[Window, ...] = ()
    associations: tuple[Association, ...] = ()
    baselines: tuple[Baseline, ...] = ()
    groups: tuple[Group, ...] = ()
    releases: tuple[Release, ...] = ()
    refusals: Mapping[Topic, str] = field(default_factory=dict)
