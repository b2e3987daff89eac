"""The download of a snapshot, under the sealed URL that GetDeployablePatchSnapshotForInstance gives out."""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from patchwindow.domain.errors import NotFound, PatchwindowError
from patchwindow.operations.service import Service
from patchwindow.operations.snapshots import download


class Snapshots:
    """One request: whoever has the URL may read the snapshot."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def get(self, request: Request) -> Response:
        """GET /snapshot/…: the frozen baseline, as JSON."""
        token = request.path_params["token"]

        def answer() -> Response:
            try:
                with self._service.call_of_bearer() as call:
                    return JSONResponse(download(call, token))
            except NotFound as problem:
                return JSONResponse({"error": str(problem)}, 404)
            except PatchwindowError as problem:
                return JSONResponse({"error": str(problem)}, 403)

        return await run_in_threadpool(answer)
