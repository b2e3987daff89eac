from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.fakes.browser import Browser
from tests.fakes.databases import migrated_url
from tests.fakes.fleet import Fleet
from tests.fakes.site import Installation

from patchwindow.store.settings import Role


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


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """Return a fleet of 1,000 nodes on a patch night, of this module alone."""
    with migrated_url("sqlite", tmp_path_factory.mktemp("fleet")) as url:
        fleet = Fleet(url)
        yield fleet
        fleet.close()


@pytest.fixture
def console(fleet: Fleet) -> Iterator[Browser]:
    """Return a browser in which an administrator is signed in to the console of that fleet."""
    browser = Browser(fleet.world)
    browser.sign_in()
    yield browser
    browser.close()


@pytest.fixture
def viewer(fleet: Fleet) -> Iterator[Browser]:
    """Return a browser in which somebody is signed in who may only look."""
    browser = Browser(fleet.world)
    browser.sign_in("vic", Role.VIEWER)
    yield browser
    browser.close()
