"""A window whose task is a webhook: configured by the command line, called by a running server, shown by the API."""

import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from tests.fakes.commandline import PATCHWINDOW, run
from tests.fakes.server import Plane, until
from tests.fakes.web import WebServer, answering, serving

ARN = "arn:aws:states:us-east-1:123456789012:stateMachine:SSMDrain"


@pytest.fixture
def receiver() -> Iterator[WebServer]:
    """A webhook that is at work when it is first asked, and then done."""

    def act(handler: BaseHTTPRequestHandler) -> None:
        status = "SUCCESS" if len(server.asked) > 1 else "IN_PROGRESS"
        members = {"Status": status, "StatusDetails": "drained", "ExecutionId": "d-1"}
        answering(200, json.dumps(members).encode(), Retry_After="1")(handler)

    with serving(act) as server:
        yield server


def webhooks(plane: Plane, *arguments: str) -> str:
    """Run `patchwindow webhooks` on the data directory of the running server."""
    command = [*PATCHWINDOW, "webhooks", *arguments, "--data", str(plane.server.data)]
    return run(command, plane.shell().environ).out


def test_a_task_is_carried_out_by_its_webhook(plane: Plane, receiver: WebServer) -> None:
    secret = webhooks(plane, "set", ARN, "--url", f"{receiver.url}/drain").strip()
    assert receiver.url in webhooks(plane, "list")
    opens_at = datetime.now(UTC) + timedelta(seconds=2)
    window = plane.client.create_maintenance_window(
        Name="hooked",
        Schedule=f"at({opens_at:%Y-%m-%dT%H:%M:%S})",
        Duration=1,
        Cutoff=0,
        AllowUnassociatedTargets=True,
    )["WindowId"]
    plane.client.register_task_with_maintenance_window(
        WindowId=window,
        TaskType="STEP_FUNCTIONS",
        TaskArn=ARN,
        TaskInvocationParameters={"StepFunctions": {"Input": '{"of": "{{WINDOW_ID}}"}'}},
    )

    def ended() -> Any:
        found = plane.client.describe_maintenance_window_executions(WindowId=window)["WindowExecutions"]
        return found and "EndTime" in found[0] and found[0]

    execution = until(ended, "the end of the execution")
    assert execution["Status"] == "SUCCESS"
    within = {"WindowExecutionId": execution["WindowExecutionId"]}
    (task,) = plane.client.describe_maintenance_window_execution_tasks(**within)["WindowExecutionTaskIdentities"]
    (one,) = plane.client.describe_maintenance_window_execution_task_invocations(
        **within, TaskId=task["TaskExecutionId"]
    )["WindowExecutionTaskInvocationIdentities"]
    assert (one["Status"], one["StatusDetails"], one["ExecutionId"]) == ("SUCCESS", "drained", "d-1")
    assert len(receiver.asked) == 2
    for _, headers, body in receiver.asked:
        signed = headers["Patchwindow-Timestamp"].encode() + b"." + body
        assert headers["Patchwindow-Signature"] == f"v1={hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()}"
        assert headers["Idempotency-Key"] == one["InvocationId"]
        assert json.loads(body)["Input"] == json.dumps({"of": window})
    assert webhooks(plane, "set", ARN, "--url", f"{receiver.url}/drain") == ""
    webhooks(plane, "delete", ARN)
    assert receiver.url not in webhooks(plane, "list")
