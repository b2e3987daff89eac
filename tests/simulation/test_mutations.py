"""That the simulation bites: whatever one rule is made wrong, the law notices, and says which invariant broke.

Running this file draws the table of the documentation anew.
"""

import functools
import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest
from tests.simulation import seeds
from tests.simulation.mutation import Endless, Mutation
from tests.simulation.mutations import MUTATIONS
from tests.simulation.rules import Broken, Rule

PAGE: Final = Path(__file__).parents[2] / "docs" / "simulation.md"
_TABLE: Final = re.compile(r"(?<=\| made wrong \| breaks \| within \|\n\|---\|---\|---\|\n)(?:\|.*\|\n)*")


_MANY: Final = 50
"""A mutation that takes more worlds than these is left to the slow tests."""


def _marks(mutation: Mutation) -> tuple[pytest.MarkDecorator, ...]:
    return (pytest.mark.slow,) if mutation.within > _MANY else ()


def first_broken(mutation: Mutation, template: Path) -> tuple[int, Rule]:
    """Return the first seed whose world breaks under *mutation*, and the invariant that does."""
    for seed in range(mutation.within):
        with mutation.applied() as calls:
            try:
                seeds.live(seed, template)
            except Broken as broken:
                assert calls.count > 0, f"seed {seed} breaks whether or not {mutation.place} is mutated"
                return seed, broken.rule
            except Endless:
                return seed, Rule.EVERYTHING_ENDS
    pytest.fail(f"survived the worlds 0 to {mutation.within - 1}: {mutation.says}")


@pytest.fixture(scope="module")
def holds(template: Path) -> Callable[[int], bool]:
    """Whether the law holds in the world of a seed where no rule is wrong."""

    @functools.cache
    def holds(seed: int) -> bool:
        seeds.live(seed, template)
        return True

    return holds


@pytest.mark.parametrize("mutation", [pytest.param(one, id=name, marks=_marks(one)) for name, one in MUTATIONS.items()])
def test_a_rule_made_wrong_breaks_the_law_within_the_stated_number_of_worlds(
    mutation: Mutation, template: Path, holds: Callable[[int], bool]
) -> None:
    seed, rule = first_broken(mutation, template)

    assert rule in mutation.breaks
    assert holds(seed), "it is the mutation that broke it"


def test_a_mutation_of_what_is_not_there_is_refused() -> None:
    (some, *_) = MUTATIONS.values()
    gone = Mutation(
        says="", place="patchwindow.domain.window:Window.vanished", mutate=some.mutate, breaks=some.breaks, within=1
    )

    with pytest.raises(AttributeError, match="vanished"), gone.applied():
        pass


def table() -> str:
    return "".join(
        f"| {each.says} | {', '.join(f'`{rule.name}`' for rule in each.breaks)} | {each.within} |\n"
        for each in MUTATIONS.values()
    )


def test_the_page_lists_the_mutations_as_they_are_tested() -> None:
    assert _TABLE.findall(PAGE.read_text(encoding="utf-8")) == [table()], (
        "draw it anew: python -m tests.simulation.test_mutations"
    )


if __name__ == "__main__":
    drawn, count = _TABLE.subn(lambda _: table(), PAGE.read_text(encoding="utf-8"))
    assert count == 1, f"{PAGE} has no table of mutations"
    PAGE.write_text(drawn, encoding="utf-8")
