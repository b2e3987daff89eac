"""The real way to webhooks, to servers on a loopback address."""

import socket
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.web import Act, WebServer, answering, drip, drip_on, serving

from patchwindow.domain.webhook import BODY_MAX, Answer, Answered, Unanswered, WebhookRequest
from patchwindow.hooks import HttpHooks


def request(url: str, *, timeout_s: int = 5, ca_pem: str | None = None) -> WebhookRequest:
    headers = {"Content-Type": "application/json", "Idempotency-Key": "i-1"}
    return WebhookRequest(url=url, headers=headers, body=b"{}", timeout_s=timeout_s, ca_pem=ca_pem)


def asked(server: WebServer, path: str = "/drain?queue=1", **more: Any) -> Answer:
    return HttpHooks().call(request(f"{server.url}{path}", **more))


def test_a_request_arrives_as_it_was_made_and_the_answer_comes_back() -> None:
    with serving(answering(200, b'{"Status": "SUCCESS"}', Retry_After="7")) as server:
        assert asked(server) == Answered(200, b'{"Status": "SUCCESS"}', "7")
    (one,) = server.asked
    assert (one.path, one.body) == ("/drain?queue=1", b"{}")
    assert one.headers["Idempotency-Key"] == "i-1"
    assert one.headers["Host"] == f"127.0.0.1:{server.server_port}"


def test_the_name_of_this_machine_is_looked_up() -> None:
    with serving(answering(204)) as server:
        assert HttpHooks().call(request(f"http://localhost:{server.server_port}")) == Answered(204)
    assert server.asked[0].headers["Host"] == f"localhost:{server.server_port}"


def test_a_redirect_is_an_answer_and_is_not_followed() -> None:
    with serving(answering(302, Location="http://127.0.0.1:1/")) as server:
        assert asked(server) == Answered(302)
    assert len(server.asked) == 1


def test_an_error_of_the_server_is_an_answer() -> None:
    with serving(answering(503, b"later")) as server:
        assert asked(server) == Answered(503, b"later")


def test_of_a_long_answer_no_more_is_read_than_shows_that_it_is_too_long() -> None:
    with serving(answering(200, b"x" * (10 * BODY_MAX))) as server:
        answer = asked(server)
    assert isinstance(answer, Answered)
    assert len(answer.body) == BODY_MAX + 1


def test_an_answer_that_is_cut_off_is_none() -> None:
    def act(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")

    with serving(act) as server:
        answer = asked(server)
    assert isinstance(answer, Unanswered)
    assert "gave no answer" in answer.reason


@pytest.mark.parametrize("said", [b"", b"what?\r\n\r\n", b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000])
def test_what_is_no_http_is_no_answer(said: bytes) -> None:
    def act(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(said)

    with serving(act) as server:
        answer = asked(server)
    assert isinstance(answer, Unanswered)
    assert "gave no answer: " in answer.reason


@pytest.mark.parametrize("act", [drip, drip_on, lambda _: time.sleep(5)])
def test_all_of_an_answer_has_to_come_within_the_timeout(act: Act) -> None:
    with serving(act) as server:
        began_at = time.monotonic()
        answer = asked(server, timeout_s=1)
        assert time.monotonic() - began_at < 4
    assert isinstance(answer, Unanswered)
    assert "did not answer within 1 seconds" in answer.reason


def test_where_nobody_listens_there_is_no_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    answer = HttpHooks().call(request(f"http://127.0.0.1:{port}/"))
    assert isinstance(answer, Unanswered)
    assert "refused" in answer.reason


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://169.254.169.254/latest", "is link-local or a metadata service"),
        ("http://hooks.example/", "is not encrypted"),
        ("https://hooks.invalid/secret", "https://hooks.invalid gave no answer: "),
        ("nonsense", "is not https://"),
    ],
)
def test_nothing_is_sent_where_no_webhook_may_be(url: str, reason: str) -> None:
    answer = HttpHooks().call(request(url))
    assert isinstance(answer, Unanswered)
    assert reason in answer.reason


def test_a_name_that_stands_for_an_address_of_metadata_is_not_called() -> None:
    hooks = HttpHooks(lambda *_: ("192.0.2.1", "169.254.169.254"))
    answer = hooks.call(request("https://rebound.example/"))
    assert isinstance(answer, Unanswered)
    assert "169.254.169.254 is link-local" in answer.reason


def test_of_several_addresses_the_first_that_takes_a_connection_is_asked() -> None:
    with serving(answering(204)) as server:
        hooks = HttpHooks(lambda *_: ("127.0.0.7", "127.0.0.1"))
        assert hooks.call(request(f"http://localhost:{server.server_port}/")) == Answered(204)


@pytest.fixture
def server(pem: Path) -> Iterator[WebServer]:
    """A webhook behind TLS."""
    with serving(answering(200, b"{}"), pem) as server:
        yield server


class TestEncrypted:
    """With a certificate that the server made itself."""

    def test_a_certificate_is_checked_by_those_that_were_given(self, server: WebServer, pem: Path) -> None:
        url, given = f"https://localhost:{server.server_port}/", pem.read_text()
        assert HttpHooks().call(request(url, ca_pem=given)) == Answered(200, b"{}")

    def test_a_certificate_that_nobody_vouches_for_is_refused(self, server: WebServer) -> None:
        answer = HttpHooks().call(request(f"https://localhost:{server.server_port}/"))
        assert isinstance(answer, Unanswered)
        assert "certificate verify failed" in answer.reason
        assert server.asked == []

    def test_a_certificate_for_another_name_is_refused(self, server: WebServer, pem: Path) -> None:
        answer = HttpHooks().call(request(f"https://127.0.0.1:{server.server_port}/", ca_pem=pem.read_text()))
        assert isinstance(answer, Unanswered)
        assert "certificate verify failed" in answer.reason
        assert server.asked == []

    def test_certificates_that_cannot_be_read_are_said_to_be_so(self) -> None:
        answer = HttpHooks().call(request("https://localhost:1/", ca_pem="nonsense"))
        assert isinstance(answer, Unanswered)
        assert "gave no answer: " in answer.reason
