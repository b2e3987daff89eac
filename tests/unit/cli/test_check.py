"""`patchwindow check`."""

import json
from datetime import UTC, datetime, timedelta
from typing import Final

import pytest
from tests.unit.cli.fake import Answers, refusal, run

from patchwindow.cli.exits import Exit

NODE: Final = "mi-0123456789abcdef0"
SCANNED: Final = datetime.now(UTC) - timedelta(days=3, hours=1)
ANSWERS: Final[Answers] = {
    "DescribeInstanceInformation": {"InstanceInformationList": [{"InstanceId": NODE, "PingStatus": "Online"}]},
    "ListTagsForResource": {"TagList": [{"Key": "Patch Group", "Value": "\x1b[2Jweb"}]},
    "DescribeInstancePatchStates": {
        "InstancePatchStates": [
            {
                "InstanceId": NODE,
                "PatchGroup": "web",
                "BaselineId": "pb-0123456789abcdef0",
                "OperationStartTime": SCANNED,
                "OperationEndTime": SCANNED,
                "Operation": "Scan",
            }
        ]
    },
}


def codes(*options: str) -> list[str]:
    """Return the codes that are found with *options*."""
    outcome = run("check", "--json", *options, answers=ANSWERS)
    return [finding["Code"] for finding in json.loads(outcome.stdout)["Findings"]]


def test_a_scan_is_old_from_the_age_that_is_said() -> None:
    assert codes() == ["node-in-no-window", "node-in-unknown-group"]
    assert codes("--stale-days", "4") == ["node-in-no-window", "node-in-unknown-group"]
    assert codes("--stale-days", "3") == ["node-in-no-window", "node-in-unknown-group", "node-not-scanned"]


@pytest.mark.parametrize(("refused", "exit_code"), [(False, Exit.DONE), (True, Exit.FAILED)])
def test_what_is_not_told_fails_as_an_error_does(exit_code: Exit, *, refused: bool) -> None:
    answers: Answers = {"DescribePatchGroups": refusal("AccessDeniedException", "not you")} if refused else {}
    outcome = run("check", answers=answers)
    assert outcome.exit_code == exit_code
    assert outcome.stderr == f"http://control.example: {int(refused)} finding{'' if refused else 's'}\n"


def test_a_line_names_the_thing_its_severity_what_to_do_and_the_code() -> None:
    first, second = run("check", answers=ANSWERS).stdout.splitlines()
    assert first == (
        f"node {NODE}: error: no task of any window runs on it, so it is never patched by one; "
        "give it the tags that a target of a window asks for, or deregister it [node-in-no-window]"
    )
    assert "\x1b" not in second


def test_a_request_goes_to_both_services() -> None:
    connected = run("check", "--region", "eu-central-1").connected
    assert [where.get("service") for where in connected] == [None, "resource-groups"]
    assert {where["region"] for where in connected} == {"eu-central-1"}
