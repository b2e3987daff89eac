"""`patchwindow scan` and `patchwindow patch`."""

import json
import time
from datetime import UTC, datetime

import pytest
from tests.unit.cli.fake import Answers, Members, refusal, run

from patchwindow.cli.exits import Exit

COMMAND = "01234567-89ab-cdef-0123-456789abcdef"
GOOD = "mi-0123456789abcdef0"
BAD = "mi-0123456789abcdef1"
AT = datetime(2026, 7, 1, 2, 3, 4, tzinfo=UTC)


def state(node: str) -> Members:
    """Return what the last operation found on a node."""
    return {
        "InstanceId": node,
        "PatchGroup": "RHEL",
        "BaselineId": "pb-0123456789abcdef0",
        "InstalledCount": 10,
        "InstalledOtherCount": 300,
        "InstalledPendingRebootCount": 0,
        "InstalledRejectedCount": 0,
        "MissingCount": 2,
        "FailedCount": 0,
        "OperationStartTime": AT,
        "OperationEndTime": AT,
        "Operation": "Scan",
    }


def answers(statuses: Members) -> Answers:
    """Return a server on which a command has ended with *statuses*, node by node."""
    done = {"CommandId": COMMAND, "Status": "Success", "StatusDetails": "Success", "TargetCount": len(statuses)}
    return {
        "SendCommand": {"Command": {**done, "Status": "Pending"}},
        "ListCommands": {"Commands": [done]},
        "ListCommandInvocations": {
            "CommandInvocations": [
                {"CommandId": COMMAND, "InstanceId": node, "Status": status, "StatusDetails": status}
                for node, status in statuses.items()
            ]
        },
        # Every node was scanned at some time, also the one that fails now.
        "DescribeInstancePatchStates": lambda members: {
            "InstancePatchStates": [state(node) for node in members["InstanceIds"]]
        },
    }


def test_scan_sends_the_document_and_prints_what_it_found() -> None:
    outcome = run("scan", "--node", GOOD, answers=answers({GOOD: "Success"}))
    assert outcome.exit_code == Exit.DONE
    sent = {
        "DocumentName": "AWS-RunPatchBaseline",
        "InstanceIds": [GOOD],
        "Parameters": {"Operation": ["Scan"], "RebootOption": ["RebootIfNeeded"]},
    }
    assert outcome.asked[0] == ("SendCommand", sent)
    assert outcome.stdout.splitlines() == [
        "NODE                  STATUS   INSTALLED  OTHER  REBOOT  REJECTED  MISSING  FAILED  COMPLIANT",
        "mi-0123456789abcdef0  Success         10    300       0         0        2       0  no",
    ]
    assert outcome.stderr.splitlines() == [
        f"Scan: command {COMMAND} is sent; it goes on if this program is stopped",
        "Success: 1 node, 1 Success",
    ]


def test_how_a_command_runs_is_handed_through() -> None:
    rates = ["--max-concurrency", "10%", "--max-errors", "1", "--comment", "July", "--timeout", "600"]
    outcome = run("scan", "--group", "RHEL", *rates, answers=answers({GOOD: "Success"}))
    members = outcome.asked[0][1]
    assert members["Targets"] == [{"Key": "tag:Patch Group", "Values": ["RHEL"]}]
    assert members["MaxConcurrency"] == "10%"
    assert members["MaxErrors"] == "1"
    assert members["Comment"] == "July"
    assert members["TimeoutSeconds"] == 600


@pytest.mark.parametrize("status", ["Failed", "TimedOut", "Cancelled"])
def test_a_node_that_failed_fails_the_command_and_shows_no_older_result(status: str) -> None:
    outcome = run("scan", "--node", GOOD, "--node", BAD, answers=answers({GOOD: "Success", BAD: status}))
    assert outcome.exit_code == Exit.FAILED
    failed = next(line for line in outcome.stdout.splitlines() if line.startswith(BAD))
    assert failed.split()[1:] == [status, "-", "-", "-", "-", "-", "-", "-"]
    assert (
        f"1 of 2 nodes did not succeed; `patchwindow commands logs {COMMAND}` shows what they wrote" in outcome.stderr
    )


def test_json_has_a_result_for_each_node() -> None:
    outcome = run("scan", "--node", GOOD, "--node", BAD, "--json", answers=answers({GOOD: "Success", BAD: "Failed"}))
    good, bad = json.loads(outcome.stdout)
    assert good["IsSuccess"] is True
    assert good["IsCompliant"] is False
    assert good["PatchState"]["MissingCount"] == 2
    assert bad == {
        "InstanceId": BAD,
        "Status": "Failed",
        "IsSuccess": False,
        "IsCompliant": None,
        "PatchState": None,
    }


