"""Every test here that asks for a database runs on both kinds of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.fakes.databases import KINDS, empty_url, migrated_url

from patchwindow.store.database import Database
from patchwindow.store.work import Work


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    """The kind of database."""
    return str(request.param)


@pytest.fixture
def fresh_url(kind: str, tmp_path: Path) -> Iterator[str]:
    """The URL of a database without tables."""
    with empty_url(kind, tmp_path) as url:
        yield url


@pytest.fixture
def url(kind: str, tmp_path: Path) -> Iterator[str]:
    """The URL of a migrated database."""
    with migrated_url(kind, tmp_path) as url:
        yield url


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    """A migrated database."""
    database = Database(url)
    yield database
    database.close()


@pytest.fixture
def work(database: Database) -> Iterator[Work]:
    """A transaction that writes."""
    with database.write() as work:
        yield work
