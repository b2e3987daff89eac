"""Tasks that are no commands: what is asked of their webhooks, when, and what their answers do."""

import base64
import json
from datetime import timedelta
from typing import Any

import pytest
from tests.engine.world import OPENS_AT, Members, World
from tests.fakes.hooks import BUSY, FAILED, SUCCESS, ScriptedHooks, answered

from patchwindow.domain.webhook import Answer, Answered, Unanswered, Webhook, WebhookRequest
from patchwindow.engine.call_webhooks import Caller
from patchwindow.protocol.webhooks import SIGNATURE, TIMESTAMP, signature

ARN = "arn:aws:lambda:us-east-1:123456789012:function:SSMDrain"
SECRET = "s" * 40


def configure(world: World, arn: str = ARN, **more: Any) -> None:
    with world.database.write() as work:
        hook = Webhook(**{"arn": arn, "url": "https://hooks.example/drain", "secret": SECRET, **more})
        work.webhooks.put(hook, world.clock.now())


def register(world: World, window: str, *target_ids: str, kind: str = "LAMBDA", **members: Any) -> str:
    limits = {"MaxConcurrency": "1", "MaxErrors": "0"} if target_ids else {}
    targets = [{"Key": "WindowTargetIds", "Values": list(target_ids)}] if target_ids else []
    given = {"TaskType": kind, "TaskArn": ARN, "Targets": targets, **limits, **members}
    return str(world.perform("RegisterTaskWithMaintenanceWindow", WindowId=window, **given)["WindowTaskId"])


def caller(world: World) -> Caller:
    return Caller(database=world.database, clock=world.clock, ids=world.ids)


def turn(world: World, hooks: ScriptedHooks) -> None:
    """Let engine and caller do all that is due, until nothing is."""
    asked = -1
    world.turn()
    while asked != len(hooks.requests):
        asked = len(hooks.requests)
        caller(world).turn(hooks)
        world.turn()


def opened(world: World, hooks: ScriptedHooks, **more: Any) -> Members:
    """Return the task execution of a window with one task without targets, which has opened."""
    configure(world, **more)
    window = world.window()
    register(world, window)
    world.at(15)
    turn(world, hooks)
    (task,) = world.tasks(window)
    return task


def now_of(world: World, task: Members) -> Members:
    """Return the only invocation of the task as it is now."""
    (one,) = world.invocations(task)
    return one


@pytest.mark.parametrize(
    ("answer", "status", "details"),
    [
        (SUCCESS, "SUCCESS", "Success"),
        (Answered(204), "SUCCESS", "Success"),
        (answered("SUCCESS", StatusDetails="drained"), "SUCCESS", "drained"),
        (FAILED, "FAILED", "no room"),
        (Answered(404, b"no such function"), "FAILED", "The webhook answered 404: no such function"),
    ],
)
def test_a_task_without_targets_calls_once_and_ends_as_its_webhook_says(
    world: World, answer: Answer, status: str, details: str
) -> None:
    hooks = ScriptedHooks(answer)
    task = opened(world, hooks)
    one = now_of(world, task)
    assert (one["Status"], one["StatusDetails"]) == (status, details)
    assert (task["Status"], task["StatusDetails"]) == (status, details)
    assert hooks.keys == [one["InvocationId"]]
    with world.database.read() as work:
        assert work.webhook_calls.of_execution(task["WindowExecutionId"]) == []


