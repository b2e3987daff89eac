"""The page about plans names every member, every default and every word that a plan may hold."""

from pathlib import Path

import pytest

from patchwindow.plans.definitions import (
    Association,
    Baseline,
    Defaults,
    Freeze,
    FreezeDates,
    Logs,
    Nodes,
    Notification,
    PatchGroup,
    Plan,
    Rule,
    Source,
    Target,
    Task,
    Window,
)
from patchwindow.plans.read import parse_plan
from patchwindow.plans.specs import Record, key_of, members_of

PAGE = Path("docs/plans.md").read_text(encoding="utf-8")
RECORDS = [
    *(Plan, Defaults, Baseline, Rule, Source, PatchGroup, Freeze, FreezeDates, Window, Target, Task, Logs),
    *(Notification, Association, Nodes),
]


@pytest.mark.parametrize("cls", RECORDS)
def test_every_member_is_a_row_of_the_page_and_says_what_its_definition_says(cls: type[Record]) -> None:
    for name, member in members_of(cls).items():
        mark = " *" if member.required else ""
        assert f"| `{key_of(name)}`{mark} | {member.about} |" in PAGE


def test_the_page_shows_a_plan_that_can_be_read() -> None:
    example = PAGE.partition("```yaml\n")[2].partition("```")[0]
    assert parse_plan(example, "docs/plans.md").name == "small"
