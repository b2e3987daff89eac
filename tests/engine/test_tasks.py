"""Tasks within an execution: their order, their targets, and what is sent for them."""

import json

import pytest
from tests.engine.world import World


def test_tasks_of_one_priority_run_side_by_side_and_the_next_when_all_have_ended(world: World) -> None:
    nodes = world.nodes(3)
    window = world.window()
    targets = [world.target(window, "InstanceIds", node.id) for node in nodes]
    world.task(window, targets[2], Priority=5)
    world.task(window, targets[0], Priority=0)
    world.task(window, targets[1], Priority=0)
    world.at(15)
    assert world.states(window) == ["IN_PROGRESS", "IN_PROGRESS", "PENDING"]
    nodes[0].run()
    world.turn()
    assert not nodes[2].poll()
    nodes[1].run()
    world.turn()
    assert world.states(window) == ["SUCCESS", "SUCCESS", "IN_PROGRESS"]
    nodes[2].run()
    world.turn()
    assert world.execution(window)["Status"] == "SUCCESS"


def test_a_task_that_fails_does_not_stop_the_next_priority(world: World) -> None:
    first, second = world.nodes(2)
    window = world.window()
    world.task(window, world.target(window, "InstanceIds", first.id), Priority=1)
    world.task(window, world.target(window, "InstanceIds", second.id), Priority=2)
    world.at(15)
    first.run("Failed")
    world.turn()
    second.run()
    world.turn()
    assert world.states(window) == ["FAILED", "SUCCESS"]
    execution = world.execution(window)
    assert execution["Status"] == "FAILED"
    assert execution["StatusDetails"] == "One or more tasks in the orchestration failed."


def test_a_task_works_through_its_targets_one_after_another_each_by_a_command(world: World) -> None:
    first = world.nodes(2, ring="first")
    last = world.node(ring="last")
    window = world.window()
    targets = [
        world.target(window, "tag:ring", "first", OwnerInformation="team-a"),
        world.target(window, "tag:ring", "last"),
    ]
    world.task(window, *targets)
    world.at(15)
    (task,) = world.tasks(window)
    before, after = world.invocations(task)
    assert (before["Status"], after["Status"]) == ("IN_PROGRESS", "PENDING")
    assert (before["WindowTargetId"], before["OwnerInformation"]) == (targets[0], "team-a")
    assert world.command(before["ExecutionId"])["TargetCount"] == 2
    for node in first:
        assert not last.poll()
        node.run()
        world.turn()
    last.run()
    world.turn()
    assert [one["Status"] for one in world.invocations(task)] == ["SUCCESS", "SUCCESS"]
    assert len({one["ExecutionId"] for one in world.invocations(task)}) == 2


def test_tags_are_looked_at_when_the_task_starts(world: World) -> None:
    early = world.node(ring="first")
    window = world.window()
    world.task(window, world.target(window, "tag:ring", "first"))
    late = world.node(ring="first")
    world.perform("RemoveTagsFromResource", ResourceType="ManagedInstance", ResourceId=early.id, TagKeys=["ring"])
    world.at(15)
    assert (len(early.poll()), len(late.poll())) == (0, 1)


def test_a_target_that_selects_no_node_succeeds_and_says_so(world: World) -> None:
    window = world.window()
    world.task(window, world.target(window, "tag:ring", "none"))
    world.at(15)
    (task,) = world.tasks(window)
    assert (task["Status"], task["StatusDetails"]) == ("SUCCESS", "NoInstancesInTag")
    assert world.execution(window)["Status"] == "SUCCESS"


def test_a_target_that_was_deregistered_selects_nothing(world: World) -> None:
    node = world.node()
    window = world.window()
    target = world.target(window, "InstanceIds", node.id)
    world.task(window, target)
    world.perform("DeregisterTargetFromMaintenanceWindow", WindowId=window, WindowTargetId=target)
    world.at(15)
    (task,) = world.tasks(window)
    assert (task["Status"], task["StatusDetails"]) == ("SUCCESS", "The task has no targets to run on.")
    assert not node.poll()


