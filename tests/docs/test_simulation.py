"""The page on the simulation lists the rules that its law asserts; running this file draws the list anew."""

import re
from pathlib import Path
from typing import Final

from tests.simulation.rules import Rule

PAGE: Final = Path(__file__).parents[2] / "docs" / "simulation.md"
_TABLE: Final = re.compile(r"(?<=\| invariant \| what it says \|\n\|---\|---\|\n)(?:\|.*\|\n)*")


def table() -> str:
    return "".join(f"| `{rule.name}` | {rule.value} |\n" for rule in Rule)


def test_the_page_lists_the_invariants_as_they_are_asserted() -> None:
    assert _TABLE.findall(PAGE.read_text(encoding="utf-8")) == [table()], (
        "draw it anew: python -m tests.docs.test_simulation"
    )


if __name__ == "__main__":
    drawn, count = _TABLE.subn(lambda _: table(), PAGE.read_text(encoding="utf-8"))
    assert count == 1, f"{PAGE} has no table of invariants"
    PAGE.write_text(drawn, encoding="utf-8")
