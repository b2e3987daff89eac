"""Some worlds for each test run: SEED=123 repeats one, SEEDS=300 runs that many, FROM=5000 begins there."""

import os
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Final

import pytest
from tests.simulation import seeds

SEEDS: Final = 60


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that asks for a seed once for each."""
    if "seed" in metafunc.fixturenames:
        metafunc.parametrize("seed", seeds.wanted(os.environ, count=SEEDS))


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
    """An empty database with all tables, whose changes are noted."""
    with seeds.template() as path:
        yield path
