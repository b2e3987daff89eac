"""The role token and the clock, on a connection that answers from a list."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from patchwindow_agent.connection import Answer, Connection, parse_endpoint
from patchwindow_agent.errors import Asleep, Refused, Unreachable
from patchwindow_agent.identity import Identity
from patchwindow_agent.session import Session

IDENTITY = Identity("mi-0123456789abcdef0", "pw-home-1", "c2VjcmV0", "f")
NOW = 1_795_400_000.0


@dataclass
class Scripted:
    """Answers role tokens of one hour, and everything else from a list; keeps what was asked."""

    answers: list[Answer] = field(default_factory=list)
    tokens: list[Answer] = field(default_factory=list)
    asked: list[tuple[str, Mapping[str, str]]] = field(default_factory=list)
    endpoint = parse_endpoint("http://127.0.0.1:8443")
    token_count = 0

    def request(self, _method: str, _path: str, *, headers: Mapping[str, str], body: bytes) -> Answer:
        assert body
        operation = headers["X-Amz-Target"].rpartition(".")[2]
        self.asked.append((operation, headers))
        if operation == "RequestManagedInstanceRoleToken":
            if self.tokens:
                return self.tokens.pop(0)
            self.token_count += 1
            return answer(
                200,
                AccessKeyId=f"ASIA{self.token_count}",
                SecretAccessKey="s",
                SessionToken="t",
                TokenExpirationDate=NOW + 3600,
                UpdateKeyPair=False,
            )
        return self.answers.pop(0) if self.answers else answer(200)

    @property
    def operations(self) -> list[str]:
        return [operation for operation, _ in self.asked]


def answer(status: int, *, date: float | None = None, **body: Any) -> Answer:
    return Answer(status, json.dumps(body).encode(), date)


def refusal(code: str, *, date: float | None = None) -> Answer:
    return answer(400, date=date, __type=f"com.amazon#{code}", message="because")


@dataclass
class Bench:
    """A session with its connection and its clocks in the hand of the test."""

    connection: Scripted = field(default_factory=Scripted)
    steady_s: float = 0.0
    wall_s: float = NOW

    def __post_init__(self) -> None:
        self.session = Session(
            IDENTITY, wall=lambda: self.wall_s, steady=lambda: self.steady_s, chance=lambda low, _: low
        )

    def call(self) -> dict[str, Any]:
        return self.session.call(cast(Connection, self.connection), "ec2messages", "GetMessages", {})


def test_a_token_is_used_until_half_its_life_is_over() -> None:
    bench = Bench()
    bench.call()
    bench.steady_s = 1799
    bench.call()
    assert bench.connection.token_count == 1
    bench.steady_s = 1801
    bench.call()
    assert bench.connection.token_count == 2
    assert "ASIA2/" in bench.connection.asked[-1][1]["Authorization"]


@pytest.mark.parametrize("code", ["AccessDeniedException", "MachineFingerprintDoesNotMatch"])
def test_a_node_that_is_not_wanted_stays_away_for_25_minutes_at_least(code: str) -> None:
    bench = Bench(Scripted(tokens=[refusal(code)]))
    with pytest.raises(Asleep) as first:
        bench.call()
    assert first.value.retry_after_s == 1500
    bench.steady_s = 1400
    with pytest.raises(Asleep) as second:
        bench.call()
    assert second.value.retry_after_s == 100
    assert bench.connection.operations == ["RequestManagedInstanceRoleToken"]
    bench.steady_s = 1501
    assert bench.call() == {}


def test_a_wrong_clock_is_corrected_by_the_servers() -> None:
    day_s = 86_400
    late = refusal("InvalidSignatureException", date=NOW + day_s)
    bench = Bench(Scripted(tokens=[late]))
    assert bench.call() == {}
    first, second, call = (headers["X-Amz-Date"] for _, headers in bench.connection.asked)
    assert (first[:8], second[:8], call[:8]) == ("20261123", "20261124", "20261124")


def test_a_right_clock_does_not_make_a_bad_signature_be_sent_again_and_again() -> None:
    bench = Bench(Scripted(tokens=[refusal("InvalidSignatureException", date=NOW + 1)]))
    with pytest.raises(Refused, match="InvalidSignatureException: because"):
        bench.call()
    assert len(bench.connection.asked) == 1


def test_a_token_that_the_server_no_longer_knows_is_replaced_once() -> None:
    bench = Bench(Scripted(answers=[refusal("ExpiredTokenException"), answer(200, Messages=[])]))
    assert bench.call() == {"Messages": []}
    assert bench.connection.token_count == 2
    bench.connection.answers = [refusal("UnrecognizedClientException")] * 2
    with pytest.raises(Refused):
        bench.call()


def test_other_refusals_are_the_callers_and_no_reason_to_ask_again() -> None:
    bench = Bench(Scripted(answers=[refusal("InvalidDestinationException")]))
    with pytest.raises(Refused) as refused:
        bench.call()
    assert refused.value.code == "InvalidDestinationException"
    assert bench.connection.token_count == 1


@pytest.mark.parametrize("token", [answer(200, AccessKeyId="a"), Answer(502, b"<html>", None), answer(200)])
def test_an_answer_that_is_none_is_as_good_as_no_server(token: Answer) -> None:
    with pytest.raises(Unreachable):
        Bench(Scripted(tokens=[token])).call()
