from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.fakes.browser import Browser
from tests.fakes.site import Installation


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Installation]:
    """Return an installation with nothing in it but the predefined baselines."""
    installation = Installation(tmp_path)
    yield installation
    installation.close()


@pytest.fixture
def stranger(here: Installation) -> Iterator[Browser]:
    """Return a browser in which nobody is signed in."""
    browser = Browser(here)
    yield browser
    browser.close()


@pytest.fixture
def browser(stranger: Browser) -> Browser:
    """Return a browser in which an administrator is signed in."""
    stranger.sign_in()
    return stranger
