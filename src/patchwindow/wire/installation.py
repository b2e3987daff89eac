"""What machines fetch that are to become nodes: the CA, the installers, the agent. Nobody signs for these."""

import hashlib
from collections.abc import Mapping
from importlib import resources
from typing import Final

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from patchwindow.domain.installation import CA_PATH, POWERSHELL_PATH, PROGRAM_PATH, SHELL_PATH

# A line that is run after an upgrade must not get the installer of one version and the program of another.
_CACHED: Final = {"Cache-Control": "no-cache"}


def installation_routes(program: bytes, *, ca_der: bytes | None, ca_pem: bytes | None) -> list[Route]:
    """Return the pages of an installation of *program*; without a CA of the server's own there is none to fetch."""
    digest = hashlib.sha256(program).hexdigest()
    texts = {
        SHELL_PATH: _text("install.sh").replace("@DIGEST@", digest),
        POWERSHELL_PATH: _text("install.ps1"),
    }
    files: dict[str, tuple[bytes, str]] = {
        PROGRAM_PATH: (program, "application/zip"),
        **{path: (text.encode(), "text/plain; charset=utf-8") for path, text in texts.items()},
    }
    if ca_der is not None and ca_pem is not None:
        files[CA_PATH] = (ca_der, "application/pkix-cert")
        files["/agent/ca.pem"] = (ca_pem, "application/x-pem-file")
    return [_route(path, content, kind) for path, (content, kind) in files.items()] + [
        Route(path, _no_ca) for path in (CA_PATH, "/agent/ca.pem") if path not in files
    ]


def _route(path: str, content: bytes, kind: str) -> Route:
    headers: Mapping[str, str] = {**_CACHED, "ETag": f'"{hashlib.sha256(content).hexdigest()[:32]}"'}

    async def answer(request: Request) -> Response:
        if request.headers.get("if-none-match") == headers["ETag"]:
            return Response(status_code=304, headers=dict(headers))
        return Response(content, media_type=kind, headers=dict(headers))

    return Route(path, answer)


async def _no_ca(_: Request) -> Response:
    return PlainTextResponse(
        "this server has no CA of its own: its certificate is checked by the system's store\n", 404
    )


def _text(name: str) -> str:
    return (resources.files("patchwindow.wire") / "installers" / name).read_text(encoding="utf-8")
