"""Which worlds are to be run, and how to run one."""

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.simulation.witness import lay_tables
from tests.simulation.world import World

_IN_MEMORY: Final = Path("/dev/shm")  # noqa: S108  (a world is gone when its test is, and a disk would be its slowest part)


def wanted(environ: Mapping[str, str], *, count: int) -> range:
    """Return the seeds that are asked for: SEED=123 is one, SEEDS=300 that many, FROM=5000 begins there.

    Raises:
        ValueError: one of them is no whole number from 0 on; the message names it.
    """
    if environ.get("SEED"):
        seed = _number(environ, "SEED", 0)
        return range(seed, seed + 1)
    first = _number(environ, "FROM", 0)
    return range(first, first + _number(environ, "SEEDS", count))


def _number(environ: Mapping[str, str], name: str, default: int) -> int:
    text = environ.get(name) or str(default)
    if not (text.isascii() and text.isdigit()):
        raise ValueError(f"{name} is {text}; use a whole number from 0 on")
    return int(text)


@contextmanager
def template() -> Iterator[Path]:
    """Make an empty database with all tables, whose changes are noted; in memory, where the machine has such a place."""
    parent = _IN_MEMORY if os.access(_IN_MEMORY, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="patchwindow-", dir=parent) as folder:
        path = Path(folder) / "template.db"
        lay_tables(path)
        yield path


def live(seed: int, template: Path) -> None:
    """Let the world of *seed* begin and end.

    Raises:
        AssertionError: the law was broken.
    """
    path = template.with_name(f"world-{seed}.db")
    world = World(seed, template, path)
    try:
        world.run()
    finally:
        world.close()
        for left in path.parent.glob(f"{path.name}*"):
            left.unlink()
