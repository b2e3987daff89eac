"""The agent against a server that speaks the wire: from registration to the last reply."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.agent.fake_server import (
    ACTIVATION,
    NODE_ID,
    REGION,
    FakeServer,
    eventually,
    is_running,
    message_id,
    shell_step,
)

from patchwindow_agent import identity
from patchwindow_agent.agent import Agent
from patchwindow_agent.errors import Refused, StateProblem
from patchwindow_agent.register import greet, register
from patchwindow_agent.settings import Kept
from patchwindow_agent.turns import pause_s

StartAgent = Callable[..., Agent]


def test_a_registration_is_kept_where_only_its_owner_can_read_it(state: Path, server: FakeServer) -> None:
    kept = identity.load(state)
    assert kept == identity.Identity(NODE_ID, REGION, server.public_key, server.fingerprint, "web-1")
    assert (state / "identity.json").stat().st_mode & 0o777 == 0o600
    assert state.stat().st_mode & 0o777 == 0o700
    assert server.called("RegisterManagedInstance")[0]["PublicKeyType"] == "Hmac-Sha256"


def test_a_registration_is_not_replaced_by_accident(state: Path, server: FakeServer) -> None:
    id, code = ACTIVATION
    with pytest.raises(StateProblem, match="--force"):
        register(
            Kept(server.url),
            activation_id=id,
            activation_code=code,
            region=REGION,
            state=state,
            name="",
            is_forced=False,
            environ={},
        )


def test_a_refused_activation_leaves_no_registration(server: FakeServer, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="InvalidActivation: no such activation"):
        register(
            Kept(server.url),
            activation_id="none",
            activation_code="none",
            region=REGION,
            state=tmp_path / "s",
            name="",
            is_forced=False,
            environ={},
        )
    assert not identity.is_registered(tmp_path / "s")


def test_the_server_hears_of_the_machine_right_after_registration(state: Path, server: FakeServer) -> None:
    greet(identity.load(state), Kept(server.url), state, {})
    told = server.called("UpdateInstanceInformation")[0]
    assert told["ComputerName"] == "web-1"
    assert told["PlatformType"] == "Linux"
    assert told["IPAddress"] == "127.0.0.1"
    assert told["AgentName"] == "patchwindow-agent"


def test_a_start_says_the_short_form_then_the_full_one_and_polls(server: FakeServer, start_agent: StartAgent) -> None:
    start_agent()
    server.wait_for(lambda: len(server.called("UpdateInstanceInformation")) == 2 and server.called("GetMessages"))
    short, full = server.called("UpdateInstanceInformation")
    assert set(short) == {"InstanceId", "AgentName", "AgentVersion", "PlatformType"}
    assert set(short) < set(full)
    assert server.called("GetMessages")[0]["WaitSeconds"] == 50
    assert len(server.called("RequestManagedInstanceRoleToken")) == 1


def test_a_command_is_accepted_run_and_told_step_by_step(server: FakeServer, start_agent: StartAgent) -> None:
    start_agent()
    declared = {"commands": {"type": "StringList"}}
    step = {"action": "aws:runShellScript", "name": "runShellScript", "inputs": {"runCommand": "{{ commands }}"}}
    parameters = {"commands": ['echo "$SSM_COMMAND_ID $AWS_SSM_INSTANCE_ID $AWS_SSM_REGION_NAME"', "echo oops >&2"]}
    id = server.send_command([step], declared=declared, Parameters=parameters)
    server.wait_for(lambda: server.statuses(id) == ["InProgress", "InProgress", "Success"])
    accepted, told, last = server.replies(id)
    assert accepted["runtimeStatus"] is None
    assert told["runtimeStatus"] == last["runtimeStatus"]
    assert told["runtimeStatus"]["runShellScript"]["standardOutput"] == f"{id} {NODE_ID} {REGION}\n"
    assert told["runtimeStatus"]["runShellScript"]["standardError"] == "oops\n"
    operations = [name for name, body in server.calls if body.get("MessageId") == message_id(id)]
    assert operations[:2] == ["SendReply", "AcknowledgeMessage"]


def test_a_command_that_comes_again_is_acknowledged_and_not_run_again(
    server: FakeServer, start_agent: StartAgent, tmp_path: Path
) -> None:
    start_agent()
    payload = json.dumps(
        {"DocumentContent": {"schemaVersion": "2.2", "mainSteps": [shell_step("a", f"echo x >> {tmp_path}/runs")]}}
    )
    server.deliver("c-1", payload)
    server.deliver("c-1", payload)
    server.wait_for(lambda: len(server.called("AcknowledgeMessage")) == 2)
    server.wait_for(lambda: "Success" in server.statuses("c-1"))
    assert (tmp_path / "runs").read_text() == "x\n"
    assert server.statuses("c-1").count("Success") == 1


def test_a_cancelled_command_ends_and_the_cancelling_gets_no_end_of_its_own(
    server: FakeServer, start_agent: StartAgent
) -> None:
    start_agent()
    id = server.send_command([shell_step("zzz", "echo start", "sleep 60 & wait")])
    server.wait_for(lambda: server.called("AcknowledgeMessage"))
    own_id = server.cancel(id)
    server.wait_for(lambda: server.statuses(id)[-1:] == ["Cancelled"])
    step = server.replies(id)[-1]["runtimeStatus"]["zzz"]
    assert (step["status"], step["code"]) == ("Cancelled", 137)
    server.wait_for(lambda: len(server.called("AcknowledgeMessage")) == 2)
    assert server.statuses(own_id) == ["InProgress"]


def test_a_waiting_command_that_is_cancelled_never_runs(
    server: FakeServer, start_agent: StartAgent, tmp_path: Path
) -> None:
    start_agent()
    busy = [server.send_command([shell_step("a", "sleep 60")]) for _ in range(2)]
    server.wait_for(lambda: len(server.called("AcknowledgeMessage")) == 2)
    id = server.send_command([shell_step("a", f"touch {tmp_path}/ran")])
    server.wait_for(lambda: len(server.called("AcknowledgeMessage")) == 3)
    server.cancel(id)
    server.wait_for(lambda: server.statuses(id)[-1:] == ["Cancelled"])
    assert not (tmp_path / "ran").exists()
    assert [server.statuses(other) for other in busy] == [["InProgress"], ["InProgress"]]


def test_a_document_that_cannot_be_run_fails_without_an_acknowledgement(
    server: FakeServer, start_agent: StartAgent
) -> None:
    start_agent()
    server.deliver("c-9", '{"DocumentContent": {"schemaVersion": "3.0", "mainSteps": []}}')
    server.wait_for(lambda: server.statuses("c-9") == ["Failed"])
    reply = server.replies("c-9")[0]
    assert "schemaVersion 3.0 is not served" in reply["documentTraceOutput"]
    assert reply["runtimeStatus"] is None
    assert not server.called("AcknowledgeMessage")


@pytest.mark.parametrize(
    ("topic", "payload", "failure"),
    [
        ("aws.ssm.somethingElse", "{}", "NoHandlerExists"),
        ("aws.ssm.cancelCommand.pw-home-1", "{}", "InternalHandlerException"),
        ("aws.ssm.cancelCommand.pw-home-1", '{"CancelMessageId": "../../x"}', "InternalHandlerException"),
    ],
)
def test_a_message_that_nobody_can_handle_is_failed(
    server: FakeServer, start_agent: StartAgent, topic: str, payload: str, failure: str
) -> None:
    start_agent()
    server.deliver("c-9", payload, topic=topic)
    server.wait_for(lambda: server.called("FailMessage"))
    assert server.called("FailMessage") == [{"MessageId": message_id("c-9"), "FailureType": failure}]


def test_a_refused_reply_is_kept_and_sent_again_with_the_same_id(server: FakeServer, start_agent: StartAgent) -> None:
    start_agent()
    server.wait_for(lambda: len(server.called("UpdateInstanceInformation")) == 2)
    # The first reply goes out with the acknowledgement; the refused ones come from the step and the end.
    server.refusals["SendReply"] = ["InternalServerException"] * 3
    id = server.send_command([shell_step("a", "echo a")])
    server.wait_for(lambda: "Success" in server.statuses(id) and len(server.called("SendReply")) >= 5)
    ids = [body["ReplyId"] for body in server.called("SendReply")]
    assert len(set(ids)) < len(ids)


def test_what_was_not_told_before_a_stop_is_told_after_the_next_start(
    server: FakeServer, start_agent: StartAgent, state: Path
) -> None:
    agent = start_agent()
    id = server.send_command([shell_step("a", "sleep 0.2", "echo a")])
    server.wait_for(lambda: server.called("AcknowledgeMessage"))
    server.refusals["SendReply"] = ["InternalServerException"] * 10_000
    server.wait_for(lambda: len(server.called("SendReply")) > 4)
    agent.stop()
    assert list((state / "replies").glob("*.json"))
    server.refusals.clear()
    server.calls.clear()
    start_agent()
    server.wait_for(lambda: server.statuses(id) == ["InProgress", "Success"])
    eventually(lambda: not list((state / "replies").glob("*.json")))


def test_a_step_that_asks_for_a_reboot_runs_again_after_the_next_start(
    server: FakeServer, start_agent: StartAgent, state: Path, tmp_path: Path
) -> None:
    flag, rebooted = tmp_path / "once", tmp_path / "rebooted"
    agent = start_agent(reboot_command=("touch", str(rebooted)))
    script = f"if [ -e {flag} ]; then echo second; exit 0; fi; touch {flag}; echo first; exit 194"
    id = server.send_command([shell_step("a", script), shell_step("b", "echo after")])
    server.wait_for(lambda: server.statuses(id) == ["InProgress", "InProgress", "SuccessAndReboot"])
    # Nothing new begins before the reboot.
    waiting = server.send_command([shell_step("a", "true")])
    server.wait_for(lambda: server.statuses(waiting) == ["InProgress"])
    record = state / "commands" / id / "record.json"
    eventually(lambda: json.loads(record.read_text())["is_reboot_asked"])
    agent.stop()
    assert rebooted.exists()
    server.calls.clear()

    start_agent(boot_id="boot-2")
    # First it asks whether it may go on.
    server.wait_for(lambda: server.statuses(id) == ["InProgress", "InProgress", "InProgress", "Success"])
    replies = server.replies(id)[1:]
    told = {name: step for reply in replies for name, step in reply["runtimeStatus"].items()}
    assert told["a"]["standardOutput"] == "first\nsecond\n"
    assert told["b"]["standardOutput"] == "after\n"
    server.wait_for(lambda: server.statuses(waiting)[-1:] == ["Success"])


def test_a_command_that_was_cut_off_while_the_machine_was_down_does_not_go_on(
    server: FakeServer, start_agent: StartAgent, tmp_path: Path
) -> None:
    agent = start_agent()
    ran = tmp_path / "ran"
    id = server.send_command([shell_step("a", "exit 194"), shell_step("b", f"touch {ran}")])
    server.wait_for(lambda: server.statuses(id)[-1:] == ["SuccessAndReboot"])
    waiting = server.send_command([shell_step("a", f"touch {ran}")])
    server.wait_for(lambda: server.statuses(waiting) == ["InProgress"])
    agent.stop()
    server.calls.clear()
    server.over = "it was cut off"
    server.refusals["SendReply"] = ["InternalServerException"]
    start_agent(boot_id="boot-2")
    server.wait_for(lambda: all(server.statuses(one)[-1:] == ["Cancelled"] for one in (id, waiting)))
    assert server.replies(id)[-1]["runtimeStatus"]["a"]["output"] == "nothing more was begun: it was cut off"
    assert not ran.exists()


def test_a_reboot_that_does_not_begin_fails_its_command_and_no_other(
    server: FakeServer, start_agent: StartAgent
) -> None:
    start_agent(reboot_command=("false",))
    first = server.send_command([shell_step("a", "exit 194")])
    server.wait_for(lambda: server.statuses(first)[-1:] == ["Failed"])
    told = server.replies(first)[-1]["runtimeStatus"]["a"]["output"]
    assert "the reboot that the step asked for did not come: `false` failed" in told
    second = server.send_command([shell_step("a", "true")])
    server.wait_for(lambda: server.statuses(second)[-1:] == ["Success"])


def test_an_agent_that_may_not_reboot_fails_the_step_and_says_so(server: FakeServer, start_agent: StartAgent) -> None:
    start_agent(reboot_command=())
    id = server.send_command([shell_step("a", "exit 194")])
    server.wait_for(lambda: server.statuses(id)[-1:] == ["Failed"])
    step = server.replies(id)[-1]["runtimeStatus"]["a"]
    assert step["code"] == 194
    assert "this agent may not reboot the machine" in step["standardError"]


def test_a_stop_during_a_step_fails_the_command_and_leaves_no_process(
    server: FakeServer, start_agent: StartAgent, tmp_path: Path
) -> None:
    agent = start_agent()
    id = server.send_command([shell_step("a", f"echo $$ > {tmp_path}/pid", "sleep 60"), shell_step("b", "true")])
    server.wait_for(lambda: server.called("AcknowledgeMessage"))
    eventually((tmp_path / "pid").exists)
    agent.stop()
    assert server.statuses(id) == ["InProgress", "Failed"]
    step = server.replies(id)[-1]["runtimeStatus"]["a"]
    assert (step["status"], step["code"], step["name"]) == ("Failed", 1, "")
    eventually(lambda: not is_running(int((tmp_path / "pid").read_text())))


def test_two_agents_never_share_a_state_folder(start_agent: StartAgent) -> None:
    start_agent()
    with pytest.raises(StateProblem, match="another agent runs with the state folder"):
        start_agent()


def test_a_script_finds_the_nodes_own_credentials(server: FakeServer, start_agent: StartAgent) -> None:
    start_agent()
    id = server.send_command([shell_step("a", 'cat "$AWS_SHARED_CREDENTIALS_FILE"')])
    server.wait_for(lambda: server.statuses(id)[-1:] == ["Success"])
    printed = server.replies(id)[-1]["runtimeStatus"]["a"]["standardOutput"]
    assert "aws_access_key_id = ASIA" in printed


def test_pauses_grow_to_a_minute_and_differ_between_nodes() -> None:
    assert [pause_s(count, lambda _, high: high) for count in (1, 2, 5, 6, 100)] == [2, 4, 32, 60, 60]
    assert pause_s(100, lambda low, _: low) == 30
