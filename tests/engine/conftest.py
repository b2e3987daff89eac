"""Every test here that asks for a world runs on both kinds of database."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.engine.world import World
from tests.fakes.databases import KINDS, migrated_url


@pytest.fixture(params=KINDS)
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """A server without its edge; its windows open in an hour."""
    with migrated_url(str(request.param), tmp_path) as url:
        world = World(url)
        yield world
        world.close()
