"""What holds for every page, on a fleet of 1,000 nodes one of which is hostile."""

import csv
import io
import json
import re
from html.parser import HTMLParser
from typing import Final
from urllib.parse import parse_qs, unquote

import pytest
from tests.console.places import PATHS, places
from tests.fakes.browser import Browser
from tests.fakes.fleet import HOSTILE, Fleet

from patchwindow.console.app import ROOT
from patchwindow.console.site import SECTIONS

BYTES_MAX: Final = 300_000
_VOID: Final = frozenset({"br", "hr", "img", "input", "link", "meta", "option"})
_PATTERNS: Final = [re.compile(ROOT + re.sub(r"\{\w+\}", "[^/?]+", path)) for path in PATHS]


class Page(HTMLParser):
    """A page as a browser reads it, as far as it matters here."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.labels: set[str] = set()
        self.fields: list[dict[str, str | None]] = []
        self.problems: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag."""
        given = dict(attrs)
        if tag not in _VOID:
            self.open.append(tag)
        if given.get("id"):
            self.ids.append(str(given["id"]))
        if tag == "a" and given.get("href"):
            self.links.append(str(given["href"]))
        if tag == "label" and given.get("for"):
            self.labels.add(str(given["for"]))
        if tag in ("input", "select", "textarea") and given.get("type") != "hidden":
            self.fields.append(given)
        self.problems += [f"{tag} has {name}" for name in given if name.startswith("on") or name == "style"]
        if tag == "script" and not str(given.get("src", "")).startswith("/console/static/"):
            self.problems.append("a script that is no file of ours")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag that has nothing inside."""
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        """Close a tag, which must be the one opened last."""
        if tag not in _VOID and (not self.open or self.open.pop() != tag):
            self.problems.append(f"</{tag}> closes nothing")


@pytest.fixture(params=PATHS)
def path(request: pytest.FixtureRequest, fleet: Fleet) -> str:
    """Return the URL of each page, about something that there is."""
    return ROOT + str(request.param).format(**places(fleet))


def test_it_is_shown_and_light(console: Browser, path: str) -> None:
    answer = console.get(path)
    assert answer.status == 200, answer.body
    assert len(answer.body.encode()) < BYTES_MAX


def test_it_is_well_formed_and_has_no_script_of_its_own(console: Browser, path: str) -> None:
    page = Page(console.get(path).body)
    assert page.problems == []
    assert page.open == []
    assert len(page.ids) == len(set(page.ids)), "an id is there twice"


def test_every_field_has_a_name_that_can_be_read(console: Browser, path: str) -> None:
    page = Page(console.get(path).body)
    assert [one for one in page.fields if one.get("id") not in page.labels and not one.get("aria-label")] == []


def test_a_hostile_name_stays_text(console: Browser, path: str) -> None:
    body = console.get(path).body
    assert HOSTILE not in body
    assert "<script>alert" not in body
    assert "49" not in re.findall(r"\{\{.*?\}\}", body)


def test_its_table_comes_as_csv_and_json(console: Browser, path: str) -> None:
    if "format=csv" not in console.get(path).body:
        return
    as_csv = console.get(path, format="csv")
    assert as_csv.headers["content-type"] == "text/csv; charset=utf-8"
    head, *rows = csv.reader(io.StringIO(as_csv.body))
    told = json.loads(console.get(path, format="json").body)
    assert len(told) == len(rows)
    assert all(list(one) == head for one in told)


def test_a_viewer_may_look(viewer: Browser, path: str) -> None:
    assert viewer.get(path).status in (200, 403)


@pytest.mark.parametrize("path", [path for path in PATHS if "{" in path])
def test_what_does_not_exist_is_said_not_to(console: Browser, path: str) -> None:
    answer = console.get(ROOT + re.sub(r"\{\w+\}", "mi-00000000000000bad", path))
    assert answer.status in (400, 404)
    assert "To the console" in answer.body


def test_every_link_leads_to_a_page(console: Browser, path: str) -> None:
    links = {link.partition("?")[0].partition("#")[0] for link in Page(console.get(path).body).links} - {""}
    assert {link for link in links if not any(pattern.fullmatch(link) for pattern in _PATTERNS)} == set()


@pytest.mark.slow
def test_every_link_can_be_followed(console: Browser, fleet: Fleet) -> None:
    there = places(fleet)
    links = {link for path in PATHS for link in Page(console.get(ROOT + path.format(**there)).body).links}
    failed: dict[str, int] = {}
    for link in links:
        path, _, query = link.partition("#")[0].partition("?")
        # The commands of the fleet's past are forgotten.
        if path and not path.startswith(f"{ROOT}/commands/00000000-0000-4000-8000-000000000000"):
            answer = console.get(unquote(path), **parse_qs(query))
            failed |= {link: answer.status} if answer.status != 200 else {}
    assert failed == {}
    assert len(links) > 500


def test_the_menu_leads_to_pages(console: Browser) -> None:
    assert [console.get(ROOT + path).status for _, path in SECTIONS] == [200] * len(SECTIONS)
