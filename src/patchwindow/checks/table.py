"""All checks: what each one needs to have been told, and what it can find."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from patchwindow.checks.check_baselines import groups_without_nodes, starving, unused
from patchwindow.checks.check_lengths import too_short
from patchwindow.checks.check_nodes import (
    in_no_group,
    in_no_window,
    in_unknown_group,
    lost,
    missed_windows,
    not_scanned,
    patched_outside_windows,
)
from patchwindow.checks.check_windows import (
    does_not_open,
    has_a_trap,
    has_nothing_to_do,
    heeds_freezes,
    overlaps,
    reaches_nobody,
    reboots_unasked,
)
from patchwindow.checks.codes import CheckCode, Code, found, worst_first
from patchwindow.checks.snapshot import Snapshot, Topic
from patchwindow.domain.lint_finding import LintCode
from patchwindow.plans.codes import PlanCode
from patchwindow.plans.finding import Finding


@dataclass(frozen=True, slots=True)
class Check:
    """A check: with *codes* it tells its findings, and without all of *needs* it cannot know them."""

    look: Callable[[Snapshot], Iterator[Finding]]
    codes: tuple[Code, ...]
    needs: frozenset[Topic]


_REACHED: Final = frozenset({Topic.NODES, Topic.WINDOWS, Topic.TARGETS})

CHECKS: Final[tuple[Check, ...]] = (
    Check(in_no_window, (CheckCode.NODE_IN_NO_WINDOW,), _REACHED),
    Check(
        patched_outside_windows,
        (PlanCode.INSTALLS_OUTSIDE_WINDOWS,),
        frozenset({Topic.NODES, Topic.TARGETS, Topic.ASSOCIATIONS}),
    ),
    Check(missed_windows, (CheckCode.NODE_MISSED_WINDOWS,), _REACHED | {Topic.RUNS}),
    Check(lambda snapshot: lost(snapshot.nodes.values()), (CheckCode.NODE_LOST,), frozenset({Topic.NODES})),
    Check(not_scanned, (CheckCode.NODE_NOT_SCANNED,), frozenset({Topic.NODES, Topic.SCANS})),
    Check(
        lambda snapshot: in_no_group(snapshot.nodes.values()),
        (CheckCode.NODE_WITHOUT_GROUP,),
        frozenset({Topic.NODES, Topic.NODE_TAGS}),
    ),
    Check(
        in_unknown_group,
        (CheckCode.NODE_IN_UNKNOWN_GROUP,),
        frozenset({Topic.NODES, Topic.NODE_TAGS, Topic.GROUPS}),
    ),
    Check(does_not_open, (CheckCode.WINDOW_DISABLED, CheckCode.WINDOW_ENDED), frozenset({Topic.WINDOWS})),
    Check(
        has_a_trap,
        (CheckCode.SCHEDULE_UNREADABLE, *(code for code in LintCode if code is not LintCode.NEVER_OPENS)),
        frozenset({Topic.WINDOWS}),
    ),
    Check(
        heeds_freezes,
        (
            CheckCode.FREEZE_MISSING,
            CheckCode.OPENING_FROZEN,
            PlanCode.FROZEN_FOR_LONG,
            PlanCode.FREEZE_SWALLOWS_WINDOW,
        ),
        frozenset({Topic.WINDOWS, Topic.CALENDARS}),
    ),
    Check(
        has_nothing_to_do,
        (PlanCode.NO_TARGETS, PlanCode.NO_TASKS, CheckCode.TARGET_WITHOUT_TASK),
        frozenset({Topic.WINDOWS}),
    ),
    Check(reaches_nobody, (CheckCode.TARGET_WITHOUT_NODES,), _REACHED),
    Check(overlaps, (PlanCode.WINDOWS_OVERLAP,), _REACHED),
    Check(reboots_unasked, (PlanCode.NO_REBOOT_POLICY,), frozenset({Topic.WINDOWS, Topic.TASKS})),
    Check(
        too_short,
        (CheckCode.WINDOW_TOO_SHORT, CheckCode.WINDOW_TIGHT),
        _REACHED | {Topic.TASKS, Topic.RUNS},
    ),
    Check(unused, (CheckCode.BASELINE_UNUSED,), frozenset({Topic.BASELINES, Topic.GROUPS})),
    Check(
        groups_without_nodes,
        (CheckCode.GROUP_WITHOUT_NODES,),
        frozenset({Topic.NODES, Topic.NODE_TAGS, Topic.GROUPS}),
    ),
    Check(
        starving,
        (CheckCode.APPROVAL_STARVES, CheckCode.APPROVAL_MAY_STARVE),
        _REACHED | {Topic.TASKS, Topic.BASELINES, Topic.GROUPS, Topic.NODE_TAGS},
    ),
)


def check(snapshot: Snapshot) -> tuple[Finding, ...]:
    """Return all that is found in *snapshot*, the worst first; what was not told is a finding of its own."""
    findings = list(_not_told(snapshot))
    for each in CHECKS:
        if not each.needs & snapshot.refusals.keys():
            findings += each.look(snapshot)
    return worst_first(findings)


def _not_told(snapshot: Snapshot) -> Iterator[Finding]:
    for topic, words in snapshot.refusals.items():
        without = [str(code) for each in CHECKS if topic in each.needs for code in each.codes]
        left_out = (
            f"so these are not looked for: {', '.join(without)}" if without else "so what follows knows nothing of it"
        )
        sentence = f"the service does not tell {topic}, {left_out} ({words})"
        yield found(CheckCode.NOT_TOLD, str(topic), sentence, "give the key the right to read them")
