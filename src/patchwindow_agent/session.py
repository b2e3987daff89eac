"""Signed calls to the server: the node's role token, and what is said with it."""

import contextlib
import json
import random
import threading
import time
from typing import Any, Callable, Mapping, NamedTuple, Optional

from patchwindow_agent.connection import Connection
from patchwindow_agent.errors import AgentError, Asleep, Refused, StateProblem, Unreachable
from patchwindow_agent.identity import Identity
from patchwindow_agent.node_key import NodeKey
from patchwindow_agent.sigv4 import Key, Scope, signed

_TARGETS = {"ssm": "AmazonSSM", "ec2messages": "EC2WindowsMessageDeliveryService"}

KEY_TYPE = "Hmac-Sha256"
"""What the server calls a secret that both sides have."""

# With these the server says that it does not want this node, rather than that something went wrong.
_STAY_AWAY = frozenset({"AccessDeniedException", "AccessDenied", "MachineFingerprintDoesNotMatch"})

# With these the server says that it did not accept the signature: the clock or the token may be to blame.
_BAD_SIGNATURE = frozenset(
    {
        "InvalidSignatureException",
        "SignatureDoesNotMatch",
        "RequestExpired",
        "RequestTimeTooSkewed",
        "ExpiredTokenException",
        "ExpiredToken",
        "UnrecognizedClientException",
        "InvalidClientTokenId",
    }
)

# The server accepts five minutes; anything well below that is no reason to correct the clock.
_SKEW_MIN_S = 30


class Token(NamedTuple):
    """A role token and when it is to be renewed, on the clock that never jumps."""

    key: Key
    renew_at: float


