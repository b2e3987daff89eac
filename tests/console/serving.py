"""The console of a fleet on a loopback port: for a browser with a screen, and by hand (`python -m tests.console.serving`)."""

import asyncio
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from tests.fakes.databases import migrated_url
from tests.fakes.fleet import Fleet

from patchwindow.console.app import Console
from patchwindow.operations.service import Service
from patchwindow.operations.sign_in import add_person, make_link
from patchwindow.protocol.service import load_operations
from patchwindow.store.settings import Role


class Served:
    """A console that answers."""

    def __init__(self, fleet: Fleet, url: str) -> None:
        self.fleet = fleet
        self.url = url

    def link(self, name: str = "eve", role: Role = Role.ADMIN) -> str:
        """Return a link that signs somebody in, who is made where unknown."""
        world = self.fleet.world
        with world.database.write() as work:
            if work.people.get(name) is None:
                add_person(work, name, role, now=world.clock.now())
            secret = make_link(work, name, now=world.clock.now(), ids=world.ids)
        return f"{self.url}/console/link/{secret}"


@contextmanager
def served(fleet: Fleet, *, port: int = 0) -> Iterator[Served]:
    """Serve the console of a fleet until the context ends."""
    listener = socket.create_server(("127.0.0.1", port))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    world = fleet.world
    site = replace(world.service.site, public_url=url)
    service = Service(database=world.database, clock=world.clock, ids=world.ids, site=site)
    console = Console(service, load_operations())
    config = uvicorn.Config(Starlette(routes=console.routes()), log_config=None, timeout_graceful_shutdown=2)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listener])), daemon=True)
    thread.start()
    try:
        while not server.started:
            time.sleep(0.01)
        yield Served(fleet, url)
    finally:
        console.stop_waiting()
        server.should_exit = True
        thread.join()
        console.close()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder, migrated_url("sqlite", Path(folder)) as database:
        fleet = Fleet(database)
        with served(fleet, port=18081) as here:
            print(here.link(), flush=True)  # noqa: T201  (for who runs it by hand)
            threading.Event().wait()
