"""The receiver on the page of webhooks does what the page says."""

import http.server
import re
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from patchwindow.domain.webhook import Answered, Webhook, WebhookCall
from patchwindow.hooks import HttpHooks
from patchwindow.protocol.webhooks import signed

PAGE: Final = (Path(__file__).parents[2] / "docs" / "webhooks.md").read_text(encoding="utf-8")
SECRET: Final = "x" * 40


class Receiver:
    """The page's receiver, which runs."""

    def __init__(self, handler: type[http.server.BaseHTTPRequestHandler]) -> None:
        self.server = http.server.HTTPServer(("127.0.0.1", 0), handler)
        self.done: list[str] = []

    def carry_out(self, key: str, members: dict[str, Any]) -> dict[str, str]:
        """Do what is asked."""
        self.done.append(key)
        return {"Status": "SUCCESS", "StatusDetails": str(members["Name"])}

    def answer(self, *, secret: str = SECRET, age_s: int = 0) -> object:
        """Return what it answers to a request signed so long ago."""
        now = datetime.now(UTC)
        hook = Webhook(arn="SSMx", url=f"http://127.0.0.1:{self.server.server_port}/", secret=secret)
        call = WebhookCall(
            invocation_id="i-1",
            window_execution_id="we-1",
            arn="SSMx",
            body='{"Name": "n"}',
            started_at=now,
            ends_at=now,
            due_at=now,
        )
        return HttpHooks().call(signed(hook, call, now - timedelta(seconds=age_s)))


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """The page's receiver, on a loopback address."""
    found = re.search(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    names: dict[str, Any] = {"SECRET": SECRET.encode()}
    exec(found[1], names)  # noqa: S102  (it is the page's own)
    names["Receiver"].log_message = lambda *_: None
    receiver = Receiver(names["Receiver"])
    names["carry_out"] = receiver.carry_out
    thread = threading.Thread(target=receiver.server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield receiver
    receiver.server.shutdown()
    thread.join()
    receiver.server.server_close()


def test_the_receiver_does_what_is_signed(receiver: Receiver) -> None:
    assert receiver.answer() == Answered(200, b'{"Status": "SUCCESS", "StatusDetails": "n"}')
    assert receiver.done == ["i-1"]


def test_the_receiver_refuses_what_is_not_signed_or_is_old(receiver: Receiver) -> None:
    assert receiver.answer(secret="y" * 40) == Answered(403)
    assert receiver.answer(age_s=301) == Answered(403)
    assert receiver.done == []
