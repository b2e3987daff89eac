"""Recorded requests and the answers they get, byte for byte. A new case is an entry in `cases/`, not new code.

A case sends `body` (JSON) or `text` to `target`, signed with `key` (none: not signed) `seconds` from now, after the
requests in `given` were carried out; `headers` and `unsigned` are sent beside, the first signed too. It expects `status`,
and the body `answer`.
"""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from tests.fakes.edge import HOST, JSON, Edge, Received, Sent

CASES: Final = [
    pytest.param(case, id=f"{path.stem}: {case['case']}")
    for path in sorted(Path(__file__).with_name("cases").glob("*.json"))
    for case in json.loads(path.read_text(encoding="utf-8"))
]


def send(edge: Edge, case: dict[str, Any]) -> Received:
    body = case["text"].encode() if "text" in case else json.dumps(case.get("body", {})).encode()
    if "key" in case:
        at = edge.here.clock.now() + timedelta(seconds=case.get("seconds", 0))
        sent = edge.signed(case["target"], body, edge.keys[case["key"]], at=at, headers=case.get("headers"))
    else:
        sent = Sent([body], headers={"Host": HOST, "X-Amz-Target": case["target"], "Content-Type": JSON})
    return edge.ask(replace(sent, headers={**sent.headers, **case.get("unsigned", {})}))


@pytest.mark.parametrize("case", CASES)
def test_a_request_is_answered_as_recorded(edge: Edge, case: dict[str, Any]) -> None:
    for operation, members in case.get("given", []):
        edge.call(operation, members)
    received = send(edge, case)
    assert received.body.decode() == json.dumps(case["answer"], separators=(",", ":"))
    assert received.status == case["status"]
    assert received.headers.keys() == {"content-type", "content-length", "x-amzn-requestid"}
    assert received.headers["content-type"] == JSON
    assert received.headers["content-length"] == str(len(received.body))
    # Identities are counted, and a request's own is the first that it takes.
    assert received.headers["x-amzn-requestid"].startswith("00000000-0000-4000-8000-0000000000")
