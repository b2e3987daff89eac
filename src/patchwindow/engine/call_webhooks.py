"""Calling webhooks: takes calls under a lease, carries them out outside of any transaction, and records the answer.

At least once: who dies between the request and the record leaves the call to whoever takes it when the lease has
ended. No rule is in here; what an answer means is in `domain/webhook.py`.
"""

import asyncio
import contextlib
import dataclasses
import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Final

from patchwindow.domain.task_invocation import Event
from patchwindow.domain.webhook import Again, Ended, Verdict, Webhook, WebhookCall, judge, timed_out
from patchwindow.engine.engine import Listener
from patchwindow.ports import ENGINE, WEBHOOKS, Clock, Hooks, Ids
from patchwindow.protocol.webhooks import signed
from patchwindow.store.database import Database
from patchwindow.store.work import Work

_LOG: Final = logging.getLogger(__name__)
AT_ONCE_MAX: Final = 8
"""So many webhooks at most one server calls at the same time."""
_LOOK_AGAIN_S: Final = 1.0
"""At least so often the database is looked at: other servers ring no bell here."""
_LEASE: Final = timedelta(seconds=60)
"""For so much longer than a request may take its call is held: for the record, and for clocks that differ."""
_SET_ASIDE: Final = timedelta(seconds=30)
_GRACE_S: Final = 2.0
"""So long a server that ends waits for answers; a call without one is repeated by the next server."""


@dataclasses.dataclass(frozen=True, slots=True)
class Taken:
    """A call that this caller holds, and the webhook that it is for, unless that is gone."""

    call: WebhookCall
    webhook: Webhook | None


class Caller:
    """Carries out the calls of webhooks that the engine asks for."""

    def __init__(self, *, database: Database, clock: Clock, ids: Ids) -> None:
        self._database = database
        self._clock = clock
        self._ids = ids
        self._is_blind = False

    def turn(self, hooks: Hooks) -> datetime | None:
        """Carry out all calls that are due, one by one, and return the instant at which one is due next."""
        while taken := self.take(AT_ONCE_MAX):
            for one in taken:
                self.carry_out(one, hooks)
        return self._next_at()

    def take(self, limit: int) -> list[Taken]:
        """Take up to *limit* calls that are due; until their lease has ended they are nobody else's."""
        now = self._clock.now()
        at = self._next_at()
        if at is None or at > now:
            return []
        with self._database.write() as work:
            return [self._lease(work, call, now) for call in work.webhook_calls.due(now, limit)]

    def carry_out(self, taken: Taken, hooks: Hooks) -> None:
        """Call the webhook, and record what came of it."""
        call, webhook, now = taken.call, taken.webhook, self._clock.now()
        if now >= call.ends_at:
            verdict: Verdict = timed_out(call)
        elif webhook is None:
            verdict = Ended(Event.FAILED, "The webhook of this task was deleted before it answered")
        else:
            answer = hooks.call(signed(webhook, call, now))
            verdict = judge(answer, failures=call.failures, now=self._clock.now())
        self._record(call, verdict)

    async def run(self, hooks: Hooks, bell: Listener) -> None:
        """Work until cancelled, each call on a thread of its own; then wait a little for those under way."""
        loop = asyncio.get_running_loop()
        going: set[asyncio.Future[None]] = set()
        with ThreadPoolExecutor(1, thread_name_prefix="webhooks") as thread:
            try:
                while True:
                    rung = bell.listen(WEBHOOKS)
                    try:
                        taken = await loop.run_in_executor(thread, self._take_some, AT_ONCE_MAX - len(going))
                        going |= {self._start(one, hooks, loop) for one in taken}
                        await asyncio.wait([rung, *going], timeout=_LOOK_AGAIN_S, return_when=asyncio.FIRST_COMPLETED)
                        going = {one for one in going if not one.done()}
                    finally:
                        rung.cancel()
            finally:
                if going:
                    await asyncio.wait(going, timeout=_GRACE_S)

    def _start(self, taken: Taken, hooks: Hooks, loop: asyncio.AbstractEventLoop) -> "asyncio.Future[None]":
        done: asyncio.Future[None] = loop.create_future()
        # No thread may hold up the end of the process: what it does not record is done again.
        threading.Thread(target=self._work_on, args=(taken, hooks, loop, done), daemon=True).start()
        return done

    def _work_on(
        self, taken: Taken, hooks: Hooks, loop: asyncio.AbstractEventLoop, done: "asyncio.Future[None]"
    ) -> None:
        try:
            self.carry_out(taken, hooks)
        except Exception:  # noqa: BLE001  (whatever it is, the lease ends and the call is made again)
            _LOG.exception("the call for task invocation %s is repeated when its lease ends", taken.call.invocation_id)
        finally:
            # On a loop that has just closed nobody waits any more.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(done.set_result, None)

    def _take_some(self, limit: int) -> list[Taken]:
        """Take what there is room for; a database that fails does not end the caller."""
        try:
            taken = self.take(limit) if limit else []
        except Exception:  # noqa: BLE001  (whatever it is, the calls must be made once it is over)
            if not self._is_blind:
                _LOG.exception("the webhooks' calls cannot be taken from the database; tried again every second")
            self._is_blind = True
            return []
        self._is_blind = False
        return taken

    def _lease(self, work: Work, call: WebhookCall, now: datetime) -> Taken:
        webhook = work.webhooks.get(call.arn)
        longest = _SET_ASIDE if webhook is None else timedelta(seconds=webhook.timeout_s)
        held = dataclasses.replace(
            call, lease=self._ids.uuid(), due_at=now + longest + _LEASE, attempts=call.attempts + 1
        )
        work.webhook_calls.put(held)
        return Taken(held, webhook)

    def _record(self, held: WebhookCall, verdict: Verdict) -> None:
        now = self._clock.now()
        with self._database.write() as work:
            work.executions.hold(held.window_execution_id)
            call = work.webhook_calls.held(held.invocation_id, held.lease)
            if call is None:
                # The lease has ended, and another has taken the call: what that is told counts.
                return
            if verdict.execution_id is not None:
                work.executions.tell(call.invocation_id, verdict.execution_id)
            after = dataclasses.replace(call, lease="", details=verdict.details)
            if isinstance(verdict, Again):
                due_at = min(now + verdict.pause, call.ends_at)
                work.webhook_calls.put(dataclasses.replace(after, due_at=due_at, failures=verdict.failures))
                return
            work.webhook_calls.put(dataclasses.replace(after, due_at=None, event=verdict.event))
            work.executions.wake(call.window_execution_id, now)
            work.wake(ENGINE)

    def _next_at(self) -> datetime | None:
        with self._database.read() as work:
            return work.webhook_calls.next_due_at()
