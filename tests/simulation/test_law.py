"""The simulation itself: worlds repeat, every invariant is put to the test, and a failure tells its story."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.simulation.rules import Broken, Rule
from tests.simulation.world import World

WORLDS = 20


@contextmanager
def world(seed: int, template: Path) -> Iterator[World]:
    """Yield a world that has not begun."""
    path = template.with_name(f"law-{seed}.db")
    made = World(seed, template, path)
    try:
        yield made
    finally:
        made.close()
        for left in path.parent.glob(f"{path.name}*"):
            left.unlink()


@pytest.mark.parametrize("number", [3, 25])
def test_a_seed_is_a_world_event_for_event(number: int, template: Path) -> None:
    stories = []
    for _ in range(2):
        with world(number, template) as one:
            one.run()
            stories.append((one.told(), one.law.checks.count))
    assert stories[0] == stories[1]


def test_every_invariant_is_put_to_the_test(template: Path) -> None:
    count: Counter[Rule] = Counter()
    for seed in range(WORLDS):
        with world(seed, template) as one:
            one.run()
            count += one.law.checks.count
    assert {rule for rule in Rule if not count[rule]} == set()


def test_a_failure_tells_the_invariant_and_what_happened_before(template: Path) -> None:
    with world(25, template) as one:
        one.come(100_000, lambda: one.law.checks.hold(Rule.OPENS_ONCE, condition=False, detail="a test says so"))
        with pytest.raises(
            Broken, match=r"OPENS_ONCE: Every opening has exactly one record.*; but a test says so"
        ) as told:
            one.run()
    assert told.value.rule is Rule.OPENS_ONCE
    (story,) = told.value.__notes__
    assert story.startswith("The last 30 things that happened")
    assert len(story.splitlines()) == 31
