"""The RPC endpoint: read → authenticate → parse → check → operate → serialize, in this order, in this file."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from typing import Final, Protocol, TypeVar

from patchwindow.domain.errors import NotServed, PatchwindowError
from patchwindow.operations.call import Answer as Members
from patchwindow.operations.call import Caller
from patchwindow.operations.service import Keyring, Service, authorize, find
from patchwindow.protocol.faults import Fault, internal_fault, to_fault
from patchwindow.protocol.service import OperationModel
from patchwindow.protocol.sigv4 import SignedRequest
from patchwindow.wire.authenticate import authenticate
from patchwindow.wire.http import Answer, Disconnected, Receive, Scope, Send, TooLarge, read_body, send_answer

BODY_MAX: Final = 1024 * 1024
"""Bytes of a request's body that are read."""

READERS: Final = 4
WAIT_S: Final = 15
"""How long an agent's poll is held that does not say how long it waits; the amazon-ssm-agent gives up at 20 s."""

T = TypeVar("T")

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


class Rpc:
    """AWS JSON 1.1 in front of the service."""

    def __init__(self, service: Service, operations: Mapping[str, OperationModel], bell: Bell) -> None:
        self._service = service
        self._operations = operations
        self._bell = bell
        self._writing = frozenset(target for target, model in operations.items() if _writes(model))
        self._is_stopping = False
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="read")
        self._writers = ThreadPoolExecutor(service.database.writers, thread_name_prefix="write")

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
        target = next((value for name, value in scope["headers"] if name == b"x-amz-target"), b"").decode("latin-1")
        model = self._operations.get(target)
        if model is not None and model.name == _POLL:
            answer = await self._poll(request, model, request_id, receive)
        else:
            threads = self._writers if target in self._writing else self._readers
            loop = asyncio.get_running_loop()
            answer = await loop.run_in_executor(threads, self.answer, request, model, target, request_id)
        if answer is not None:
            await send_answer(send, answer)

    def answer(self, request: SignedRequest, model: OperationModel | None, target: str, request_id: str) -> Answer:
        """Carry out one request, on the thread of the caller, and return the answer, also where it is a refusal."""

        def perform() -> Answer:
            if model is None:
                raise NotServed(f"X-Amz-Target {target!r} names no operation of this API")
            members = self._service.answer(model.name, lambda keys: self._asked(keys, request, model))
            return Answer(200, model.serialize(members), request_id)

        return self._refusing(perform, model, request_id)

    async def _poll(
        self, request: SignedRequest, model: OperationModel, request_id: str, receive: Receive
    ) -> Answer | None:
        """Hold a node's poll until something waits for it, its time is up, or it goes away."""
        run = asyncio.get_running_loop().run_in_executor
        gone = asyncio.ensure_future(_disconnect(receive))
        try:
            asked = await run(
                self._readers, self._refusing, partial(self._asked_alone, request, model), model, request_id
            )
            if isinstance(asked, Answer):
                return asked
            members, caller = asked
            until = self._service.clock.now() + timedelta(seconds=members.get("WaitSeconds", WAIT_S))
            while not gone.done():
                rung = self._bell.listen(members["Destination"])
                stopped = self._bell.listen(_STOP)
                try:
                    look_at = await run(self._readers, self._service.next_message_at, members["Destination"])
                    now = self._service.clock.now()
                    if gone.done():
                        # What is handed out now would be hidden from the poll with which the node comes back.
                        break
                    if self._is_stopping or now >= until or (look_at is not None and look_at <= now):
                        hand_out = partial(self._handed_out, model, members, caller, request_id)
                        return await run(self._writers, self._refusing, hand_out, model, request_id)
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

    def _asked(self, keys: Keyring, request: SignedRequest, model: OperationModel) -> tuple[Members, Caller]:
        """Authenticate, parse and check."""
        operation = find(model.name)
        if operation.is_unsigned:
            caller = Caller(id="unsigned")
        else:
            caller = authenticate(keys, self._service.site, request, model.name, self._service.clock.now())
        members = model.parse(request.body)
        authorize(model.name, operation, members, caller)
        return members, caller

    def _asked_alone(self, request: SignedRequest, model: OperationModel) -> tuple[Members, Caller]:
        """Do the same where the operation is carried out later."""
        with self._service.keyring() as keys:
            return self._asked(keys, request, model)

    def _handed_out(self, model: OperationModel, members: Members, caller: Caller, request_id: str) -> Answer:
        return Answer(200, model.serialize(self._service.perform(model.name, members, caller)), request_id)

    def _refusing(self, function: Callable[[], T], model: OperationModel | None, request_id: str) -> T | Answer:
        """Return what *function* returns, or the refusal that it raises; a defect of ours is logged here, and only here."""
        try:
            return function()
        except PatchwindowError as error:
            fault = to_fault(error, model)
        except Exception:  # noqa: BLE001  (whatever it is, it is logged, and the client is told that it is our defect)
            _LOG.exception("request %s (%s) failed", request_id, model.target if model else "unknown operation")
            fault = internal_fault(request_id)
        return Answer(fault.http_status, fault.body(), request_id)

    def stop_waiting(self) -> None:
        """Let every poll be answered now, and those still to come at once; from any thread."""
        self._is_stopping = True
        self._bell.ring(_STOP)

    def close(self) -> None:
        """Let the threads end."""
        self._readers.shutdown(wait=False)
        self._writers.shutdown(wait=False)


async def _disconnect(receive: Receive) -> None:
    await receive()


def _writes(model: OperationModel) -> bool:
    try:
        return find(model.name).writes
    except PatchwindowError:
        return False
