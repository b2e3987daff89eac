"""Who waits while others are written is written with the next."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator, Sequence
from itertools import groupby

import pytest

from patchwindow.wire.batches import Batches

PATIENCE_S = 20.0


class Desk:
    """Writes numbers down when it is let; remembers which came together."""

    def __init__(self, *, threads: int = 1, together_max: int = 4) -> None:
        self.waiting_room = Batches(self._carry_out, threads=threads, together_max=together_max)
        self.batches: list[list[int]] = []
        self.begun = threading.Semaphore(0)
        self.may_go_on = threading.Semaphore(0)

    def _carry_out(self, numbers: Sequence[int]) -> list[str]:
        self.batches.append(list(numbers))
        self.begun.release()
        assert self.may_go_on.acquire(timeout=PATIENCE_S)
        if 13 in numbers:
            raise ZeroDivisionError
        return [f"{number} is written" for number in numbers]

    async def bring(self, numbers: Sequence[int]) -> "list[asyncio.Task[str]]":
        """Let each number wait for its turn; the first thread that is idle has begun when this returns."""
        brought = [asyncio.ensure_future(self.waiting_room.carry_out(number)) for number in numbers]
        await asyncio.to_thread(self.begun.acquire, timeout=PATIENCE_S)
        return brought

    def let_go_on(self) -> None:
        """Hold up nothing any more."""
        self.may_go_on.release(1000)


@pytest.fixture
def desk() -> Iterator[Desk]:
    desk = Desk()
    yield desk
    desk.let_go_on()
    desk.waiting_room.close()


def play(scenario: Callable[[], Awaitable[None]]) -> None:
    async def played() -> None:
        await asyncio.wait_for(scenario(), PATIENCE_S)

    asyncio.run(played())


def test_the_first_waits_for_nobody_and_the_others_go_together_in_order(desk: Desk) -> None:
    async def scenario() -> None:
        brought = await desk.bring(range(8))
        assert desk.batches == [[0]]
        desk.let_go_on()
        assert await asyncio.gather(*brought) == [f"{number} is written" for number in range(8)]
        assert desk.batches == [[0], [1, 2, 3, 4], [5, 6, 7]]

    play(scenario)


def test_when_nobody_waits_any_more_the_next_one_is_written_at_once_again(desk: Desk) -> None:
    async def scenario() -> None:
        desk.let_go_on()
        for number in range(3):
            assert await desk.waiting_room.carry_out(number) == f"{number} is written"
        assert desk.batches == [[0], [1], [2]]

    for _ in range(2):
        play(scenario)
        desk.batches.clear()


def test_who_gave_up_before_his_turn_is_not_written(desk: Desk) -> None:
    async def scenario() -> None:
        first, second, third = await desk.bring([0, 1, 2])
        first.cancel()
        second.cancel()
        await asyncio.wait([first, second])
        desk.let_go_on()
        assert await third == "2 is written"
        assert desk.batches == [[0], [2]]

    play(scenario)


def test_a_batch_that_fails_is_told_to_those_in_it_and_the_next_goes_on(desk: Desk) -> None:
    async def scenario() -> None:
        brought = await desk.bring([0, 1, 13, 2, 3, 4])
        desk.let_go_on()
        told = await asyncio.gather(*brought, return_exceptions=True)
        kinds = [(kind, len(list(them))) for kind, them in groupby(told, type)]
        assert kinds == [(str, 1), (ZeroDivisionError, 4), (str, 1)]
        assert await desk.waiting_room.carry_out(5) == "5 is written"

    play(scenario)


def test_several_threads_write_at_once_each_its_own() -> None:
    desk = Desk(threads=2, together_max=1)

    async def scenario() -> None:
        brought = await desk.bring(range(4))
        await asyncio.to_thread(desk.begun.acquire, timeout=PATIENCE_S)
        assert sorted(desk.batches) == [[0], [1]]
        desk.let_go_on()
        await asyncio.gather(*brought)
        assert sorted(desk.batches) == [[0], [1], [2], [3]]

    play(scenario)
    desk.waiting_room.close()
