"""Webhooks without a network."""

import json
from collections.abc import Callable
from typing import Any

from patchwindow.domain.webhook import Answer, Answered, WebhookRequest
from patchwindow.protocol.webhooks import KEY


def answered(status: str, http_status: int = 200, retry_after: str = "", **members: str) -> Answered:
    """Return an answer of this Status."""
    return Answered(http_status, json.dumps({"Status": status, **members}).encode(), retry_after)


SUCCESS = answered("SUCCESS")
FAILED = answered("FAILED", StatusDetails="no room")
BUSY = answered("IN_PROGRESS")


class ScriptedHooks:
    """Gives the answers that it was made with, one after the other, and the last one ever after; keeps what was asked."""

    def __init__(self, *answers: Answer | Callable[[WebhookRequest], Answer]) -> None:
        self.requests: list[WebhookRequest] = []
        self._answers = list(answers) or [SUCCESS]

    def call(self, request: WebhookRequest) -> Answer:
        """Return the next answer."""
        self.requests.append(request)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        return answer(request) if callable(answer) else answer

    @property
    def keys(self) -> list[str]:
        """The idempotency keys of the requests."""
        return [request.headers[KEY] for request in self.requests]

    @property
    def bodies(self) -> list[dict[str, Any]]:
        """The bodies of the requests."""
        return [json.loads(request.body) for request in self.requests]