def test_a_task_may_name_nodes_itself(world: World) -> None:
    node = world.node()
    window = world.window()
    world.task(window, Targets=[{"Key": "InstanceIds", "Values": [node.id]}])
    world.at(15)
    (task,) = world.tasks(window)
    (one,) = world.invocations(task)
    assert "WindowTargetId" not in one or one["WindowTargetId"] is None
    assert json.loads(one["Parameters"])["instanceIds"] == [node.id]
    assert len(node.take()) == 1


def test_a_task_whose_parameters_do_not_fit_the_document_fails_and_says_why(world: World) -> None:
    node = world.node()
    window = world.window()
    target = world.target(window, "InstanceIds", node.id)
    world.task(window, target, Priority=1, parameters={"Parameters": {"nonsense": ["1"]}})
    world.task(window, target, Priority=2)
    world.at(15)
    wrong, right = world.tasks(window)
    assert (wrong["Status"], right["Status"]) == ("FAILED", "IN_PROGRESS")
    assert "nonsense" in wrong["StatusDetails"]
    (one,) = world.invocations(wrong)
    assert one["ExecutionId"] is None
    assert one["EndTime"] == wrong["EndTime"]


def test_a_task_whose_document_does_not_exist_fails_and_says_so(world: World) -> None:
    window = world.window()
    world.task(window, world.target(window, "InstanceIds", world.node().id), TaskArn="AWS-Nothing")
    world.at(15)
    (task,) = world.tasks(window)
    assert task["Status"] == "FAILED"
    assert "document 'AWS-Nothing' does not exist" in task["StatusDetails"]


def test_a_task_whose_document_is_not_the_one_it_was_made_for_fails_and_says_so(world: World) -> None:
    node = world.node()
    window = world.window()
    wrong = {"Parameters": {"commands": ["true"]}, "DocumentHash": "0" * 64, "DocumentHashType": "Sha256"}
    world.task(window, world.target(window, "InstanceIds", node.id), parameters=wrong)
    world.at(15)
    (task,) = world.tasks(window)
    assert task["Status"] == "FAILED"
    assert task["StatusDetails"] == f"document AWS-RunShellScript does not have the DocumentHash {'0' * 64}"
    assert not node.poll()


@pytest.mark.parametrize("kind", ["AUTOMATION", "LAMBDA", "STEP_FUNCTIONS"])
def test_a_task_without_a_webhook_fails_and_says_how_to_configure_one(world: World, kind: str) -> None:
    window = world.window()
    world.perform("RegisterTaskWithMaintenanceWindow", WindowId=window, TaskType=kind, TaskArn="SSMTask")
    world.at(15)
    (task,) = world.tasks(window)
    assert task["Status"] == "FAILED"
    assert task["StatusDetails"] == (
        "No webhook carries out this task; on the server run: patchwindow webhooks set SSMTask --url URL"
    )


def test_deprecated_parameters_are_used_where_there_are_no_others(world: World) -> None:
    node = world.node()
    window = world.window()
    target = world.target(window, "InstanceIds", node.id)
    deprecated = {"commands": {"Values": ["uptime"]}}
    world.task(window, target, TaskInvocationParameters={}, TaskParameters=deprecated)
    world.task(window, target, Priority=1, TaskParameters=deprecated)
    world.at(15)
    (old,) = node.run()
    world.turn()
    (new,) = node.run()
    assert world.command(old)["Parameters"] == {"commands": ["uptime"]}
    assert world.command(new)["Parameters"] == {"commands": ["true"]}