def test_a_request_says_what_it_belongs_to_and_is_signed(world: World) -> None:
    configure(world)
    node = world.node(ring="first")
    window = world.window()
    target = world.target(window, "tag:ring", "first", OwnerInformation="team-a")
    told = "{{WINDOW_ID}} {{WINDOW_TARGET_ID}} {{TARGET_TYPE}} {{TARGET_ID}} {{RESOURCE_ID}} {{INVOCATION_ID}}"
    given = {"Qualifier": "v1", "ClientContext": "e30=", "Payload": json.dumps({"about": told}).encode()}
    registered = register(world, window, target, TaskInvocationParameters={"Lambda": given})
    world.at(15)
    hooks = ScriptedHooks()
    turn(world, hooks)
    (task,) = world.tasks(window)
    one = now_of(world, task)
    ((request,), (body,)) = hooks.requests, hooks.bodies
    about = f"{window} {target} INSTANCE {node.id} {node.id} {one['InvocationId']}"
    assert body == {
        "WindowId": window,
        "WindowTaskId": registered,
        "WindowExecutionId": task["WindowExecutionId"],
        "TaskExecutionId": task["TaskExecutionId"],
        "InvocationId": one["InvocationId"],
        "TaskArn": ARN,
        "TaskType": "LAMBDA",
        "Target": {"Type": "INSTANCE", "Id": node.id, "ResourceId": node.id},
        "ClientContext": "e30=",
        "Qualifier": "v1",
        "Payload": json.dumps({"about": about}),
    }
    assert one["Parameters"] == request.body.decode()
    assert (one["OwnerInformation"], one["WindowTargetId"]) == ("team-a", target)
    assert request.headers[TIMESTAMP] == str(int(OPENS_AT.timestamp()))
    assert request.headers[SIGNATURE] == signature(SECRET, request.headers[TIMESTAMP], request.body)
    assert request.url == "https://hooks.example/drain"


@pytest.mark.parametrize(
    ("kind", "given", "told"),
    [
        (
            "AUTOMATION",
            {"Automation": {"DocumentVersion": "1", "Parameters": {"Window": ["{{ WINDOW_ID }}"]}}},
            {"DocumentVersion": "1", "Parameters": {"Window": ["{window}"]}},
        ),
        (
            "STEP_FUNCTIONS",
            {"StepFunctions": {"Input": '{"of": "{{WINDOW_ID}}"}', "Name": "n"}},
            {"Input": '{"of": "{window}"}', "Name": "n"},
        ),
        (
            "LAMBDA",
            {"Lambda": {"Payload": b"\xff{{WINDOW_ID}}"}},
            {"PayloadBase64": base64.b64encode(b"\xff{{WINDOW_ID}}").decode()},
        ),
        ("LAMBDA", {}, {}),
    ],
)
def test_the_parameters_of_each_type_are_told_with_pseudo_parameters_replaced(
    world: World, kind: str, given: Members, told: Members
) -> None:
    configure(world)
    window = world.window()
    register(world, window, kind=kind, TaskInvocationParameters=given)
    world.at(15)
    hooks = ScriptedHooks()
    turn(world, hooks)
    (body,) = hooks.bodies
    common = {"WindowId", "WindowTaskId", "WindowExecutionId", "TaskExecutionId", "InvocationId", "TaskArn", "TaskType"}
    found = {name: value for name, value in body.items() if name not in common}
    assert found == json.loads(json.dumps(told).replace("{window}", window))


def test_a_webhook_at_work_is_asked_again_with_the_same_key_until_it_is_done(world: World) -> None:
    hooks = ScriptedHooks(
        answered("IN_PROGRESS", ExecutionId="run-1"), answered("IN_PROGRESS", retry_after="120"), SUCCESS
    )
    task = opened(world, hooks)
    assert now_of(world, task)["Status"] == "IN_PROGRESS"
    assert now_of(world, task)["ExecutionId"] == "run-1"
    for asked, seconds in ((1, 29), (2, 1), (2, 119), (3, 1)):
        world.clock.advance(timedelta(seconds=seconds))
        turn(world, hooks)
        assert len(hooks.requests) == asked
    assert len(set(hooks.keys)) == 1
    assert len({request.body for request in hooks.requests}) == 1
    done = now_of(world, task)
    assert (done["Status"], done["ExecutionId"]) == ("SUCCESS", "run-1")


def test_what_fails_on_the_way_is_tried_again_with_growing_pauses_and_then_no_more(world: World) -> None:
    hooks = ScriptedHooks(Unanswered("connection refused"))
    task = opened(world, hooks)
    pauses = []
    while (at := caller(world).turn(hooks)) is not None:
        pauses.append((at - world.clock.now()).total_seconds())
        world.clock.advance(at - world.clock.now())
    turn(world, hooks)
    assert pauses == [5, 10, 20, 40, 80, 160, 300, 300, 300]
    one = now_of(world, task)
    assert one["Status"] == "FAILED"
    assert one["StatusDetails"] == "The webhook failed 10 times in a row, at last: connection refused"


