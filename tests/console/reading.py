"""What a page says, for tests."""

import csv
import io
import re
from collections.abc import Sequence
from html import unescape

from tests.fakes.browser import Browser

Row = dict[str, str]


def table(browser: Browser, path: str, **query: str | Sequence[str]) -> list[Row]:
    """Return the rows of a page, as its CSV has them."""
    answer = browser.get(path, format="csv", **query)
    assert answer.status == 200, answer.body
    return list(csv.DictReader(io.StringIO(answer.body)))


def words(body: str) -> str:
    """Return the text of a page's content, blanks made one."""
    main = body.partition("<main")[2].partition("</main>")[0].partition(">")[2]
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", main)).split())
