"""Each finding: what brings it about, and that nothing else comes with it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.checks.snapshots import (
    DATABASE,
    GROUP,
    NOW,
    WEB,
    association,
    baseline,
    node,
    run,
    snapshot,
    task,
    took,
    window,
)

from patchwindow.checks import CHECKS, Snapshot, check
from patchwindow.checks.check_windows import _first_meeting
from patchwindow.checks.codes import CheckCode
from patchwindow.checks.openings import opens_again
from patchwindow.checks.snapshot import Calendar, Group, Release, Rule, Run, Topic, Window, WindowTarget
from patchwindow.domain.operating_system import OperatingSystem

NOBODY: Final[frozenset[str]] = frozenset()
MISSED: Final = {"took_part": NOBODY, "missed": frozenset({WEB})}
IDLE: Final = {"took_part": NOBODY, "has_idle_tasks": True}
FLEET: Final = frozenset(f"mi-{number:017}" for number in range(30))
OF_FLEET: Final = window(targets=(), tasks=(task(parts=(FLEET,), max_concurrency="10"),))
SEPARATE: Final = window("mw-2", schedule="cron(0 3 ? * MON *)")
SUNDAY: Final = datetime(2026, 7, 5, 3, tzinfo=UTC)
FROZEN: Final = window(next_at=SUNDAY, calendars=(Calendar(name="summer", is_closed=True),))
DEFAULT: Final = baseline(id="pb-2", is_default=True)


def releases(name: str, *, every_days: int, count: int = 10) -> tuple[Release, ...]:
    """Return that a package came out so often."""
    return tuple(
        Release(product="AmazonLinux2023", name=name, on=(NOW - timedelta(days=number * every_days)).date())
        for number in range(count)
    )


def waiting(days: int, **members: object) -> Snapshot:
    """Return a service whose baseline approves after so many days."""
    return snapshot(baselines=(baseline(rules=(Rule(days=days),)),), **members)


FOUND: Final[Mapping[str, tuple[Snapshot, Sequence[str]]]] = {
    "nothing is wrong": (snapshot(), []),
    "nothing is there": (Snapshot(taken_at=NOW), []),
    "a node that no target means": (
        snapshot(nodes={WEB: node(), DATABASE: node(DATABASE)}),
        ["node-in-no-window"],
    ),
    "a node whose only window is disabled": (
        snapshot(windows=(window(is_enabled=False),)),
        ["node-in-no-window", "window-disabled"],
    ),
    "a node that is only in a target without a task": (
        snapshot(windows=(window(tasks=(task(target_ids=(), parts=()),)),)),
        ["node-in-no-window", "target-without-task"],
    ),
    "a node without a group": (
        snapshot(nodes={WEB: node(group=None)}, groups=(), baselines=(baseline(is_default=True),)),
        ["node-without-group"],
    ),
    "a node in a group that has no baseline": (
        snapshot(nodes={WEB: node(group="wbe")}),
        ["node-in-unknown-group", "group-without-nodes"],
    ),
    "a group whose baseline is for another operating system": (
        snapshot(nodes={WEB: node(system=OperatingSystem.DEBIAN)}),
        ["node-in-unknown-group"],
    ),
    "a node of an operating system that is not known": (snapshot(nodes={WEB: node(system=None)}), []),
    "a node that missed two windows": (
        snapshot(windows=(window(runs=(run(7, **MISSED), run(14, **MISSED), run(21))),)),
        ["node-missed-windows"],
    ),
    "a node that missed one window of two": (
        snapshot(windows=(window(runs=(run(7, **MISSED), run(14), run(21, **MISSED))),)),
        [],
    ),
    "a node that missed the only window so far": (snapshot(windows=(window(runs=(run(7, **MISSED),)),)), []),
    "a node that missed one of each of two windows": (
        snapshot(
            windows=(window(runs=(run(7, **MISSED), run(14))), replace(SEPARATE, runs=(run(6, **MISSED), run(13))))
        ),
        ["node-missed-windows"],
    ),
    "a node in whose windows no task began": (
        snapshot(windows=(window(runs=(run(7, **IDLE), run(14, **IDLE))),)),
        ["node-missed-windows"],
    ),
    "a node that is younger than the window in which no task began": (
        snapshot(
            nodes={WEB: node(registered_at=NOW - timedelta(days=10))},
            windows=(window(runs=(run(7, **IDLE), run(14, **IDLE))),),
        ),
        [],
    ),
    "a node with an old scan": (
        snapshot(nodes={WEB: node(scanned_at=NOW - timedelta(days=7))}),
        ["node-not-scanned"],
    ),
    "a node without a scan": (snapshot(nodes={WEB: node(scanned_at=None)}), ["node-not-scanned"]),
    "a node that is not heard of": (snapshot(nodes={WEB: node(ping_status="ConnectionLost")}), ["node-lost"]),
    "a group without nodes": (
        snapshot(groups=(GROUP, Group(name="db", system=OperatingSystem.DEBIAN, baseline_id="pb-1"))),
        ["group-without-nodes"],
    ),
    "a window without targets": (
        snapshot(windows=(window(), replace(SEPARATE, targets=(), tasks=(task(target_ids=(), parts=()),)))),
        ["no-targets"],
    ),
    "a window without tasks": (snapshot(windows=(window(), replace(SEPARATE, tasks=()))), ["no-tasks"]),
    "a target without nodes": (
        snapshot(windows=(window(targets=(*window().targets, WindowTarget(id="target")), tasks=window().tasks),)),
        ["target-without-nodes"],
    ),
    "a window past its end": (
        snapshot(windows=(window(), replace(SEPARATE, end_date="2026-06-30T00:00:00Z"))),
        ["window-ended"],
    ),
    "a window that opened once": (
        snapshot(windows=(window(), replace(SEPARATE, schedule="at(2026-06-30T00:00:00)"))),
        ["window-ended"],
    ),
    "a schedule with a trap": (
        snapshot(windows=(window(), replace(SEPARATE, schedule="cron(0 3 ? * MON#5 *)"))),
        ["fifth-weekday"],
    ),
    "a schedule that cannot be read": (
        snapshot(windows=(window(), replace(SEPARATE, schedule="sometimes"))),
        ["schedule-unreadable"],
    ),
    "a window that heeds a calendar that is not there": (
        snapshot(windows=(window(calendars=(Calendar(name="christmas", is_there=False),)),)),
        ["freeze-missing"],
    ),
    "a window whose next opening is frozen": (
        snapshot(windows=(replace(FROZEN, free_at=SUNDAY + timedelta(days=7)),)),
        ["opening-frozen"],
    ),
    "a window whose openings of two months are frozen": (
        snapshot(windows=(replace(FROZEN, free_at=SUNDAY + timedelta(days=63)),)),
        ["frozen-for-long"],
    ),
    "a window whose openings are all frozen": (snapshot(windows=(FROZEN,)), ["freeze-swallows-window"]),
    "a window whose next opening is frozen, with a schedule that cannot be read": (
        snapshot(windows=(replace(FROZEN, schedule="sometimes"),)),
        ["schedule-unreadable", "opening-frozen"],
    ),
    "a node that an association patches": (
        snapshot(windows=(), associations=(association(operation="Install"),)),
        ["installs-outside-windows"],
    ),
    "a node that an association only scans": (
        snapshot(windows=(), associations=(association(operation="Scan"),)),
        ["node-in-no-window"],
    ),
    "a node in a window that an association scans as well": (
        snapshot(associations=(association(operation="Scan"),)),
        [],
    ),
    "a window that heeds a calendar that is open": (
        snapshot(windows=(window(next_at=SUNDAY, calendars=(Calendar(name="summer"),)),)),
        [],
    ),
    "windows that overlap": (
        snapshot(windows=(window(), window("mw-2", schedule="cron(0 5 ? * SUN *)"))),
        ["windows-overlap"],
    ),
    "windows that follow one another": (
        snapshot(windows=(window(), window("mw-2", schedule="cron(0 7 ? * SUN *)"))),
        [],
    ),
    "windows that would overlap if both were enabled": (
        snapshot(windows=(window(), window("mw-2", is_enabled=False))),
        ["window-disabled"],
    ),
    "an installation that may reboot unasked": (
        snapshot(windows=(window(tasks=(task(reboot_option=None),)),)),
        ["no-reboot-policy"],
    ),
    "a baseline for nothing": (
        snapshot(baselines=(baseline(), baseline(id="pb-3"), DEFAULT, baseline(id="pb-4", is_own=False))),
        ["baseline-unused"],
    ),
    "approvals that wait longer than the pace of a package": (
        waiting(7, releases=releases("kernel", every_days=5)),
        ["approval-starves"],
    ),
    "approvals that leave less time than lies between two windows": (
        waiting(7, releases=releases("kernel", every_days=10)),
        ["approval-may-starve"],
    ),
    "approvals in time": (waiting(7, releases=releases("kernel", every_days=15)), []),
    "a package of which too few versions are known": (
        waiting(7, releases=releases("kernel", every_days=5, count=2)),
        [],
    ),
    "a package that the rule is not for": (
        snapshot(
            baselines=(baseline(rules=(Rule(days=7, filters={"CLASSIFICATION": ("Security",)}),)),),
            releases=releases("kernel", every_days=5),
        ),
        [],
    ),
    "approvals that wait longer than from window to window, of packages of which nothing is known": (
        waiting(8),
        ["approval-may-starve"],
    ),
    "approvals that wait for dates that the system does not have": (
        snapshot(baselines=(baseline(rules=(Rule(days=8),), has_dates=False),)),
        [],
    ),
}


@pytest.mark.parametrize("what", FOUND)
def test_what_is_wrong_is_found_and_nothing_else(what: str) -> None:
    here, expected = FOUND[what]
    assert [str(finding.code) for finding in check(here)] == expected


@pytest.mark.parametrize(
    ("runs", "expected"),
    [
        # Three rounds of ten: at the default of 20 minutes an hour is just enough.
        ((), []),
        ((run(7, ran=took(50)),), []),
        ((run(7, ran=took(90)),), ["window-too-short"]),
        ((run(7, ran=took(*[20] * 59, 245)),), ["window-tight"]),
    ],
)
def test_a_window_is_measured_against_what_its_nodes_took(runs: tuple[Run, ...], expected: list[str]) -> None:
    here = Snapshot(taken_at=NOW, windows=(replace(OF_FLEET, runs=runs),))
    lengths = {"window-too-short", "window-tight"}
    assert [str(finding.code) for finding in check(here) if finding.code in lengths] == expected


def test_what_was_never_recorded_of_a_window_is_taken_from_another() -> None:
    here = Snapshot(taken_at=NOW, windows=(OF_FLEET, replace(SEPARATE, runs=(run(7, ran=took(90)),))))
    (finding,) = (each for each in check(here) if each.code is CheckCode.WINDOW_TOO_SHORT)
    assert finding.where.thing == "window window-mw-1 (mw-1)"
    assert "4 h 30 min in one run of two" in finding.sentence
    assert "has 4 h 00 min until its end" in finding.sentence


def test_tasks_of_a_later_priority_must_begin_before_the_cutoff() -> None:
    tasks = tuple(task(id=str(number), priority=number, parts=(FLEET,), max_concurrency="10") for number in range(4))
    here = Snapshot(taken_at=NOW, windows=(replace(OF_FLEET, tasks=tasks),))
    (finding,) = (each for each in check(here) if each.code is CheckCode.WINDOW_TOO_SHORT)
    assert "its last tasks begin after up to 3 h 00 min, past the cutoff" in finding.sentence


def test_a_task_that_is_cancelled_at_the_cutoff_has_until_then() -> None:
    slow = (run(7, ran=took(70)),)
    tasks = (task(parts=(FLEET,), max_concurrency="10", is_cancelled_at_cutoff=True),)
    here = Snapshot(taken_at=NOW, windows=(replace(OF_FLEET, tasks=tasks, runs=slow),))
    assert CheckCode.WINDOW_TOO_SHORT in {finding.code for finding in check(here)}
    assert CheckCode.WINDOW_TOO_SHORT not in {
        finding.code for finding in check(replace(here, windows=(replace(OF_FLEET, runs=slow),)))
    }


@pytest.mark.parametrize("topic", Topic)
def test_what_is_not_told_is_a_finding_and_no_check_guesses_at_it(topic: Topic) -> None:
    here = snapshot(nodes={WEB: node(group=None, scanned_at=None, ping_status="Lost")}, refusals={topic: "Refused"})
    first, *others = check(here)
    assert (first.code, first.where.thing) == (CheckCode.NOT_TOLD, topic)
    blind = {code for each in CHECKS if topic in each.needs for code in each.codes}
    assert blind.isdisjoint({finding.code for finding in others})
    assert all(code in first.sentence for code in blind)


def test_a_rate_is_counted_from_the_opening_that_the_service_told() -> None:
    every_other_day = window("mw-2", schedule="rate(14 days)", next_at=datetime(2026, 7, 5, 6, tzinfo=UTC))
    (finding,) = check(snapshot(windows=(window(), every_other_day)))
    assert "both open at 2026-07-05T06:00Z" in finding.sentence


def test_instants_are_told_in_utc_whatever_zone_the_sdk_read_them_in() -> None:
    there = timezone(timedelta(hours=2))
    scanned_at = datetime(2026, 6, 1, 1, 30, tzinfo=there)
    (finding,) = check(snapshot(nodes={WEB: node(scanned_at=scanned_at)}))
    assert finding.sentence == "it was scanned 30 days ago, at 2026-05-31T23:30Z"


spans = st.lists(st.integers(0, 60), max_size=8, unique=True).map(sorted)


@given(spans, st.integers(1, 6), spans, st.integers(1, 6))
def test_two_windows_meet_where_an_hour_of_both_is_the_same(
    ones: list[int], one_hours: int, others: list[int], other_hours: int
) -> None:
    def at(hour: int) -> datetime:
        return NOW + timedelta(hours=hour)

    # Openings of one window that overlap are found by lint; here each comes after the end of the one before.
    ones, others = _apart(ones, one_hours), _apart(others, other_hours)
    open_one, open_other = (
        {hour + more for hour in hours for more in range(length)}
        for hours, length in ((ones, one_hours), (others, other_hours))
    )
    met = _first_meeting(
        [at(hour) for hour in ones],
        timedelta(hours=one_hours),
        [at(hour) for hour in others],
        timedelta(hours=other_hours),
    )
    both = open_one & open_other
    assert met == (at(min(both)) if both else None)


def _apart(hours: list[int], length: int) -> list[int]:
    kept: list[int] = []
    for hour in hours:
        if not kept or hour >= kept[-1] + length:
            kept.append(hour)
    return kept


fleets = st.frozensets(st.sampled_from([WEB, DATABASE, "mi-gone"]))
tasks = st.builds(
    task,
    id=st.uuids().map(str),
    document=st.sampled_from(["AWS-RunPatchBaseline", "AWS-RunShellScript"]),
    priority=st.integers(0, 2),
    max_concurrency=st.sampled_from(["1", "3", "1%", "100%"]),
    is_cancelled_at_cutoff=st.booleans(),
    parts=st.lists(fleets, max_size=2).map(tuple),
    operation=st.sampled_from([None, "Scan", "Install", "{{ operation }}"]),
    reboot_option=st.sampled_from([None, "NoReboot"]),
)
windows = st.builds(
    window,
    st.uuids().map(str),
    schedule=st.sampled_from(["cron(0 3 ? * SUN *)", "rate(36 hours)", "at(2026-07-03T00:00:00)", "never"]),
    zone=st.sampled_from([None, "Europe/Berlin", "Mars/Olympus"]),
    end_date=st.sampled_from([None, "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z", "soon"]),
    duration_hours=st.integers(1, 24),
    cutoff_hours=st.integers(0, 23),
    is_enabled=st.booleans(),
    next_at=st.sampled_from([None, datetime(2026, 7, 5, 3, tzinfo=UTC)]),
    targets=st.builds(WindowTarget, id=st.just("target"), nodes=fleets).map(lambda target: (target,)),
    tasks=st.lists(tasks, max_size=3).map(tuple),
    runs=st.lists(st.builds(run, st.integers(1, 30), missed=fleets, has_idle_tasks=st.booleans()), max_size=3).map(
        tuple
    ),
)


@given(several=st.lists(windows, max_size=4).map(tuple), is_known=st.booleans())
def test_whatever_is_there_is_checked_and_each_finding_is_told_by_a_check(
    several: tuple[Window, ...], *, is_known: bool
) -> None:
    nodes = {id: node(id, system=OperatingSystem.DEBIAN if is_known else None) for id in (WEB, DATABASE)}
    findings = check(snapshot(nodes=nodes, windows=several))
    told = {code for each in CHECKS for code in each.codes}
    assert {finding.code for finding in findings} <= told
    assert all(finding.sentence and not finding.text.endswith(".") for finding in findings)
    # Who is reached by nobody is named, and nobody else.
    opening = [each for each in several if opens_again(each, NOW)]
    forgotten = {str(each) for each in nodes.values() if not any(each.id in one.nodes for one in opening)}
    assert {str(each.where) for each in findings if each.code is CheckCode.NODE_IN_NO_WINDOW} == forgotten
