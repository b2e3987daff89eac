"""The one way into the operations: rights, client tokens, transaction, call."""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from patchwindow.domain.errors import Denied, NotServed, TokenReused
from patchwindow.domain.node import Node
from patchwindow.operations import messages
from patchwindow.operations.call import Answer, Call, Caller, Request, Site
from patchwindow.operations.recording import is_recorded, recorded
from patchwindow.operations.table import (
    AGENT_OPERATIONS,
    GROUP_OPERATIONS,
    GROUPS_NOT_SERVED,
    NOT_SERVED,
    OPERATIONS,
    OWN_OPERATIONS,
    Operation,
)
from patchwindow.ports import Clock, Ids
from patchwindow.store.database import Database
from patchwindow.store.settings import AccessKey, Role
from patchwindow.store.work import Work

_TABLES: Final = (OPERATIONS, AGENT_OPERATIONS, GROUP_OPERATIONS, OWN_OPERATIONS)

CLIENT_TOKEN_LIFE: Final = timedelta(hours=24)
"""How long a client token gives the same answer again; AWS publishes no figure."""


Ask = Callable[[str, Request], Answer]
"""Carries out the operation of that name with these members."""


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


@dataclass(frozen=True, slots=True)
class Question:
    """An operation that is asked for, before it is known by whom."""

    operation: str
    ask: Callable[[Keyring], tuple[Request, Caller]]
    """Returns the request and who sends it; raises where he may not."""


@dataclass(frozen=True, slots=True)
class _Checked:
    """An operation that its caller may perform."""

    name: str
    operation: Operation
    request: Request
    caller: Caller


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
        operation = find(name)
        with self.database.write() if operation.writes else self.database.read() as work:
            return self._perform(_Checked(name, operation, request, caller), work)

    def answer(self, questions: Sequence[Question]) -> list[Answer | Exception]:
        """Carry out the operation of each question as `perform` does; return each one's output, or what it raised.

        Who asks is found out in one transaction that only reads, so that a key that is taken away is taken away between
        two requests. In the same transaction the operations that only read are carried out. The others are written
        together (`Database.write_together`); nobody has the writer's turn who may not write.
        """
        with self.database.read() as work:
            keys = Keyring(work)
            looked = [self._look(question, keys, work) for question in questions]
        jobs = [partial(self._perform, one) for one in looked if isinstance(one, _Checked)]
        written = iter(self.database.write_together(jobs))
        return [next(written) if isinstance(one, _Checked) else one for one in looked]

    @contextmanager
    def asking(self, caller: Caller, *, writes: bool) -> Iterator[Ask]:
        """Open one transaction and give what carries out operations in it for *caller*, as a page shows or changes several.

        What is asked in it fits together, and where one raises nothing of it is kept. Without *writes* what would write
        is refused by the database. What is asked for raises as `authorize` and `perform` do.
        """
        with self.database.write() if writes else self.database.read() as work:

            def ask(name: str, request: Request) -> Answer:
                operation = find(name)
                authorize(name, operation, request, caller)
                return self._perform(_Checked(name, operation, request, caller), work)

            yield ask

    @contextmanager
    def call_of_node(self, node_id: str, *, writes: bool) -> Iterator[Call]:
        """Open a call in which a node's patch operation is served, which is no operation of the API."""
        with self.database.write() if writes else self.database.read() as work:
            yield self._call("PatchOperation", Caller(id=node_id, node_id=node_id), work)

    @contextmanager
    def call_of_bearer(self) -> Iterator[Call]:
        """Open a call that only reads, in which a sealed URL is served to whoever has it."""
        with self.database.read() as work:
            yield self._call("SealedUrl", Caller(id="bearer"), work)

    def write_of_nodes(self, jobs: Sequence[tuple[str, Callable[[Call], Answer]]]) -> list[Answer | Exception]:
        """Carry out what nodes' patch operations have to write, by id of the node, together as `answer` does.

        Return what each job returns, or what it raised.
        """
        return self.database.write_together(
            [
                lambda work, node_id=node_id, job=job: job(  # type: ignore[misc]  # the lambda's defaults bind the loop's values
                    self._call("PatchOperation", Caller(id=node_id, node_id=node_id), work)
                )
                for node_id, job in jobs
            ]
        )

    @contextmanager
    def keyring(self) -> Iterator[Keyring]:
        """Open the keyring alone."""
        with self.database.read() as work:
            yield Keyring(work)

    def next_message_at(self, node_id: str) -> datetime | None:
        """Return when a message can be given to the node; None where none waits, or what waits is held back.

        Raises:
            Denied: the node is not registered any more.
        """
        with self.database.read() as work:
            if work.nodes.get(node_id) is None:
                raise Denied(f"node {node_id} is not registered any more")
            return messages.next_at(work, node_id, self.clock.now())

    def _look(self, question: Question, keys: Keyring, work: Work) -> Answer | _Checked | Exception:
        """Return the output of what only reads; of what writes, what is to be written."""
        try:
            operation = find(question.operation)
            checked = _Checked(question.operation, operation, *question.ask(keys))
            return checked if operation.writes else self._perform(checked, work)
        except Exception as problem:  # noqa: BLE001  (whatever it is, it is the answer)
            return problem

    def _perform(self, checked: _Checked, work: Work) -> Answer:
        call = self._call(checked.name, checked.caller, work)
        token = checked.request.get("ClientToken")
        if token and checked.operation.writes:
            return _once(call, checked.operation, token, checked.request)
        return _run(call, checked.operation, checked.request)

    def _call(self, operation: str, caller: Caller, work: Work) -> Call:
        return Call(operation=operation, caller=caller, work=work, now=self.clock.now(), ids=self.ids, site=self.site)