def test_no_wait_only_sends() -> None:
    outcome = run("scan", "--node", GOOD, "--no-wait", answers=answers({GOOD: "Success"}))
    assert [operation for operation, _ in outcome.asked] == ["SendCommand"]
    assert outcome.stdout == f"CommandId  {COMMAND}\nStatus     Pending\n"
    as_json = run("scan", "--node", GOOD, "--no-wait", "--json", answers=answers({GOOD: "Success"}))
    assert json.loads(as_json.stdout)["CommandId"] == COMMAND


def test_a_choice_that_fits_no_node_fails_and_names_the_choice() -> None:
    outcome = run("scan", "--group", "RHLE", answers=answers({}))
    assert outcome.exit_code == Exit.FAILED
    assert "patchwindow: no node to scan: every node with tag 'Patch Group' 'RHLE' is none" in outcome.stderr


def test_patch_asks_and_sends_nothing_without_a_yes() -> None:
    outcome = run("patch", "--node", GOOD, typed="n\n")
    assert outcome.exit_code == Exit.FAILED
    assert outcome.asked == []
    assert outcome.stderr.startswith(
        f"This installs the missing approved patches on node {GOOD}, now, with a reboot where one is needed. Go on? [y/N]"
    )
    assert outcome.stderr.endswith("patchwindow: not confirmed, nothing was done; --yes goes on without asking\n")


def test_patch_with_nobody_to_answer_sends_nothing() -> None:
    outcome = run("patch", "--group", "RHEL", "--reboot-option", "NoReboot", typed="")
    assert outcome.exit_code == Exit.FAILED
    assert outcome.asked == []
    assert "without a reboot" in outcome.stderr


@pytest.mark.parametrize(("options", "typed"), [(["--yes"], ""), ([], "y\n")])
def test_patch_installs_once_it_is_confirmed(options: list[str], typed: str) -> None:
    outcome = run("patch", "--node", GOOD, *options, typed=typed, answers=answers({GOOD: "Success"}))
    assert outcome.exit_code == Exit.DONE
    assert outcome.asked[0][1]["Parameters"] == {"Operation": ["Install"], "RebootOption": ["RebootIfNeeded"]}


def test_a_server_that_does_not_install_yet_is_heard() -> None:
    error = refusal("InvalidParameters", "Operation Install is not served; use Scan")
    outcome = run("patch", "--node", GOOD, "--yes", answers={"SendCommand": error})
    assert outcome.exit_code == Exit.FAILED
    assert outcome.stderr == "patchwindow: SendCommand: InvalidParameters: Operation Install is not served; use Scan\n"


def test_no_choice_is_misuse() -> None:
    outcome = run("scan")
    assert outcome.exit_code == Exit.MISUSED
    assert "no nodes chosen" in outcome.stderr


def told(node: str, phase: str, **more: object) -> Members:
    return {"InstanceId": node, "Phase": phase, "Done": 0, "Total": 0, "What": "", "ToldTime": AT, **more}


def under_way(*instances: Members) -> Answers:
    """Return a server on which a command is in progress, and has ended when it is looked at again."""
    looks = iter(["InProgress"])

    def command(_: Members) -> Members:
        status = next(looks, "Success")
        return {"Commands": [{"CommandId": COMMAND, "Status": status, "StatusDetails": status, "TargetCount": 1}]}

    return {**answers({GOOD: "Success"}), "ListCommands": command, "GetPatchProgress": {"Instances": list(instances)}}


@pytest.mark.parametrize(
    ("instances", "shown"),
    [
        ([], ""),
        ([told(GOOD, "Reported")], ""),
        (
            [told(GOOD, "Installing", Done=3, Total=12, What="openssl"), told(BAD, "Rebooting")],
            f"; {GOOD} Installing 3 of 12 openssl, {BAD} Rebooting",
        ),
        ([told(f"{GOOD[:-1]}{number}", "Scanning") for number in range(4)], "; 4 Scanning"),
    ],
)
def test_it_is_shown_live_how_far_nodes_are(
    monkeypatch: pytest.MonkeyPatch, instances: list[Members], shown: str
) -> None:
    monkeypatch.setattr(time, "sleep", lambda _: None)
    outcome = run("patch", "--yes", "--node", GOOD, answers=under_way(*instances))
    assert outcome.exit_code == Exit.DONE
    assert outcome.stderr.splitlines()[1:] == [
        f"InProgress: 1 node, 1 Success{shown}",
        "Success: 1 node, 1 Success",
    ]


def test_a_server_that_tells_nothing_of_its_nodes_is_no_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "sleep", lambda _: None)
    refused = {**under_way(), "GetPatchProgress": refusal("AccessDeniedException", "GetPatchProgress")}
    outcome = run("scan", "--node", GOOD, answers=refused)
    assert outcome.exit_code == Exit.DONE
    assert [operation for operation, _ in outcome.asked].count("GetPatchProgress") == 1
