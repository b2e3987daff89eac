"""The table of crash points on the page of Windows is the one that tests play; running this file writes it anew."""

from pathlib import Path
from typing import Final

from tests.powershell.kill_matrix import page

PAGE: Final = Path(__file__).parents[2] / "docs" / "windows.md"
_BEGIN: Final = "<!-- kill matrix -->\n\n"
_END: Final = "\n<!-- end of kill matrix -->"


def written(text: str) -> str:
    """Return *text* with the table in its place."""
    before, _, rest = text.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    assert end, f"{PAGE.name} has no place for the table"
    return f"{before}{_BEGIN}{page()}{_END}{after}"


def test_the_page_of_windows_shows_the_crash_points_that_are_played() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert text == written(text), "write it anew: python -m tests.docs.test_windows_kill_matrix"


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
