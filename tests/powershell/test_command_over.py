"""Nothing more is begun on a Windows node once its command is over: no update is installed, and no restart is asked for."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from tests.fakes.edge import Edge
from tests.powershell.machine import Killed
from tests.powershell.node import REBOOT, WindowsNode
from tests.powershell.some_updates import CUMULATIVE, OTHER, TOY, cumulative, installed_titles, other, toy

CANCELLED = "cancelled: nothing more was installed: "


def cancelling(node: WindowsNode) -> Callable[[], object]:
    """Return what cancels the one command of *node*."""
    (command,) = node.edge.here.perform("ListCommands")["Commands"]
    return lambda: node.edge.here.perform("CancelCommand", CommandId=command["CommandId"], InstanceIds=[node.node_id])


@pytest.fixture
def node(edge: Edge) -> WindowsNode:
    """Return a node that lacks three approved updates."""
    node = WindowsNode(edge, cumulative(), toy(), other())
    node.approve("KB5034001", "KB5034002", "KB5034003")
    return node


def test_a_command_that_is_over_before_it_begins_installs_nothing_and_tells_what_is_missing(node: WindowsNode) -> None:
    script = node.script()
    cancelling(node)()
    outcome = node.run(script)
    assert (outcome.code, outcome.reboot_count) == (1, 0)
    assert outcome.output[-1].startswith(f"failed: {CANCELLED}")
    assert installed_titles(node) == set()
    assert node.states() == {CUMULATIVE: "Missing", TOY: "Missing", OTHER: "Missing"}
    assert node.report()["failed"] == {}
    # Nobody is asked for a plan that nobody gives.
    assert "plan" not in [name for name, _ in node.machine.web.sent]


def test_the_update_that_has_begun_ends_and_the_others_are_not_begun(node: WindowsNode) -> None:
    script = node.script()
    node.machine.at_point(f"before install {TOY}", cancelling(node))
    outcome = node.run(script)
    assert (outcome.code, outcome.reboot_count) == (1, 0)
    (first, *_) = [update for update in node.machine.updates.updates if update.install_count]
    assert TOY in installed_titles(node)
    left = {CUMULATIVE, TOY, OTHER} - installed_titles(node)
    assert left
    states = node.states()
    assert {states[title] for title in left} == {"Missing"}
    assert {states[title] for title in installed_titles(node)} == {"InstalledPendingReboot"}
    assert first.install_count == 1
    assert CANCELLED in outcome.output[-1]
    assert "Windows has to be restarted, which was not asked for: " in outcome.output[-1]


def test_a_command_that_is_over_while_updates_are_downloaded_installs_none(node: WindowsNode) -> None:
    script = node.script()
    node.machine.at_point(f"after download {TOY}", cancelling(node))
    outcome = node.run(script)
    assert (outcome.code, outcome.reboot_count) == (1, 0)
    assert installed_titles(node) == set()


def test_a_command_that_is_over_once_all_is_installed_asks_for_no_restart(node: WindowsNode) -> None:
    script = node.script()
    last = node.machine.updates.updates
    for update in last:
        node.machine.at_point(
            f"after install {update.title}",
            lambda: cancelling(node)() if len(installed_titles(node)) == 3 else None,
        )
    outcome = node.run(script)
    assert (outcome.code, outcome.reboot_count) == (1, 0)
    assert set(node.states().values()) == {"InstalledPendingReboot"}
    assert "which was not asked for" in outcome.output[-1]


def test_a_command_that_is_over_after_its_plan_does_not_ask_for_the_restart_that_waits_from_before(edge: Edge) -> None:
    node = WindowsNode(edge, cumulative(reboot_required=True))
    node.approve("KB5034001")
    script = node.script()
    node.machine.at_point("after plan", cancelling(node))
    outcome = node.run(script)
    assert (outcome.code, outcome.reboot_count) == (1, 0)
    assert node.states() == {CUMULATIVE: "InstalledPendingReboot"}
    assert "which was not asked for" in outcome.output[-1]


def test_a_restart_that_was_asked_for_in_time_is_reported_after_it_as_done(node: WindowsNode) -> None:
    script = node.script()
    assert node.machine.run(script) == REBOOT
    cancelling(node)()
    node.machine.restart()
    outcome = node.run(script)
    assert (outcome.code, outcome.reboot_count) == (0, 0)
    assert set(node.states().values()) == {"Installed"}


def test_after_a_restart_what_was_put_off_is_not_installed_any_more(node: WindowsNode) -> None:
    node.machine.updates.needs_reboot_first = True
    script = node.script()
    assert node.machine.run(script) == REBOOT
    cancelling(node)()
    node.machine.restart()
    outcome = node.run(script)
    assert (outcome.code, outcome.reboot_count) == (1, 0)
    assert installed_titles(node) == set()
    assert CANCELLED in outcome.output[-1]


def test_an_installation_that_was_cut_off_is_not_taken_up_and_what_it_did_is_told(node: WindowsNode) -> None:
    script = node.script()
    with pytest.raises(Killed):
        node.machine.run(script, kills=lambda point: point == f"after install {TOY}")
    before = installed_titles(node)
    cancelling(node)()
    outcome = node.run(script)
    assert (outcome.code, outcome.reboot_count) == (1, 0)
    assert installed_titles(node) == before
    assert {node.states()[title] for title in before} == {"InstalledPendingReboot"}


def test_a_node_that_has_lost_its_server_stops_when_the_time_of_the_command_has_ended(node: WindowsNode) -> None:
    script = node.script()
    node.machine.at_point(f"before install {TOY}", lambda: node.machine.lose_server_for(timedelta(days=2)))
    outcome = node.run(script)
    assert (outcome.code, outcome.reboot_count) == (1, 0)
    assert TOY in installed_titles(node)
    assert len(installed_titles(node)) < 3


def test_a_node_that_has_lost_its_server_goes_on_while_there_is_time(node: WindowsNode) -> None:
    script = node.script()
    node.machine.at_point(f"before install {TOY}", lambda: node.machine.lose_server_for(timedelta(0)))
    assert node.run(script).code == 0
    assert len(installed_titles(node)) == 3
