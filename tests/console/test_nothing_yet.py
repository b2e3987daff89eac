"""A new installation: each page says what to do first, to those who may."""

from typing import Final

import pytest
from tests.console.reading import words
from tests.fakes.browser import Browser

from patchwindow.console.app import ROOT
from patchwindow.console.site import FORMS, PAGES
from patchwindow.store.settings import Role

SAID: Final = {
    "/": "Nothing is here yet. First register machines, each in a patch group",
    "/attention": "No node is registered yet, so nothing can be wrong with one.",
    "/compliance": "No node is registered yet, so nothing is known.",
    "/exposure": "No node is registered yet, so nothing is known.",
    "/nodes": "No node is registered yet. Create an activation",
}
REGISTER: Final = '<a class="button main" href="/console/activations/new">Register nodes</a>'


@pytest.mark.parametrize("path", sorted(SAID))
def test_without_nodes_a_page_leads_to_registering_some(browser: Browser, path: str) -> None:
    body = browser.get(ROOT + path).body
    assert SAID[path] in words(body)
    assert REGISTER in body


@pytest.mark.parametrize("path", sorted(SAID))
def test_a_viewer_is_told_the_same_without_a_button(stranger: Browser, path: str) -> None:
    stranger.sign_in("vic", Role.VIEWER)
    body = stranger.get(ROOT + path).body
    assert SAID[path] in words(body)
    assert "Register nodes" not in body


@pytest.mark.parametrize("path", sorted({one.path for one in (*PAGES, *FORMS) if "{" not in one.path}))
def test_every_page_is_there_before_anything_else_is(browser: Browser, path: str) -> None:
    assert browser.get(ROOT + path).status == 200
