"""Requests to webhooks: their headers and their signature."""

import hashlib
import hmac
from datetime import datetime
from typing import Final

from patchwindow.domain.webhook import Webhook, WebhookCall, WebhookRequest

TIMESTAMP: Final = "Patchwindow-Timestamp"
SIGNATURE: Final = "Patchwindow-Signature"
KEY: Final = "Idempotency-Key"
_SCHEME: Final = "v1="


def signed(webhook: Webhook, call: WebhookCall, now: datetime) -> WebhookRequest:
    """Return the request of *call*, signed at *now*; only its timestamp and signature differ when it is repeated."""
    body, timestamp = call.body.encode(), str(int(now.timestamp()))
    return WebhookRequest(
        url=webhook.url,
        headers={
            "Content-Type": "application/json",
            "Accept": "application/json",
            "User-Agent": "patchwindow",
            KEY: call.invocation_id,
            TIMESTAMP: timestamp,
            SIGNATURE: signature(webhook.secret, timestamp, body),
        },
        body=body,
        timeout_s=webhook.timeout_s,
        ca_pem=webhook.ca_pem,
    )


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """Return what shows that whoever wrote *body* at *timestamp* knows *secret*: HMAC-SHA256 over both."""
    return _SCHEME + hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
