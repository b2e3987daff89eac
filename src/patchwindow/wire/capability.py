"""What patch operations on nodes speak with, below their capability URL (docs/facts.md)."""

import gzip
import io
import json
import logging
import zlib
from collections.abc import Callable
from typing import Any, Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from patchwindow.domain.errors import Invalid, MovedMeanwhile, PatchwindowError
from patchwindow.operations.capabilities import open_capability
from patchwindow.operations.reports import order, receive
from patchwindow.operations.service import Service
from patchwindow.wire.http import Disconnected, TooLarge, read_body

PACKED_MAX: Final = 4 * 1024 * 1024
UNPACKED_MAX: Final = 16 * 1024 * 1024
"""Bytes of a report, as sent and unpacked."""

_LOG: Final = logging.getLogger(__name__)


class Capability:
    """The three requests below a capability URL."""

    def __init__(self, service: Service, program: bytes) -> None:
        self._service = service
        self._program = program

    async def program(self, request: Request) -> Response:
        """GET …/program: the patch operation."""

        def answer() -> Response:
            self._open(request)
            return Response(self._program, media_type="application/zip")

        return await run_in_threadpool(_refusing, answer)

    async def order(self, request: Request) -> Response:
        """GET …/order: what to do."""

        def answer() -> Response:
            command_id, node_id = self._open(request)
            with self._service.call_of_node(node_id, writes=False) as call:
                return JSONResponse(order(call, command_id, node_id))

        return await run_in_threadpool(_refusing, answer)

    async def report(self, request: Request) -> Response:
        """POST …/report: facts in, verdict out."""
        try:
            body = await read_body(request.receive, bytes_max=PACKED_MAX)
        except TooLarge:
            return JSONResponse({"error": f"the report is larger than {PACKED_MAX} bytes"}, 413)
        except Disconnected:
            return Response(status_code=400)
        packed = request.headers.get("content-encoding") == "gzip"

        def answer() -> Response:
            command_id, node_id = self._open(request)
            # Read before the transaction begins: others wait for the one that writes.
            report = _report(body, packed=packed)
            with self._service.call_of_node(node_id, writes=True) as call:
                return JSONResponse(receive(call, command_id, node_id, report))

        return await run_in_threadpool(_refusing, answer)

    def _open(self, request: Request) -> tuple[str, str]:
        return open_capability(self._service.site, request.path_params["token"])


def _report(body: bytes, *, packed: bool) -> dict[str, Any]:
    try:
        if packed:
            with gzip.GzipFile(fileobj=io.BytesIO(body)) as file:
                body = file.read(UNPACKED_MAX + 1)
        if len(body) > UNPACKED_MAX:
            raise TooLarge
        report = json.loads(body)
    except (OSError, EOFError, ValueError, RecursionError, zlib.error) as problem:
        raise Invalid(f"the report is no {'gzip-packed ' if packed else ''}JSON: {problem}") from None
    if not isinstance(report, dict):
        raise Invalid(f"the report is a JSON {type(report).__name__}, not an object")
    return report


def _refusing(function: Callable[[], Response]) -> Response:
    try:
        return function()
    except TooLarge:
        return JSONResponse({"error": f"the report is larger than {UNPACKED_MAX} bytes unpacked"}, 413)
    except Invalid as error:
        return JSONResponse({"error": str(error)}, 400)
    except MovedMeanwhile as error:
        return JSONResponse({"error": str(error)}, 503)
    except PatchwindowError as error:
        return JSONResponse({"error": str(error)}, 403)
    except Exception:  # noqa: BLE001  (whatever it is, it is logged, and the client is told that it is our defect)
        _LOG.exception("a patch operation's request failed")
        return JSONResponse({"error": "the server failed; its log says why"}, 500)
