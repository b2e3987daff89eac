"""Plans against AWS's API as moto implements it: windows, targets and tasks.

moto has no operation that reads a baseline's rules, a group's baseline, a task or an association, and it takes no document
of format TEXT, so baselines, groups, associations and freezes are no part of this. That a task is there is seen in its list of tasks, which does not say what the task runs.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, Final

import pytest
from tests.fakes.moto import moto_client, running_moto

from patchwindow.plans import apply, compare, export, parse_plan

NOW: Final = datetime(2026, 1, 1, tzinfo=UTC)
PLAN: Final = """\
name: small
defaults:
  task: {operation: Scan, maxConcurrency: 10%, maxErrors: 1}
windows:
  Web-Server:
    description: Web servers
    schedule: cron(0 23 ? * THU#1 *)
    timezone: Europe/Berlin
    offset: 2
    duration: 6
    cutoff: 1
    targets:
      web: {tags: {Role: [web, proxy]}}
    tasks:
      patch: {priority: 3, rebootOption: NoReboot, comment: nightly}
      again: {document: AWS-RunShellScript, parameters: {commands: [uptime]}}
"""


class Moto:
    """moto's client, and what it does not implement: lists that are empty there, and a task as it lists it."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.writes: list[str] = []

    def __getattr__(self, method: str) -> Callable[..., Any]:
        real = getattr(self._client, method)

        def ask(**members: Any) -> Any:
            if not method.startswith(("get_", "describe_", "list_")):
                self.writes.append(method)
            return real(**members)

        return ask if callable(real) else real

    def describe_patch_groups(self, **_: Any) -> dict[str, Any]:
        return {"Mappings": []}

    def list_associations(self, **_: Any) -> dict[str, Any]:
        return {"Associations": []}

    def get_maintenance_window_task(self, **members: Any) -> Any:
        listed = self._client.describe_maintenance_window_tasks(WindowId=members["WindowId"])["Tasks"]
        found = next(task for task in listed if task["WindowTaskId"] == members["WindowTaskId"])
        # moto's list does not say the type where the model has it.
        return {"TaskType": "RUN_COMMAND", **found}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Moto]:
    """Return a client of moto's server, empty at first."""
    with running_moto(tmp_path_factory.mktemp("moto")) as url:
        yield Moto(moto_client(url, "ssm"))


def test_a_plan_is_applied_once_found_in_place_and_taken_away(client: Moto) -> None:
    plan = parse_plan(PLAN, "plan.yaml")
    first = apply(client, compare(client, plan, now=NOW))
    assert [change.address.kind.value for change in first.created] == ["window", "target", "task", "task"]
    assert client.writes == [
        "create_maintenance_window",
        "register_target_with_maintenance_window",
        "register_task_with_maintenance_window",
        "register_task_with_maintenance_window",
    ]
    second = {str(change.address): change.changed for change in compare(client, plan, now=NOW).changes}
    # All but what moto does not tell.
    assert second["window Web-Server"] == ("AllowUnassociatedTargets",)
    assert second["target Web-Server / web"] == ()
    assert second["task Web-Server / patch"] == ("TaskInvocationParameters",)
    gone = apply(client, compare(client, parse_plan("name: small", "plan.yaml"), now=NOW, prunes=True))
    assert [change.address.kind.value for change in gone.deleted] == ["task", "task", "target", "window"]
    assert export(client, "small").text == "name: small\n"
