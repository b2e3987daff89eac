"""Commands: the list, one of them, and what it wrote on one node."""

from typing import Any

import pytest
from tests.console.places import places
from tests.console.reading import table, words
from tests.engine.agent import STEP, step
from tests.fakes.browser import Browser
from tests.fakes.fleet import HOSTILE, Fleet

URL = "/console/commands"


@pytest.fixture
def command(fleet: Fleet) -> str:
    return places(fleet)["command_id"]


def send(fleet: Fleet, node_id: str) -> str:
    """Send a script to one node, which has it then."""
    sent: dict[str, Any] = fleet.world.perform(
        "SendCommand",
        DocumentName="AWS-RunShellScript",
        InstanceIds=[node_id],
        Parameters={"commands": ["true"]},
        Comment=HOSTILE,
    )
    fleet.world.turn()
    return str(sent["Command"]["CommandId"])


def test_the_list_is_that_of_the_api_the_newest_first(console: Browser, fleet: Fleet) -> None:
    told = fleet.world.perform("ListCommands")["Commands"]
    rows = table(console, URL)
    assert [row["CommandId"] for row in rows] == [one["CommandId"] for one in told]
    assert [int(row["CompletedCount"]) for row in rows] == [one["CompletedCount"] for one in told]


def test_it_is_narrowed_by_state(console: Browser, fleet: Fleet) -> None:
    told = fleet.world.perform("ListCommands", Filters=[{"key": "Status", "value": "Failed"}])["Commands"]
    assert [row["CommandId"] for row in table(console, URL, status="Failed")] == [one["CommandId"] for one in told]
    assert told


def test_a_state_that_no_command_is_in_lists_none(console: Browser) -> None:
    assert "No command in this state." in words(console.get(URL, status="TimedOut").body)


def test_without_commands_it_says_so(browser: Browser) -> None:
    assert "No command was sent yet." in words(browser.get(URL).body)


def test_a_command_has_every_node_in_its_state(console: Browser, fleet: Fleet, command: str) -> None:
    told = fleet.world.perform("GetCommandStates", CommandId=command, MaxResults=1000)["Instances"]
    rows = table(console, f"{URL}/{command}")
    assert [(row["InstanceId"], row["StatusDetails"]) for row in rows] == [
        (one["InstanceId"], one["StatusDetails"]) for one in told
    ]


def test_output_is_shown_as_text_and_whole_in_its_step(console: Browser, fleet: Fleet) -> None:
    node_id = fleet.members[0].node_id
    command = send(fleet, node_id)
    agent = fleet.agents[node_id]
    assert command in agent.take()
    wrote = f"first line\n{HOSTILE}\n</pre><img src=x onerror=alert(1)>\n"
    agent.say(command, "Success", {STEP: step("Success", standardOutput=wrote, standardError="\x1b[31mred\n")})
    fleet.world.turn()
    body = console.get(f"{URL}/{command}/nodes/{node_id}").body
    assert "<img" not in body
    assert "first line " + HOSTILE in words(body)
    assert "exit code 0" in words(body)
    assert "data-live" not in body
    assert HOSTILE not in console.get(f"{URL}/{command}").body


def test_a_command_that_runs_is_live_and_can_be_cancelled(console: Browser, fleet: Fleet) -> None:
    command = send(fleet, fleet.members[50].node_id)
    assert "data-live=" in console.get(f"{URL}/{command}").body
    done = console.post(f"{URL}/{command}")
    assert "The command is being cancelled" in console.follow(done).body
    fleet.world.turn()
    (told,) = fleet.world.perform("ListCommands", CommandId=command)["Commands"]
    assert told["Status"] in ("Cancelling", "Cancelled")


def test_a_viewer_cannot_cancel(viewer: Browser, fleet: Fleet, command: str) -> None:
    assert "Cancel this command" not in viewer.get(f"{URL}/{command}").body
    assert viewer.post(f"{URL}/{command}").status in (400, 403)
    (told,) = fleet.world.perform("ListCommands", CommandId=command)["Commands"]
    assert told["Status"] == "InProgress"


def test_a_node_that_the_command_was_not_sent_to_is_said_so(console: Browser, fleet: Fleet, command: str) -> None:
    other = next(one.node_id for one in fleet.members if one.group == "Database Server")
    answer = console.get(f"{URL}/{command}/nodes/{other}")
    assert answer.status in (400, 404)
    assert "was not sent to node" in answer.body
