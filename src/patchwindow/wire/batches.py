"""Requests that wait, carried out together."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

_TURNS: Final = 3
"""Turns of the loop after a batch, in which those who were answered can come again and go with the next."""


class Batches(Generic[Item, Result]):
    """Threads, each of which takes all who wait, up to a limit; who finds a thread idle waits for nobody.

    While a batch is carried out the next one gathers, so batches are as large as there is a load.
    """

    def __init__(
        self, carry_out: Callable[[Sequence[Item]], Sequence[Result]], *, threads: int, together_max: int
    ) -> None:
        self._carry_out = carry_out
        self._together_max = together_max
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="batch")
        self._idle_count = threads
        self._waiting: deque[tuple[Item, asyncio.Future[Result]]] = deque()

    async def carry_out(self, item: Item) -> Result:
        """Return the result of *item*, when it has been carried out with others; raise it where it is an exception."""
        done: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, done))
        if self._idle_count:
            self._idle_count -= 1
            self._start(after_turns=0)
        return await done

    def close(self) -> None:
        """Let the threads end."""
        self._threads.shutdown(wait=False)

    def _start(self, after_turns: int) -> None:
        """Give a thread that is not idle those who wait, or let it be idle."""
        loop = asyncio.get_running_loop()
        if after_turns:
            loop.call_soon(self._start, after_turns - 1)
            return
        batch = self._take()
        if not batch:
            self._idle_count += 1
            return
        self._threads.submit(self._work, loop, batch)

    def _take(self) -> list[tuple[Item, "asyncio.Future[Result]"]]:
        batch: list[tuple[Item, asyncio.Future[Result]]] = []
        while self._waiting and len(batch) < self._together_max:
            item, done = self._waiting.popleft()
            # Who gave up before his turn is not carried out.
            if not done.done():
                batch.append((item, done))
        return batch

    def _work(self, loop: asyncio.AbstractEventLoop, batch: Sequence[tuple[Item, "asyncio.Future[Result]"]]) -> None:
        """Carry out a batch, on a thread, and wake the loop once."""
        results: Sequence[Result | Exception]
        try:
            results = self._carry_out([item for item, _ in batch])
        except Exception as problem:  # noqa: BLE001  (whatever it is, each of them is told)
            results = [problem for _ in batch]
        loop.call_soon_threadsafe(self._hand_out, batch, results)

    def _hand_out(
        self, batch: Sequence[tuple[Item, "asyncio.Future[Result]"]], results: Sequence[Result | Exception]
    ) -> None:
        for (_, done), result in zip(batch, results, strict=True):
            if done.done():
                continue
            if isinstance(result, Exception):
                done.set_exception(result)
            else:
                done.set_result(result)
        self._start(after_turns=_TURNS)
