"""The plans that ship: read, checked, applied to the real operations, and exported again."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest
from tests.fakes.in_process import InProcess

from patchwindow.plans import apply, check, compare, export, parse_plan, read_plan

NOW: Final = datetime(2026, 6, 1, tzinfo=UTC)
FILES: Final = sorted(Path("plans").glob("*.yaml"))


def test_there_are_the_reference_and_three_for_typical_sites() -> None:
    assert [path.stem for path in FILES] == ["reference", "rings", "shop", "small-office"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.stem))
def test_a_plan_that_ships_has_no_findings_even_for_aws(path: Path) -> None:
    assert check(read_plan(path), now=NOW, is_for_aws=True) == ()


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.stem))
def test_a_plan_that_ships_is_applied_once_and_comes_back_by_an_export(path: Path, tmp_path: Path) -> None:
    plan, client = read_plan(path), InProcess(tmp_path)
    apply(client, compare(client, plan, now=NOW))
    assert compare(client, plan, now=NOW).coming == ()
    exported = export(client, plan.name)
    assert exported.notes == ()
    assert compare(client, parse_plan(exported.text, "exported"), now=NOW).coming == ()


def test_what_the_reference_plan_says_in_comments_is_a_plan_too() -> None:
    text = Path("plans/reference.yaml").read_text(encoding="utf-8")
    said = re.sub(r"^( *)# ( *[\w-]+:( .*)?)$", r"\1\2", text, flags=re.MULTILINE)
    plan = parse_plan(said, "reference.yaml")
    assert (list(plan.freezes), list(plan.associations)) == (["Year-End"], ["Daily-Scan"])
    assert {window.freezes for window in plan.windows.values()} == {("Year-End",)}
    tasks = [task for window in plan.windows.values() for task in window.tasks.values()]
    assert {task.service_role_arn for task in tasks} == {"arn:aws:iam::111122223333:role/MaintenanceWindow"}
    assert {task.logs.s3_bucket for task in tasks if task.logs} == {"my-patch-logs"}
    topics = {task.notification.topic_arn for task in tasks if task.notification}
    assert topics == {"arn:aws:sns:us-east-1:111122223333:patching"}
    assert check(plan, now=NOW, is_for_aws=True) == ()
