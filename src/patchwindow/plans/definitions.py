"""The plan file: every mapping it may hold, with its members, their limits and what they mean."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from patchwindow.domain.association import Severity
from patchwindow.domain.baseline import ComplianceStatus, PatchAction
from patchwindow.domain.operating_system import OperatingSystem
from patchwindow.domain.window import CutoffBehavior
from patchwindow.plans.forms import (
    DATE,
    DESCRIPTION,
    DOCUMENT,
    DOCUMENT_VERSION,
    FILTERS,
    GROUP,
    INSTANT,
    LEVEL,
    MAX_CONCURRENCY,
    MAX_ERRORS,
    MOMENT,
    NAME,
    NODE_ID,
    OPERATION,
    PARAMETERS,
    PATCHES,
    REBOOT_OPTION,
    ROLE,
    SOURCE_NAME,
    TAG_KEY,
    TOPIC,
    VARIABLE,
)
from patchwindow.plans.specs import (
    Choice,
    Flag,
    Many,
    Nested,
    Partial,
    Record,
    Scalar,
    Table,
    Text,
    Whole,
    member,
    required,
)

PLAN_VERSION: Final = 1
"""The newest form of plans that this program reads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule(Record):
    """Approves the patches that pass all its filters, once they are old enough."""

    filters: Mapping[str, tuple[str, ...]] = required(
        FILTERS,
        "what a patch must be: every key must match, by any of its values; `*` matches all",
    )
    approve_after_days: int | None = member(
        Whole(0, 360), "days between a patch's release and its approval; none on Debian and Ubuntu, which have no dates"
    )
    approve_until_date: str | None = member(DATE, "approve what was released until this day, and nothing later")
    compliance_level: str = member(LEVEL, "how bad it is when such a patch is missing", default="UNSPECIFIED")
    enable_non_security: bool = member(Flag(), "approve other than security patches, too; Linux only", default=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source(Record):
    """A repository that replaces the node's own while it is patched."""

    name: str = required(SOURCE_NAME, "the repository's name")
    products: tuple[str, ...] = required(
        Many(item=Text(high=128, numbers=True), low=1, high=20, one_is_enough=True),
        "the products it is for, as `AmazonLinux2023`; `*` for all",
    )
    configuration: str = required(Text(high=1024), "its stanza, word for word, as the package manager wants it")


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline(Record):
    """Says which patches are approved on one operating system."""

    operating_system: str | None = member(
        Choice(tuple(OperatingSystem)), "the system it is for; required, but for a copy, which has its model's"
    )
    copy_of: str | None = member(Text(high=128), "a predefined baseline; what is not said here is as it is there")
    description: str | None = member(Text(high=1024), "what it is for")
    default: bool = member(Flag(), "use it for every node whose group has no baseline", default=False)
    rules: tuple[Rule, ...] | None = member(
        Many(item=Nested(Rule), each="rule", high=10), "approval rules; one is enough to approve"
    )
    global_filters: Mapping[str, tuple[str, ...]] | None = member(
        FILTERS,
        "what a patch must be to be looked at by the rules at all",
    )
    approved_patches: tuple[str, ...] | None = member(PATCHES, "patches approved by name, whatever the rules say")
    approved_patches_compliance_level: str | None = member(
        LEVEL, "how bad it is when one of `approvedPatches` is missing"
    )
    approved_patches_enable_non_security: bool | None = member(
        Flag(), "take `approvedPatches` that are no security patches, too; Linux only"
    )
    rejected_patches: tuple[str, ...] | None = member(
        PATCHES, "patches rejected by name; a rejection beats an approval"
    )
    rejected_patches_action: str | None = member(
        Choice(tuple(PatchAction)), "whether a rejected patch may come as a dependency of another"
    )
    sources: tuple[Source, ...] | None = member(
        Many(item=Nested(Source), each="source", high=20),
        "repositories that replace the node's own while it is patched; Linux only",
    )
    available_security_updates_compliance_status: str | None = member(
        Choice(tuple(ComplianceStatus)), "what a security update that is not approved yet means; Windows only"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PatchGroup(Record):
    """Nodes whose tag `Patch Group` has this value, and their baselines."""

    baselines: tuple[str, ...] = required(
        Many(item=Text(high=128), low=1, one_is_enough=True),
        "names of baselines, of this plan or predefined; at most one for each operating system",
    )
    description: str | None = member(Text(high=1024), "for the reader; the API does not keep it")


@dataclass(frozen=True, slots=True, kw_only=True)
class Target(Record):
    """Nodes that a window opens for; of several members a node must meet all."""

    patch_group: str | None = member(GROUP, "nodes of this patch group")
    patch_groups: tuple[str, ...] | None = member(
        Many(item=GROUP, low=1, high=50), "nodes of any of these patch groups"
    )
    tags: Mapping[str, tuple[str, ...]] | None = member(
        Table(key=TAG_KEY, value=Many(item=GROUP, low=1, high=50, one_is_enough=True), low=1),
        "nodes that have all these tags, each with any of its values",
    )
    node_ids: tuple[str, ...] | None = member(
        Many(
            item=NODE_ID,
            low=1,
            high=50,
        ),
        "these nodes; cannot stand beside the other ways",
    )
    description: str | None = member(DESCRIPTION, "what it is for")
    owner_information: str | None = member(DESCRIPTION, "a word that comes back in the records of its executions")


@dataclass(frozen=True, slots=True, kw_only=True)
class Logs(Record):
    """Where the output of a task's commands is kept."""

    s3_bucket: str | None = member(Text(low=3, high=63), "the bucket")
    s3_prefix: str | None = member(Text(high=500), "what the names in the bucket begin with")
    cloud_watch_log_group: str | None = member(Text(high=512), "a log group")


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification(Record):
    """Who is told how commands end, by a topic of AWS's notification service."""

    topic_arn: str = required(TOPIC, "the topic")
    role_arn: str = required(ROLE, "the role in which the topic is written to")
    events: tuple[str, ...] = member(
        Many(
            item=Choice(("All", "InProgress", "Success", "TimedOut", "Cancelled", "Failed")),
            low=1,
            high=6,
            one_is_enough=True,
        ),
        "what is told",
        default=("Failed", "TimedOut", "Cancelled"),
    )
    type: str = member(
        Choice(("Command", "Invocation")), "tell of the command as a whole, or of each node", default="Command"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Task(Record):
    """A command document that a window runs on its targets."""

    document: str = member(
        DOCUMENT,
        "the command document",
        default="AWS-RunPatchBaseline",
        inherits=True,
    )
    operation: str | None = member(
        OPERATION,
        "`Scan` reports only, `Install` installs; required for the patch documents, here or in the defaults",
        inherits=True,
    )
    reboot_option: str | None = member(
        REBOOT_OPTION,
        "whether an installation may reboot; patch documents only",
        inherits=True,
    )
    parameters: Mapping[str, tuple[str, ...]] = member(
        PARAMETERS,
        "further parameters of the document",
    )
    targets: tuple[str, ...] | None = member(
        Many(item=NAME, low=1, high=10, one_is_enough=True), "names of this window's targets; all of them, if not said"
    )
    priority: int = member(
        Whole(0, 2_147_483_647),
        "tasks of a lower number come first; equal ones run side by side",
        default=1,
        inherits=True,
    )
    max_concurrency: str = required(MAX_CONCURRENCY, "how many nodes at a time", inherits=True)
    max_errors: str = required(
        MAX_ERRORS, "how many errors are borne; one more, and no further node starts", inherits=True
    )
    cutoff_behavior: str = member(
        Choice(tuple(CutoffBehavior)),
        "what happens at the cutoff to a task that has begun",
        default="CONTINUE_TASK",
        inherits=True,
    )
    timeout_seconds: int = member(
        Whole(30, 2_592_000), "how long a node may take to pick the command up", default=3600, inherits=True
    )
    document_version: str | None = member(
        DOCUMENT_VERSION,
        "the version of the document",
        inherits=True,
    )
    service_role_arn: str | None = member(ROLE, "the role that the window acts in; AWS only", inherits=True)
    logs: Logs | None = member(Nested(Logs), "where the output is kept besides; AWS only", inherits=True)  # noqa: RUF009 -- it returns a field
    notification: Notification | None = member(  # noqa: RUF009 -- it returns a field
        Nested(Notification), "who is told how it ends; AWS only", inherits=True
    )
    comment: str | None = member(Text(high=100), "a word that comes with each command", inherits=True)
    description: str | None = member(DESCRIPTION, "what it is for")


@dataclass(frozen=True, slots=True, kw_only=True)
class Window(Record):
    """When nodes are patched, which ones, and how."""

    description: str | None = member(DESCRIPTION, "what it is for")
    schedule: str = required(Text(high=256), "when it opens: `cron(…)`, `rate(…)` or `at(…)`")
    timezone: str | None = member(Text(high=64), "the zone of the schedule; UTC, if not said", inherits=True)
    offset: int | None = member(
        Whole(1, 6), "days after the instant of a `cron` schedule at which it opens", inherits=True
    )
    duration: int = required(Whole(1, 24), "hours that it is open", inherits=True)
    cutoff: int = required(Whole(0, 23), "hours before its end after which no task starts", inherits=True)
    enabled: bool = member(Flag(), "whether it opens at all", default=True, inherits=True)
    start_date: str | None = member(INSTANT, "it does not open before this instant", inherits=True)
    end_date: str | None = member(INSTANT, "it does not open after this instant", inherits=True)
    freezes: tuple[str, ...] | None = member(
        Many(item=NAME, one_is_enough=True), "names of freezes in which it does not open", inherits=True
    )
    targets: Mapping[str, Target] = member(
        Table(key=NAME, value=Nested(Target), each="target"), "the nodes it opens for, by name"
    )
    tasks: Mapping[str, Task] = member(Table(key=NAME, value=Nested(Task), each="task"), "what is run on them, by name")


@dataclass(frozen=True, slots=True, kw_only=True)
class FreezeDates(Record):
    """One time in which nothing is patched."""

    from_: str = required(MOMENT, "when it begins; a date begins at its midnight")
    to: str = required(MOMENT, "when it ends; a date is frozen to its end, an instant is not frozen any more")
    reason: str | None = member(Text(high=1024), "why; it is shown where a window was not opened")


@dataclass(frozen=True, slots=True, kw_only=True)
class Freeze(Record):
    """Times in which the windows that name it do not open: by dates, or as a calendar."""

    description: str | None = member(Text(high=1024), "for the reader; the API does not keep it")
    timezone: str | None = member(Text(high=64), "the zone of the dates; UTC, if not said")
    dates: tuple[FreezeDates, ...] | None = member(
        Many(item=Nested(FreezeDates), each="entry", low=1, high=1000), "the times"
    )
    ics: str | None = member(
        Text(high=1024), "an iCalendar file, beside the plan; its events are the times, however they recur"
    )
    calendar: str | None = member(Text(), "the same as text, in place of a file")


@dataclass(frozen=True, slots=True, kw_only=True)
class Nodes(Record):
    """Nodes that an association is for; of several members a node must meet all."""

    all: bool = member(Flag(), "every node; cannot stand beside the other ways", default=False)
    patch_group: str | None = member(GROUP, "nodes of this patch group")
    patch_groups: tuple[str, ...] | None = member(
        Many(item=GROUP, low=1, high=50), "nodes of any of these patch groups"
    )
    tags: Mapping[str, tuple[str, ...]] | None = member(
        Table(key=TAG_KEY, value=Many(item=GROUP, low=1, high=50, one_is_enough=True), low=1),
        "nodes that have all these tags, each with any of its values",
    )
    node_ids: tuple[str, ...] | None = member(
        Many(item=NODE_ID, low=1, high=50), "these nodes; cannot stand beside the other ways"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Association(Record):
    """A command document that nodes run by a schedule of its own, without a window: scans, above all."""

    document: str = member(DOCUMENT, "the command document", default="AWS-RunPatchBaseline", inherits=True)
    operation: str | None = member(
        OPERATION, "`Scan` reports only, `Install` installs; required for the patch documents", inherits=True
    )
    reboot_option: str | None = member(
        REBOOT_OPTION, "whether an installation may reboot; patch documents only", inherits=True
    )
    parameters: Mapping[str, tuple[str, ...]] = member(PARAMETERS, "further parameters of the document")
    document_version: str | None = member(DOCUMENT_VERSION, "the version of the document", inherits=True)
    schedule: str = required(Text(high=256), "when it runs: `cron(…)` or `rate(…)`, in UTC", inherits=True)
    offset: int | None = member(Whole(1, 6), "days after the instant of a `cron` schedule at which it runs")
    at_once: bool = member(
        Flag(),
        "run when it is made or changed as well, and on nodes that come to it; always so with a `rate`",
        default=False,
        inherits=True,
    )
    targets: Nodes = required(Nested(Nodes), "the nodes")  # noqa: RUF009 -- it returns a field
    max_concurrency: str = required(MAX_CONCURRENCY, "how many nodes at a time", inherits=True)
    max_errors: str = required(
        MAX_ERRORS, "how many errors are borne; one more, and no further node starts", inherits=True
    )
    severity: str = member(
        Choice(tuple(Severity)), "how bad it is where it did not succeed", default="UNSPECIFIED", inherits=True
    )
    freezes: tuple[str, ...] | None = member(
        Many(item=NAME, one_is_enough=True), "names of freezes in which it does not run", inherits=True
    )
    logs: Logs | None = member(  # noqa: RUF009 -- it returns a field
        Nested(Logs), "where the output is kept besides, a bucket alone; AWS only", inherits=True
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Defaults(Record):
    """Members that hold for every window, task or association that does not say otherwise."""

    window: Mapping[str, Any] = member(Partial(Window), "for windows")
    task: Mapping[str, Any] = member(Partial(Task), "for tasks")
    association: Mapping[str, Any] = member(Partial(Association), "for associations")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan(Record):
    """How a fleet is patched."""

    file: str = field(default="", compare=False)
    calendars: Mapping[str, str] = field(default_factory=dict)
    """The iCalendar text of each freeze by name, of its dates, its file or its own text."""
    name: str = required(NAME, "the plan's name; it marks what the plan has made, so it must not change")
    version: int = member(
        Whole(1, PLAN_VERSION), "the form of the plan; a later form is refused with a word that says so", default=1
    )
    description: str | None = member(Text(high=1024), "for the reader; the API does not keep it")
    variables: Mapping[str, str] = member(
        Table(key=VARIABLE, value=Scalar()), "values by name, for use as `${{ name }}` in any other value"
    )
    defaults: Defaults | None = member(Nested(Defaults), "members that hold wherever nothing else is said")  # noqa: RUF009 -- it returns a field
    baselines: Mapping[str, Baseline] = member(
        Table(key=NAME, value=Nested(Baseline), each="baseline"), "patch baselines by name"
    )
    patch_groups: Mapping[str, PatchGroup] = member(
        Table(key=GROUP, value=Nested(PatchGroup), each="patch group"), "patch groups by name"
    )
    freezes: Mapping[str, Freeze] = member(
        Table(key=NAME, value=Nested(Freeze), each="freeze"), "times in which windows do not open, by name"
    )
    windows: Mapping[str, Window] = member(
        Table(key=NAME, value=Nested(Window), each="window"), "maintenance windows by name"
    )
    associations: Mapping[str, Association] = member(
        Table(key=NAME, value=Nested(Association), each="association"), "scheduled runs without a window, by name"
    )
