"""Which loopback port `up` listens on: the same each time, so that a shell's environment stays good."""

import socket
from pathlib import Path
from urllib.parse import urlsplit

from patchwindow.bootstrap import open_private
from patchwindow.cli import show

_FILE = "port"


def choose_port(data: Path, wanted: int | None) -> int:
    """Return the port that is *wanted*, else the one of last time if it is free, else 0 for any free one."""
    if wanted is not None:
        return wanted
    try:
        port = int((data / _FILE).read_text())
    except (OSError, ValueError):
        return 0
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            show.note(f"port {port}, which was used last time, is in use; taking another one")
            return 0
    return port


def keep_port(data: Path, url: str) -> None:
    """Remember the port of *url* for the next time."""
    with open_private(data / _FILE, "w") as file:
        file.write(f"{urlsplit(url).port}\n")
