"""Live views in a real browser, where the server says that they are over, full or not for this reader any more."""

from typing import Final

import pytest
from playwright.sync_api import Page, expect
from tests.console.serving import Served
from tests.fakes.fleet import Fleet

from patchwindow.console import lives

pytestmark = pytest.mark.slow

_SHOWN: Final = "section.card .cells"


@pytest.fixture
def url(fleet: Fleet) -> str:
    """Return the page of an opening that is under way."""
    return f"/console/executions/{fleet.world.execution(fleet.windows['Web Server'])['WindowExecutionId']}"


def test_too_many_views_are_said_and_the_page_is_not_loaded_for_ever(
    page: Page, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lives, "LIVES_MAX", 0)
    loads: list[str] = []
    page.on("load", lambda _: loads.append(page.url))
    page.goto(url)
    expect(page.get_by_text("There are 0 live views already")).to_be_visible()
    page.wait_for_timeout(1500)
    assert len(loads) == 1
    expect(page.locator(_SHOWN).first).to_be_visible()


def test_a_filter_that_is_refused_shows_the_refusal_instead_of_nothing(page: Page) -> None:
    page.goto("/console/nodes")
    page.evaluate("document.querySelector('select[name=State]').options[1].value = 'bogus'")
    page.locator("select[name=State]").select_option(index=1)
    expect(page.get_by_text("filter State has the value 'bogus'")).to_be_visible()


def test_who_is_signed_out_elsewhere_is_led_to_where_one_signs_in(page: Page, site: Served, url: str) -> None:
    # With a session of its own, as it is over afterwards.
    page.context.clear_cookies()
    page.goto(site.link("eve"))
    page.get_by_role("button").click()
    page.goto(url)
    expect(page.locator(_SHOWN).first).to_be_visible()
    other = page.context.new_page()
    other.goto("/console/nodes")
    page.bring_to_front()
    page.request.post("/console/sign-out", headers={"Origin": site.url})
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    assert f"next={url.replace('/', '%2F')}" in page.url
    other.bring_to_front()
    other.locator("select[name=State]").select_option("Missing")
    expect(other.get_by_role("heading", name="Sign in")).to_be_visible()
