"""The only place that builds concrete things and joins them."""

import asyncio
import errno
import fcntl
import hashlib
import io
import os
import socket
import threading
import time
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Final, Self

import uvicorn

from patchwindow.console.app import Console
from patchwindow.domain.errors import PatchwindowError
from patchwindow.domain.operating_system import OperatingSystem
from patchwindow.domain.predefined import PREDEFINED, default_for
from patchwindow.engine.call_webhooks import Caller
from patchwindow.engine.deliver_output import Deliverer
from patchwindow.engine.engine import Engine
from patchwindow.fetch import Fetcher, Places
from patchwindow.hooks import HttpHooks
from patchwindow.objects import S3Settings, object_store
from patchwindow.operations import retention
from patchwindow.operations.call import OUTPUT_BYTES_MAX, SERVER, Answer, Site
from patchwindow.operations.quotas import Quotas
from patchwindow.operations.retention import Retention
from patchwindow.operations.service import Service
from patchwindow.ports import Clock, Ids
from patchwindow.protocol.rest import load_routes
from patchwindow.protocol.service import load_operations
from patchwindow.store.baselines import OWNER_AWS
from patchwindow.store.database import Database
from patchwindow.store.settings import AccessKey, Role
from patchwindow.system import LoopBell, SystemClock, SystemIds
from patchwindow.tls.serving import Secured, Tls, TlsSettings, names_of, secure
from patchwindow.wire.app import App

DATABASE_FILE: Final = "patchwindow.db"
LOCK_FILE: Final = "server.lock"
OUTPUT_FOLDER: Final = "output"
PUBLIC_URL: Final = "public_url"
"""The setting in which a server that runs keeps where it is reached."""
ACCOUNT_ID: Final = "123456789012"
REGION: Final = "us-east-1"
_START_S: Final = 30.0
_BACKLOG: Final = 1024


class CannotStart(PatchwindowError):
    """The server cannot start here; the message says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """All that can be set about a server."""

    data: Path
    """The data directory: database, keys, credentials; made if absent, readable by its owner only."""
    host: str = "127.0.0.1"
    port: int = 8080
    """0 takes any free port."""
    tls: TlsSettings = field(default_factory=TlsSettings)
    public_url: str | None = None
    """Where nodes reach the server; by default the address it listens on."""
    database_url: str | None = None
    """By default SQLite in the data directory; `postgresql://…` for PostgreSQL."""
    account_id: str = ACCOUNT_ID
    region: str = REGION
    quotas: Quotas = field(default_factory=Quotas)
    retention: Retention = field(default_factory=Retention)
    node_key_life: timedelta | None = None
    """From which age of its key on a node that makes key pairs is asked for another; None: never."""
    overrides: Places = field(default_factory=Places)
    """Where override lists and baseline overrides may be fetched from."""
    output_bytes_max: int = OUTPUT_BYTES_MAX
    """How much of each stream of a step is kept."""
    output_directory: Path | None = None
    """Where the buckets are that commands name for their output; by default below the data directory."""
    output_s3: S3Settings | None = None
    """An S3 service that has these buckets instead."""


def default_data(environ: Mapping[str, str]) -> Path:
    """Return the data directory for a user with this environment: below the user's state directory."""
    state = environ.get("XDG_STATE_HOME") or str(Path(environ.get("HOME", "/")) / ".local" / "state")
    return Path(state) / "patchwindow"


def open_database(config: Config) -> Database:
    """Return the database of *config*, made and migrated.

    Raises:
        CannotStart: the data directory cannot be written, or the database is of a newer version.
    """
    _make_private(config.data)
    if config.database_url is None:
        # Made here, so that it is private from its first byte; the files that SQLite lays beside it are as it is.
        open_private(config.data / DATABASE_FILE, "a").close()
    database = Database(config.database_url or config.data / DATABASE_FILE)
    try:
        database.migrate()
    except PatchwindowError as problem:
        database.close()
        where = f"data directory {config.data}: " if config.database_url is None else ""
        raise CannotStart(f"{where}{problem}") from None
    return database


