"""What a plan wants and what there is, in one form, so that they can be compared.

A resource's members are the API's own, by the API's names, complete: a member that is not set holds its default.
Where the API refers by id, members refer by the plan's name, so that a state can be written down before anything exists.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final

from patchwindow.domain.freeze import TAG
from patchwindow.plans.problems import Mark

PLAN_TAG: Final = "patchwindow:plan"
NAME_TAG: Final = "patchwindow:name"

# What a window's tag and its form here are called; the API has no such member.
FREEZES_TAG: Final = TAG
FREEZES: Final = "Freezes"

# How a baseline is named inside a default or a group; the API has no such member.
BASELINE: Final = "Baseline"


class Kind(Enum):
    """Kinds of resources, in the order in which they are made: each refers to earlier ones only."""

    BASELINE = "baseline"
    DEFAULT = "default baseline"
    GROUP = "patch group"
    FREEZE = "freeze"
    WINDOW = "window"
    TARGET = "target"
    TASK = "task"
    ASSOCIATION = "association"


@dataclass(frozen=True, slots=True)
class Address:
    """What tells a resource from all others, in words of the plan.

    The path is the name of a baseline, freeze, window or association; the operating system of a default; the group's name and an operating
    system; or the window's name and that of the target or task.
    """

    kind: Kind
    path: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.kind.value} {' / '.join(self.path)}"


@dataclass(frozen=True, slots=True)
class Resource:
    """Something that is wanted."""

    address: Address
    members: Mapping[str, Any]
    mark: Mark = field(compare=False)


@dataclass(frozen=True, slots=True)
class Found:
    """Something that is there; *is_ours* says that the plan has made it."""

    address: Address
    id: str
    members: Mapping[str, Any]
    is_ours: bool = True


# Every member that a plan decides, and its value where it is not set; None is absent.
DEFAULTS: Final[Mapping[Kind, Mapping[str, Any]]] = {
    Kind.BASELINE: {
        "Name": None,
        "OperatingSystem": None,
        "Description": None,
        "GlobalFilters": {"PatchFilters": []},
        "ApprovalRules": {"PatchRules": []},
        "ApprovedPatches": [],
        "ApprovedPatchesComplianceLevel": "UNSPECIFIED",
        "ApprovedPatchesEnableNonSecurity": False,
        "RejectedPatches": [],
        "RejectedPatchesAction": "ALLOW_AS_DEPENDENCY",
        "Sources": [],
        "AvailableSecurityUpdatesComplianceStatus": None,
    },
    Kind.DEFAULT: {BASELINE: None},
    Kind.GROUP: {BASELINE: None},
    Kind.FREEZE: {"Content": None},
    Kind.WINDOW: {
        "Name": None,
        "Description": None,
        "StartDate": None,
        "EndDate": None,
        "Schedule": None,
        "ScheduleTimezone": None,
        "ScheduleOffset": None,
        "Duration": None,
        "Cutoff": None,
        "AllowUnassociatedTargets": None,
        "Enabled": True,
        FREEZES: [],
    },
    Kind.TARGET: {
        "ResourceType": None,
        "Targets": None,
        "OwnerInformation": None,
        "Name": None,
        "Description": None,
    },
    Kind.TASK: {
        "Targets": None,
        "TaskArn": None,
        "TaskType": None,
        "ServiceRoleArn": None,
        "TaskInvocationParameters": None,
        "Priority": None,
        "MaxConcurrency": None,
        "MaxErrors": None,
        "Name": None,
        "Description": None,
        "CutoffBehavior": "CONTINUE_TASK",
    },
    Kind.ASSOCIATION: {
        "Name": None,
        "AssociationName": None,
        "DocumentVersion": None,
        "Parameters": None,
        "Targets": None,
        "ScheduleExpression": None,
        "ScheduleOffset": None,
        "ApplyOnlyAtCronInterval": False,
        "OutputLocation": None,
        "MaxConcurrency": None,
        "MaxErrors": None,
        "ComplianceSeverity": "UNSPECIFIED",
        "CalendarNames": [],
    },
}

# What the API cannot change once it is there.
FIXED: Final[Mapping[Kind, frozenset[str]]] = {
    Kind.BASELINE: frozenset({"OperatingSystem"}),
    Kind.TARGET: frozenset({"ResourceType"}),
    Kind.TASK: frozenset({"TaskType"}),
}


def complete(kind: Kind, members: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a plan decides of *members*, with the default of each that is not set; an empty text is not."""
    return {
        name: default if members.get(name) in (None, "") else members[name] for name, default in DEFAULTS[kind].items()
    }


def rule(members: Mapping[str, Any]) -> dict[str, Any]:
    """Return an approval rule with its defaults, as every rule of a state has it."""
    return {"ComplianceLevel": "UNSPECIFIED", "EnableNonSecurity": False} | dict(members)
