"""Delivering what steps wrote to the object store that their commands name: under a lease, outside of any transaction.

At least once, and the same object each time: who dies between the two leaves it to whoever takes it when the lease has
ended. A delivery never holds up its command.
"""

import asyncio
import dataclasses
import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Final

from patchwindow.domain.step_output import DELIVERED_WITHIN, WAITS_FOR_STREAM, Delivery, pause_after
from patchwindow.engine.engine import Listener
from patchwindow.operations.step_output import content_of
from patchwindow.ports import OUTPUT, Clock, Ids, Objects
from patchwindow.store.database import Database

_LOG: Final = logging.getLogger(__name__)
_AT_ONCE: Final = 8
_LEASE: Final = timedelta(minutes=5)
_LOOK_AGAIN_S: Final = 2.0
_WAIT: Final = timedelta(seconds=2)
"""For so long a delivery is put off whose stream has not come to its end."""


class Deliverer:
    """Delivers what is due."""

    def __init__(self, *, database: Database, clock: Clock, ids: Ids, objects: Objects, bytes_max: int) -> None:
        self._database = database
        self._clock = clock
        self._ids = ids
        self._objects = objects
        self._bytes_max = bytes_max
        self._is_blind = False

    async def run(self, bell: Listener) -> None:
        """Work until cancelled."""
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="output") as threads:
            while True:
                rung = bell.listen(OUTPUT)
                try:
                    taken = await loop.run_in_executor(threads, self._take_some)
                    await asyncio.gather(*(loop.run_in_executor(threads, self._carry_out_safely, one) for one in taken))
                    if len(taken) < _AT_ONCE:
                        await asyncio.wait([rung], timeout=_LOOK_AGAIN_S)
                finally:
                    rung.cancel()

    def turn(self) -> None:
        """Deliver all that is due, one by one."""
        while taken := self.take(_AT_ONCE):
            for one in taken:
                self.carry_out(one)

    def take(self, limit: int) -> list[Delivery]:
        """Take up to *limit* deliveries that are due; until their lease has ended they are nobody else's."""
        now = self._clock.now()
        with self._database.read() as work:
            at = work.output.next_due_at()
        if at is None or at > now:
            return []
        with self._database.write() as work:
            held = [
                dataclasses.replace(one, lease=self._ids.uuid(), due_at=now + _LEASE)
                for one in work.output.due(now, limit)
            ]
            for one in held:
                work.output.put_delivery(one)
        return held

    def carry_out(self, held: Delivery) -> None:
        """Write the object, and note what came of it."""
        now = self._clock.now()
        with self._database.read() as work:
            stream, content = content_of(work, held.stream_key, self._bytes_max)
        if not stream.is_ended and now - held.ended_at < WAITS_FOR_STREAM:
            self._record(held, dataclasses.replace(held, lease="", due_at=now + _WAIT))
            return
        if not content:
            # As Run Command does: of a stream without anything there is no object.
            self._record(held, dataclasses.replace(held, lease="", due_at=None))
            return
        problem = self._objects.put(held.bucket, held.object_key, content)
        if problem is None:
            url = self._objects.url(held.bucket, held.object_key)
            self._record(held, dataclasses.replace(held, lease="", due_at=None, url=url, reason=""))
            return
        failures = held.failures + 1
        self._record(
            held,
            dataclasses.replace(
                held, lease="", failures=failures, reason=problem, due_at=self._again_at(held, failures, now)
            ),
        )

    def _again_at(self, held: Delivery, failures: int, now: datetime) -> datetime | None:
        if now - held.ended_at >= DELIVERED_WITHIN:
            _LOG.error("%s/%s was not delivered within %s", held.bucket, held.object_key, DELIVERED_WITHIN)
            return None
        return now + pause_after(failures)

    def _record(self, held: Delivery, after: Delivery) -> None:
        with self._database.write() as work:
            # Held no more: the lease has ended, and another has taken it, or it was forgotten.
            if work.output.held(held.stream_key, held.lease) is not None:
                work.output.put_delivery(after)

    def _take_some(self) -> list[Delivery]:
        """Take what is due; a database that fails does not end the deliverer."""
        try:
            taken = self.take(_AT_ONCE)
        except Exception:  # noqa: BLE001  (whatever it is, it is tried again once it is over)
            if not self._is_blind:
                _LOG.exception("deliveries of output cannot be taken from the database; tried again")
            self._is_blind = True
            return []
        self._is_blind = False
        return taken

    def _carry_out_safely(self, held: Delivery) -> None:
        try:
            self.carry_out(held)
        except Exception:  # noqa: BLE001  (whatever it is, the lease ends and it is delivered again)
            _LOG.exception("%s/%s is delivered again when its lease ends", held.bucket, held.object_key)
