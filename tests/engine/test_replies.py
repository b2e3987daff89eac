"""What nodes say, in any order and any number of times, and what becomes of their messages."""

import json
from pathlib import Path

import pytest
from tests.engine.agent import STEP, Agent, step
from tests.engine.world import World

from patchwindow.operations.messages import OUTSTANDING_MAX
from patchwindow.protocol.messages import message_id

RECORDED = Path(__file__).parents[1] / "unit" / "protocol" / "recorded" / "replies.jsonl"


@pytest.fixture
def node(world: World) -> Agent:
    """A node."""
    return world.node()


@pytest.fixture
def command_id(world: World, node: Agent) -> str:
    """A command that waits for the node."""
    command_id = world.send([node])
    world.turn()
    return command_id


def output(world: World, node: Agent, command_id: str) -> str:
    """Return what the API shows of the command's only step on the node."""
    answer = world.perform("GetCommandInvocation", CommandId=command_id, InstanceId=node.id)
    return str(answer["StandardOutputContent"])


class TestDelivery:
    """Agent protocol, §8.2: "a message handed out is invisible for VisibilityTimeoutInSeconds (10), then is delivered
    again until acknowledged or finished".
    """

    def test_a_message_that_was_not_accepted_comes_again_after_a_while(
        self, world: World, node: Agent, command_id: str
    ) -> None:
        assert len(node.poll()) == 1
        world.after(seconds=9.999)
        assert not node.poll()
        world.after(seconds=0.001)
        assert node.take() == [command_id]
        world.after(seconds=60)
        assert not node.poll()

    def test_a_node_may_say_for_how_long_it_wants_the_message_hidden(
        self, world: World, node: Agent, command_id: str
    ) -> None:
        assert len(node.poll(visibility_s=60)) == 1
        world.after(seconds=59)
        assert not node.poll()
        world.after(seconds=1)
        assert node.take() == [command_id]

    def test_a_final_reply_settles_the_message_too(self, world: World, node: Agent, command_id: str) -> None:
        node.poll()
        node.say(command_id, "Success")
        world.after(seconds=60)
        assert not node.poll()

    def test_a_reply_that_is_not_final_does_not(self, world: World, node: Agent, command_id: str) -> None:
        node.poll()
        node.say(command_id, "InProgress")
        world.after(seconds=10)
        assert node.take() == [command_id]

    def test_a_node_is_given_no_more_than_it_can_have_outstanding(self, world: World, node: Agent) -> None:
        """§8.1: "keep at most 10 unfinished commands outstanding per node", that a cancellation can reach it."""
        sent = [world.send([node]) for _ in range(OUTSTANDING_MAX + 2)]
        world.turn()
        given = node.poll()
        assert len(given) == OUTSTANDING_MAX
        assert not node.poll()
        for message in given:
            node.acknowledge(message["MessageId"])
        assert not node.poll()
        node.say(sent[0], "Success")
        assert node.take() == [sent[OUTSTANDING_MAX]]

    def test_a_cancellation_reaches_a_node_that_has_its_fill(self, world: World, node: Agent) -> None:
        sent = [world.send([node]) for _ in range(OUTSTANDING_MAX + 1)]
        world.turn()
        node.take()
        world.perform("CancelCommand", CommandId=sent[0])
        world.turn()
        (message,) = node.poll()
        assert json.loads(message["Payload"]) == {"CancelMessageId": message_id(sent[0], node.id)}

    def test_a_message_that_was_handed_to_a_node_that_fell_silent_does_not_outlive_the_command(
        self, world: World, node: Agent, command_id: str
    ) -> None:
        node.poll()
        world.after(seconds=3600)
        assert world.details(command_id, node) == ["DeliveryTimedOut"]
        world.after(seconds=60)
        assert not node.poll()


