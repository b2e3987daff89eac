"""The plan file: every mapping it may hold, with its members, their limits and what they mean.

Limits are the public API's own (service model, version 2014-11-06), so that what passes here is not refused there.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from patchwindow.domain.baseline import ComplianceLevel, ComplianceStatus, PatchAction
from patchwindow.domain.filter_values import FILTERS
from patchwindow.domain.operating_system import OperatingSystem
from patchwindow.domain.window import CutoffBehavior
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

# What may stand in a baseline; the API's other keys belong to searches of its catalogue.
_FILTER_KEYS: Final = tuple(dict.fromkeys(str(key) for keys in FILTERS.values() for key in keys))
_FILTERS: Final = Table(
    key=Choice(_FILTER_KEYS),
    value=Many(item=Text(high=64, numbers=True), low=1, high=20, one_is_enough=True),
    high=4,
)
_LEVEL: Final = Choice(tuple(ComplianceLevel))

_NAME: Final = Text(
    pattern=r"[a-zA-Z0-9_\-.]{3,128}", like="a name of 3 to 128 letters, digits, '_', '-' and '.'", low=3, high=128
)
_SOURCE_NAME: Final = Text(
    pattern=r"[a-zA-Z0-9_\-.]{3,50}", like="a name of 3 to 50 letters, digits, '_', '-' and '.'", low=3, high=50
)
_WORD_CHARACTERS: Final = r"[\w \u00a0\u2000-\u200a.:/=+\-@]*"
_GROUP: Final = Text(
    pattern=_WORD_CHARACTERS, like="a tag value of letters, digits, spaces and any of _.:/=+-@", high=256, numbers=True
)
_TAG_KEY: Final = Text(
    pattern=_WORD_CHARACTERS, like="a tag key of letters, digits, spaces and any of _.:/=+-@", high=128
)
_VARIABLE: Final = Text(
    pattern=r"[a-zA-Z][a-zA-Z0-9_\-]*", like="a name of letters, digits, '_' and '-', a letter first", high=64
)
_DESCRIPTION: Final = Text(high=128)
_DATE: Final = Text(pattern=r"\d{4}-\d{2}-\d{2}", like="a date as 2026-01-31", high=10)
_INSTANT: Final = Text(like="an instant with its offset, as 2026-01-31T22:00:00Z", high=64)
_PATCHES: Final = Many(item=Text(high=100, numbers=True), high=50)
_ROLE: Final = Text(pattern=r"arn:[\w\-]+:iam::\d{12}:role/.+", like="the ARN of a role", high=2048)
_MAX_CONCURRENCY: Final = Text(
    pattern=r"[1-9][0-9]*|[1-9][0-9]%|[1-9]%|100%",
    like="a number of nodes as 10, or a share as 10%",
    high=7,
    numbers=True,
)
_MAX_ERRORS: Final = Text(
    pattern=r"[1-9][0-9]*|0|[1-9][0-9]%|[0-9]%|100%",
    like="a number of errors as 5, or a share as 5%",
    high=7,
    numbers=True,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule(Record):
    """Approves the patches that pass all its filters, once they are old enough."""

    filters: Mapping[str, tuple[str, ...]] = required(
        _FILTERS,
        "what a patch must be: every key must match, by any of its values; `*` matches all",
    )
    approve_after_days: int | None = member(
        Whole(0, 360), "days between a patch's release and its approval; none on Debian and Ubuntu, which have no dates"
    )
    approve_until_date: str | None = member(_DATE, "approve what was released until this day, and nothing later")
    compliance_level: str = member(_LEVEL, "how bad it is when such a patch is missing", default="UNSPECIFIED")
    enable_non_security: bool = member(Flag(), "approve other than security patches, too; Linux only", default=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source(Record):
    """A repository that replaces the node's own while it is patched."""

    name: str = required(_SOURCE_NAME, "the repository's name")
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
        _FILTERS,
        "what a patch must be to be looked at by the rules at all",
    )
    approved_patches: tuple[str, ...] | None = member(_PATCHES, "patches approved by name, whatever the rules say")
    approved_patches_compliance_level: str | None = member(
        _LEVEL, "how bad it is when one of `approvedPatches` is missing"
    )
    approved_patches_enable_non_security: bool | None = member(
        Flag(), "take `approvedPatches` that are no security patches, too; Linux only"
    )
    rejected_patches: tuple[str, ...] | None = member(
        _PATCHES, "patches rejected by name; a rejection beats an approval"
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

    patch_group: str | None = member(_GROUP, "nodes of this patch group")
    patch_groups: tuple[str, ...] | None = member(
        Many(item=_GROUP, low=1, high=50), "nodes of any of these patch groups"
    )
    tags: Mapping[str, tuple[str, ...]] | None = member(
        Table(key=_TAG_KEY, value=Many(item=_GROUP, low=1, high=50, one_is_enough=True), low=1),
        "nodes that have all these tags, each with any of its values",
    )
    node_ids: tuple[str, ...] | None = member(
        Many(
            item=Text(pattern=r"i-(\w{8}|\w{17})|mi-\w{17}", like="a node's id as mi-0123456789abcdef0", high=20),
            low=1,
            high=50,
        ),
        "these nodes; cannot stand beside the other ways",
    )
    description: str | None = member(_DESCRIPTION, "what it is for")
    owner_information: str | None = member(_DESCRIPTION, "a word that comes back in the records of its executions")


@dataclass(frozen=True, slots=True, kw_only=True)
class Logs(Record):
    """Where the output of a task's commands is kept."""

    s3_bucket: str | None = member(Text(low=3, high=63), "the bucket")
    s3_prefix: str | None = member(Text(high=500), "what the names in the bucket begin with")
    cloud_watch_log_group: str | None = member(Text(high=512), "a log group")


@dataclass(frozen=True, slots=True, kw_only=True)
class Task(Record):
    """A command document that a window runs on its targets."""

    document: str = member(
        Text(pattern=r"[a-zA-Z0-9_\-.:/]{3,128}", like="a document's name or ARN", low=3, high=128),
        "the command document",
        default="AWS-RunPatchBaseline",
        inherits=True,
    )
    operation: str | None = member(
        Choice(("Scan", "Install")),
        "`Scan` reports only, `Install` installs; required for the patch documents, here or in the defaults",
        inherits=True,
    )
    reboot_option: str | None = member(
        Choice(("RebootIfNeeded", "NoReboot")),
        "whether an installation may reboot; patch documents only",
        inherits=True,
    )
    parameters: Mapping[str, tuple[str, ...]] = member(
        Table(
            key=Text(high=255),
            value=Many(item=Text(low=0, high=65536, numbers=True), one_is_enough=True),
        ),
        "further parameters of the document",
    )
    targets: tuple[str, ...] | None = member(
        Many(item=_NAME, low=1, high=10, one_is_enough=True), "names of this window's targets; all of them, if not said"
    )
    priority: int = member(
        Whole(0, 2_147_483_647),
        "tasks of a lower number come first; equal ones run side by side",
        default=1,
        inherits=True,
    )
    max_concurrency: str = required(_MAX_CONCURRENCY, "how many nodes at a time", inherits=True)
    max_errors: str = required(
        _MAX_ERRORS, "how many errors are borne; one more, and no further node starts", inherits=True
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
        Text(pattern=r"\$LATEST|\$DEFAULT|[1-9][0-9]*", like="$DEFAULT, $LATEST or a number", high=16, numbers=True),
        "the version of the document",
        inherits=True,
    )
    service_role_arn: str | None = member(_ROLE, "the role that the window acts in; AWS only", inherits=True)
    logs: Logs | None = member(Nested(Logs), "where the output is kept besides; AWS only", inherits=True)  # noqa: RUF009 -- it returns a field
    comment: str | None = member(Text(high=100), "a word that comes with each command", inherits=True)
    description: str | None = member(_DESCRIPTION, "what it is for")


@dataclass(frozen=True, slots=True, kw_only=True)
class Window(Record):
    """When nodes are patched, which ones, and how."""

    description: str | None = member(_DESCRIPTION, "what it is for")
    schedule: str = required(Text(high=256), "when it opens: `cron(…)`, `rate(…)` or `at(…)`")
    timezone: str | None = member(Text(high=64), "the zone of the schedule; UTC, if not said", inherits=True)
    offset: int | None = member(
        Whole(1, 6), "days after the instant of a `cron` schedule at which it opens", inherits=True
    )
    duration: int = required(Whole(1, 24), "hours that it is open", inherits=True)
    cutoff: int = required(Whole(0, 23), "hours before its end after which no task starts", inherits=True)
    enabled: bool = member(Flag(), "whether it opens at all", default=True, inherits=True)
    start_date: str | None = member(_INSTANT, "it does not open before this instant", inherits=True)
    end_date: str | None = member(_INSTANT, "it does not open after this instant", inherits=True)
    targets: Mapping[str, Target] = member(
        Table(key=_NAME, value=Nested(Target), each="target"), "the nodes it opens for, by name"
    )
    tasks: Mapping[str, Task] = member(
        Table(key=_NAME, value=Nested(Task), each="task"), "what is run on them, by name"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Defaults(Record):
    """Members that hold for every window or task that does not say otherwise."""

    window: Mapping[str, Any] = member(Partial(Window), "for windows")
    task: Mapping[str, Any] = member(Partial(Task), "for tasks")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan(Record):
    """How a fleet is patched."""

    file: str = field(default="", compare=False)
    name: str = required(_NAME, "the plan's name; it marks what the plan has made, so it must not change")
    version: int = member(
        Whole(1, PLAN_VERSION), "the form of the plan; a later form is refused with a word that says so", default=1
    )
    description: str | None = member(Text(high=1024), "for the reader; the API does not keep it")
    variables: Mapping[str, str] = member(
        Table(key=_VARIABLE, value=Scalar()), "values by name, for use as `${{ name }}` in any other value"
    )
    defaults: Defaults | None = member(Nested(Defaults), "members that hold wherever nothing else is said")  # noqa: RUF009 -- it returns a field
    baselines: Mapping[str, Baseline] = member(
        Table(key=_NAME, value=Nested(Baseline), each="baseline"), "patch baselines by name"
    )
    patch_groups: Mapping[str, PatchGroup] = member(
        Table(key=_GROUP, value=Nested(PatchGroup), each="patch group"), "patch groups by name"
    )
    windows: Mapping[str, Window] = member(
        Table(key=_NAME, value=Nested(Window), each="window"), "maintenance windows by name"
    )