def open_private(path: Path, mode: str) -> IO[str]:
    """Open a text file that, if it is made here, only its owner can read."""
    return open(path, mode, encoding="utf-8", opener=lambda name, flags: os.open(name, flags, 0o600))


def create_access_key(database: Database, *, role: Role, comment: str, clock: Clock, ids: Ids) -> AccessKey:
    """Make, keep and return a new access key."""
    made = at_hand(database, clock, ids)("CreateAccessKey", Role=role, Comment=comment)
    return AccessKey(
        access_key_id=made["AccessKeyId"], secret_access_key=made["SecretAccessKey"], role=role, comment=comment
    )


def at_hand(database: Database, clock: Clock, ids: Ids) -> Callable[..., Answer]:
    """Return what carries out an operation, by its name and members, for who has the server's data at hand.

    It is on record as done by the server.
    """
    with database.read() as work:
        url = work.settings.get(PUBLIC_URL) or ""
    site = Site(account_id=ACCOUNT_ID, region=REGION, public_url=url, seal_key=b"", program_digest="")
    service = Service(database=database, clock=clock, ids=ids, site=site)

    def perform(name: str, **members: object) -> Answer:
        return service.perform(name, members, SERVER)

    return perform


class Server:
    """A running server: HTTP, operations and engine, on a thread of its own; stops when the context ends."""

    def __init__(self, config: Config, *, clock: Clock | None = None, ids: Ids | None = None) -> None:
        """Build everything and listen.

        Raises:
            CannotStart: the port is in use, or the data directory will not do.
        """
        self.clock = clock or SystemClock()
        self.ids = ids or SystemIds()
        self._socket = _listen(config)
        try:
            self._lock = _lock(config)
            secured = _secured(config, self.clock, self.ids)
            self.database = open_database(config)
        except BaseException:
            self._socket.close()
            raise
        host, port = self._socket.getsockname()[:2]
        scheme = "http" if secured is None else "https"
        self.url = config.public_url or f"{scheme}://{_shown(host)}:{port}"
        bell = LoopBell()
        self.database.on_wake(bell.ring)
        program = agent_program()
        site = _prepare(self.database, config, self.ids, self.url, program)
        if secured is not None:
            site = replace(site, ca_fingerprint=secured.fingerprint)
        service = Service(database=self.database, clock=self.clock, ids=self.ids, site=site)
        engine = Engine(database=self.database, clock=self.clock, ids=self.ids)
        caller = Caller(database=self.database, clock=self.clock, ids=self.ids)
        deliverer = Deliverer(
            database=self.database,
            clock=self.clock,
            ids=self.ids,
            objects=object_store(config.output_directory or config.data / OUTPUT_FOLDER, config.output_s3),
            bytes_max=config.output_bytes_max,
        )
        self._console = Console(service, load_operations())
        self._app = App(
            service,
            load_operations(),
            load_routes(),
            bell=bell,
            program=program,
            fetch=Fetcher(config.overrides).fetch,
            ca_der=secured.ca_der if secured else None,
            ca_pem=secured.ca_pem if secured else None,
            more=self._console.routes(),
            background=lambda: _background(engine, caller, deliverer, bell, secured.tls if secured else None),
        )
        self._uvicorn = uvicorn.Server(
            uvicorn.Config(
                self._app,
                log_config=None,
                access_log=False,
                server_header=False,
                # Nothing here asks where a request came from.
                proxy_headers=False,
                timeout_graceful_shutdown=2,
                backlog=_BACKLOG,
                ssl_context_factory=(lambda *_: secured.tls.context) if secured else None,
            )
        )
        self._thread = threading.Thread(target=self._run, name="server", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        until = time.monotonic() + _START_S
        while not self._uvicorn.started:
            if not self._thread.is_alive() or time.monotonic() > until:
                raise CannotStart("the HTTP server did not come up; its log says why")
            time.sleep(0.005)
        return self

    def __exit__(self, *_: object) -> None:
        self._app.stop_waiting()
        self._console.stop_waiting()
        self._uvicorn.should_exit = True
        self._thread.join()
        self._console.close()
        self.database.close()
        self._lock.close()

    @property
    def is_alive(self) -> bool:
        """Whether the server still runs."""
        return self._thread.is_alive()

    def _run(self) -> None:
        self._uvicorn.run(sockets=[self._socket])


async def _background(engine: Engine, caller: Caller, deliverer: Deliverer, bell: LoopBell, tls: Tls | None) -> None:
    """Let all that happens by itself work side by side until cancelled."""
    async with asyncio.TaskGroup() as group:
        if tls is not None:
            group.create_task(tls.watch())
        group.create_task(engine.run(bell))
        group.create_task(caller.run(HttpHooks(), bell))
        group.create_task(deliverer.run(bell))


def agent_program() -> bytes:
    """Return the agent as one zip application; the same bytes for the same source, on every machine."""
    spec = find_spec("patchwindow_agent")
    assert spec is not None, "the agent is in the same distribution"
    assert spec.submodule_search_locations, "the agent is a package"
    folder = Path(spec.submodule_search_locations[0])
    buffer = io.BytesIO()
    buffer.write(b"#!/usr/bin/env python3\n")
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*.py")):
            _add(archive, f"patchwindow_agent/{path.relative_to(folder).as_posix()}", path.read_bytes())
        _add(archive, "__main__.py", b"import sys\n\nfrom patchwindow_agent.__main__ import main\n\nsys.exit(main())\n")
    return buffer.getvalue()


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    archive.writestr(zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0)), content, zipfile.ZIP_DEFLATED)


