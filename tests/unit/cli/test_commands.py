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
            {
                "CommandId": COMMAND,
                "InstanceId": NODE,
                "Status": "Success",
                "StatusDetails": "Success",
                "CommandPlugins": STEPS,
            }
        ]
    },
}


def whole(members: Members) -> Members:
    """Answer a stream: the step for the other platform wrote nothing, and the pieces have eight bytes."""
    streams = {("PatchLinux", "stdout"): "2 missing\n\x1b[2Jthat was all\n", ("PatchLinux", "stderr"): "a warning\n"}
    text = streams.get((members["StepName"], members["Stream"]), "")
    end = min(members["Offset"] + 8, len(text))
    return {
        "Content": text[members["Offset"] : end],
        "NextOffset": end,
        "Length": len(text),
        "IsCut": False,
        "IsComplete": end == len(text),
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
    outcome = run("commands", "logs", COMMAND, answers={**ANSWERS, "GetStepOutput": whole})
    assert outcome.stdout == "2 missing\n\N{REPLACEMENT CHARACTER}[2Jthat was all\n"
    assert outcome.stderr == f"==> {NODE} PatchLinux: Success\na warning\n"


def test_logs_as_json_have_every_piece() -> None:
    answers: Answers = {**ANSWERS, "GetStepOutput": whole}
    found = json.loads(run("commands", "logs", COMMAND, "--node", NODE, "--json", answers=answers).stdout)
    assert "".join(piece["Content"] for piece in found if piece["Stream"] == "stderr") == "a warning\n"
    assert {(piece["InstanceId"], piece["StepName"]) for piece in found} == {(NODE, "PatchLinux")}


def test_logs_of_one_step_ask_for_that_alone() -> None:
    asked = run(
        "commands", "logs", COMMAND, "--step", "PatchWindows", answers={**ANSWERS, "GetStepOutput": whole}
    ).asked
    assert {members["StepName"] for name, members in asked if name == "GetStepOutput"} == {"PatchWindows"}


def test_logs_that_are_followed_go_on_until_the_command_has_ended() -> None:
    invocation = {"CommandId": COMMAND, "InstanceId": NODE, "CommandPlugins": STEPS}
    looks = iter(["InProgress", "Success"])

    def listed(_: Members) -> Members:
        status = next(looks)
        return {"CommandInvocations": [{**invocation, "Status": status, "StatusDetails": status}]}

    def written(members: Members) -> Members:
        return whole({"StepName": "PatchLinux", "Stream": "stdout", "Offset": 0, **members})

    answers: Answers = {"ListCommandInvocations": listed, "GetStepOutput": written}
    outcome = run("commands", "logs", COMMAND, "--node", NODE, "--follow", answers=answers)
    assert outcome.stdout.count("that was all") == 1
    assert next(looks, None) is None


def test_logs_that_are_followed_are_those_of_one_node() -> None:
    outcome = run("commands", "logs", COMMAND, "--follow", answers=ANSWERS)
    assert outcome.exit_code == Exit.MISUSED
    assert "name it with --node" in outcome.stderr


def test_logs_of_aws_are_the_beginning_and_that_is_said() -> None:
    def beginning(members: Members) -> Members:
        wrote = members["PluginName"] == "PatchLinux"
        return {"StandardOutputContent": "2 missing\n" if wrote else "", "StandardErrorContent": ""}

    answers: Answers = {**ANSWERS, "GetCommandInvocation": beginning}
    outcome = run("commands", "logs", COMMAND, answers=answers, without="patchwindow")
    assert outcome.stdout == "2 missing\n"
    assert "AWS gives no more than the beginning" in outcome.stderr


def test_logs_of_a_node_that_the_command_was_not_sent_to_fail() -> None:
    outcome = run("commands", "logs", COMMAND, "--node", NODE)
    assert outcome.exit_code == Exit.FAILED
    assert f"did not run on node '{NODE}'" in outcome.stderr
