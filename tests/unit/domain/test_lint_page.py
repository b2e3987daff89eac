"""The page about schedules shows every trap, each with examples that lint finds, in its own words."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from patchwindow.domain.cron import Cron
from patchwindow.domain.lint import LintCode, lint
from patchwindow.domain.schedule import Rate, parse

PAGE: Final = Path(__file__).parents[3] / "docs" / "schedules.md"
# Dates are read as the text that they are in the API.
_TEXTS: Final = yaml.BaseLoader
_EXAMPLE: Final = re.compile(r"```yaml\n(.*?)```\n\n> ([^\n]*)\n", re.DOTALL)
_SCHEDULE: Final = re.compile(r"`((?:cron|rate|at)\([^`]*[0-9][^`]*\))`")
_NOW: Final = datetime(2025, 12, 31, 23, 59, tzinfo=UTC)


def sections() -> dict[str, str]:
    """Return the text below each heading of a trap."""
    parts = PAGE.read_text(encoding="utf-8").partition("\n## Traps\n")[2].split("\n### ")[1:]
    return {heading: text for heading, _, text in (part.partition("\n") for part in parts)}


def examples() -> Iterator[tuple[str, dict[str, str], str]]:
    """Yield each example: the trap's code, the window as in a plan file, and the sentence below it."""
    for heading, text in sections().items():
        for window, sentence in _EXAMPLE.findall(text):
            yield heading, yaml.load(window, Loader=_TEXTS), sentence  # noqa: S506  # it makes nothing but texts


def found(window: dict[str, str]) -> dict[LintCode, str]:
    members: dict[str, Any] = {"end_date": window.get("endDate"), "cutoff_hours": int(window.get("cutoff", 0))}
    findings = lint(window["schedule"], int(window["duration"]), window.get("timezone"), now=_NOW, **members)
    return {finding.code: finding.sentence for finding in findings}


def test_the_page_has_every_code_in_order() -> None:
    assert list(sections()) == list(LintCode)


def test_every_code_has_an_example() -> None:
    assert {code for code, _, _ in examples()} == set(LintCode)


@pytest.mark.parametrize(("code", "window", "sentence"), tuple(examples()))
def test_an_example_is_found_in_the_words_of_the_page(code: str, window: dict[str, str], sentence: str) -> None:
    assert found(window)[LintCode(code)] == sentence


def test_the_schedules_before_the_traps_are_read_as_they_stand() -> None:
    schedules = _SCHEDULE.findall(PAGE.read_text(encoding="utf-8").partition("\n## Traps\n")[0])
    assert len(schedules) == 8
    assert {type(parse(schedule)) for schedule in schedules} == {Cron, Rate}
