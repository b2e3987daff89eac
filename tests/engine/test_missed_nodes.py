"""Nodes that could not be reached while their window was open: no errors, and never a silent gap."""

from tests.engine.world import World

QUICK = {"Parameters": {"commands": ["true"], "executionTimeout": ["600"]}, "TimeoutSeconds": 600}


def test_a_node_that_was_off_during_its_window_is_named_behind_the_word_of_the_command(world: World) -> None:
    here, away = world.nodes(2, ring="first")
    window = world.window()
    world.task(window, world.target(window, "tag:ring", "first"), parameters=QUICK)
    world.at(15)
    here.run()
    world.turn()
    world.after(minutes=30)
    (task,) = world.tasks(window)
    (one,) = world.invocations(task)
    assert one["StatusDetails"] == f"Incomplete; 1 of 2 nodes missed the window: {away.id}"
    assert task["StatusDetails"] == one["StatusDetails"]
    assert world.command(one["ExecutionId"])["StatusDetails"] == "Incomplete"


def test_a_node_that_took_the_command_and_then_fell_silent_did_not_miss_the_window(world: World) -> None:
    node = world.node(ring="first")
    window = world.window()
    world.task(window, world.target(window, "tag:ring", "first"), parameters=QUICK)
    world.at(15)
    node.take()
    world.after(hours=2)
    (one,) = world.invocations(world.tasks(window)[0])
    assert (one["Status"], one["StatusDetails"]) == ("TIMED_OUT", "DeliveryTimedOut")


def test_a_node_that_was_deregistered_before_its_window_is_accounted_for(world: World) -> None:
    here, gone = world.nodes(2)
    window = world.window()
    world.task(window, world.target(window, "InstanceIds", here.id, gone.id), parameters=QUICK)
    world.perform("DeregisterManagedInstance", InstanceId=gone.id)
    world.at(15)
    here.run()
    world.turn()
    (task,) = world.tasks(window)
    (one,) = world.invocations(task)
    assert (one["Status"], one["StatusDetails"]) == ("SUCCESS", f"Success; 1 of 2 nodes missed the window: {gone.id}")
    missed = world.on(gone, one["ExecutionId"])
    assert (missed["StatusDetails"], missed["TraceOutput"]) == (
        "Undeliverable",
        f"there is no managed node {gone.id}",
    )


def test_only_an_id_that_all_targets_name_can_be_absent(world: World) -> None:
    here, gone = world.node(ring="first"), world.node(ring="first")
    window = world.window()
    made = world.perform(
        "RegisterTargetWithMaintenanceWindow",
        WindowId=window,
        ResourceType="INSTANCE",
        Targets=[
            {"Key": "InstanceIds", "Values": [here.id, gone.id]},
            {"Key": "tag:ring", "Values": ["first"]},
        ],
    )
    world.task(window, made["WindowTargetId"], parameters=QUICK)
    world.perform("DeregisterManagedInstance", InstanceId=gone.id)
    world.at(15)
    here.run()
    world.turn()
    (one,) = world.invocations(world.tasks(window)[0])
    assert one["StatusDetails"] == "Success"


def test_a_node_that_the_cutoff_came_before_is_named_too(world: World) -> None:
    away = world.node(ring="first")
    window = world.window()
    world.task(
        window,
        world.target(window, "tag:ring", "first"),
        CutoffBehavior="CANCEL_TASK",
        parameters={"Parameters": {"commands": ["true"]}, "TimeoutSeconds": 36_000},
    )
    world.at(15)
    world.at(17)
    world.after(minutes=10)
    (one,) = world.invocations(world.tasks(window)[0])
    assert one["StatusDetails"] == f"Cancelled; 1 of 1 nodes missed the window: {away.id}"


def test_a_target_whose_nodes_cannot_take_the_command_does_not_keep_the_next_from_its_turn(world: World) -> None:
    unable, able = world.node(ring="first"), world.node(ring="last")
    window = world.window()
    targets = [world.target(window, "tag:ring", ring) for ring in ("first", "last")]
    world.task(window, *targets)
    world.at(15)
    world.perform("DeregisterManagedInstance", InstanceId=unable.id)
    world.turn()
    assert len(able.run()) == 1
    world.turn()
    (task,) = world.tasks(window)
    before, after = world.invocations(task)
    assert before["Status"] == "FAILED"
    assert before["StatusDetails"] == f"Failed; 1 of 1 nodes missed the window: {unable.id}"
    assert after["Status"] == "SUCCESS"
    assert task["Status"] == "FAILED"


def test_nodes_that_a_command_was_never_sent_to_for_its_errors_missed_the_window(world: World) -> None:
    nodes = world.nodes(3, ring="first")
    window = world.window()
    world.task(window, world.target(window, "tag:ring", "first"), MaxConcurrency="1")
    world.at(15)
    nodes[0].run("Failed")
    world.turn()
    (one,) = world.invocations(world.tasks(window)[0])
    assert one["Status"] == "FAILED"
    assert one["StatusDetails"] == f"Failed; 2 of 3 nodes missed the window: {nodes[1].id}, {nodes[2].id}"


def test_the_alarms_of_a_task_are_shown_with_its_execution(world: World) -> None:
    alarms = {"Alarms": [{"Name": "queue-depth"}], "IgnorePollAlarmFailure": True}
    window = world.window()
    world.task(window, world.target(window, "tag:ring", "first"), AlarmConfiguration=alarms)
    world.at(15)
    (task,) = world.tasks(window)
    shown = world.perform(
        "GetMaintenanceWindowExecutionTask", WindowExecutionId=task["WindowExecutionId"], TaskId=task["TaskExecutionId"]
    )
    assert shown["AlarmConfiguration"] == alarms
