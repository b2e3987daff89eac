"""The engine in a real loop: it wakes when it is rung, outlives a database that fails, and ends when it is told to."""

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.engine.world import World
from tests.fakes.databases import migrated_url

from patchwindow.engine.engine import Engine
from patchwindow.store.database import Database
from patchwindow.store.work import Work
from patchwindow.system import LoopBell

PATIENCE_S = 20.0
SOON_S = 0.3
"""Far less than the second after which the engine looks again by itself, and more than a busy machine needs."""


class MoodyDatabase(Database):
    """A database that one cannot read from while it is moody."""

    is_moody = False

    @contextmanager
    def read(self) -> Iterator[Work]:
        """Open a transaction that only reads."""
        if self.is_moody:
            raise ConnectionError("the database went away")
        with super().read() as work:
            yield work


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A server without its edge; only its loop runs on real time."""
    with migrated_url("sqlite", tmp_path) as url:
        world = World(url)
        yield world
        world.close()


@asynccontextmanager
async def running(world: World, database: Database | None = None) -> AsyncIterator[LoopBell]:
    """Run an engine, and give its bell."""
    bell = LoopBell()
    world.database.on_wake(bell.ring)
    task = asyncio.create_task(Engine(database=database or world.database, clock=world.clock, ids=world.ids).run(bell))
    try:
        yield bell
        assert not task.done()
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.wait_for(task, PATIENCE_S)


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not is_so():  # noqa: ASYNC110  (what is waited for is in a database, which sets no event)
            await asyncio.sleep(0.005)


def test_a_command_is_with_its_node_soon_after_it_was_sent(world: World) -> None:
    async def scenario() -> list[float]:
        loop = asyncio.get_running_loop()
        took_s = []
        async with running(world) as bell:
            for node in nodes:
                await asyncio.sleep(0.05)
                rung = bell.listen(node.id)
                await asyncio.to_thread(world.send, [node])
                began_at_s = loop.time()
                await asyncio.wait_for(rung, PATIENCE_S)
                took_s.append(loop.time() - began_at_s)
        return took_s

    nodes = world.nodes(5)
    assert min(asyncio.run(scenario())) < SOON_S


def test_a_ring_while_the_engine_works_is_not_lost(world: World) -> None:
    async def scenario() -> None:
        async with running(world) as bell:
            rungs = [bell.listen(node.id) for node in nodes]
            await asyncio.gather(*(asyncio.to_thread(world.send, [node]) for node in nodes))
            await asyncio.wait_for(asyncio.gather(*rungs), PATIENCE_S)

    nodes = world.nodes(20)
    asyncio.run(scenario())


def test_what_falls_due_is_done_without_a_ring(world: World) -> None:
    async def scenario() -> None:
        async with running(world):
            await asyncio.sleep(0.05)
            world.clock.advance(timedelta(hours=1))
            await until(lambda: bool(world.executions(window)))

    window = world.window()
    asyncio.run(scenario())


def test_when_it_is_cancelled_nothing_of_it_is_left(world: World) -> None:
    async def scenario() -> Any:
        async with running(world) as bell:
            await asyncio.sleep(0.05)
        assert len(asyncio.all_tasks()) == 1
        return bell._waiting

    assert asyncio.run(scenario()) == {}
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("engine")]


def test_when_it_is_cancelled_it_does_not_finish_all_that_is_due_first(world: World) -> None:
    async def scenario() -> None:
        async with running(world):
            await until(lambda: bool(world.executions(windows[0])))

    windows = [world.window() for _ in range(100)]
    world.clock.advance(timedelta(hours=1))
    asyncio.run(scenario())
    assert not all(world.executions(window) for window in windows)


def test_a_database_that_fails_is_said_once_and_when_it_is_back_the_engine_goes_on(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario() -> None:
        async with running(world, database) as bell:
            database.is_moody = True
            bell.ring("engine")
            await until(lambda: bool(caplog.records))
            world.send([node])
            for _ in range(5):
                bell.ring("engine")
                await asyncio.sleep(0.02)
            database.is_moody = False
            await until(lambda: bool(node.poll()))

    caplog.set_level(logging.WARNING)
    node = world.node()
    database = MoodyDatabase(world.url)
    asyncio.run(scenario())
    database.close()
    assert [record.getMessage() for record in caplog.records] == [
        "the engine cannot look at the database; it tries again every 0:00:01",
        "the engine can look at the database again",
    ]