class TestReplies:
    """Agent protocol, §13: "accumulate runtimeStatus per step over all replies"; "answer 200 to late, repeated or
    unknown-but-authorised replies".
    """

    def test_the_replies_of_a_simple_command_lead_to_its_end(self, world: World, node: Agent, command_id: str) -> None:
        node.say(command_id, "InProgress")
        node.accept(command_id)
        world.turn()
        assert world.details(command_id, node) == ["InProgress"]
        done = {STEP: step(standardOutput="hello")}
        node.say(command_id, "InProgress", done)
        world.turn()
        assert world.details(command_id, node) == ["InProgress"]
        node.say(command_id, "Success", done)
        world.turn()
        assert world.details(command_id, node) == ["Success"]
        assert output(world, node, command_id) == "hello"

    def test_a_final_reply_may_come_before_the_acknowledgement(
        self, world: World, node: Agent, command_id: str
    ) -> None:
        node.say(command_id, "Success", {STEP: step(standardOutput="hello")})
        node.accept(command_id)
        node.say(command_id, "InProgress")
        world.turn()
        assert world.details(command_id, node) == ["Success"]
        assert world.standing(command_id) == ("Success", "Success")

    def test_what_is_said_twice_changes_nothing(self, world: World, node: Agent, command_id: str) -> None:
        for _ in range(2):
            node.accept(command_id)
            node.say(command_id, "Failed", {STEP: step("Failed", 3)})
            world.turn()
        node.say(command_id, "Success", {STEP: step()})
        world.turn()
        assert world.details(command_id, node) == ["Failed"]
        assert world.command(command_id)["ErrorCount"] == 1

    def test_a_reply_after_the_timeout_leaves_the_status_and_still_shows_the_output(
        self, world: World, node: Agent, command_id: str
    ) -> None:
        node.take()
        world.turn()
        world.after(hours=2)
        assert world.details(command_id, node) == ["DeliveryTimedOut"]
        node.say(command_id, "Success", {STEP: step(standardOutput="late")})
        world.turn()
        assert world.details(command_id, node) == ["DeliveryTimedOut"]
        assert world.standing(command_id) == ("TimedOut", "DeliveryTimedOut")
        assert output(world, node, command_id) == "late"

    def test_a_reply_that_could_not_be_sent_in_time_does_not_undo_a_later_one(
        self, world: World, node: Agent, command_id: str
    ) -> None:
        first = {STEP: step("SuccessAndReboot", 194, ended_at="2026-01-15T15:00:02Z", standardOutput="first")}
        both = {STEP: step("Success", ended_at="2026-01-15T15:03:00Z", standardOutput="first\nsecond")}
        node.say(command_id, "Success", both)
        node.say(command_id, "SuccessAndReboot", first)
        node.say(command_id, "InProgress", {STEP: step("InProgress", ended_at=None)})
        world.turn()
        assert output(world, node, command_id) == "first\nsecond"

    def test_a_node_that_reboots_keeps_the_command_open(self, world: World, node: Agent, command_id: str) -> None:
        node.take()
        first = {STEP: step("SuccessAndReboot", 194, standardOutput="first")}
        node.say(command_id, "SuccessAndReboot", first)
        world.turn()
        world.after(minutes=30)
        assert world.details(command_id, node) == ["InProgress"]
        assert world.on(node, command_id)["CommandPlugins"][0]["Status"] == "InProgress"
        node.say(command_id, "Success", {STEP: step(ended_at="2026-01-15T15:40:00Z", standardOutput="first\nsecond")})
        world.turn()
        assert world.details(command_id, node) == ["Success"]
        assert output(world, node, command_id) == "first\nsecond"

    def test_a_step_whose_name_was_lost_in_a_crash_is_the_first_of_the_document(
        self, world: World, node: Agent, command_id: str
    ) -> None:
        """§15: "a final Failed; the first step carries output: 'document process failed unexpectedly…', code 1"."""
        recorded = [json.loads(line) for line in RECORDED.read_text(encoding="utf-8").splitlines()]
        crashed = next(one["payload"] for one in recorded if "failed unexpectedly" in one["payload"])
        node.take()
        node.reply(message_id(command_id, node.id), crashed)
        world.turn()
        assert world.details(command_id, node) == ["Failed"]
        (plugin,) = world.on(node, command_id)["CommandPlugins"]
        assert (plugin["Name"], plugin["Status"], plugin["ResponseCode"]) == (STEP, "Failed", 1)
        assert plugin["Output"].startswith("document process failed unexpectedly")

    def test_a_step_without_a_name_is_the_first_that_has_not_ended(self, world: World, node: Agent) -> None:
        """What is known of a step that had ended before the crash stays."""
        command_id = world.send([node], DocumentName="AWS-RunPatchBaseline", Parameters={"Operation": ["Scan"]})
        world.turn()
        node.take()
        node.say(command_id, "InProgress", {"PatchWindows": step("Skipped")})
        crashed = {"": step("Failed", 1, ended_at="2026-01-15T15:09:00Z", output="document process failed")}
        for _ in range(2):
            node.say(command_id, "Failed", crashed)
        world.turn()
        found = world.on(node, command_id)["CommandPlugins"]
        assert [(one["Name"], one["ResponseCode"]) for one in found] == [("PatchWindows", 0), ("PatchLinux", 1)]
        assert found[1]["Output"].startswith("document process failed")

    def test_a_step_without_a_name_is_none_where_every_step_has_ended(
        self, world: World, node: Agent, command_id: str
    ) -> None:
        node.take()
        node.say(command_id, "InProgress", {STEP: step(standardOutput="hello")})
        node.say(command_id, "Failed", {"": step("Failed", 1, ended_at="2026-01-15T15:09:00Z")})
        world.turn()
        assert world.details(command_id, node) == ["Failed"]
        assert output(world, node, command_id) == "hello"

    def test_a_message_that_the_agent_cannot_handle_fails_the_invocation_and_says_so(
        self, world: World, node: Agent, command_id: str
    ) -> None:
        node.poll()
        node.refuse(command_id)
        world.turn()
        assert world.details(command_id, node) == ["Failed"]
        told = world.on(node, command_id)["TraceOutput"]
        assert told == "the agent could not handle the message: NoHandlerExists"
        world.after(seconds=60)
        assert not node.poll()

    def test_a_document_that_the_agent_cannot_use_fails_and_says_why(
        self, world: World, node: Agent, command_id: str
    ) -> None:
        node.say(command_id, "Failed", trace="unsupported schema")
        world.turn()
        assert world.details(command_id, node) == ["Failed"]
        assert world.on(node, command_id)["TraceOutput"] == "unsupported schema"

    def test_a_cancellation_is_answered_under_its_own_id(self, world: World, node: Agent, command_id: str) -> None:
        """§14: "SendReply InProgress + AcknowledgeMessage for the cancel message id", then the command is Cancelled."""
        node.take()
        world.perform("CancelCommand", CommandId=command_id)
        world.turn()
        (message,) = node.poll()
        node.reply(message["MessageId"], json.dumps({"documentStatus": "InProgress", "runtimeStatus": None}))
        node.acknowledge(message["MessageId"])
        assert world.details(command_id, node) == ["Cancelling"]
        node.say(command_id, "Cancelled", {STEP: step("Cancelled", 137)})
        world.turn()
        assert world.details(command_id, node) == ["Cancelled"]

    def test_what_was_not_sent_yet_cannot_be_answered(self, world: World) -> None:
        first, second = world.nodes(2)
        command_id = world.send([first, second], MaxConcurrency="1")
        world.turn()
        second.say(command_id, "Success", {STEP: step()})
        second.accept(command_id)
        second.refuse(command_id)
        assert world.details(command_id, second) == ["Pending"]
        assert not world.on(second, command_id)["CommandPlugins"]

    def test_a_reply_about_no_command_is_taken_and_forgotten(self, world: World, node: Agent) -> None:
        unknown = "00000000-0000-4000-8000-999999999999"
        node.say(unknown, "Success")
        node.accept(unknown)
        node.refuse(unknown)
        assert world.perform("ListCommands", InstanceId=node.id)["Commands"] == []