def test_an_answer_that_says_how_it_goes_forgives_the_failures_before_it(world: World) -> None:
    hooks = ScriptedHooks(*[Answered(503)] * 9, BUSY, Answered(503))
    task = opened(world, hooks)
    for _ in range(11):
        world.clock.advance(timedelta(minutes=5))
        caller(world).turn(hooks)
    assert len(hooks.requests) == 12
    assert now_of(world, task)["Status"] == "IN_PROGRESS"


def test_an_invocation_that_takes_too_long_times_out_and_is_asked_no_more(world: World) -> None:
    hooks = ScriptedHooks(answered("IN_PROGRESS", StatusDetails="step 2 of 9"))
    task = opened(world, hooks, time_limit_s=45)
    world.clock.advance(timedelta(seconds=30))
    turn(world, hooks)
    world.clock.advance(timedelta(seconds=15))
    turn(world, hooks)
    one = now_of(world, task)
    assert (one["Status"], len(hooks.requests)) == ("TIMED_OUT", 2)
    assert one["StatusDetails"] == "The webhook did not end within 45 seconds; at last: step 2 of 9"
    assert one["EndTime"] == OPENS_AT + timedelta(seconds=45)


def test_a_call_whose_webhook_was_deleted_fails(world: World) -> None:
    hooks = ScriptedHooks(BUSY)
    task = opened(world, hooks)
    with world.database.write() as work:
        assert work.webhooks.delete(ARN)
    world.clock.advance(timedelta(seconds=30))
    turn(world, hooks)
    assert now_of(world, task)["StatusDetails"] == "The webhook of this task was deleted before it answered"
    assert len(hooks.requests) == 1


class _ServerDiedError(Exception):
    pass


def test_a_call_whose_caller_died_is_made_again_when_its_lease_has_ended(world: World) -> None:
    def die(_: WebhookRequest) -> Answer:
        raise _ServerDiedError

    configure(world)
    window = world.window()
    register(world, window)
    world.at(15)
    hooks = ScriptedHooks(die, SUCCESS)
    with pytest.raises(_ServerDiedError):
        caller(world).turn(hooks)
    world.clock.advance(timedelta(seconds=89))
    turn(world, hooks)
    assert len(hooks.requests) == 1
    world.clock.advance(timedelta(seconds=1))
    turn(world, hooks)
    assert len(hooks.requests) == 2
    assert len(set(hooks.keys)) == 1
    assert world.states(window) == ["SUCCESS"]


def test_two_servers_do_not_make_the_same_call_and_an_answer_after_the_lease_counts_no_more(world: World) -> None:
    configure(world)
    window = world.window()
    register(world, window)
    world.at(15)
    first, second = caller(world), caller(world)
    (slow,) = first.take(9)
    assert second.take(9) == []
    world.clock.advance(timedelta(seconds=90))
    (taken,) = second.take(9)
    first.carry_out(slow, ScriptedHooks(FAILED))
    world.turn()
    assert world.states(window) == ["IN_PROGRESS"]
    second.carry_out(taken, ScriptedHooks(SUCCESS))
    world.turn()
    assert world.states(window) == ["SUCCESS"]


