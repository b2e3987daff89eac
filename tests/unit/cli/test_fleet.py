"""`patchwindow compliance fleet`, `node` and `history`."""

import json
from datetime import UTC, datetime
from typing import Any, Final

import pytest
from tests.unit.cli.fake import Answers, run

from patchwindow.cli.fleet import STATES
from patchwindow.domain.fleet_state import FleetState

NODE: Final = "mi-0123456789abcdef0"
AT: Final = datetime(2026, 3, 14, 10, tzinfo=UTC)
COUNTS: Final = {**dict.fromkeys(STATES, 0), "Compliant": 5, "Missing": 2, "Total": 7}
ANSWERS: Answers = {
    "GetFleetCompliance": {
        "Counts": COUNTS,
        "Groups": [{"PatchGroup": "web", "OperatingSystem": "DEBIAN", "Counts": COUNTS}],
        "Nodes": [
            {
                "InstanceId": NODE,
                "State": "Missing",
                "PatchGroup": "web",
                "Environment": "",
                "OperatingSystem": "DEBIAN",
                "FactsTime": AT,
                "BaselineId": "pb-1",
                "BaselineRevision": 3,
            }
        ],
    },
    "GetNodeCompliance": {"InstanceId": NODE, "State": "Missing", "BaselineRevision": 3, "MissingCount": 2},
    "GetComplianceHistory": {
        "Scans": [
            {
                "InstanceId": NODE,
                "Time": AT,
                "Operation": "Scan",
                "Status": "NON_COMPLIANT",
                "MissingCount": 2,
                "FailedCount": 0,
                "InstalledPendingRebootCount": 0,
                "InstalledCount": 10,
                "BaselineId": "pb-1",
                "BaselineRevision": 3,
            }
        ],
        "Days": [{"Day": "2026-03-14", "PatchGroup": "web", "OperatingSystem": "DEBIAN", "Counts": COUNTS}],
    },
}


def asked(*arguments: str) -> dict[str, Any]:
    ((_, members),) = run("compliance", *arguments, answers=ANSWERS).asked
    return members


def test_fleet_counts_the_nodes_by_state() -> None:
    outcome = run("compliance", "fleet", answers=ANSWERS)
    assert outcome.stdout.splitlines() == [
        "COMPLIANT  MISSING  FAILED  REBOOT  STALE  NEVER SCANNED  OFFLINE  TOTAL",
        "        5        2       0       0      0              0        0      7",
    ]
    assert outcome.connected[0]["service"] == "patchwindow"


def test_fleet_tells_the_counts_apart_by_what_is_asked() -> None:
    shown = run("compliance", "fleet", "--by", "group", "--by", "os", answers=ANSWERS).stdout.splitlines()
    assert shown[0].startswith("GROUP  OPERATING SYSTEM  COMPLIANT")
    assert shown[1].startswith("web    DEBIAN ")
    assert asked("fleet", "--by", "environment", "--environment-tag", "Stage") == {
        "GroupBy": ["Environment"],
        "EnvironmentTagKey": "Stage",
        "MaxResults": 1,
    }


def test_fleet_lists_the_nodes_in_the_states_that_are_asked_for() -> None:
    shown = run("compliance", "fleet", "--state", "Missing", "--state", "Stale", "--nodes", answers=ANSWERS)
    assert shown.stdout.splitlines() == [
        "NODE                  STATE    SCANNED               OPERATING SYSTEM  ENVIRONMENT  GROUP",
        f"{NODE}  Missing  2026-03-14T10:00:00Z  DEBIAN            -            web",
    ]
    assert shown.asked[0][1] == {"Filters": [{"Key": "State", "Values": ["Missing", "Stale"]}]}


def test_fleet_as_json_has_the_counts_and_the_groups() -> None:
    told = json.loads(run("compliance", "fleet", "--json", answers=ANSWERS).stdout)
    assert told["Counts"] == COUNTS
    assert told["Groups"][0]["PatchGroup"] == "web"


def test_node_shows_the_state_of_one_node_and_by_what() -> None:
    shown = run("compliance", "node", NODE, answers=ANSWERS).stdout
    assert "State             Missing" in shown
    assert "BaselineRevision  3" in shown
    assert asked("node", NODE, "--environment-tag", "Stage") == {"InstanceId": NODE, "EnvironmentTagKey": "Stage"}


def test_history_of_a_node_is_a_line_per_scan() -> None:
    assert run("compliance", "history", NODE, answers=ANSWERS).stdout.splitlines() == [
        "SCANNED               OPERATION  STATUS         MISSING  FAILED  REBOOT  INSTALLED  BASELINE",
        "2026-03-14T10:00:00Z  Scan       NON_COMPLIANT        2       0       0         10  pb-1 version 3",
    ]


def test_history_of_all_nodes_is_a_line_per_day_group_and_system() -> None:
    shown = run("compliance", "history", answers=ANSWERS).stdout.splitlines()
    assert shown[0].startswith("DAY         COMPLIANT  MISSING")
    assert shown[1].startswith("2026-03-14          5        2")
    assert shown[1].endswith("DEBIAN            web")


def test_history_of_all_nodes_together_is_a_line_per_day() -> None:
    assert asked("history", "--together") == {"Together": True}
    shown = run("compliance", "history", "--together", answers=ANSWERS).stdout.splitlines()
    assert "GROUP" not in shown[0]
    refused = run("compliance", "history", NODE, "--together", answers=ANSWERS)
    assert "--together counts all nodes; leave it out, or NODE" in refused.stderr


@pytest.mark.parametrize("written", ["2026-03-01", "2026-03-01T00:00:00Z", "2026-03-01T00:00:00"])
def test_times_of_history_are_in_utc(written: str) -> None:
    members = asked("history", NODE, "--after", written, "--before", "2026-03-14T10:00:00Z")
    assert members == {"InstanceId": NODE, "After": datetime(2026, 3, 1, tzinfo=UTC), "Before": AT}


def test_the_states_are_those_of_the_server() -> None:
    assert set(STATES) == {state.value for state in FleetState}
