from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, StorageState, sync_playwright
from tests.console.serving import Served, served
from tests.fakes.chromium import NoChromiumError, guarded, launch, sign_in
from tests.fakes.fleet import Fleet


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Return a Chromium; in the process of this module nothing else may run an event loop meanwhile."""
    with sync_playwright() as playwright:
        try:
            browser = launch(playwright)
        except NoChromiumError as problem:
            pytest.skip(str(problem))
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def site(fleet: Fleet) -> Iterator[Served]:
    """Return the console of the fleet of this module on a loopback port."""
    with served(fleet) as site:
        yield site


@pytest.fixture(scope="module")
def signed_in(chromium: Browser, site: Served) -> StorageState:
    """Return the cookies of an administrator."""
    with guarded(chromium, site.url) as (page, _):
        sign_in(page, site.link())
        return page.context.storage_state()


@pytest.fixture
def page(chromium: Browser, site: Served, signed_in: StorageState) -> Iterator[Page]:
    """Return a window in which an administrator is signed in, and nothing may leave the host, fail or run."""
    with guarded(chromium, site.url, base_url=site.url, storage_state=signed_in) as (page, _):
        yield page
