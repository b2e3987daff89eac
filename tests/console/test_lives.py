"""Live views, without a browser: when they speak, when they end, and what they share."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Final

import pytest
from tests.fakes.browser import Browser
from tests.fakes.fleet import Fleet

from patchwindow.console import lives
from patchwindow.console.lives import Lives, Looked, Made
from patchwindow.domain.errors import UnknownCommand

OVER: Final = "event: over\ndata: \n\n"
ONE: Final = "event: update\ndata: one\n\n"


@pytest.fixture
def views(monkeypatch: pytest.MonkeyPatch) -> Iterator[Lives]:
    """Return live views that look a hundred times a second."""
    monkeypatch.setattr(lives, "LIVE_EVERY_S", 0.01)
    views = Lives()
    yield views
    views.close()


def telling(*looked: Looked | Exception) -> Callable[[], Looked]:
    """Return a look that tells those one after another."""
    left = list(looked)

    def look() -> Looked:
        found = left.pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    return look


def events(views: Lives, look: Callable[[], Looked]) -> list[str]:
    async def gathered() -> list[str]:
        return [event async for event in views.events(look)]

    return asyncio.run(gathered())


def test_what_has_not_changed_is_not_sent_again(views: Lives) -> None:
    one = Made("one", is_over=False)
    looks = telling(one, one, Made("two\nlines", is_over=True))
    assert events(views, looks) == [ONE, "event: update\ndata: two\ndata: lines\n\n", OVER]


def test_who_signs_out_gets_nothing_more_and_the_page_is_loaded_again(views: Lives) -> None:
    assert events(views, telling(Made("one", is_over=False), None)) == [ONE, OVER]


def test_what_is_forgotten_meanwhile_loads_the_page_again_which_says_so(views: Lives) -> None:
    assert events(views, telling(Made("one", is_over=False), UnknownCommand("it is gone"))) == [ONE, OVER]


def test_a_defect_is_logged_and_left_to_the_browser_to_try_again(
    views: Lives, caplog: pytest.LogCaptureFixture
) -> None:
    assert events(views, telling(Made("one", is_over=False), RuntimeError("a defect"))) == [ONE]
    assert "a live view failed" in caplog.text


def test_a_view_that_is_quiet_says_that_it_is_there(views: Lives, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lives, "STILL_EVERY_S", 0.0)
    one = Made("one", is_over=False)
    assert events(views, telling(one, one, None))[1] == "event: still\ndata: \n\n"


def test_a_server_that_stops_ends_its_views_without_a_word_so_that_browsers_come_back(views: Lives) -> None:
    def look() -> Looked:
        views.stop()
        return Made("one", is_over=False)

    assert events(views, look) == [ONE]


def test_of_too_many_views_the_last_is_told_so_and_takes_no_place(
    views: Lives, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lives, "LIVES_MAX", 0)
    (told,) = events(views, telling())
    assert told.startswith("event: full\ndata: There are 0 live views already")
    monkeypatch.setattr(lives, "LIVES_MAX", 1)
    for _ in range(2):
        assert events(views, telling(None)) == [OVER]


def test_views_of_the_same_are_looked_at_once_and_those_of_others_are_not_mixed_up() -> None:
    views, made = Lives(), list[str]()

    def make(what: str) -> Made:
        made.append(what)
        return Made(what, is_over=True)

    async def all_at_once() -> list[list[str]]:
        async def one(what: str) -> list[str]:
            return [event async for event in views.events(lambda: views.shared((what,), lambda: make(what)))]

        return await asyncio.gather(*(one("one" if at % 2 else "two") for at in range(100)))

    told = asyncio.run(all_at_once())
    views.close()
    assert sorted(made) == ["one", "two"]
    assert told[1] == [ONE, OVER]
    assert told[0] == ["event: update\ndata: two\n\n", OVER]


def test_a_view_of_what_is_not_there_leads_to_the_page_that_says_so(console: Browser, fleet: Fleet) -> None:
    unknown = fleet.members[0].node_id
    assert console.get(f"/console/commands/00000000-0000-4000-8000-00000000dead/nodes/{unknown}/live").body == OVER
