"""Every link between files of the project leads somewhere."""

import re
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
PAGES: Final = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
LINK: Final = re.compile(r"\]\((?!https?://|#)([^)#]+)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_of_a_page_lead_to_files(page: Path) -> None:
    broken = [link for link in LINK.findall(page.read_text()) if not (page.parent / link).exists()]
    assert broken == []


def test_every_page_of_the_documentation_is_reached_from_the_readme() -> None:
    linked = {link for page in PAGES for link in LINK.findall(page.read_text())}
    names = {Path(link).name for link in linked}
    assert {page.name for page in (ROOT / "docs").glob("*.md")} <= names
