"""The caller of webhooks in a real loop: calls side by side, none too many, whatever happens to a call or the database."""

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path

import pytest
from tests.engine.world import World
from tests.fakes.databases import migrated_url
from tests.fakes.hooks import FAILED, SUCCESS, ScriptedHooks

from patchwindow.domain.webhook import Answer, Webhook, WebhookRequest
from patchwindow.engine.call_webhooks import AT_ONCE_MAX, Caller
from patchwindow.ports import Hooks
from patchwindow.store.database import Database
from patchwindow.store.work import Work
from patchwindow.system import LoopBell

PATIENCE_S = 20.0
COUNT = 3 * AT_ONCE_MAX


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


class SlowHooks:
    """Webhooks that answer when they are let; they count how many wait for an answer at once."""

    def __init__(self) -> None:
        self.may_answer = threading.Event()
        self.waiting = self.most_waiting = 0
        self._lock = threading.Lock()

    def call(self, _: WebhookRequest) -> Answer:
        """Answer when it is let."""
        with self._lock:
            self.waiting += 1
            self.most_waiting = max(self.waiting, self.most_waiting)
        self.may_answer.wait(PATIENCE_S)
        with self._lock:
            self.waiting -= 1
        return SUCCESS


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A server without its edge, in which many calls are due; only the caller's loop runs on real time."""
    with migrated_url("sqlite", tmp_path) as url:
        world = World(url)
        with world.database.write() as work:
            work.webhooks.put(Webhook(arn="SSMx", url="https://hooks.example/", secret="s"), world.clock.now())
        world.nodes(COUNT, ring="first")
        window = world.window()
        world.perform(
            "RegisterTaskWithMaintenanceWindow",
            WindowId=window,
            TaskType="STEP_FUNCTIONS",
            TaskArn="SSMx",
            Targets=[{"Key": "WindowTargetIds", "Values": [world.target(window, "tag:ring", "first")]}],
            MaxConcurrency="100%",
            MaxErrors="100%",
        )
        world.at(15)
        yield world
        world.close()


@asynccontextmanager
async def running(world: World, hooks: Hooks, database: Database | None = None) -> AsyncIterator[LoopBell]:
    """Run a caller, and give its bell."""
    bell = LoopBell()
    caller = Caller(database=database or world.database, clock=world.clock, ids=world.ids)
    task = asyncio.create_task(caller.run(hooks, bell))
    try:
        yield bell
        assert not task.done()
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not is_so():  # noqa: ASYNC110  (what is waited for is in a database, which sets no event)
            await asyncio.sleep(0.005)


def unanswered(world: World) -> int:
    """Return how many calls have not ended."""
    with world.database.read() as work:
        (execution,) = work.executions.page(
            work.windows.page(after="", limit=1)[0].window.window_id, before=None, limit=9
        )
        return sum(one.event is None for one in work.webhook_calls.of_execution(execution.window_execution_id))


def test_calls_are_made_side_by_side_and_no_more_than_allowed(world: World) -> None:
    hooks = SlowHooks()

    async def scenario() -> None:
        async with running(world, hooks):
            await until(lambda: hooks.waiting == AT_ONCE_MAX)
            await asyncio.sleep(0.05)
            hooks.may_answer.set()
            await until(lambda: unanswered(world) == 0)

    asyncio.run(scenario())
    assert hooks.most_waiting == AT_ONCE_MAX


def test_who_stops_waits_for_the_answers_that_are_under_way(world: World) -> None:
    hooks = SlowHooks()

    async def scenario() -> None:
        async with running(world, hooks):
            await until(lambda: hooks.waiting == AT_ONCE_MAX)
            threading.Timer(0.2, hooks.may_answer.set).start()

    asyncio.run(scenario())
    assert unanswered(world) == COUNT - AT_ONCE_MAX


def test_a_call_that_fails_is_said_and_does_not_stop_the_others(world: World, caplog: pytest.LogCaptureFixture) -> None:
    def fall(_: WebhookRequest) -> Answer:
        raise RuntimeError("a bug")

    async def scenario() -> None:
        async with running(world, ScriptedHooks(fall, FAILED)):
            await until(lambda: unanswered(world) == 1)

    with caplog.at_level(logging.ERROR):
        asyncio.run(scenario())
    (record,) = caplog.records
    assert record.getMessage().startswith("the call for task invocation ")
    assert record.getMessage().endswith("is repeated when its lease ends")


def test_a_database_that_fails_is_said_once_and_calls_are_made_when_it_is_back(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    database = MoodyDatabase(world.url)
    database.is_moody = True

    async def scenario() -> None:
        async with running(world, ScriptedHooks(), database) as bell:
            await until(lambda: bool(caplog.records))
            bell.ring("webhooks")
            await asyncio.sleep(0.05)
            database.is_moody = False
            bell.ring("webhooks")
            await until(lambda: unanswered(world) == 0)

    with caplog.at_level(logging.ERROR):
        asyncio.run(scenario())
    database.close()
    assert len(caplog.records) == 1
