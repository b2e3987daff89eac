"""Fleets from a seed: each carries out what `decide` says, with nodes that are lost, late, or answer twice."""

import heapq
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count

import pytest

from patchwindow.domain import command
from patchwindow.domain.invocation import ERRORS, TERMINAL, TRANSITIONS, Event, State, advance
from patchwindow.engine.decide_command import CommandSnapshot, InFlight, decide
from patchwindow.engine.effects import CommandEffect, Dispatch, EndSent, EndUnsent, Restate, SendCancel, WakeAt

START = datetime(2026, 1, 15, 2, 0, tzinfo=UTC)
OUTCOMES = [Event.SUCCEEDED] * 6 + [Event.FAILED, Event.FAILED, Event.TIMED_OUT]


@dataclass(slots=True)
class Node:
    state: State = State.PENDING
    dispatched_at: datetime | None = None
    cancelled_at: datetime | None = None


class World:
    """A command, its nodes, and a heap of things to come; time jumps from one to the next."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.now = START
        self.sequence = count()
        self.to_come: list[tuple[datetime, int, Callable[[], None]]] = []
        self.nodes = {f"mi-{number:02}": Node() for number in range(self.random.randint(0, 30))}
        self.concurrency = self.random.randint(1, 12)
        self.errors_tolerated = self.random.choice([0, 0, 1, 3, 30])
        self.delivery_timeout = timedelta(seconds=self.random.choice([30, 600]))
        self.expires_at = START + self.delivery_timeout + timedelta(seconds=self.random.choice([60, 3600]))
        self.standing = command.Standing(command.Status.PENDING, command.Details.PENDING)
        self.cancel_requested = False
        self.come(0, self.engine)
        if self.random.random() < 0.25:
            self.come(self.random.uniform(0, 900), self.cancel)

    def come(self, after_s: float, what: Callable[[], None]) -> None:
        heapq.heappush(self.to_come, (self.now + timedelta(seconds=after_s), next(self.sequence), what))

    def run(self) -> None:
        while self.to_come:
            self.now, _, what = heapq.heappop(self.to_come)
            what()

    def snapshot(self) -> CommandSnapshot:
        unsent = [id for id, node in self.nodes.items() if node.dispatched_at is None and node.state not in TERMINAL]
        return CommandSnapshot(
            standing=self.standing,
            cancel_requested=self.cancel_requested,
            delivery_timeout=self.delivery_timeout,
            expires_at=self.expires_at,
            concurrency=self.concurrency,
            errors_tolerated=self.errors_tolerated,
            ended=Counter(node.state for node in self.nodes.values() if node.state in TERMINAL),
            in_flight=tuple(
                InFlight(node_id=id, state=node.state, dispatched_at=node.dispatched_at, cancelled_at=node.cancelled_at)
                for id, node in self.nodes.items()
                if node.dispatched_at is not None and node.state not in TERMINAL
            ),
            unsent=tuple(unsent[: self.concurrency]),
            unsent_count=len(unsent),
        )

    def engine(self) -> None:
        effects = decide(self.snapshot(), self.now)
        if self.random.random() < 0.1:
            self.come(1, self.engine)  # It crashed before it performed, and nothing of the decision is left.
            return
        for effect in effects:
            self.perform(effect)
        again = decide(self.snapshot(), self.now)
        assert again == [effect for effect in effects if isinstance(effect, WakeAt)]

    def perform(self, effect: CommandEffect) -> None:
        match effect:
            case Dispatch(node_ids):
                self.dispatch(node_ids)
            case SendCancel(node_ids):
                for id in node_ids:
                    self.nodes[id].cancelled_at = self.now
                    self.nodes[id].state = advance(self.nodes[id].state, Event.CANCEL_SENT)
                    if self.random.random() < 0.7:
                        self.come(self.random.uniform(0, 400), partial(self.report, id, Event.CANCELLED))
            case EndSent(node_ids, state):
                for id in node_ids:
                    assert self.nodes[id].dispatched_at is not None
                    self.end(id, state)
            case EndUnsent(state):
                for id, node in self.nodes.items():
                    if node.dispatched_at is None and node.state not in TERMINAL:
                        self.end(id, state)
            case Restate(status, details):
                assert self.standing.status not in command.TERMINAL
                self.standing = command.Standing(status, details)
            case WakeAt(instant):
                assert instant > self.now
                self.come((instant - self.now).total_seconds(), self.engine)

    def end(self, id: str, state: State) -> None:
        assert state in TRANSITIONS[self.nodes[id].state].values()
        self.nodes[id].state = state

    def dispatch(self, node_ids: tuple[str, ...]) -> None:
        states = [node.state for node in self.nodes.values()]
        assert sum(state in ERRORS for state in states) <= self.errors_tolerated
        assert not self.cancel_requested
        assert self.now < self.expires_at
        for id in node_ids:
            assert self.nodes[id].dispatched_at is None
            assert self.nodes[id].state is State.PENDING
            self.nodes[id].dispatched_at = self.now
            self.let_answer(id)
        in_flight = [n for n in self.nodes.values() if n.dispatched_at is not None and n.state not in TERMINAL]
        assert len(in_flight) <= self.concurrency

    def let_answer(self, id: str) -> None:
        if self.random.random() < 0.1:
            return  # The node is lost: it never answers.
        self.come(self.random.choice([1, 5, 60]), partial(self.report, id, Event.ACKNOWLEDGED))
        if self.random.random() < 0.1:
            return  # The node is lost while it runs.
        # Now and then the report overtakes the acknowledgement, or comes twice.
        for _ in range(self.random.choice([1, 1, 1, 2])):
            outcome = self.random.choice(OUTCOMES)
            self.come(self.random.uniform(1, 300), partial(self.report, id, outcome))

    def report(self, id: str, event: Event) -> None:
        """Take what a node says, if its state can still take it, as the server does."""
        if event in TRANSITIONS[self.nodes[id].state]:
            self.nodes[id].state = advance(self.nodes[id].state, event)
            self.engine()

    def cancel(self) -> None:
        if self.standing.status not in command.TERMINAL:
            self.cancel_requested = True
            self.engine()


@pytest.mark.parametrize("seed", range(200))
def test_every_invocation_ends_and_no_limit_is_crossed(seed: int) -> None:
    world = World(seed)
    world.run()
    states = Counter(node.state for node in world.nodes.values())
    assert set(states) <= TERMINAL
    assert world.standing == command.aggregate(
        states, errors_tolerated=world.errors_tolerated, is_cancelled=world.cancel_requested
    )
    if states[State.TERMINATED]:
        assert sum(states[state] for state in ERRORS) > world.errors_tolerated
