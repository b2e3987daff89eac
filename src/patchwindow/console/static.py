"""Files that pages load: one stylesheet, htmx, and a little of our own."""

import hashlib
from functools import cache
from importlib import resources
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

_FILES: Final = {
    "style.css": ("patchwindow.console", "static/style.css", "text/css; charset=utf-8"),
    "console.js": ("patchwindow.console", "static/console.js", "text/javascript; charset=utf-8"),
    # As the package that carries it has it: nothing is fetched from elsewhere.
    "htmx.js": ("js_lib_htmx", "static/htmx/htmx.min.js", "text/javascript; charset=utf-8"),
}


def static_route(path: str) -> Route:
    """Return where the files are; one that is asked for by its digest never changes."""

    async def answer(request: Request) -> Response:
        name = request.path_params["name"]
        if name not in _FILES:
            return Response(f"there is no file {name!r} here\n", 404, media_type="text/plain")
        is_this = request.query_params.get("v") == version(name)
        kept = "public, max-age=31536000, immutable" if is_this else "no-cache"
        headers = {"Cache-Control": kept, "X-Content-Type-Options": "nosniff"}
        return Response(_content(name), media_type=_FILES[name][2], headers=headers)

    return Route(f"{path}/{{name}}", answer)


@cache
def version(name: str) -> str:
    """Return the digest of a file, which its URL carries."""
    return hashlib.sha256(_content(name)).hexdigest()[:16]


@cache
def _content(name: str) -> bytes:
    package, path, _ = _FILES[name]
    return resources.files(package).joinpath(path).read_bytes()
