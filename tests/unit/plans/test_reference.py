"""The reference plan says what it is meant to say."""

from pathlib import Path

import pytest

from patchwindow.plans import Plan, read_plan
from patchwindow.plans.desired import desired_state
from patchwindow.plans.state import Kind

FILE = Path("plans/reference.yaml")


@pytest.fixture(scope="module")
def plan() -> Plan:
    return read_plan(FILE)


@pytest.mark.parametrize(
    ("window", "schedule", "duration"),
    [
        ("Management-Server", "cron(0 23 ? * TUE#1 *)", 6),
        ("Web-Server", "cron(0 23 ? * THU#1 *)", 6),
        ("Application-Server", "cron(0 23 ? * THU#2 *)", 6),
        ("Database-Server", "cron(0 23 ? * THU#3 *)", 6),
        ("Sandbox-Development-Test", "cron(0 22 ? * MON-FRI *)", 5),
        ("Acceptance-Production", "cron(0 6 ? * SAT,SUN *)", 5),
    ],
)
def test_every_window_opens_when_it_should(plan: Plan, window: str, schedule: str, duration: int) -> None:
    opened = plan.windows[window]
    assert (opened.schedule, opened.duration, opened.cutoff) == (schedule, duration, 1)


@pytest.mark.parametrize("group", ["Management Server", "Web Server", "Application Server", "Database Server"])
def test_a_functional_group_has_a_baseline_for_every_system_and_a_window(plan: Plan, group: str) -> None:
    systems = {plan.baselines[name].operating_system for name in plan.patch_groups[group].baselines}
    assert systems == {"WINDOWS", "REDHAT_ENTERPRISE_LINUX", "AMAZON_LINUX_2023", "DEBIAN", "UBUNTU"}
    groups = [target.patch_group for window in plan.windows.values() for target in window.targets.values()]
    assert groups.count(group) == 1


def test_windows_2012_gets_all_security_patches_whatever_their_severity(plan: Plan) -> None:
    (name,) = plan.patch_groups["Windows2012"].baselines
    (rule,) = plan.baselines[name].rules or ()
    assert rule.filters["CLASSIFICATION"] == ("SecurityUpdates",)
    assert rule.filters["MSRC_SEVERITY"] == ("*",)


def test_changing_the_one_line_changes_every_task(tmp_path: Path) -> None:
    text = FILE.read_text(encoding="utf-8")
    assert text.count("operation: Scan") == 1
    changed = tmp_path / "install.yaml"
    changed.write_text(text.replace("operation: Scan", "operation: Install"), encoding="utf-8")
    tasks = [entry for entry in desired_state(read_plan(changed), {}) if entry.address.kind is Kind.TASK]
    parameters = [entry.members["TaskInvocationParameters"]["RunCommand"]["Parameters"] for entry in tasks]
    assert parameters == [{"Operation": ["Install"], "RebootOption": ["RebootIfNeeded"]}] * 6
    assert {entry.members["CutoffBehavior"] for entry in tasks} == {"CANCEL_TASK"}


def test_the_plan_ships_with_the_package() -> None:
    assert FILE.resolve().parent == Path("src/patchwindow/plans/examples").resolve()