class Session:
    """The node's standing with the server. Any number of threads may call, each on a connection of its own."""

    def __init__(
        self,
        identity: Identity,
        *,
        wall: Callable[[], float] = time.time,
        steady: Callable[[], float] = time.monotonic,
        chance: Callable[[float, float], float] = random.uniform,
        on_token: Callable[[Key], None] = lambda _: None,
    ) -> None:
        self.identity = identity
        # Of a process that keeps no secrets; the agent puts its own in the place.
        self.node_key = NodeKey(identity)
        self._wall = wall
        self._steady = steady
        self._chance = chance
        self._on_token = on_token
        self._lock = threading.Lock()
        self._token: Optional[Token] = None
        # What the server's clock is ahead of ours: a node with a wrong clock must not lock itself out.
        self._clock_offset_s = 0.0
        self._awake_at = float("-inf")

    def call(self, connection: Connection, service: str, operation: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Return the answer of *operation*.

        Raises:
            Unreachable: there is no answer.
            Refused: it is an error; `Asleep` where the server wants this node to stay away.
        """
        key = self._key(connection)
        try:
            return self._signed_call(connection, service, operation, body, key)
        except Refused as refusal:
            if refusal.code not in _BAD_SIGNATURE:
                raise
            self._learn_clock(refusal)
            self._drop_token(key)
        return self._signed_call(connection, service, operation, body, self._key(connection))

    def _signed_call(
        self, connection: Connection, service: str, operation: str, body: Mapping[str, Any], key: Key
    ) -> dict[str, Any]:
        scope = Scope(self.identity.region, service)
        at = self._wall() + self._clock_offset_s
        return exchange(connection, service, operation, body, sign=(key, scope, at))

    def _key(self, connection: Connection) -> Key:
        """Return the token's key, a new one at half the life of the old."""
        with self._lock:
            now = self._steady()
            if now < self._awake_at:
                raise Asleep("AccessDeniedException", "asked too soon", status=400, retry_after_s=self._awake_at - now)
            if self._token is None or now >= self._token.renew_at:
                self._token = self._new_token(connection)
                self._on_token(self._token.key)
            return self._token.key

    def _new_token(self, connection: Connection) -> Token:
        try:
            answer = self._token_answer(connection)
        except Refused as refusal:
            if refusal.code in _STAY_AWAY:
                pause_s = self._chance(25 * 60, 30 * 60)
                self._awake_at = self._steady() + pause_s
                raise Asleep(refusal.code, str(refusal), status=refusal.status, retry_after_s=pause_s) from refusal
            raise
        try:
            key = Key(answer["AccessKeyId"], answer["SecretAccessKey"], answer["SessionToken"])
            life_s = float(answer["TokenExpirationDate"]) - (self._wall() + self._clock_offset_s)
        except (KeyError, TypeError, ValueError) as problem:
            raise Unreachable(f"the server's role token is incomplete: {problem!r}") from problem
        token = Token(key, self._steady() + max(life_s / 2, 1.0))
        if answer.get("UpdateKeyPair") is True and self.node_key.may_change:
            # The token is good whatever comes of it; with the next one the server asks again.
            with contextlib.suppress(AgentError):
                self._change_key(connection)
        return token

    def _token_answer(self, connection: Connection) -> dict[str, Any]:
        """Return the answer to the request for a token, signed with the secret that the server has."""
        body = {"Fingerprint": self.identity.fingerprint}

        def ask(secret: str) -> dict[str, Any]:
            key = Key(self.identity.node_id, secret)
            return self._signed_call(connection, "ssm", "RequestManagedInstanceRoleToken", body, key)

        try:
            return ask(self.node_key.secret)
        except Refused as refusal:
            if refusal.code not in _BAD_SIGNATURE:
                raise
            problem = refusal
        secrets = [self.node_key.secret] if self._learn_clock(problem) else []
        for secret in (*secrets, *self.node_key.others):
            try:
                answer = ask(secret)
            except Refused as refusal:
                if refusal.code not in _BAD_SIGNATURE:
                    raise
                problem = refusal
            else:
                if secret != self.node_key.secret:
                    # Where the disk is full it is found again in the same way.
                    with contextlib.suppress(StateProblem):
                        self.node_key.adopt(secret)
                return answer
        raise problem

    def _change_key(self, connection: Connection) -> None:
        """Give the server the next secret, signed with the one that ends by this."""
        secret = self.node_key.prepare()
        body = {"NewPublicKey": secret, "NewPublicKeyType": KEY_TYPE}
        signing = Key(self.identity.node_id, self.node_key.secret)
        self._signed_call(connection, "ssm", "UpdateManagedInstancePublicKey", body, signing)
        self.node_key.adopt(secret)

    def _learn_clock(self, refusal: Refused) -> bool:
        """Take over the server's clock; return whether it differs from the one that was signed with."""
        if refusal.date is None:
            return False
        offset_s = refusal.date - self._wall()
        if abs(offset_s - self._clock_offset_s) < _SKEW_MIN_S:
            return False
        self._clock_offset_s = offset_s
        return True

    def _drop_token(self, key: Key) -> None:
        with self._lock:
            if self._token is not None and self._token.key == key:
                self._token = None


def exchange(
    connection: Connection,
    service: str,
    operation: str,
    body: Mapping[str, Any],
    *,
    sign: Optional[tuple[Key, Scope, float]] = None,
) -> dict[str, Any]:
    """Return the answer to one call, signed where *sign* says with what, for what and when.

    Raises:
        Unreachable: there is no answer that can be read.
        Refused: it is an error.
    """
    content = json.dumps(body, separators=(",", ":")).encode()
    headers = {
        "Host": connection.endpoint.host_header,
        "Content-Type": "application/x-amz-json-1.1",
        "X-Amz-Target": f"{_TARGETS[service]}.{operation}",
    }
    path = connection.endpoint.path
    if sign is not None:
        key, scope, at = sign
        headers = signed(headers, content, path=path, key=key, scope=scope, at=at)
    answer = connection.request("POST", path, headers=headers, body=content)
    try:
        parsed = json.loads(answer.body or b"{}")
    except ValueError:
        parsed = None
    if answer.status == 200 and isinstance(parsed, dict):
        return parsed
    if isinstance(parsed, dict) and "__type" in parsed:
        code = str(parsed["__type"]).rpartition("#")[2]
        message = str(parsed.get("message") or parsed.get("Message") or "")
        raise Refused(code, message, status=answer.status, date=answer.date)
    raise Unreachable(f"{connection.endpoint.host_header} answered {operation} with HTTP {answer.status} and no JSON")