def test_pseudo_parameters_are_replaced_by_what_they_name(world: World) -> None:
    node = world.node()
    window = world.window()
    target = world.target(window, "InstanceIds", node.id)
    names = (
        "WINDOW_ID",
        "WINDOW_TASK_ID",
        "WINDOW_TARGET_ID",
        "WINDOW_EXECUTION_ID",
        "TASK_EXECUTION_ID",
        "INVOCATION_ID",
        "TARGET_TYPE",
        "TARGET_ID",
    )
    task = world.task(
        window,
        target,
        parameters={"Comment": "of {{WINDOW_ID}}", "Parameters": {"commands": [f"{{{{ {name} }}}}" for name in names]}},
    )
    world.at(15)
    (run,) = world.tasks(window)
    (one,) = world.invocations(run)
    command = world.command(one["ExecutionId"])
    assert command["Comment"] == f"of {window}"
    assert command["Parameters"]["commands"] == [
        window,
        task,
        target,
        run["WindowExecutionId"],
        run["TaskExecutionId"],
        one["InvocationId"],
        "INSTANCE",
        "{{ TARGET_ID }}",
    ]


def test_limits_of_a_task_are_those_of_its_command(world: World) -> None:
    nodes = world.nodes(4, ring="all")
    window = world.window()
    world.task(window, world.target(window, "tag:ring", "all"), MaxConcurrency="50%", MaxErrors="25%")
    world.at(15)
    (task,) = world.tasks(window)
    (one,) = world.invocations(task)
    command = world.command(one["ExecutionId"])
    assert (command["MaxConcurrency"], command["MaxErrors"]) == ("50%", "25%")
    nodes[0].take()
    world.turn()
    assert world.reached(one["ExecutionId"], *nodes) == [True, True, False, False]


def test_an_error_within_the_tolerance_lets_the_next_target_begin_and_one_beyond_it_does_not(world: World) -> None:
    nodes = [world.node(ring=ring) for ring in ("a", "b", "c")]
    window = world.window()
    targets = [world.target(window, "tag:ring", ring) for ring in ("a", "b", "c")]
    world.task(window, *targets, MaxErrors="1")
    world.task(window, *targets, MaxErrors="0", Priority=1)
    world.at(15)
    for node in nodes:
        node.run("Failed")
        world.turn()
    tolerant, strict = world.tasks(window)
    assert [one["Status"] for one in world.invocations(tolerant)] == ["SUCCESS"] * 3
    nodes[0].run("Failed")
    world.turn()
    assert [one["Status"] for one in world.invocations(strict)] == ["FAILED", "CANCELLED", "CANCELLED"]
    assert world.states(window) == ["SUCCESS", "FAILED"]


def test_cancelling_an_execution_lets_what_has_begun_end_and_drops_the_rest(world: World) -> None:
    node = world.node()
    window = world.window()
    target = world.target(window, "InstanceIds", node.id)
    world.task(window, target, Priority=1)
    world.task(window, target, Priority=2)
    world.at(15)
    execution_id = world.execution(window)["WindowExecutionId"]
    world.perform("CancelMaintenanceWindowExecution", WindowExecutionId=execution_id)
    world.turn()
    assert world.execution(window)["Status"] == "CANCELLING"
    assert world.states(window) == ["IN_PROGRESS", "CANCELLED"]
    node.run()
    world.turn()
    assert world.states(window) == ["SUCCESS", "CANCELLED"]
    execution = world.execution(window)
    assert (execution["Status"], execution["StatusDetails"]) == ("CANCELLED", "The execution was cancelled.")
    world.perform("CancelMaintenanceWindowExecution", WindowExecutionId=execution_id)
    world.turn()
    assert world.execution(window) == execution


def test_cancelling_the_command_of_a_task_cancels_the_task(world: World) -> None:
    node = world.node()
    window = world.window()
    world.task(window, world.target(window, "InstanceIds", node.id))
    world.at(15)
    (command_id,) = node.take()
    world.perform("CancelCommand", CommandId=command_id)
    world.turn()
    node.say(command_id, "Cancelled")
    world.turn()
    assert world.states(window) == ["CANCELLED"]
    assert world.execution(window)["Status"] == "CANCELLED"
