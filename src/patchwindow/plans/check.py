"""Search a plan for what can be read and applied, and is hardly what its writer meant.  Offline and pure."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from patchwindow.domain.filter_values import ANY
from patchwindow.domain.lint import lint
from patchwindow.domain.lint_finding import LintCode
from patchwindow.domain.operating_system import FAMILIES, LINUX, OperatingSystem
from patchwindow.plans.check_baselines import system_of
from patchwindow.plans.check_fleet import boundless, forgotten, windows_by_nodes
from patchwindow.plans.check_freezes import frozen
from patchwindow.plans.check_overlaps import overlaps
from patchwindow.plans.check_quotas import quotas
from patchwindow.plans.check_windows import installs
from patchwindow.plans.codes import PlanCode, at_place, found
from patchwindow.plans.definitions import Association, Baseline, Plan, Rule, Task, Window
from patchwindow.plans.finding import Finding
from patchwindow.plans.fleet import Fleet
from patchwindow.plans.problems import Mark, PlanProblems

_ALL: Final = "100%"
_WEEK_DAYS: Final = 7


def check(plan: Plan, *, now: datetime, is_for_aws: bool = False, fleet: Fleet | None = None) -> tuple[Finding, ...]:
    """Return what is likely wrong with *plan* in the order of its files; with *is_for_aws*, what AWS would refuse too.

    With a *fleet*, the plan is held against its nodes: who is forgotten, and who is in two windows at once.

    Schedules are looked at for five years from *now*, and windows beside one another for one.
    """
    shared = {} if fleet is None else windows_by_nodes(plan, fleet)
    findings = [
        *_baselines(plan),
        *_windows(plan, now),
        *_associations(plan),
        *overlaps(plan, now, shared),
        *frozen(plan, now),
    ]
    if is_for_aws:
        findings += quotas(plan)
    if fleet is not None:
        findings += [*forgotten(plan, fleet), *boundless(plan, fleet)]
    return tuple(sorted(findings, key=lambda each: (each.where, each.code)))


def as_findings(problems: PlanProblems) -> tuple[Finding, ...]:
    """Return the problems that keep a plan from being read as findings."""
    return tuple(
        at_place(PlanCode.INVALID, problem.file, problem.mark, problem.message, "") for problem in problems.problems
    )


def _baselines(plan: Plan) -> Iterator[Finding]:
    for name, baseline in plan.baselines.items():
        mark = plan.marks.at("baselines", name)
        rules = baseline.rules
        # What a copy does not say is as in its model, and each of those approves something.
        is_own = baseline.copy_of is None or rules is not None
        if is_own and not rules and not baseline.approved_patches:
            sentence = f"baseline {name!r} has no rules and no approvedPatches, so nothing is ever approved"
            yield found(plan, PlanCode.APPROVES_NOTHING, mark, sentence, "give it a rule, or leave it out")
        for index, rule in enumerate(rules or ()):
            if _is_everything(baseline, rule):
                sentence = f"baseline {name!r}: rule {index + 1} approves every patch there is"
                remedy = "name the classifications or severities that are meant"
                yield found(plan, PlanCode.APPROVES_EVERYTHING, rule.marks.record, sentence, remedy)


def _is_everything(baseline: Baseline, rule: Rule) -> bool:
    """Say whether no filter holds anything back; on Linux, what is no security patch needs a word of its own."""
    system = system_of(baseline)
    is_linux = system is not None and FAMILIES[system] in LINUX
    filters = [*rule.filters.values(), *(baseline.global_filters or {}).values()]
    is_all = all(ANY in values for values in filters)
    return is_all and rule.approve_until_date is None and (rule.enable_non_security or not is_linux)


def _windows(plan: Plan, now: datetime) -> Iterator[Finding]:
    for name, window in plan.windows.items():
        what, mark = f"window {name!r}", plan.marks.at("windows", name)
        yield from _schedule(plan, window, what, now)
        if not window.targets:
            sentence = f"{what} has no targets, so it opens for no node"
            yield found(plan, PlanCode.NO_TARGETS, mark, sentence, "name its nodes under targets")
        if not window.tasks:
            sentence = f"{what} has no tasks, so nothing happens when it opens"
            yield found(plan, PlanCode.NO_TASKS, mark, sentence, "say what is to be done under tasks")
        for task_name, task in window.tasks.items():
            if installs(task):
                mark = window.marks.at("tasks", task_name)
                yield from _installation(plan, task, f"{what}: task {task_name!r}", mark)


def _schedule(plan: Plan, window: Window, what: str, now: datetime) -> Iterator[Finding]:
    mark = window.marks.at("schedule")
    findings = lint(
        window.schedule,
        window.duration,
        window.timezone,
        now=now,
        cutoff_hours=window.cutoff,
        schedule_offset=window.offset,
        start_date=window.start_date,
        end_date=window.end_date,
    )
    for finding in findings:
        if finding.code is LintCode.BEFORE_SECOND_TUESDAY and not _approves_within_a_week(plan):
            continue
        sentence, _, remedy = finding.sentence.rpartition("; ")
        yield found(plan, finding.code, mark, f"{what}: {sentence or remedy}", remedy if sentence else "")


def _approves_within_a_week(plan: Plan) -> bool:
    """Say whether a Windows baseline approves patches in the week of their release, so that its day matters to a window.

    The second of a weekday is at most six days after the second Tuesday: with a longer delay it never installs
    that month's patches, whichever of the two comes first.  So do the predefined baselines, which wait for seven.
    """
    return any(
        rule.approve_after_days is not None and rule.approve_after_days < _WEEK_DAYS
        for baseline in plan.baselines.values()
        if system_of(baseline) is OperatingSystem.WINDOWS
        for rule in baseline.rules or ()
    )


def _associations(plan: Plan) -> Iterator[Finding]:
    for name, association in plan.associations.items():
        if installs(association):
            what, mark = f"association {name!r}", plan.marks.at("associations", name)
            sentence = f"{what} installs outside of windows, so it knows no end and no cutoff"
            remedy = "make it a task of a window, or let it scan"
            yield found(plan, PlanCode.INSTALLS_OUTSIDE_WINDOWS, mark, sentence, remedy)
            yield from _installation(plan, association, what, mark)


def _installation(plan: Plan, task: Task | Association, what: str, mark: Mark) -> Iterator[Finding]:
    if task.reboot_option is None and "RebootOption" not in task.parameters:
        sentence = f"{what} installs and does not say whether it may reboot, so it reboots where that is needed"
        remedy = "say rebootOption: RebootIfNeeded or NoReboot, here or in defaults"
        yield found(plan, PlanCode.NO_REBOOT_POLICY, mark, sentence, remedy)
    if task.max_concurrency == _ALL:
        sentence = f"{what} installs with maxConcurrency {_ALL}, so all nodes are patched, and may reboot, at once"
        remedy = "use a share such as 10%, so that a bad patch meets a few nodes first"
        yield found(plan, PlanCode.ALL_AT_ONCE, mark, sentence, remedy)
    if task.max_errors == _ALL:
        sentence = f"{what} installs with maxErrors {_ALL}, so it goes on however many nodes fail"
        remedy = "use a share such as 5%, so that a bad patch stops there"
        yield found(plan, PlanCode.ERRORS_NEVER_STOP, mark, sentence, remedy)