def find(name: str) -> Operation:
    """Return the operation called *name*.

    Raises:
        NotServed: this server does not have it; the message says why.
    """
    operation = next((table[name] for table in _TABLES if name in table), None)
    if operation is None:
        reason = NOT_SERVED.get(name) or GROUPS_NOT_SERVED.get(name, "no such operation")
        raise NotServed(f"{name} is not served here: {reason}")
    return operation


def authorize(name: str, operation: Operation, request: Mapping[str, Any], caller: Caller) -> None:
    """Check that *caller* may perform *operation*.

    Raises:
        Denied: its role does not allow it, or it is a node that asks for another.
    """
    if operation.is_unsigned:
        return
    if caller.node_id is None and name in AGENT_OPERATIONS:
        raise Denied(f"{name} is for managed nodes; {caller.id} is not one")
    if caller.node_id is not None:
        if not (name in AGENT_OPERATIONS or operation.is_for_nodes or operation.node_of):
            raise Denied(f"node {caller.node_id} may not call {name}")
        named = caller.node_id if operation.node_of is None else operation.node_of(request)
        if named != caller.node_id:
            raise Denied(f"node {caller.node_id} may act for itself only, not for {named}")
        return
    if operation.is_for_admins and caller.role is not Role.ADMIN:
        raise Denied(f"{caller.id} has the role {caller.role} and may not call {name}; ask an admin")
    if operation.writes and caller.role is Role.VIEWER:
        raise Denied(
            f"access key {caller.id} has the role viewer and may not call {name}; use one with the role operator"
        )


def _run(call: Call, operation: Operation, request: Request) -> Answer:
    """Carry out *operation*, on record where it changes something."""
    if operation.writes and is_recorded(call):
        return recorded(call, request, operation.run, lambda name: find(name).run)
    return operation.run(call, request)


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
    answer = _run(call, operation, request)
    tokens.keep(call.operation, token, digest=digest, answer=json.dumps(answer), until=call.now + CLIENT_TOKEN_LIFE)
    return answer
