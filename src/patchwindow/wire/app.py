"""The one ASGI application: the API at `POST /` and below the paths of Resource Groups, and a few plain pages beside it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from typing import Any, Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from patchwindow.operations.overrides import Fetch
from patchwindow.operations.service import Service
from patchwindow.protocol.rest import Routes
from patchwindow.protocol.service import OperationModel
from patchwindow.wire.calendar_feed import CalendarFeed
from patchwindow.wire.capability import Capability
from patchwindow.wire.http import Receive, Scope, Send
from patchwindow.wire.installation import installation_routes
from patchwindow.wire.rpc import Bell, Rpc
from patchwindow.wire.snapshots import Snapshots

# The words by which an amazon-ssm-agent knows that it has to use the message service (agent protocol, §10); the same for
# the channel of commands and for those of sessions, to whoever asks and however: it says nothing that is not public.
_NO_CHANNEL: Final = "<AccessDeniedException><Message>no control channel here</Message></AccessDeniedException>"


class App:
    """HTTP in front of the operations; what works in the background starts and stops with it."""

    def __init__(
        self,
        service: Service,
        operations: Mapping[str, OperationModel],
        routes: Routes,
        *,
        bell: Bell,
        program: bytes,
        fetch: Fetch,
        ca_der: bytes | None = None,
        ca_pem: bytes | None = None,
        more: Sequence[Route] = (),
        background: Callable[[], Coroutine[Any, Any, None]],
    ) -> None:
        self._rpc = Rpc(service, operations, routes, bell)
        self._background = background
        self._capability = capability = Capability(service, program, fetch)
        self._pages = Starlette(
            routes=[
                Route("/", self._about),
                Route("/healthz", self._health),
                *installation_routes(program, ca_der=ca_der, ca_pem=ca_pem),
                Route("/v1/{channel:path}", self._no_channel, methods=["GET", "POST"]),
                Route("/operation/{token}/program", capability.program),
                Route("/operation/{token}/script", capability.script),
                Route("/operation/{token}/order", capability.order),
                Route("/snapshot/{token}", Snapshots(service).get),
                Route("/calendar/{token}.ics", CalendarFeed(service).get),
                Route("/operation/{token}/plan", capability.plan, methods=["POST"]),
                Route("/operation/{token}/progress", capability.progress, methods=["POST"]),
                Route("/operation/{token}/report", capability.report, methods=["POST"]),
                *more,
            ],
            lifespan=self._lifespan,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or start and stop."""
        if scope["type"] == "http" and self._rpc.serves(scope):
            await self._rpc(scope, receive, send)
        else:
            await self._pages(scope, receive, send)

    def stop_waiting(self) -> None:
        """Answer the polls of agents without waiting any more, so that no request holds up the end; from any thread."""
        self._rpc.stop_waiting()

    @contextlib.asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        task = asyncio.create_task(self._background())
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            self._rpc.close()
            self._capability.close()

    async def _about(self, _: Request) -> Response:
        return PlainTextResponse("patchwindow: the API is at POST /, for AWS SDKs with this endpoint URL\n")

    async def _health(self, _: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def _no_channel(self, _: Request) -> Response:
        return Response(_NO_CHANNEL, status_code=400, media_type="application/xml")
