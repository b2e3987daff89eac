"""What holds for every page in a real browser: it fits a narrow screen, can be read by all, and keeps to its host."""

from typing import Final

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page
from tests.console.places import PATHS, places
from tests.console.serving import Served
from tests.fakes.chromium import HEIGHT, NARROW, WIDE, guarded

from patchwindow.console.app import ROOT

SERIOUS: Final = ("serious", "critical")
_TOO_WIDE: Final = """() => {
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= width) return [];
  const over = [...document.querySelectorAll("main *")].filter((one) => one.getBoundingClientRect().right > width + 1);
  return [document.documentElement.scrollWidth, ...over.slice(0, 5).map((one) => one.outerHTML.slice(0, 120))];
}"""


def load(page: Page, url: str) -> None:
    answer = page.goto(url, wait_until="load")
    assert answer is not None, url
    assert answer.ok, (url, answer.status)


@pytest.fixture
def urls(site: Served) -> list[str]:
    """Return the URL of each page, about something that there is."""
    there = places(site.fleet)
    return [ROOT + path.format(**there) for path in PATHS]


def test_every_page_fits_a_narrow_screen_and_loads_nothing_from_elsewhere(page: Page, urls: list[str]) -> None:
    page.set_viewport_size({"width": NARROW, "height": HEIGHT})
    too_wide = {}
    for url in urls:
        load(page, url)
        if found := page.evaluate(_TOO_WIDE):
            too_wide[url] = found
    assert too_wide == {}


@pytest.mark.parametrize(
    "script",
    [
        "() => { alert(1) }",
        "() => { const one = new Image(); one.src = 'http://192.0.2.1/seen.png' }",
        "() => fetch('http://192.0.2.1/').catch(() => null)",
        "() => { setTimeout(() => { throw Error('broken') }) }",
    ],
)
def test_what_a_page_must_not_do_is_noticed(chromium: Browser, site: Served, script: str) -> None:
    def look() -> None:
        with guarded(chromium, site.url) as (page, _):
            page.goto(f"{site.url}/console/sign-in")
            page.evaluate(script)
            page.wait_for_timeout(200)

    with pytest.raises(AssertionError, match=r"alert: 1|192\.0\.2\.1|broken"):
        look()


@pytest.mark.slow
@pytest.mark.parametrize("width", [WIDE, NARROW])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_on_any_page(page: Page, urls: list[str], scheme: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": HEIGHT})
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    axe, found = Axe(), []
    for url in urls:
        load(page, url)
        told = axe.run(page).response["violations"]
        found += [
            (url, one["id"], one["nodes"][0]["html"], one["nodes"][0]["failureSummary"])
            for one in told
            if one["impact"] in SERIOUS
        ]
    assert found == []
