"""Those who wait to write, carried out together."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final, Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

_TURNS: Final = 3
"""Turns of the loop after a batch, in which those who were answered can come again and go with the next."""


class Writers(Generic[Item, Result]):
    """Threads, each of which takes all who wait, up to a limit; who finds a thread idle waits for nobody.

    While a batch is written the next one gathers, so batches are as large as there is a load.
    """

    def __init__(
        self, carry_out: Callable[[Sequence[Item]], Sequence[Result]], *, threads: int, together_max: int
    ) -> None:
        self._carry_out = carry_out
        self._together_max = together_max
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="write")
        self._idle_count = threads
        self._waiting: deque[tuple[Item, asyncio.Future[Result]]] = deque()

    async def write(self, item: Item) -> Result:
        """Return the result of *item*, when it has been carried out with others; raise what *carry_out* raises."""
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
        results = loop.run_in_executor(self._threads, self._carry_out, [item for item, _ in batch])
        results.add_done_callback(partial(self._hand_out, [done for _, done in batch]))

    def _take(self) -> list[tuple[Item, "asyncio.Future[Result]"]]:
        batch: list[tuple[Item, asyncio.Future[Result]]] = []
        while self._waiting and len(batch) < self._together_max:
            item, done = self._waiting.popleft()
            # Who gave up before his turn is not carried out.
            if not done.done():
                batch.append((item, done))
        return batch

    def _hand_out(
        self, waiting: Sequence["asyncio.Future[Result]"], results: "asyncio.Future[Sequence[Result]]"
    ) -> None:
        problem = results.exception()
        for number, done in enumerate(waiting):
            if done.done():
                continue
            if problem is None:
                done.set_result(results.result()[number])
            else:
                done.set_exception(problem)
        self._start(after_turns=_TURNS)
