"""The API's endpoint: read → authenticate → parse → check → operate → serialize, in this order, in this file."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Protocol

from patchwindow.domain.errors import FingerprintMismatch, NotServed, PatchwindowError
from patchwindow.operations.call import Answer as Members
from patchwindow.operations.call import Caller, Request
from patchwindow.operations.service import Keyring, Question, Service, authorize, find
from patchwindow.protocol.faults import Fault, internal_fault, to_fault
from patchwindow.protocol.rest import RestOperation, Routes
from patchwindow.protocol.service import OperationModel
from patchwindow.protocol.sigv4 import SignedRequest
from patchwindow.wire.authenticate import authenticate
from patchwindow.wire.batches import Batches
from patchwindow.wire.http import Answer, Disconnected, Receive, Scope, Send, TooLarge, read_body, send_answer

BODY_MAX: Final = 1024 * 1024
"""Bytes of a request's body that are read."""

READERS: Final = 4
READS_TOGETHER_MAX: Final = 8
"""Requests that read in one hop to a thread: a hop costs as much as a look-up, and a long list holds up few others."""

WAIT_S: Final = 15
"""How long an agent's poll is held that does not say how long it waits; the amazon-ssm-agent gives up at 20 s."""

_LOG: Final = logging.getLogger(__name__)
_POLL: Final = "GetMessages"
_STOP: Final = "stop"
_RECHECK_S: Final = 2.0
"""How often a poll looks again where other replicas may have written, whose bells are not heard here."""


class Bell(Protocol):
    """What a long poll waits on."""

    def ring(self, name: str) -> None:
        """Wake everybody who waits for *name*; from any thread."""
        ...

    def listen(self, name: str) -> "asyncio.Future[None]":
        """Return a future that the next ring of *name* completes."""
        ...


@dataclass(frozen=True, slots=True)
class Asked:
    """One request for an operation that the model has."""

    model: OperationModel
    request_id: str
    ask: Callable[[Keyring], tuple[Request, Caller]]
    """Returns the members and who sent them, or raises."""


