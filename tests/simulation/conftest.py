"""Seeds: SEED=123 repeats one world, SEEDS=300 runs that many."""

import os
import tempfile
from collections.abc import Generator, Iterator, Mapping
from pathlib import Path
from typing import Final

import pytest
from tests.simulation.witness import lay_tables

SEEDS: Final = 50
_IN_MEMORY: Final = Path("/dev/shm")  # noqa: S108  (a world is gone when its test is, and a disk would be its slowest part)


def seeds(environ: Mapping[str, str]) -> list[int]:
    """Return which worlds are to be run."""
    if environ.get("SEED"):
        return [int(environ["SEED"])]
    return list(range(int(environ.get("SEEDS") or SEEDS)))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that asks for a seed once for each."""
    if "seed" in metafunc.fixturenames:
        metafunc.parametrize("seed", seeds(os.environ))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Say with a failure how to have it again."""
    report = yield
    if report.failed and isinstance(item, pytest.Function) and "seed" in item.fixturenames:
        seed = item.funcargs.get("seed")
        report.sections.append(("the same world again", f"make simulate SEED={seed}"))
    return report


@pytest.fixture(scope="session")
def template() -> Iterator[Path]:
    """An empty database with all tables, whose changes are noted; in memory, where the machine has such a place."""
    parent = _IN_MEMORY if os.access(_IN_MEMORY, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="patchwindow-", dir=parent) as folder:
        path = Path(folder) / "template.db"
        lay_tables(path)
        yield path
