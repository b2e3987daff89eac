"""A service that is busy is asked again, after longer and longer pauses, and not for ever."""

import json
from http.server import BaseHTTPRequestHandler

import pytest
from tests.fakes.web import answering, serving

from patchwindow.client import ClientProblem, call, connect

_BUSY = answering(
    400,
    json.dumps({"__type": "ThrottlingException", "message": "Rate exceeded"}).encode(),
    Content_Type="application/x-amz-json-1.1",
)
_NOTHING = answering(200, b'{"WindowIdentities": []}', Content_Type="application/x-amz-json-1.1")


@pytest.fixture(autouse=True)
def _a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "PWEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")


def test_what_is_throttled_twice_is_answered_the_third_time() -> None:
    answers = iter([_BUSY, _BUSY, _NOTHING])

    def act(handler: BaseHTTPRequestHandler) -> None:
        next(answers)(handler)

    with serving(act) as server:
        client = connect(endpoint_url=server.url)
        assert call(client, "DescribeMaintenanceWindows")["WindowIdentities"] == []
        assert len(server.asked) == 3


@pytest.mark.slow
def test_what_stays_throttled_is_told_after_five_attempts() -> None:
    with serving(_BUSY) as server:
        client = connect(endpoint_url=server.url)
        with pytest.raises(ClientProblem, match="ThrottlingException: Rate exceeded") as caught:
            call(client, "DescribeMaintenanceWindows")
        assert (caught.value.code, len(server.asked)) == ("ThrottlingException", 5)
