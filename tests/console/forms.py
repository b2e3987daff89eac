"""A form of a page, filled in and sent as a browser would."""

from collections.abc import Mapping, Sequence
from html.parser import HTMLParser
from typing import Final

from tests.fakes.browser import Browser, Loaded

Values = dict[str, list[str]]
_TEXTLESS: Final = frozenset({"checkbox", "radio"})


class Form(HTMLParser):
    """The fields of the form of a page that has a field or button of this name and value, as they are filled in."""

    def __init__(self, body: str, *, having: tuple[str, str] = ("Step", "show")) -> None:
        super().__init__()
        self._forms: list[Values] = []
        self._found: Values | None = None
        self._having = having
        self._select = ""
        self._area: str | None = None
        self._first = False
        self.feed(body)
        assert self._found is not None, f"no form has {having}"
        self.fields: Values = self._found

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a field."""
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._forms.append({})
        if not self._forms:
            return
        fields, name = self._forms[-1], given.get("name", "")
        if (name, given.get("value")) == self._having and self._found is None:
            self._found = fields
        if tag == "input" and name and (given.get("type") not in _TEXTLESS or "checked" in given):
            fields.setdefault(name, []).append(given.get("value", "on"))
        if tag == "select":
            self._select, self._first = name, True
        if tag == "option" and self._select and (self._first or "selected" in given):
            fields[self._select], self._first = [given.get("value", "")], False
        if tag == "textarea":
            self._area = name
            fields[name] = [""]

    def handle_data(self, data: str) -> None:
        """Take what stands in a field of several lines."""
        if self._area is not None:
            self._forms[-1][self._area][0] += data

    def handle_endtag(self, tag: str) -> None:
        """Close a field."""
        if tag == "select":
            self._select = ""
        if tag == "textarea":
            self._area = None


def fill(body: str, changes: Mapping[str, str | Sequence[str]] | None = None, **steering: str) -> Values:
    """Return the fields of a page's form, the one for `Do` where that is steered, with some changed; an empty list leaves one out."""
    fields = Form(body, having=("Do", steering["Do"]) if "Do" in steering else ("Step", "show")).fields
    for name, value in {**(changes or {}), **steering}.items():
        fields[name] = [value] if isinstance(value, str) else list(value)
    return fields


def weigh(
    browser: Browser, path: str, changes: Mapping[str, str | Sequence[str]] | None = None, *, query: str = ""
) -> Loaded:
    """Open a form, change some fields, and ask what that changes."""
    at, _, asked = path.partition("?")
    opened = browser.get(at, **dict(pair.split("=") for pair in asked.split("&") if pair))
    assert opened.status == 200, opened.body
    return browser.post(at, fill(opened.body, changes, Step="show"), query=query or asked)


def save(
    browser: Browser, path: str, weighed: Loaded, changes: Mapping[str, str | Sequence[str]] | None = None
) -> Loaded:
    """Save what a page shows the consequences of."""
    at, _, asked = path.partition("?")
    form = Form(weighed.body, having=("Step", "save")).fields
    for name, value in (changes or {}).items():
        form[name] = [value] if isinstance(value, str) else list(value)
    return browser.post(at, {**form, "Step": ["save"]}, query=asked)
