"""Windows that do not what they are there for: for nobody, with nothing to do, never, or two at a time."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import combinations
from typing import Final

from patchwindow.checks.codes import CheckCode, found
from patchwindow.checks.openings import minute, openings, timing_of
from patchwindow.checks.snapshot import Snapshot, Window
from patchwindow.domain.errors import Invalid
from patchwindow.domain.freeze import TAG
from patchwindow.domain.lint import lint
from patchwindow.domain.lint_finding import LintCode, named
from patchwindow.domain.opening import parse_instant
from patchwindow.domain.operating_system import OperatingSystem
from patchwindow.plans.check_freezes import FROZEN_LONG
from patchwindow.plans.check_windows import is_patch_document
from patchwindow.plans.codes import PlanCode
from patchwindow.plans.finding import Finding

_WEEK_DAYS: Final = 7


def does_not_open(snapshot: Snapshot) -> Iterator[Finding]:
    """Yield windows that are disabled, are past their end, or have opened for the last time."""
    for window in snapshot.windows:
        if not window.is_enabled:
            sentence = "it is disabled, so it does not open"
            remedy = f"enable it, or delete it: patchwindow windows enable {window.id}"
            yield found(CheckCode.WINDOW_DISABLED, window, sentence, remedy)
            continue
        times = timing_of(window, snapshot.taken_at)
        if times is not None and times.next_opening(snapshot.taken_at) is None:
            at = f"EndDate {window.end_date} has passed" if _has_ended(window, snapshot.taken_at) else window.schedule
            remedy = "give it a later EndDate or another schedule, or delete it"
            yield found(CheckCode.WINDOW_ENDED, window, f"it never opens again: {at}", remedy)


def _has_ended(window: Window, now: datetime) -> bool:
    return window.end_date is not None and parse_instant("EndDate", window.end_date) < now


def heeds_freezes(snapshot: Snapshot) -> Iterator[Finding]:
    """Yield windows that name a calendar that is not there, or whose next opening, or every one for long, lies in a freeze."""
    for window in snapshot.windows:
        for calendar in window.calendars:
            if not calendar.is_there:
                sentence = f"its tag {TAG!r} names {calendar.name!r}, which is no calendar, so a patchwindow server would not open it"
                yield found(CheckCode.FREEZE_MISSING, window, sentence, "correct the tag, or make the calendar")
        if (
            window.is_enabled
            and window.next_at is not None
            and (closed := [each for each in window.calendars if each.is_closed])
        ):
            next_one = f"its next opening, at {minute(window.next_at)}, lies in the freeze {named([repr(each.name) for each in closed])}"
            yield _frozen(window, window.next_at, next_one, snapshot.taken_at)


def _frozen(window: Window, next_at: datetime, next_one: str, now: datetime) -> Finding:
    if window.free_at is None:
        if timing_of(window, now) is None:
            return found(CheckCode.OPENING_FROZEN, window, next_one)
        sentence = f"freezes give up every opening of it within a year: {next_one}"
        return found(PlanCode.FREEZE_SWALLOWS_WINDOW, window, sentence, "change the freeze, or the schedule")
    until = f"it opens next at {minute(window.free_at)}"
    if window.free_at - next_at < FROZEN_LONG:
        return found(CheckCode.OPENING_FROZEN, window, f"{next_one}; {until}")
    sentence = f"freezes give up its openings for {(window.free_at - next_at).days} days: {next_one}, and {until}"
    return found(PlanCode.FROZEN_FOR_LONG, window, sentence, "shorten the freeze, or patch its nodes in another window")


def has_nothing_to_do(snapshot: Snapshot) -> Iterator[Finding]:
    """Yield windows without targets or tasks, and targets that no task runs on."""
    for window in snapshot.windows:
        if not window.targets and not window.nodes:
            yield found(PlanCode.NO_TARGETS, window, "it has no targets, so it opens for no node", "register a target")
        if not window.tasks:
            sentence = "it has no tasks, so nothing happens when it opens"
            yield found(PlanCode.NO_TASKS, window, sentence, "register a task")
            continue
        used = {id for task in window.tasks for id in task.target_ids}
        for target in window.targets:
            if target.id not in used:
                sentence = f"none of its tasks runs on its {target}"
                yield found(CheckCode.TARGET_WITHOUT_TASK, window, sentence, "name it in a task, or deregister it")


def reaches_nobody(snapshot: Snapshot) -> Iterator[Finding]:
    """Yield targets that mean no node now."""
    for window in snapshot.windows:
        for target in window.targets:
            if not target.nodes:
                sentence = f"no node is in its {target} now"
                yield found(CheckCode.TARGET_WITHOUT_NODES, window, sentence, "tag nodes for it, or deregister it")


def has_a_trap(snapshot: Snapshot) -> Iterator[Finding]:
    """Yield what lint finds in the schedules, and those that it cannot read."""
    is_early = _approves_within_a_week(snapshot)
    for window in snapshot.windows:
        try:
            findings = lint(
                window.schedule,
                window.duration_hours,
                window.zone,
                now=snapshot.taken_at,
                cutoff_hours=window.cutoff_hours,
                schedule_offset=window.offset,
                start_date=window.start_date,
                end_date=window.end_date,
            )
        except Invalid as problem:
            remedy = "look at its next opening, and give it a schedule that this release can read"
            yield found(CheckCode.SCHEDULE_UNREADABLE, window, str(problem), remedy)
            continue
        for finding in findings:
            # That it never opens again is a finding of its own, which knows of end dates that were once ahead.
            if finding.code is LintCode.NEVER_OPENS:
                continue
            if finding.code is LintCode.BEFORE_SECOND_TUESDAY and not is_early:
                continue
            sentence, _, remedy = finding.sentence.rpartition("; ")
            yield found(finding.code, window, sentence or remedy, remedy if sentence else "")


def _approves_within_a_week(snapshot: Snapshot) -> bool:
    """Say whether a Windows baseline approves in the week of a release; else the second Tuesday does not matter."""
    return any(
        rule.days < _WEEK_DAYS
        for baseline in snapshot.baselines
        if baseline.system is OperatingSystem.WINDOWS
        for rule in baseline.rules
    )


def reboots_unasked(snapshot: Snapshot) -> Iterator[Finding]:
    """Yield tasks that install and do not say whether they may reboot."""
    for window in snapshot.windows:
        for task in window.tasks:
            if is_patch_document(task.document) and task.operation == "Install" and task.reboot_option is None:
                sentence = f"{task} installs and does not say whether it may reboot, so it reboots where that is needed"
                remedy = "give it the parameter RebootOption: RebootIfNeeded or NoReboot"
                yield found(PlanCode.NO_REBOOT_POLICY, window, sentence, remedy)


def overlaps(snapshot: Snapshot) -> Iterator[Finding]:
    """Yield pairs of enabled windows that run on the same nodes and are open together within a year."""
    windows = {window.id: window for window in snapshot.windows}
    by_node: dict[str, list[str]] = defaultdict(list)
    for window in snapshot.windows:
        for node in window.nodes:
            by_node[node].append(window.id)
    shared: dict[tuple[str, str], list[str]] = defaultdict(list)
    for node, ids in sorted(by_node.items()):
        for pair in combinations(ids, 2):
            shared[pair].append(node)
    opened = {id: openings(windows[id], snapshot.taken_at) for id in {id for pair in shared for id in pair}}
    for (one, other), nodes in sorted(shared.items()):
        at = _first_meeting(
            opened[one],
            timedelta(hours=windows[one].duration_hours),
            opened[other],
            timedelta(hours=windows[other].duration_hours),
        )
        if at is not None:
            whom = f"{'node' if len(nodes) == 1 else f'{len(nodes)} nodes,'} {named(nodes)}"
            sentence = f"it and {windows[one]} are both open at {minute(at)} for {whom}"
            yield found(PlanCode.WINDOWS_OVERLAP, windows[other], sentence, "move one of them, or make it shorter")


def _first_meeting(
    ones: Sequence[datetime], one_length: timedelta, others: Sequence[datetime], other_length: timedelta
) -> datetime | None:
    """Return the first instant at which one of each is open; the end of an opening is not part of it."""
    at, beside = 0, 0
    while at < len(ones) and beside < len(others):
        if ones[at] + one_length <= others[beside]:
            at += 1
        elif others[beside] + other_length <= ones[at]:
            beside += 1
        else:
            return max(ones[at], others[beside])
    return None