class Rpc:
    """AWS JSON 1.1 in front of the service, and REST-JSON, which differs in how a request names its operation and members."""

    def __init__(self, service: Service, operations: Mapping[str, OperationModel], routes: Routes, bell: Bell) -> None:
        self._service = service
        self._operations = operations
        self._routes = routes
        self._bell = bell
        self._writing = frozenset(model.target for model in (*operations.values(), *routes) if _writes(model))
        self._is_stopping = False
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="read")
        together_max = service.database.together_max
        self._reads = Batches(self.answer, threads=READERS // 2, together_max=min(together_max, READS_TOGETHER_MAX))
        self._writes = Batches(self.answer, threads=service.database.writers, together_max=together_max)

    def serves(self, scope: Scope) -> bool:
        """Return whether a request is for the API at all."""
        if scope["path"] == "/":
            return bool(scope["method"] == "POST")
        return self._routes.find(scope["method"], scope["raw_path"]) is not None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request_id = self._service.ids.uuid()
        try:
            body = await read_body(receive, bytes_max=BODY_MAX)
        except TooLarge:
            message = f"the request body is larger than {BODY_MAX} bytes; send less at a time"
            fault = Fault("RequestEntityTooLargeException", message, 413)
            await send_answer(send, Answer(fault.http_status, fault.body(), request_id))
            return
        except Disconnected:
            return
        request = SignedRequest(
            method=scope["method"],
            path=scope["raw_path"],
            query=scope["query_string"],
            headers=scope["headers"],
            body=body,
        )
        client = scope.get("client")
        answer = await self._answer(request, request_id, client[0] if client else "", receive)
        if answer is not None:
            await send_answer(send, answer)

    async def _answer(self, request: SignedRequest, request_id: str, address: str, receive: Receive) -> Answer | None:
        """Let the right thread carry out the request; return no answer where the client has gone away."""
        try:
            model = self._model(request)
        except NotServed as problem:
            return _refusal(problem, None, request_id)
        asked = self.asked(request, model, request_id, address)
        if model.name == _POLL:
            return await self._poll(asked, receive)
        if model.target in self._writing:
            return await self._writes.carry_out(asked)
        return await self._reads.carry_out(asked)

    def _model(self, request: SignedRequest) -> OperationModel:
        """Return the operation that *request* names.

        Raises:
            NotServed: there is none.
        """
        if request.path != b"/":
            route = self._routes.find(request.method, request.path)
            if route is not None:
                return route
        target = b"".join(request.values("x-amz-target")[:1]).decode("latin-1")
        model = self._operations.get(target)
        if model is None:
            raise NotServed(f"X-Amz-Target {target!r} names no operation of this API")
        return model

    def asked(self, request: SignedRequest, model: OperationModel, request_id: str, address: str = "") -> Asked:
        """Return the request as it is answered: first authenticate, parse and check."""

        def ask(keys: Keyring) -> tuple[Members, Caller]:
            operation = find(model.name)
            if operation.is_unsigned:
                caller = Caller(id="unsigned")
            else:
                caller = authenticate(keys, self._service.site, request, model.name, self._service.clock.now())
            members = model.members_of(request)
            authorize(model.name, operation, members, caller)
            return members, replace(caller, address=address) if operation.writes else caller

        return Asked(model, request_id, ask)

    def answer(self, many: Sequence[Asked]) -> list[Answer]:
        """Carry out requests, on the thread of the caller, and return the answer to each, also where it is a refusal."""
        try:
            outcomes = self._service.answer([Question(asked.model.name, asked.ask) for asked in many])
        except Exception as problem:  # noqa: BLE001  (whatever it is, it is the answer to each)
            outcomes = [problem for _ in many]
        return [_told(asked, outcome) for asked, outcome in zip(many, outcomes, strict=True)]

    async def _poll(self, asked: Asked, receive: Receive) -> Answer | None:
        """Hold a node's poll until something waits for it, its time is up, or it goes away."""
        run = asyncio.get_running_loop().run_in_executor
        gone = asyncio.ensure_future(_disconnect(receive))
        try:
            known = await run(self._readers, self._ask_alone, asked)
            if isinstance(known, Answer):
                return known
            members, _ = known
            until = self._service.clock.now() + timedelta(seconds=members.get("WaitSeconds", WAIT_S))
            while not gone.done():
                rung = self._bell.listen(members["Destination"])
                stopped = self._bell.listen(_STOP)
                try:
                    look_at = await run(self._readers, self._look_alone, asked, members["Destination"])
                    if isinstance(look_at, Answer):
                        return look_at
                    now = self._service.clock.now()
                    if gone.done():
                        # What is handed out now would be hidden from the poll with which the node comes back.
                        break
                    if self._is_stopping or now >= until or (look_at is not None and look_at <= now):
                        # Not asked anew: by now the signature may be too old.
                        return await self._writes.carry_out(replace(asked, ask=lambda _: known))
                    pause = (min(until, look_at or until) - now).total_seconds()
                    if self._service.database.is_shared:
                        pause = min(pause, _RECHECK_S)
                    await asyncio.wait((rung, stopped, gone), timeout=pause, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    rung.cancel()
                    stopped.cancel()
            return None
        finally:
            gone.cancel()

    def _ask_alone(self, asked: Asked) -> tuple[Request, Caller] | Answer:
        """Authenticate, parse and check where the operation is carried out later; return the answer to a refusal."""
        try:
            with self._service.keyring() as keys:
                return asked.ask(keys)
        except Exception as problem:  # noqa: BLE001  (whatever it is, it is the answer)
            return _refusal(problem, asked.model, asked.request_id)

    def _look_alone(self, asked: Asked, node_id: str) -> datetime | Answer | None:
        """Return when a message can be given to the node (`Service.next_message_at`), or the answer to a refusal."""
        try:
            return self._service.next_message_at(node_id)
        except Exception as problem:  # noqa: BLE001  (whatever it is, it is the answer)
            return _refusal(problem, asked.model, asked.request_id)

    def stop_waiting(self) -> None:
        """Let every poll be answered now, and those still to come at once; from any thread."""
        self._is_stopping = True
        self._bell.ring(_STOP)

    def close(self) -> None:
        """Let the threads end."""
        self._readers.shutdown(wait=False)
        self._reads.close()
        self._writes.close()


def _told(asked: Asked, outcome: Members | Exception) -> Answer:
    """Return the answer that tells *outcome*."""
    if isinstance(outcome, Exception):
        return _refusal(outcome, asked.model, asked.request_id)
    try:
        return Answer(200, asked.model.serialize(outcome), asked.request_id, asked.model.content_type)
    except Exception as problem:  # noqa: BLE001  (whatever it is, it is a defect of ours)
        return _refusal(problem, asked.model, asked.request_id)


def _refusal(problem: Exception, model: OperationModel | None, request_id: str) -> Answer:
    """Return the answer that tells *problem*; a defect of ours is logged here, and only here."""
    if isinstance(problem, FingerprintMismatch):
        # Its agent asks every half hour only, and nobody else would learn why the node is lost.
        _LOG.warning("request %s: %s", request_id, problem)
    if isinstance(problem, PatchwindowError):
        fault = to_fault(problem, model)
    else:
        name = model.target if model else "unknown operation"
        _LOG.error("request %s (%s) failed", request_id, name, exc_info=problem)
        fault = internal_fault(request_id, model)
    if isinstance(model, RestOperation):
        return Answer(fault.http_status, fault.body(), request_id, model.content_type, fault.code)
    return Answer(fault.http_status, fault.body(), request_id)


async def _disconnect(receive: Receive) -> None:
    await receive()


def _writes(model: OperationModel) -> bool:
    try:
        return find(model.name).writes
    except PatchwindowError:
        return False
