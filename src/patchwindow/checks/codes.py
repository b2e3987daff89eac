"""What a check of a service can find, and how bad each of it is."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final

from patchwindow.domain.lint_finding import LintCode
from patchwindow.plans.codes import SEVERITIES as PLAN_SEVERITIES
from patchwindow.plans.codes import PlanCode
from patchwindow.plans.finding import Finding, Severity, Where


class CheckCode(StrEnum):
    """What can be wrong with what is there, besides what a plan can have wrong as well.  Codes are stable."""

    NOT_TOLD = "not-told"
    NODE_IN_NO_WINDOW = "node-in-no-window"
    NODE_WITHOUT_GROUP = "node-without-group"
    NODE_IN_UNKNOWN_GROUP = "node-in-unknown-group"
    NODE_MISSED_WINDOWS = "node-missed-windows"
    NODE_NOT_SCANNED = "node-not-scanned"
    NODE_LOST = "node-lost"
    GROUP_WITHOUT_NODES = "group-without-nodes"
    TARGET_WITHOUT_NODES = "target-without-nodes"
    TARGET_WITHOUT_TASK = "target-without-task"
    WINDOW_DISABLED = "window-disabled"
    WINDOW_ENDED = "window-ended"
    SCHEDULE_UNREADABLE = "schedule-unreadable"
    FREEZE_MISSING = "freeze-missing"
    OPENING_FROZEN = "opening-frozen"
    WINDOW_TOO_SHORT = "window-too-short"
    WINDOW_TIGHT = "window-tight"
    BASELINE_UNUSED = "baseline-unused"
    APPROVAL_STARVES = "approval-starves"
    APPROVAL_MAY_STARVE = "approval-may-starve"


class PrerequisiteCode(StrEnum):
    """What can be missing before nodes can be patched.  Codes are stable."""

    NODE_ROLE_MISSING = "node-role-missing"
    NODE_PROFILE_MISSING = "node-profile-missing"
    WINDOW_ROLE_MISSING = "window-role-missing"
    WINDOW_ROLE_UNFIT = "window-role-unfit"
    INSTANCE_NOT_REPORTING = "instance-not-reporting"
    INSTANCE_WITHOUT_PROFILE = "instance-without-profile"
    INSTANCE_PROFILE_UNFIT = "instance-profile-unfit"
    INSTANCE_WITHOUT_WAY_OUT = "instance-without-way-out"
    AGENT_OUTDATED = "agent-outdated"


Code = CheckCode | PrerequisiteCode | PlanCode | LintCode

# What is not here is a warning.
SEVERITIES: Final[Mapping[CheckCode | PrerequisiteCode, Severity]] = {
    CheckCode.NOT_TOLD: Severity.ERROR,
    CheckCode.NODE_IN_NO_WINDOW: Severity.ERROR,
    CheckCode.NODE_MISSED_WINDOWS: Severity.ERROR,
    CheckCode.WINDOW_TOO_SHORT: Severity.ERROR,
    CheckCode.FREEZE_MISSING: Severity.ERROR,
    CheckCode.OPENING_FROZEN: Severity.NOTICE,
    CheckCode.GROUP_WITHOUT_NODES: Severity.NOTICE,
    CheckCode.TARGET_WITHOUT_NODES: Severity.NOTICE,
    CheckCode.WINDOW_DISABLED: Severity.NOTICE,
    CheckCode.BASELINE_UNUSED: Severity.NOTICE,
    CheckCode.APPROVAL_MAY_STARVE: Severity.NOTICE,
    PrerequisiteCode.NODE_ROLE_MISSING: Severity.ERROR,
    PrerequisiteCode.NODE_PROFILE_MISSING: Severity.ERROR,
    PrerequisiteCode.WINDOW_ROLE_UNFIT: Severity.ERROR,
    PrerequisiteCode.INSTANCE_NOT_REPORTING: Severity.ERROR,
    PrerequisiteCode.INSTANCE_WITHOUT_PROFILE: Severity.ERROR,
    PrerequisiteCode.INSTANCE_PROFILE_UNFIT: Severity.ERROR,
    PrerequisiteCode.INSTANCE_WITHOUT_WAY_OUT: Severity.ERROR,
    PrerequisiteCode.AGENT_OUTDATED: Severity.NOTICE,
}


def severity_of(code: Code) -> Severity:
    """Return how bad a finding of *code* is; what a plan can have wrong as well is as bad there."""
    if isinstance(code, CheckCode | PrerequisiteCode):
        return SEVERITIES.get(code, Severity.WARNING)
    return PLAN_SEVERITIES.get(code, Severity.WARNING)


def found(code: Code, thing: object, sentence: str, remedy: str = "") -> Finding:
    """Return a finding about *thing*, whose text names it."""
    return Finding(code, severity_of(code), Where(str(thing)), sentence, remedy)


def worst_first(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return *findings* by their severity, and then by what they are about."""
    order = list(Severity)
    return tuple(sorted(findings, key=lambda finding: (order.index(finding.severity), finding.where, finding.code)))
