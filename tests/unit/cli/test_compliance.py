"""`patchwindow compliance`, and when a node is compliant."""

import json
from datetime import UTC, datetime

import pytest
from tests.unit.cli.fake import Answers, FakeClient, Members, run

from patchwindow.cli.exits import Exit
from patchwindow.cli.patchstates import is_compliant, patch_states

NODE = "mi-0123456789abcdef0"
AT = datetime(2026, 7, 1, 2, 3, 4, tzinfo=UTC)
STATE = {
    "InstanceId": NODE,
    "PatchGroup": "RHEL",
    "BaselineId": "pb-0123456789abcdef0",
    "MissingCount": 1,
    "OperationStartTime": AT,
    "OperationEndTime": AT,
    "Operation": "Scan",
}
SUMMARY = {
    "ComplianceType": "Patch",
    "ResourceType": "ManagedInstance",
    "ResourceId": NODE,
    "Status": "NON_COMPLIANT",
    "OverallSeverity": "CRITICAL",
    "ExecutionSummary": {"ExecutionTime": AT},
    "CompliantSummary": {"CompliantCount": 310},
    "NonCompliantSummary": {"NonCompliantCount": 2, "SeveritySummary": {"CriticalCount": 1, "UnspecifiedCount": 1}},
}


def patch(state: str, name: str) -> Members:
    """Return a patch of the node in a state."""
    return {
        "Title": name,
        "KBId": name,
        "Classification": "Security",
        "Severity": "Important",
        "State": state,
        "InstalledTime": datetime(1970, 1, 1, tzinfo=UTC),
    }


def test_list_prints_a_line_per_node() -> None:
    outcome = run(
        "compliance", "list", answers={"ListResourceComplianceSummaries": {"ResourceComplianceSummaryItems": [SUMMARY]}}
    )
    assert outcome.stdout.splitlines() == [
        "NODE                  STATUS         SEVERITY  NOT COMPLIANT  COMPLIANT  AS OF",
        "mi-0123456789abcdef0  NON_COMPLIANT  CRITICAL              2        310  2026-07-01T02:03:04Z",
    ]


def test_list_asks_for_patches_and_for_those_not_compliant() -> None:
    filters = [
        {"Key": "ComplianceType", "Values": ["Patch"], "Type": "EQUAL"},
        {"Key": "Status", "Values": ["NON_COMPLIANT"], "Type": "EQUAL"},
    ]
    asked = run("compliance", "list", "--non-compliant").asked
    assert asked == [("ListResourceComplianceSummaries", {"Filters": filters})]


ANSWERS: Answers = {
    "DescribeInstancePatchStates": {"InstancePatchStates": [STATE]},
    "DescribeInstancePatches": {
        "Patches": [patch("Failed", "b"), patch("Unheard", "c"), patch("Missing", "z"), patch("Missing", "a")]
    },
}


def test_show_prints_the_patches_to_act_on_by_state() -> None:
    outcome = run("compliance", "show", NODE, answers=ANSWERS)
    rows = outcome.stdout.splitlines()[-4:]
    assert [row.split()[::3] for row in rows] == [["Missing", "a"], ["Missing", "z"], ["Failed", "b"], ["Unheard", "c"]]
    states = outcome.asked[-1][1]["Filters"][0]["Values"]
    assert "Missing" in states
    assert "Installed" not in states


@pytest.mark.parametrize(
    ("options", "filters"),
    [
        (["--all"], []),
        (["--state", "Installed"], [{"Key": "State", "Values": ["Installed"]}]),
    ],
)
def test_show_asks_for_other_states_where_they_are_wanted(options: list[str], filters: list[Members]) -> None:
    outcome = run("compliance", "show", NODE, *options, "--json", answers=ANSWERS)
    assert outcome.asked[-1][1]["Filters"] == filters
    assert json.loads(outcome.stdout)["PatchState"]["MissingCount"] == 1


def test_show_of_a_node_that_was_never_scanned_says_how_to_scan_it() -> None:
    outcome = run("compliance", "show", NODE)
    assert outcome.exit_code == Exit.FAILED
    assert f"`patchwindow scan --node {NODE}`" in outcome.stderr


def test_summary_counts_by_severity() -> None:
    answers: Answers = {
        "ListComplianceSummaries": {
            "ComplianceSummaryItems": [
                {key: SUMMARY[key] for key in ("ComplianceType", "CompliantSummary", "NonCompliantSummary")}
            ]
        }
    }
    assert run("compliance", "summary", answers=answers).stdout.splitlines() == [
        "TYPE   COMPLIANT  NOT COMPLIANT  CRITICAL  HIGH  MEDIUM  LOW  OTHER",
        "Patch        310              2         1     0       0    0      1",
    ]


@pytest.mark.parametrize(
    ("count", "compliant"),
    [
        ("InstalledCount", True),
        ("InstalledOtherCount", True),
        ("NotApplicableCount", True),
        ("MissingCount", False),
        ("FailedCount", False),
        ("InstalledRejectedCount", False),
        ("InstalledPendingRebootCount", False),
        ("SecurityNonCompliantCount", False),
    ],
)
def test_a_node_is_not_compliant_when_it_has_any_patch_that_is_not(count: str, compliant: bool) -> None:  # noqa: FBT001 - a column of the table
    assert is_compliant({"MissingCount": 0, count: 1}) is compliant


def test_the_states_of_many_nodes_are_asked_for_by_fifty() -> None:
    client = FakeClient({"DescribeInstancePatchStates": {"InstancePatchStates": [STATE]}})
    assert len(list(patch_states(client, [f"mi-{number:017}" for number in range(101)]))) == 3
    assert [len(members["InstanceIds"]) for _, members in client.asked] == [50, 50, 1]
