"""Requests to webhooks."""

import hashlib
import hmac
from datetime import UTC, datetime, timedelta

from patchwindow.domain.webhook import Webhook, WebhookCall
from patchwindow.protocol.webhooks import signed

NOW = datetime(2026, 1, 15, 15, 0, tzinfo=UTC)
HOOK = Webhook(arn="SSMx", url="https://hooks.example/", secret="secret", timeout_s=7, ca_pem="pem")
CALL = WebhookCall(
    invocation_id="i-1",
    window_execution_id="we-1",
    arn="SSMx",
    body='{"Name": "ü"}',
    started_at=NOW,
    ends_at=NOW + timedelta(hours=1),
    due_at=NOW,
)


def test_a_receiver_can_check_who_wrote_a_request_and_when() -> None:
    request = signed(HOOK, CALL, NOW)
    timestamp = request.headers["Patchwindow-Timestamp"]
    assert datetime.fromtimestamp(int(timestamp), UTC) == NOW
    wanted = hmac.new(b"secret", timestamp.encode() + b"." + request.body, hashlib.sha256).hexdigest()
    assert request.headers["Patchwindow-Signature"] == f"v1={wanted}"
    assert request.headers["Idempotency-Key"] == "i-1"
    assert (request.url, request.timeout_s, request.ca_pem) == (HOOK.url, 7, "pem")


def test_a_repeated_request_differs_by_its_time_and_signature_alone() -> None:
    first, second = signed(HOOK, CALL, NOW), signed(HOOK, CALL, NOW + timedelta(minutes=1))
    assert first.body == second.body == CALL.body.encode()
    differing = {name for name in first.headers if first.headers[name] != second.headers[name]}
    assert differing == {"Patchwindow-Timestamp", "Patchwindow-Signature"}
