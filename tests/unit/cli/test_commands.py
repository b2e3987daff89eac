"""`patchwindow commands`."""

import json
from datetime import UTC, datetime

from tests.unit.cli.fake import Answers, Members, run

from patchwindow.cli.exits import Exit

COMMAND = "01234567-89ab-cdef-0123-456789abcdef"
NODE = "mi-0123456789abcdef0"
FOUND = {
    "CommandId": COMMAND,
    "DocumentName": "AWS-RunPatchBaseline",
    "Parameters": {"Operation": ["Scan"]},
    "Targets": [{"Key": "tag:Patch Group", "Values": ["RHEL"]}],
    "RequestedDateTime": datetime(2026, 7, 1, 2, 3, 4, tzinfo=UTC),
    "Status": "Failed",
    "StatusDetails": "Failed",
    "TargetCount": 2,
    "CompletedCount": 2,
    "ErrorCount": 1,
    "NotificationConfig": {"NotificationArn": ""},
}
STEPS = [{"Name": "PatchLinux", "Status": "Success"}, {"Name": "PatchWindows", "Status": "Success"}]
ANSWERS: Answers = {
    "ListCommands": {"Commands": [FOUND]},
    "ListCommandInvocations": {
        "CommandInvocations": [
            {"CommandId": COMMAND, "InstanceId": NODE, "StatusDetails": "Success", "CommandPlugins": STEPS}
        ]
    },
}


def written(members: Members) -> Members:
    """Answer the output of a step: the one for the other platform wrote nothing."""
    wrote = members["PluginName"] == "PatchLinux"
    return {
        **members,
        "StatusDetails": "Success",
        "StandardOutputContent": "2 missing\n" if wrote else "",
        "StandardErrorContent": "a warning\n" if wrote else "",
    }


def test_list_fits_a_line() -> None:
    lines = run("commands", "list", answers=ANSWERS).stdout.splitlines()
    assert lines == [
        "COMMAND                               REQUESTED             STATUS  DONE  DOCUMENT",
        f"{COMMAND}  2026-07-01T02:03:04Z  Failed  2/2   AWS-RunPatchBaseline",
    ]
    assert len(lines[1]) <= 100


def test_list_asks_for_a_node_and_a_state() -> None:
    asked = run("commands", "list", "--node", NODE, "--status", "Failed").asked
    assert asked == [("ListCommands", {"InstanceId": NODE, "Filters": [{"key": "Status", "value": "Failed"}]})]


def test_show_prints_each_node_with_its_steps() -> None:
    lines = run("commands", "show", COMMAND, answers=ANSWERS).stdout.splitlines()
    assert "Targets            tag:Patch Group=RHEL" in lines
    assert "Parameters         Operation=Scan" in lines
    assert lines[-1] == f"{NODE}  Success  PatchLinux Success, PatchWindows Success"
    as_json = json.loads(run("commands", "show", COMMAND, "--json", answers=ANSWERS).stdout)
    assert as_json["Command"]["RequestedDateTime"] == "2026-07-01T02:03:04Z"
    assert as_json["Invocations"][0]["CommandPlugins"] == STEPS


def test_show_of_a_command_that_does_not_exist_fails() -> None:
    outcome = run("commands", "show", COMMAND)
    assert outcome.exit_code == Exit.FAILED
    assert outcome.stderr.startswith(f"patchwindow: no command '{COMMAND}'; ")


def test_cancel_may_name_nodes() -> None:
    everywhere = run("commands", "cancel", COMMAND)
    assert everywhere.asked == [("CancelCommand", {"CommandId": COMMAND})]
    some = run("commands", "cancel", COMMAND, "--node", NODE)
    assert some.asked == [("CancelCommand", {"CommandId": COMMAND, "InstanceIds": [NODE]})]


def test_logs_keep_output_and_errors_apart_and_leave_out_what_wrote_nothing() -> None:
    outcome = run("commands", "logs", COMMAND, answers={**ANSWERS, "GetCommandInvocation": written})
    assert outcome.stdout == "2 missing\n"
    assert outcome.stderr == f"==> {NODE} PatchLinux: Success\na warning\n"


def test_logs_as_json_are_the_answers_of_the_api() -> None:
    answers: Answers = {**ANSWERS, "GetCommandInvocation": written}
    found = json.loads(run("commands", "logs", COMMAND, "--node", NODE, "--json", answers=answers).stdout)
    assert [output["StandardOutputContent"] for output in found] == ["2 missing\n"]
    assert "ResponseMetadata" not in found[0]


def test_logs_of_a_node_that_the_command_was_not_sent_to_fail() -> None:
    outcome = run("commands", "logs", COMMAND, "--node", NODE)
    assert outcome.exit_code == Exit.FAILED
    assert f"did not run on node '{NODE}'" in outcome.stderr