class TestTargets:
    """One invocation for each node: targets one after another, within one as MaxConcurrency allows."""

    def lay_out(self, world: World, *rings: int, **members: Any) -> str:
        """Return a window with a task for rings of so many nodes each."""
        configure(world)
        window = world.window()
        targets = []
        for number, count in enumerate(rings):
            world.nodes(count, ring=str(number))
            targets.append(world.target(window, "tag:ring", str(number)))
        register(world, window, *targets, **members)
        world.at(15)
        return window

    def test_each_node_of_each_target_is_called_about_in_order(self, world: World) -> None:
        window = self.lay_out(world, 3, 2, MaxConcurrency="2")
        (task,) = world.tasks(window)
        order: list[list[str]] = []
        for _ in range(4):
            order.append([one["Status"] for one in world.invocations(task)])
            caller(world).turn(ScriptedHooks())
            world.turn()
        running, done, waiting = "IN_PROGRESS", "SUCCESS", "PENDING"
        assert order == [
            [running, running, waiting, waiting, waiting],
            [done, done, running, waiting, waiting],
            [done, done, done, running, running],
            [done] * 5,
        ]
        assert world.states(window) == ["SUCCESS"]

    def test_more_errors_than_allowed_stop_the_task(self, world: World) -> None:
        window = self.lay_out(world, 4, 1, MaxConcurrency="1", MaxErrors="1")
        turn(world, ScriptedHooks(FAILED))
        (task,) = world.tasks(window)
        assert [one["Status"] for one in world.invocations(task)] == ["FAILED"] * 2 + ["CANCELLED"] * 3
        assert (task["Status"], task["StatusDetails"]) == ("FAILED", "no room")

    def test_errors_that_are_allowed_leave_the_task_a_success(self, world: World) -> None:
        window = self.lay_out(world, 4, MaxConcurrency="100%", MaxErrors="25%")
        turn(world, ScriptedHooks(FAILED, SUCCESS))
        (task,) = world.tasks(window)
        assert task["Status"] == "SUCCESS"
        assert task["StatusDetails"] == "1 of 4 invocations did not succeed, which MaxErrors allows."

    def test_targets_without_nodes_leave_nothing_to_call(self, world: World) -> None:
        window = self.lay_out(world, 0, 0)
        hooks = ScriptedHooks()
        turn(world, hooks)
        assert world.states(window) == ["SUCCESS"]
        assert hooks.requests == []

    @pytest.mark.parametrize(
        ("behavior", "states", "state"),
        [
            ("CANCEL_TASK", ["SUCCESS", "TIMED_OUT", "TIMED_OUT"], "TIMED_OUT"),
            ("CONTINUE_TASK", ["SUCCESS", "SUCCESS", "SUCCESS"], "SUCCESS"),
        ],
    )
    def test_the_cutoff_lets_a_call_end_and_only_a_task_that_continues_makes_more(
        self, world: World, behavior: str, states: list[str], state: str
    ) -> None:
        configure(world, time_limit_s=4 * 3600)
        window = world.window()
        world.nodes(3, ring="0")
        register(world, window, world.target(window, "tag:ring", "0"), CutoffBehavior=behavior)
        hooks = ScriptedHooks(answered("IN_PROGRESS", retry_after="3600"), BUSY, BUSY, SUCCESS)
        for hour, minute in ((15, 0), (16, 0), (17, 0), (17, 1), (17, 2), (17, 3)):
            world.at(hour, minute)
            turn(world, hooks)
        (task,) = world.tasks(window)
        assert [one["Status"] for one in world.invocations(task)] == states
        assert task["Status"] == state


def test_a_qualified_function_has_a_webhook_of_its_own_or_that_of_the_function(world: World) -> None:
    configure(world)
    configure(world, f"{ARN}:blue", url="https://hooks.example/blue")
    window = world.window()
    register(world, window, TaskInvocationParameters={"Lambda": {"Qualifier": "blue"}})
    register(world, window, TaskArn=f"{ARN}:blue")
    register(world, window, TaskArn=f"{ARN}:green")
    world.at(15)
    hooks = ScriptedHooks()
    turn(world, hooks)
    assert sorted(request.url.rpartition("/")[2] for request in hooks.requests) == ["blue", "blue", "drain"]


def test_the_nodes_of_a_resource_group_are_called_about_and_a_group_that_is_gone_fails(world: World) -> None:
    configure(world)
    node = world.node(ring="first")
    query = '{"ResourceTypeFilters": ["AWS::AllSupported"], "TagFilters": [{"Key": "ring", "Values": ["first"]}]}'
    world.perform("CreateGroup", Name="first", ResourceQuery={"Type": "TAG_FILTERS_1_0", "Query": query})
    window = world.window()
    targets = [
        world.perform(
            "RegisterTargetWithMaintenanceWindow",
            WindowId=window,
            ResourceType="RESOURCE_GROUP",
            Targets=[{"Key": "resource-groups:Name", "Values": [name]}],
        )["WindowTargetId"]
        for name in ("first", "gone")
    ]
    register(world, window, *targets)
    world.at(15)
    hooks = ScriptedHooks()
    turn(world, hooks)
    assert [body["Target"] for body in hooks.bodies] == [
        {"Type": "RESOURCE_GROUP", "Id": node.id, "ResourceId": node.id}
    ]
    (task,) = world.tasks(window)
    done, failed = world.invocations(task)
    assert (done["Status"], failed["Status"], task["Status"]) == ("SUCCESS", "FAILED", "FAILED")
    assert "resource group 'gone' does not exist" in failed["StatusDetails"]
