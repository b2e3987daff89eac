"""Fleets, windows and misfortune from a seed: whatever happens, the law holds and everything ends."""

from pathlib import Path

from tests.simulation import seeds


def test_whatever_happens_the_law_holds_and_everything_ends(seed: int, template: Path) -> None:
    seeds.live(seed, template)
