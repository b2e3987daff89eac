"""Snapshots of a service in which nothing is wrong, to be made wrong in one thing."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from patchwindow.checks.snapshot import (
    Association,
    Baseline,
    Group,
    Node,
    Ran,
    Rule,
    Run,
    Snapshot,
    Window,
    WindowTarget,
    WindowTask,
)
from patchwindow.domain.operating_system import OperatingSystem

NOW: Final = datetime(2026, 7, 1, 12, tzinfo=UTC)
WEB: Final = "mi-0123456789abcdef0"
DATABASE: Final = "mi-0123456789abcdef1"
WEEKLY: Final = "cron(0 3 ? * SUN *)"


def node(id: str = WEB, **members: Any) -> Node:
    """Return a node in the group `web` that was scanned yesterday."""
    sound = Node(
        id=id,
        system=OperatingSystem.AMAZON_LINUX_2023,
        product="AmazonLinux2023",
        group="web",
        registered_at=NOW - timedelta(days=300),
        scanned_at=NOW - timedelta(days=1),
    )
    return replace(sound, **members)


def task(**members: Any) -> WindowTask:
    """Return a task that installs on the web node."""
    sound = WindowTask(
        id="task",
        document="AWS-RunPatchBaseline",
        target_ids=("target",),
        parts=(frozenset({WEB}),),
        operation="Install",
        reboot_option="RebootIfNeeded",
    )
    return replace(sound, **members)


def window(id: str = "mw-1", **members: Any) -> Window:
    """Return a weekly window of four hours for the web node."""
    sound = Window(
        id=id,
        name=f"window-{id}",
        schedule=WEEKLY,
        duration_hours=4,
        cutoff_hours=1,
        targets=(WindowTarget(id="target", name="webs", nodes=frozenset({WEB})),),
        tasks=(task(),),
    )
    return replace(sound, **members)


def association(**members: Any) -> Association:
    """Return an association that patches the web node each night."""
    return replace(Association(id="association", name="nightly", nodes=frozenset({WEB})), **members)


def baseline(**members: Any) -> Baseline:
    """Return the baseline of the group `web`."""
    sound = Baseline(id="pb-1", name="security", system=OperatingSystem.AMAZON_LINUX_2023, rules=(Rule(days=3),))
    return replace(sound, **members)


GROUP: Final = Group(name="web", system=OperatingSystem.AMAZON_LINUX_2023, baseline_id="pb-1")


def snapshot(**members: Any) -> Snapshot:
    """Return a service with one node in one window, in which nothing is wrong."""
    sound = Snapshot(
        taken_at=NOW,
        nodes={WEB: node()},
        windows=(window(),),
        baselines=(baseline(),),
        groups=(GROUP,),
    )
    return replace(sound, **members)


def run(days_ago: int, **members: Any) -> Run:
    """Return a run of a window, in which the web node took part unless said."""
    return replace(Run(started_at=NOW - timedelta(days=days_ago), took_part=frozenset({WEB})), **members)


def took(*minutes: int) -> tuple[Ran, ...]:
    """Return installations that took so long."""
    return tuple(
        Ran(document="AWS-RunPatchBaseline", operation="Install", duration=timedelta(minutes=each)) for each in minutes
    )