def _make_private(data: Path) -> None:
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        probe = data / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as problem:
        raise CannotStart(
            f"data directory {data} cannot be written: {problem.strerror}; give another with --data, or change its rights"
        ) from None


def _lock(config: Config) -> IO[str]:
    """Take the data directory for this process; the lock ends with it, however it ends."""
    _make_private(config.data)
    file = open_private(config.data / LOCK_FILE, "a")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise CannotStart(
            f"data directory {config.data} is in use by another patchwindow server; stop that one, or give another with --data"
        ) from None
    return file


def _secured(config: Config, clock: Clock, ids: Ids) -> Secured | None:
    """Return the TLS of the server, None where it speaks without."""
    if not config.tls.is_on(config.host):
        return None
    names = names_of(config.host, config.tls, config.public_url)
    return secure(config.tls, data=config.data, names=names, clock=clock, ids=ids)


def _listen(config: Config) -> socket.socket:
    family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((config.host, config.port))
        # At once: until somebody listens, another process may bind the same port.
        listener.listen(_BACKLOG)
    except OSError as problem:
        listener.close()
        reason = "is in use" if problem.errno == errno.EADDRINUSE else f"cannot be used: {problem.strerror}"
        raise CannotStart(
            f"{config.host}:{config.port} {reason}; give another with --listen HOST:PORT, for `up` with --port"
        ) from None
    os.set_inheritable(listener.fileno(), False)
    return listener


def _shown(host: str) -> str:
    if host in ("0.0.0.0", "::"):  # noqa: S104  (compared, not listened on)
        name = socket.getfqdn()
        # What a machine without a domain may call itself leads no other machine to it.
        return socket.gethostname() if name.partition(".")[0] == "localhost" else name
    return f"[{host}]" if ":" in host else host


def _prepare(database: Database, config: Config, ids: Ids, url: str, program: bytes) -> Site:
    """Keep what every start needs: predefined baselines and defaults, and the key of all seals; return the site."""
    with database.write() as work:
        for baseline in PREDEFINED:
            work.baselines.put(baseline, owner=OWNER_AWS)
        known = work.baselines.defaults()
        for system in OperatingSystem:
            if system not in known:
                work.baselines.set_default(system, default_for(system).baseline_id)
        retention.keep(work, config.retention)
        seal_key = work.settings.keep("seal_key", ids.hex(64))
        work.settings.put(PUBLIC_URL, url.rstrip("/"))
    return Site(
        account_id=config.account_id,
        region=config.region,
        public_url=url.rstrip("/"),
        seal_key=bytes.fromhex(seal_key),
        program_digest=hashlib.sha256(program).hexdigest(),
        quotas=config.quotas,
        node_key_life=config.node_key_life,
        output_bytes_max=config.output_bytes_max,
    )
