"""Simulated webhooks, and the callers of servers that call them: slow, failing, answered late or never."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from sqlalchemy.exc import OperationalError
from tests.simulation.plans import ARNS
from tests.simulation.server import PowerCut, Server

from patchwindow.domain.webhook import Answer, Answered, Unanswered, Webhook, WebhookRequest
from patchwindow.engine.call_webhooks import Caller, Taken
from patchwindow.protocol.webhooks import KEY

if TYPE_CHECKING:
    from tests.simulation.world import World


class Webhooks:
    """All webhooks of a world, and what they said of which invocation."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._random = world.random
        self._planned_at: datetime | None = None

    def configure(self) -> None:
        """Configure a webhook for most ARNs."""
        world = self._world
        with world.open_database() as work:
            for arn in ARNS.values():
                if self._random.random() < 0.8:
                    limit_s = self._random.choice([60, 600, 3600])
                    webhook = Webhook(arn=arn, url="https://hooks.example/run", secret="s" * 32, time_limit_s=limit_s)
                    work.webhooks.put(webhook, world.clock.now())

    def call(self, request: WebhookRequest) -> Answer:
        """Answer one request, as the server's way out would bring it."""
        id = request.headers[KEY]
        self._world.law.called(id)
        say: Callable[..., Answer] = partial(self._say, id)
        answers: list[Callable[[], Answer]] = [
            partial(say, "SUCCESS"),
            partial(say, "SUCCESS"),
            partial(say, "SUCCESS"),
            partial(say, "FAILED"),
            partial(say, "IN_PROGRESS", ExecutionId=id),
            partial(Answered, 503, b"", "120"),
            partial(Answered, 200, b"no JSON"),
            partial(Unanswered, "the connection was refused"),
        ]
        return self._random.choice(answers)()

    def _say(self, id: str, status: str, **more: str) -> Answered:
        if status != "IN_PROGRESS":
            self._world.law.answered(id, status)
        return Answered(200, json.dumps({"Status": status, **more}).encode())

    # What the callers of servers do

    def plan(self, server: Server, due_at: datetime) -> None:
        """Plan the next look for calls: an idle caller looks each second, and the world takes only the next that finds any."""
        world = self._world
        at = max(world.now, world.now + (due_at - server.clock.now())) + timedelta(
            milliseconds=self._random.randrange(1000)
        )
        if self._planned_at is None or at < self._planned_at:
            self._planned_at = at
            world.come((at - world.now).total_seconds(), partial(self._look, at))

    def look_again(self) -> None:
        """Take what was planned for void: clocks were set."""
        self._planned_at = None

    def _look(self, at: datetime) -> None:
        if at != self._planned_at:
            return
        self._planned_at = None
        if up := self._world.up:
            server = self._random.choice(up)
            self._carefully(server, partial(self._take, server, server.caller))

    def _take(self, server: Server, caller: Caller) -> None:
        for taken in caller.take(self._random.choice([1, 8])):
            delay_s = self._random.choice([0.05, 0.5, 5, 25, 25, 200])
            self._world.come(delay_s, partial(self._finish, server, caller, taken))

    def _finish(self, server: Server, caller: Caller, taken: Taken) -> None:
        # What a process had taken ends with it.
        if server.is_up and server.caller is caller:
            self._carefully(server, partial(caller.carry_out, taken, self))

    def _carefully(self, server: Server, act: Callable[[], Any]) -> None:
        try:
            act()
        except PowerCut:
            self._world.lose(server, "in a call of a webhook")
        except OperationalError as problem:
            self._world.note(f"a call of a webhook was refused: {problem}")
        self._world.observe(server)
        self._world.plan_calls()
