"""What patch operations on nodes speak with, below their capability URL (docs/facts.md)."""

import asyncio
import gzip
import io
import json
import logging
import zlib
from collections.abc import Callable, Mapping
from typing import Any, Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from patchwindow.documents.patch_script import patch_script
from patchwindow.domain.errors import CommandOver, Invalid, MovedMeanwhile, PatchwindowError
from patchwindow.operations import patch_progress
from patchwindow.operations.call import Answer, Call
from patchwindow.operations.capabilities import open_capability
from patchwindow.operations.install_orders import plan
from patchwindow.operations.overrides import Fetch, Lacking, Overrides
from patchwindow.operations.report_reading import read, read_facts
from patchwindow.operations.reports import receive
from patchwindow.operations.service import Service
from patchwindow.wire.batches import Batches
from patchwindow.wire.http import Disconnected, TooLarge, read_body

PACKED_MAX: Final = 4 * 1024 * 1024
UNPACKED_MAX: Final = 16 * 1024 * 1024
"""Bytes of a body, as sent and unpacked."""

_LOG: Final = logging.getLogger(__name__)

_Job = tuple[str, Callable[[Call], Answer]]


class Capability:
    """The requests below a capability URL."""

    def __init__(self, service: Service, program: bytes, fetch: Fetch) -> None:
        self._service = service
        self._program = program
        self._overrides = Overrides(service, fetch)
        # Many nodes of one command ask at once: one of them waits on a thread for the override, the others without.
        self._turn = asyncio.Lock()
        # Nodes of one window report at about the same time: those who wait to write are committed together.
        self._writes: Batches[_Job, Answer | Exception] = Batches(
            service.write_of_nodes, threads=service.database.writers, together_max=service.database.together_max
        )

    async def program(self, request: Request) -> Response:
        """GET …/program: the patch operation."""

        def answer() -> Response:
            self._open(request)
            return Response(self._program, media_type="application/zip")

        return await run_in_threadpool(_refusing, answer)

    async def script(self, request: Request) -> Response:
        """GET …/script: the patch operation for Windows."""

        def answer() -> Response:
            self._open(request)
            return Response(patch_script(), media_type="text/plain; charset=utf-8")

        return await run_in_threadpool(_refusing, answer)

    async def order(self, request: Request) -> Response:
        """GET …/order: what to do. What the operation goes by is frozen before."""
        try:
            command_id, node_id = self._open(request)
            part = _part(request)
            found = await run_in_threadpool(self._overrides.look, command_id, node_id, part)
            if isinstance(found, Lacking):
                async with self._turn:
                    found = await run_in_threadpool(self._overrides.freeze, command_id, node_id, part)
            return JSONResponse(found)
        except Exception as problem:  # noqa: BLE001  (whatever it is, it is the answer)
            return _refusal(problem)

    async def plan(self, request: Request) -> Response:
        """POST …/plan: facts in, what to install out."""

        def job(command_id: str, node_id: str, asked: Mapping[str, Any]) -> Callable[[Call], Answer]:
            known = read_facts(asked)
            return lambda call: plan(call, command_id, node_id, known, part=_part(request))

        return await self._write(request, job)

    async def progress(self, request: Request) -> Response:
        """POST …/progress: how far the operation is."""

        def job(command_id: str, node_id: str, told: Mapping[str, Any]) -> Callable[[Call], Answer]:
            progress = patch_progress.read(told)
            return lambda call: patch_progress.tell(call, command_id, node_id, progress)

        return await self._write(request, job)

    async def report(self, request: Request) -> Response:
        """POST …/report: facts in, verdict out."""

        def job(command_id: str, node_id: str, told: Mapping[str, Any]) -> Callable[[Call], Answer]:
            report = read(told)
            return lambda call: receive(call, command_id, node_id, report, part=_part(request))

        return await self._write(request, job)

    async def _write(
        self, request: Request, job: Callable[[str, str, Mapping[str, Any]], Callable[[Call], Answer]]
    ) -> Response:
        """Carry out what *job* makes of command, node and the object in the body of *request*."""
        try:
            body = await read_body(request.receive, bytes_max=PACKED_MAX)
        except TooLarge:
            return JSONResponse({"error": f"the body is larger than {PACKED_MAX} bytes"}, 413)
        except Disconnected:
            return Response(status_code=400)
        packed = request.headers.get("content-encoding") == "gzip"

        def made() -> _Job:
            command_id, node_id = self._open(request)
            # Read before the transaction begins: others wait for the one that writes.
            return node_id, job(command_id, node_id, _object(body, packed=packed))

        try:
            return JSONResponse(await self._writes.carry_out(await run_in_threadpool(made)))
        except Exception as problem:  # noqa: BLE001  (whatever it is, it is the answer)
            return _refusal(problem)

    def close(self) -> None:
        """Let the threads end."""
        self._writes.close()

    def _open(self, request: Request) -> tuple[str, str]:
        return open_capability(self._service.site, request.path_params["token"])


def _part(request: Request) -> str:
    """Return the part of its command that the operation is, where the command has several."""
    return request.query_params.get("part", "")


def _object(body: bytes, *, packed: bool) -> dict[str, Any]:
    try:
        if packed:
            with gzip.GzipFile(fileobj=io.BytesIO(body)) as file:
                body = file.read(UNPACKED_MAX + 1)
        if len(body) > UNPACKED_MAX:
            raise TooLarge
        found = json.loads(body)
    except (OSError, EOFError, ValueError, RecursionError, zlib.error) as problem:
        raise Invalid(f"the body is no {'gzip-packed ' if packed else ''}JSON: {problem}") from None
    if not isinstance(found, dict):
        raise Invalid(f"the body is a JSON {type(found).__name__}, not an object")
    return found


def _refusing(function: Callable[[], Response]) -> Response:
    try:
        return function()
    except Exception as problem:  # noqa: BLE001  (whatever it is, it is the answer)
        return _refusal(problem)


def _refusal(problem: Exception) -> Response:
    match problem:
        case TooLarge():
            return JSONResponse({"error": f"the body is larger than {UNPACKED_MAX} bytes unpacked"}, 413)
        case Invalid():
            return JSONResponse({"error": str(problem)}, 400)
        case MovedMeanwhile():
            return JSONResponse({"error": str(problem)}, 503)
        case CommandOver():
            return JSONResponse({"error": str(problem)}, 410)
        case PatchwindowError():
            return JSONResponse({"error": str(problem)}, 403)
        case _:
            _LOG.error("a patch operation's request failed", exc_info=problem)
            return JSONResponse({"error": "the server failed; its log says why"}, 500)
