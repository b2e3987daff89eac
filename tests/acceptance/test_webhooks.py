"""A window whose task is a webhook: configured by the command line, called by a running server, shown by the API."""

import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from tests.fakes.commandline import PATCHWINDOW, run
from tests.fakes.server import Plane, until

ARN = "arn:aws:states:us-east-1:123456789012:stateMachine:SSMDrain"


class Receiver(ThreadingHTTPServer):
    """A webhook that is at work when it is first asked, and then done; it keeps what it was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        self.asked: list[tuple[dict[str, str], bytes]] = []
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.server_port}/drain"


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        assert isinstance(self.server, Receiver)
        self.server.asked.append((dict(self.headers), self.rfile.read(int(self.headers["Content-Length"]))))
        is_done = len(self.server.asked) > 1
        members = {"Status": "SUCCESS" if is_done else "IN_PROGRESS", "StatusDetails": "drained", "ExecutionId": "d-1"}
        self.send_response(200)
        self.send_header("Retry-After", "1")
        self.end_headers()
        self.wfile.write(json.dumps(members).encode())

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A webhook on this machine."""
    with Receiver() as receiver:
        thread = threading.Thread(target=receiver.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield receiver
        receiver.shutdown()
        thread.join()


def webhooks(plane: Plane, *arguments: str) -> str:
    """Run `patchwindow webhooks` on the data directory of the running server."""
    command = [*PATCHWINDOW, "webhooks", *arguments, "--data", str(plane.server.data)]
    return run(command, plane.shell().environ).out


def test_a_task_is_carried_out_by_its_webhook(plane: Plane, receiver: Receiver) -> None:
    secret = webhooks(plane, "set", ARN, "--url", receiver.url).strip()
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
    for headers, body in receiver.asked:
        signed = headers["Patchwindow-Timestamp"].encode() + b"." + body
        assert headers["Patchwindow-Signature"] == f"v1={hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()}"
        assert headers["Idempotency-Key"] == one["InvocationId"]
        assert json.loads(body)["Input"] == json.dumps({"of": window})
    assert webhooks(plane, "set", ARN, "--url", receiver.url) == ""
    webhooks(plane, "delete", ARN)
    assert receiver.url not in webhooks(plane, "list")
