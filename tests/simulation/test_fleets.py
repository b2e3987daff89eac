"""Fleets, windows and misfortune from a seed: whatever happens, the law holds and everything ends."""

from pathlib import Path

from tests.simulation.world import World


def test_whatever_happens_the_law_holds_and_everything_ends(seed: int, template: Path) -> None:
    path = template.with_name(f"world-{seed}.db")
    world = World(seed, template, path)
    try:
        world.run()
    finally:
        world.close()
        for left in path.parent.glob(f"{path.name}*"):
            left.unlink()
