"""What a check of a plan can find, and how bad each of it is."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from patchwindow.domain.lint_finding import LintCode
from patchwindow.plans.definitions import Plan
from patchwindow.plans.finding import Finding, Severity, Where
from patchwindow.plans.problems import Mark


class PlanCode(StrEnum):
    """What can be wrong with a plan besides its schedules, whose codes are those of ``LintCode``.  Codes are stable."""

    INVALID = "invalid"
    AWS_QUOTA = "aws-quota"
    APPROVES_NOTHING = "approves-nothing"
    APPROVES_EVERYTHING = "approves-everything"
    NO_TARGETS = "no-targets"
    NO_TASKS = "no-tasks"
    NO_REBOOT_POLICY = "no-reboot-policy"
    ALL_AT_ONCE = "all-at-once"
    ERRORS_NEVER_STOP = "errors-never-stop"
    WINDOWS_OVERLAP = "windows-overlap"
    INSTALLS_OUTSIDE_WINDOWS = "installs-outside-windows"
    FREEZE_SWALLOWS_WINDOW = "freeze-swallows-window"
    FROZEN_FOR_LONG = "frozen-for-long"
    FREEZE_UNHEEDED = "freeze-unheeded"
    FREEZE_OVER = "freeze-over"
    NODE_IN_NO_WINDOW = "node-in-no-window"
    NODE_IN_UNKNOWN_GROUP = "node-in-unknown-group"
    TARGET_WITHOUT_NODES = "target-without-nodes"


# What is not here is a warning.
SEVERITIES: Final[Mapping[PlanCode | LintCode, Severity]] = {
    PlanCode.INVALID: Severity.ERROR,
    PlanCode.AWS_QUOTA: Severity.ERROR,
    LintCode.NEVER_OPENS: Severity.ERROR,
    LintCode.CUTOFF_LEAVES_NO_TIME: Severity.ERROR,
    PlanCode.FREEZE_SWALLOWS_WINDOW: Severity.ERROR,
    PlanCode.NODE_IN_NO_WINDOW: Severity.ERROR,
    PlanCode.TARGET_WITHOUT_NODES: Severity.NOTICE,
    PlanCode.FREEZE_OVER: Severity.NOTICE,
    PlanCode.NO_TASKS: Severity.NOTICE,
    LintCode.TIME_SKIPPED: Severity.NOTICE,
    LintCode.TIME_REPEATED: Severity.NOTICE,
    LintCode.RATE_MOVES: Severity.NOTICE,
}


def found(plan: Plan, code: PlanCode | LintCode, mark: Mark, sentence: str, remedy: str) -> Finding:
    """Return a finding about the place *mark* of *plan*."""
    return at_place(code, mark.file or plan.file, mark, sentence, remedy)


def at_place(code: PlanCode | LintCode, file: str, mark: Mark, sentence: str, remedy: str) -> Finding:
    """Return a finding about a place of *file*."""
    return Finding(code, severity_of(code), Where(file, mark.line, mark.column), sentence, remedy)


def severity_of(code: PlanCode | LintCode) -> Severity:
    """Return how bad it is."""
    return SEVERITIES.get(code, Severity.WARNING)
