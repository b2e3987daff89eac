"""A mirror over HTTP on loopback that can break: connections cut in the middle of a file, files that are not there."""

import contextlib
import http.server
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

__all__ = ["Mirror", "serve"]


@dataclass(slots=True)
class Mirror:
    """A mirror, and what is wrong with it."""

    url: str = ""
    # The last parts of paths; such a file is cut off in its middle so many more times.
    cuts: dict[str, int] = field(default_factory=dict)
    missing: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)


class _Handler(http.server.SimpleHTTPRequestHandler):
    def __init__(self, *args: object, mirror: Mirror, directory: str) -> None:
        self._mirror = mirror
        super().__init__(*args, directory=directory)  # type: ignore[arg-type]  # handed on as they came

    def do_GET(self) -> None:
        name = self.path.rpartition("/")[2]
        self._mirror.asked.append(name)
        if name in self._mirror.missing:
            self.send_error(404)
        elif self._mirror.cuts.get(name, 0) > 0:
            self._mirror.cuts[name] -= 1
            content = Path(self.translate_path(self.path)).read_bytes()
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content[: len(content) // 2])
            self.close_connection = True
        else:
            super().do_GET()

    def log_message(self, *_: object) -> None:
        """Say nothing: tests read what was asked from the mirror."""


@contextlib.contextmanager
def serve(folder: Path) -> Iterator[Mirror]:
    """Serve *folder* until the context is left."""
    mirror = Mirror()
    handler = partial(_Handler, mirror=mirror, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        mirror.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield mirror
        finally:
            server.shutdown()
            thread.join()
