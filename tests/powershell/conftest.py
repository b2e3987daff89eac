from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.fakes.edge import Edge


@pytest.fixture
def edge(tmp_path: Path) -> Iterator[Edge]:
    """Return the edge of a fresh server."""
    edge = Edge(tmp_path)
    yield edge
    edge.close()
