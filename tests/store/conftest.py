"""Every test here that asks for a database, or for a transaction in one, runs on both kinds of it."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from tests.fakes.databases import KINDS, empty_url, migrated_url

from patchwindow.store.database import Database
from patchwindow.store.work import Work


@pytest.fixture(scope="session", params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    """The kind of database."""
    return str(request.param)


@pytest.fixture
def fresh_url(kind: str, tmp_path: Path) -> Iterator[str]:
    """The URL of a database without tables, of this test alone."""
    with empty_url(kind, tmp_path) as url:
        yield url


@pytest.fixture
def url(kind: str, tmp_path: Path) -> Iterator[str]:
    """The URL of a migrated database, of this test alone."""
    with migrated_url(kind, tmp_path) as url:
        yield url


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    """A migrated database, of this test alone."""
    database = Database(url)
    yield database
    database.close()


@pytest.fixture(scope="session")
def shared(kind: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A migrated database in which nothing is ever committed."""
    with migrated_url(kind, tmp_path_factory.mktemp("shared")) as url:
        database = Database(url)
        yield database
        database.close()


@pytest.fixture
def work(shared: Database) -> Iterator[Work]:
    """A transaction that writes and finds empty tables; it is rolled back when the test ends."""
    with suppress(_RolledBackError), shared.write() as work:
        yield work
        raise _RolledBackError


class _RolledBackError(Exception):
    pass
