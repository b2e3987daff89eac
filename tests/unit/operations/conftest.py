from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.fakes.api import Api
from tests.fakes.site import Installation


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Installation]:
    """Return an installation with nothing in it but the predefined baselines."""
    installation = Installation(tmp_path)
    yield installation
    installation.close()


@pytest.fixture
def api(here: Installation) -> Api:
    """Return the operations of that installation, by name."""
    return Api(here)
