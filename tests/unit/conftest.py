from pathlib import Path

import pytest
from tests.fakes.web import self_signed


@pytest.fixture(scope="session")
def pem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with a certificate for `localhost`, and its key."""
    return self_signed(tmp_path_factory.mktemp("tls"))
