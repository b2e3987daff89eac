"""The node's secret changes, and the node is never locked out, whatever is lost on the way."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest

from patchwindow_agent import identity
from patchwindow_agent.connection import Answer, Connection, parse_endpoint
from patchwindow_agent.errors import StateProblem, Unreachable
from patchwindow_agent.identity import Identity
from patchwindow_agent.node_key import NodeKey, forget_others
from patchwindow_agent.session import Session
from patchwindow_agent.sigv4 import Key, Scope, signed

NODE_ID, REGION, FIRST = "mi-0123456789abcdef0", "pw-home-1", identity.new_secret()
NOW = 1_795_400_000.0


class LostError(Exception):
    """The process ends here."""


@dataclass
class Server:
    """Knows one secret, and takes another when it has asked for it; *loses* says what of a change is lost."""

    secret: str = FIRST
    wants_another: bool = True
    loses: str = ""
    endpoint = parse_endpoint("http://127.0.0.1:8443")
    changed_to: list[str] = field(default_factory=list)

    def request(self, _method: str, path: str, *, headers: Mapping[str, str], body: bytes) -> Answer:
        operation = headers["X-Amz-Target"].rpartition(".")[2]
        if operation == "RequestManagedInstanceRoleToken":
            return self._token() if self._is_signed(headers, body, path) else _refused("InvalidSignatureException")
        if operation != "UpdateManagedInstancePublicKey":
            return _answer(200)
        assert self._is_signed(headers, body, path), "with the secret that ends by this"
        if self.loses == "request":
            raise Unreachable("it never arrived")
        if self.loses == "refused":
            return _refused("InvalidParameters")
        asked = json.loads(body)
        assert asked["NewPublicKeyType"] == "Hmac-Sha256"
        self.secret, self.wants_another = asked["NewPublicKey"], False
        self.changed_to.append(self.secret)
        if self.loses == "answer":
            raise Unreachable("it never came back")
        if self.loses == "node":
            raise LostError
        return _answer(200)

    def _token(self) -> Answer:
        return _answer(
            200,
            AccessKeyId="ASIA1",
            SecretAccessKey="s",
            SessionToken="t",
            TokenExpirationDate=NOW + 3600,
            UpdateKeyPair=self.wants_another,
        )

    def _is_signed(self, headers: Mapping[str, str], body: bytes, path: str) -> bool:
        given = {name: headers[name] for name in ("Host", "Content-Type", "X-Amz-Target")}
        right = signed(given, body, path=path, key=Key(NODE_ID, self.secret), scope=Scope(REGION, "ssm"), at=NOW)
        return headers["Authorization"] == right["Authorization"]


def _answer(status: int, **body: Any) -> Answer:
    return Answer(status, json.dumps(body).encode(), None)


def _refused(code: str) -> Answer:
    return _answer(400, __type=code, message="because")


@pytest.fixture
def state(tmp_path: Path) -> Path:
    identity.save(Identity(NODE_ID, REGION, FIRST, "f"), tmp_path)
    return tmp_path


def call(server: Server, state: Path) -> None:
    """Call once, as an agent that has just been started."""
    registered = identity.load(state)
    session = Session(registered, wall=lambda: NOW, steady=lambda: 0.0)
    session.node_key = NodeKey(registered, state)
    session.call(cast(Connection, server), "ec2messages", "GetMessages", {})


def test_the_secret_is_changed_once_when_the_server_asks_for_another(state: Path) -> None:
    server = Server()
    call(server, state)
    assert server.changed_to == [identity.load(state).secret] != [FIRST]
    call(server, state)
    assert len(server.changed_to) == 1


@pytest.mark.parametrize("loses", ["request", "answer", "refused", "node"])
def test_whatever_is_lost_on_the_way_the_node_is_not_locked_out(state: Path, loses: str) -> None:
    server = Server(loses=loses)
    try:
        call(server, state)
    except LostError:
        assert loses == "node"
    server.loses = ""
    call(server, state)
    assert identity.load(state).secret == server.secret
    assert len(server.changed_to) == 1


def test_a_server_that_is_put_back_to_an_earlier_state_finds_the_node(state: Path) -> None:
    server = Server()
    call(server, state)
    server.secret = FIRST
    call(server, state)
    assert identity.load(state).secret == FIRST


@pytest.mark.parametrize("name", ["other-secrets.json", "identity.json"])
def test_a_file_that_cannot_be_written_locks_the_node_not_out(state: Path, name: str) -> None:
    server = Server()
    in_the_way = state / f".{name}.new"
    in_the_way.mkdir()
    call(server, state)
    call(server, state)
    in_the_way.rmdir()
    call(server, state)
    assert identity.load(state).secret == server.secret != FIRST


def test_a_process_that_does_not_keep_the_secrets_changes_none(state: Path) -> None:
    server = Server()
    session = Session(identity.load(state), wall=lambda: NOW, steady=lambda: 0.0)
    session.call(cast(Connection, server), "ec2messages", "GetMessages", {})
    assert server.changed_to == []


def test_a_folder_that_was_registered_anew_is_left_as_it_is(state: Path) -> None:
    key = NodeKey(identity.load(state), state)
    secret = key.prepare()
    other = Identity("mi-0fedcba9876543210", REGION, identity.new_secret(), "f")
    identity.save(other, state)
    with pytest.raises(StateProblem, match="holds the registration of another node meanwhile"):
        key.adopt(secret)
    assert identity.load(state) == other
    forget_others(state)
    assert NodeKey(other, state).others == []


def test_other_secrets_that_cannot_be_read_keep_no_agent_from_its_work(state: Path) -> None:
    (state / "other-secrets.json").write_text("{")
    server = Server()
    call(server, state)
    assert identity.load(state).secret == server.secret != FIRST
