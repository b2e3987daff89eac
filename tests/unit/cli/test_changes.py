"""`patchwindow changes`."""

import json
from datetime import UTC, datetime
from typing import Any, Final

import pytest
from tests.unit.cli.fake import Answers, run

AT: Final = datetime(2026, 12, 3, 22, 40, tzinfo=UTC)


def change(**more: Any) -> dict[str, Any]:
    told = {
        "ChangeId": "1",
        "ChangedTime": AT,
        "Caller": "AKIA1",
        "Comment": "Terraform",
        "Address": "192.0.2.7",
        "Operation": "UpdateMaintenanceWindow",
        "Resource": "mw-1",
        "Before": json.dumps({"Cutoff": 1, "Name": "web"}),
        "After": json.dumps({"Cutoff": 2, "Name": "web"}),
    }
    return {**told, **more}


def answers(**more: Any) -> Answers:
    return {"ListChanges": {"Changes": [change(**more)]}}


def test_a_line_has_who_from_where_and_the_values_that_differ() -> None:
    (_, line) = run("changes", answers=answers()).stdout.splitlines()
    assert line.split(maxsplit=3)[:3] == ["2026-12-03T22:40:00Z", "AKIA1", "(Terraform)"]
    assert "192.0.2.7" in line
    assert line.endswith("mw-1  Cutoff: 1 → 2")


@pytest.mark.parametrize(
    ("before", "after", "shown"),
    [("", '{"Name": "web"}', "Name: web"), ('{"Name": "web"}', "", "gone"), ("{}", '{"Cutoff": 2}', "Cutoff: - → 2")],
)
def test_what_is_new_and_what_is_gone_is_told_so(before: str, after: str, shown: str) -> None:
    assert run("changes", answers=answers(Before=before, After=after)).stdout.splitlines()[1].endswith(f"mw-1  {shown}")


def test_what_is_asked_for_goes_to_the_server() -> None:
    line = ["changes", "--by", "person/eve", "--operation", "SendCommand", "--of", "c-1", "--after", "2026-12-03"]
    asked = run(*line, "--before", "2026-12-04T10:00:00", answers=answers()).asked
    times = {"After": datetime(2026, 12, 3, tzinfo=UTC), "Before": datetime(2026, 12, 4, 10, tzinfo=UTC)}
    wanted = {"Caller": "person/eve", "Operation": "SendCommand", "Resource": "c-1", **times}
    assert asked == [("ListChanges", wanted)]


def test_json_has_the_members() -> None:
    assert json.loads(run("changes", "--json", answers=answers()).stdout)[0]["Resource"] == "mw-1"
