"""ListConcerns: what needs somebody, and nothing else."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.engine.agent import Agent
from tests.engine.world import World
from tests.fakes.api import Api
from tests.fakes.databases import migrated_url
from tests.fakes.scans import SECURITY, facts_of, package, scan, update
from tests.fakes.site import VIEWER, Installation, as_node

CLEAN = facts_of([package("bash")])


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with migrated_url("sqlite", tmp_path) as url:
        world = World(url)
        yield world
        world.close()


def concerns(here: World | Installation) -> dict[str, dict[str, Any]]:
    """Return what there is, by kind."""
    return {one["Kind"]: one for one in here.perform("ListConcerns")["Concerns"]}


def ping(here: World | Installation, *node_ids: str) -> None:
    for node_id in node_ids:
        here.perform("UpdateInstanceInformation", as_node(node_id), InstanceId=node_id)


def opened(world: World, *nodes: Agent) -> str:
    """Return a window that has opened for the nodes with the role web, each of which may fail."""
    window = world.window()
    world.task(window, world.target(window, "tag:Role", "web"), MaxConcurrency="100%", MaxErrors="100%")
    world.at(15)
    ping(world, *(node.id for node in nodes))
    return window


def test_without_nodes_and_windows_there_is_nothing(here: Installation) -> None:
    assert concerns(here) == {}


def test_a_viewer_may_ask_by_the_model(here: Installation) -> None:
    here.node()
    (first, *_) = Api(here, VIEWER)("ListConcerns")["Concerns"]
    assert (first["Kind"], first["Count"]) == ("NeverScanned", 1)


def test_a_node_that_goes_silent_at_its_command_was_lost_and_one_that_never_took_it_was_not(world: World) -> None:
    taken, waiting = world.nodes(2, Role="web")
    opened(world, taken, waiting)
    (command,) = taken.take()
    assert "LostDuringPatch" not in concerns(world)
    world.after(minutes=20)
    found = concerns(world)["LostDuringPatch"]
    assert [(one["InstanceId"], one["CommandId"]) for one in found["Worst"]] == [(taken.id, command)]
    assert found["Count"] == 1
    ping(world, taken.id)
    assert "LostDuringPatch" not in concerns(world), "it is heard of again"


def test_a_command_that_failed_on_nodes_is_told_with_how_many(world: World) -> None:
    good, bad = world.nodes(2, Role="web")
    opened(world, good, bad)
    good.run()
    world.turn()
    (command,) = bad.run("Failed")
    world.turn()
    (one,) = concerns(world)["FailedCommands"]["Worst"]
    assert (one["CommandId"], one["ErrorCount"], one["StoppedCount"]) == (command, 1, 0)
    assert "ErrorBudgetReached" not in concerns(world)


def test_a_command_that_was_stopped_tells_how_many_it_did_not_reach(world: World) -> None:
    nodes = world.nodes(5)
    command = world.send(nodes, MaxConcurrency="1", MaxErrors="0")
    world.turn()
    for node in nodes:
        node.run("Failed")
    world.turn()
    (one,) = concerns(world)["ErrorBudgetReached"]["Worst"]
    assert (one["CommandId"], one["ErrorCount"], one["StoppedCount"]) == (command, 1, 4)
    assert "FailedCommands" not in concerns(world)


def test_a_command_is_forgotten_after_a_week(world: World) -> None:
    (node,) = world.nodes(1)
    world.send([node])
    world.turn()
    node.run("Failed")
    world.turn()
    world.clock.advance(timedelta(days=7, minutes=1))
    assert not {"FailedCommands", "ErrorBudgetReached"} & set(concerns(world))


def test_an_opening_at_which_no_server_ran_was_missed(world: World) -> None:
    (node,) = world.nodes(1, Role="web")
    window = world.window(Name="web servers")
    world.task(window, world.target(window, "tag:Role", "web"))
    ping(world, node.id)
    world.at(23)
    (one,) = concerns(world)["MissedWindows"]["Worst"]
    assert (one["Name"], one["WindowId"], one["Status"]) == ("web servers", window, world.execution(window)["Status"])
    assert one["StatusDetails"].startswith("Missed: no server was running")
    assert one["WindowExecutionId"] == world.execution(window)["WindowExecutionId"]


def test_a_node_that_windows_only_scan_is_patched_by_none(world: World) -> None:
    world.node(Role="web")
    scanned = world.node(Role="db")
    for role, operation in (("web", "Install"), ("db", "Scan")):
        window = world.window()
        task = {"Parameters": {"Operation": [operation]}}
        world.task(window, world.target(window, "tag:Role", role), TaskArn="AWS-RunPatchBaseline", parameters=task)
    assert [one["InstanceId"] for one in concerns(world)["UnpatchedNodes"]["Worst"]] == [scanned.id]


def test_every_way_to_ask_for_nodes_counts_as_being_patched(world: World) -> None:
    *_, left = (
        world.node(**tags)
        for tags in ({"Role": "web"}, {"Role": "db"}, {"Owner": "x"}, {"Role": "app", "Tier": "1"}, {"Role": "app"})
    )
    asked = [
        [{"Key": "tag:Role", "Values": ["web"]}],
        [{"Key": "tag:Role", "Values": ["db", "none"]}],
        [{"Key": "tag-key", "Values": ["Owner"]}],
        [{"Key": "tag:Role", "Values": ["app"]}, {"Key": "tag:Tier", "Values": ["1"]}],
    ]
    for targets in asked:
        window = world.window()
        made = world.perform(
            "RegisterTargetWithMaintenanceWindow", WindowId=window, ResourceType="INSTANCE", Targets=targets
        )
        world.task(window, made["WindowTargetId"])
    assert [one["InstanceId"] for one in concerns(world)["UnpatchedNodes"]["Worst"]] == [left.id]
    window = world.window()
    world.perform(
        "RegisterTaskWithMaintenanceWindow",
        WindowId=window,
        Targets=[{"Key": "InstanceIds", "Values": [left.id]}],
        TaskArn="AWS-RunShellScript",
        TaskType="RUN_COMMAND",
        MaxConcurrency="1",
        MaxErrors="1",
    )
    assert not {"UnpatchedNodes", "IdleWindows"} & set(concerns(world))


@pytest.mark.parametrize("operation", ["Install", "Scan"])
def test_an_association_with_a_schedule_patches_as_well(world: World, operation: str) -> None:
    world.node(Role="web")
    world.perform(
        "CreateAssociation",
        Name="AWS-RunPatchBaseline",
        Targets=[{"Key": "tag:Role", "Values": ["web"]}],
        Parameters={"Operation": [operation]},
        ScheduleExpression="rate(1 day)",
    )
    assert ("UnpatchedNodes" in concerns(world)) is (operation == "Scan")


def test_a_disabled_window_patches_nobody(world: World) -> None:
    node = world.node(Role="web")
    window = world.window()
    world.task(window, world.target(window, "tag:Role", "web"))
    assert "UnpatchedNodes" not in concerns(world)
    world.perform("UpdateMaintenanceWindow", WindowId=window, Enabled=False)
    assert [one["InstanceId"] for one in concerns(world)["UnpatchedNodes"]["Worst"]] == [node.id]


def test_a_window_says_what_it_lacks_until_it_has_it(world: World) -> None:
    window = world.window(Name="empty")
    (one,) = concerns(world)["IdleWindows"]["Worst"]
    assert (one["WindowId"], one["Name"], one["Lacks"]) == (window, "empty", ["targets", "tasks"])
    target = world.target(window, "tag:Role", "web")
    assert concerns(world)["IdleWindows"]["Worst"][0]["Lacks"] == ["tasks"]
    world.task(window, target)
    assert "IdleWindows" not in concerns(world)


def test_the_states_of_the_fleet_are_told_with_its_counts(here: Installation) -> None:
    lost, stale, never = here.node(tags={"Patch Group": "web"}), here.node(), here.node(tags={"Patch Group": ""})
    scan(here, lost, CLEAN)
    scan(here, stale, CLEAN)
    here.clock.advance(timedelta(days=9))
    ping(here, stale, never)
    found = concerns(here)
    shown = {kind: [one["InstanceId"] for one in found[kind]["Worst"]] for kind in found if kind != "UnpatchedNodes"}
    assert shown == {
        "Offline": [lost],
        "NeverScanned": [never],
        "StaleScans": [stale],
        "NodesWithoutGroup": sorted([stale, never]),
    }
    counts = here.perform("GetFleetCompliance")["Counts"]
    assert (found["Offline"]["Count"], found["StaleScans"]["Count"]) == (counts["Offline"], counts["Stale"]) == (1, 1)


def test_a_failed_installation_and_a_reboot_that_waits_are_told(here: Installation) -> None:
    failed, waiting = here.node(), here.node()
    missing = facts_of([package("bash"), package("openssl", origin=SECURITY)], [update("openssl")])
    scan(here, failed, missing, failed={"openssl.amd64:2": "no space"})
    scan(here, waiting, CLEAN, pendingReboot=["bash.amd64:1"])
    ping(here, failed, waiting)
    assert "PendingReboots" not in concerns(here), "it waits for a moment only"
    here.clock.advance(timedelta(days=3))
    ping(here, failed, waiting)
    found = concerns(here)
    assert [one["InstanceId"] for one in found["PendingReboots"]["Worst"]] == [waiting]
    assert [one["InstanceId"] for one in found["FailedNodes"]["Worst"]] == [failed]
    here.clock.advance(timedelta(minutes=20))
    assert [one["InstanceId"] for one in concerns(here)["LostDuringPatch"]["Worst"]] == [waiting]
