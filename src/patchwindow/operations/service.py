"""The one way into the operations: rights, client tokens, transaction, call."""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, Final

from patchwindow.domain.errors import Denied, NotServed, TokenReused
from patchwindow.domain.node import Node
from patchwindow.operations.call import Answer, Call, Caller, Request, Site
from patchwindow.operations.table import AGENT_OPERATIONS, NOT_SERVED, OPERATIONS, Operation
from patchwindow.ports import Clock, Ids
from patchwindow.store.database import Database
from patchwindow.store.settings import AccessKey, Role
from patchwindow.store.work import Work

CLIENT_TOKEN_LIFE: Final = timedelta(hours=24)
"""How long a client token gives the same answer again; AWS publishes no figure."""


class Keyring:
    """Whose signatures are known: the keys of people and programs, and nodes."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def access_key(self, access_key_id: str) -> AccessKey | None:
        """Return the access key, enabled or not."""
        return self._work.access_keys.get(access_key_id)

    def node(self, node_id: str) -> Node | None:
        """Return the managed node."""
        return self._work.nodes.get(node_id)


class Service:
    """Every operation that this server has, over one database."""

    def __init__(self, *, database: Database, clock: Clock, ids: Ids, site: Site) -> None:
        self.database = database
        self.clock = clock
        self.ids = ids
        self.site = site

    def perform(self, name: str, request: Request, caller: Caller) -> Answer:
        """Carry out one operation that the caller may perform (`authorize`), in one transaction; return its output.

        Raises:
            NotServed: the API has it and this server does not.
            PatchwindowError: whatever the operation refuses.
        """
        return self.answer(name, lambda _: (request, caller))

    def answer(self, name: str, ask: Callable[[Keyring], tuple[Request, Caller]]) -> Answer:
        """Carry out one operation as `perform` does, for a request and a caller that *ask* finds in the same transaction.

        So a key that is taken away is taken away between two requests, and looking it up costs no transaction.
        """
        operation = find(name)
        with self.database.write() if operation.writes else self.database.read() as work:
            request, caller = ask(Keyring(work))
            call = self._call(name, caller, work)
            token = request.get("ClientToken")
            if token and operation.writes:
                return _once(call, operation, token, request)
            return operation.run(call, request)

    @contextmanager
    def call_of_node(self, node_id: str, *, writes: bool) -> Iterator[Call]:
        """Open a call in which a node's patch operation is served, which is no operation of the API."""
        with self.database.write() if writes else self.database.read() as work:
            yield self._call("PatchOperation", Caller(id=node_id, node_id=node_id), work)

    @contextmanager
    def keyring(self) -> Iterator[Keyring]:
        """Open the keyring alone."""
        with self.database.read() as work:
            yield Keyring(work)

    def next_message_at(self, node_id: str) -> datetime | None:
        """Return when a message can be given to the node; None where none waits."""
        with self.database.read() as work:
            return work.messages.visible_at(node_id)

    def _call(self, operation: str, caller: Caller, work: Work) -> Call:
        return Call(operation=operation, caller=caller, work=work, now=self.clock.now(), ids=self.ids, site=self.site)


def find(name: str) -> Operation:
    """Return the operation called *name*.

    Raises:
        NotServed: this server does not have it; the message says why.
    """
    operation = OPERATIONS.get(name) or AGENT_OPERATIONS.get(name)
    if operation is None:
        reason = NOT_SERVED.get(name, "no such operation")
        raise NotServed(f"{name} is not served here: {reason}")
    return operation


def authorize(name: str, operation: Operation, request: Mapping[str, Any], caller: Caller) -> None:
    """Check that *caller* may perform *operation*.

    Raises:
        Denied: its role does not allow it, or it is a node that asks for another.
    """
    if name in AGENT_OPERATIONS:
        if operation.is_unsigned:
            return
        if caller.node_id is None:
            raise Denied(f"{name} is for managed nodes; {caller.id} is not one")
        named = caller.node_id if operation.node_of is None else operation.node_of(request)
        if named != caller.node_id:
            raise Denied(f"node {caller.node_id} may act for itself only, not for {named}")
        return
    if caller.node_id is not None:
        raise Denied(f"node {caller.node_id} may not call {name}")
    if operation.writes and caller.role is Role.VIEWER:
        raise Denied(
            f"access key {caller.id} has the role viewer and may not call {name}; use one with the role operator"
        )


def _once(call: Call, operation: Operation, token: str, request: Request) -> Answer:
    """Carry out *operation* unless its client token was used; the same request gets the same answer again."""
    rest = {name: value for name, value in request.items() if name != "ClientToken"}
    digest = hashlib.sha256(json.dumps(rest, sort_keys=True, default=str).encode()).hexdigest()
    tokens = call.work.client_tokens
    known = tokens.find(call.operation, token, call.now)
    if known is not None:
        if known[0] != digest:
            raise TokenReused(f"ClientToken {token!r} was used for another {call.operation}; use a new one")
        answer: Answer = json.loads(known[1])
        return answer
    answer = operation.run(call, request)
    tokens.keep(call.operation, token, digest=digest, answer=json.dumps(answer), until=call.now + CLIENT_TOKEN_LIFE)
    return answer
