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
from patchwindow.domain.invocation import (
    CANCEL_WAIT,
    ERRORS,
    NOT_RECEIVED,
    TERMINAL,
    TRANSITIONS,
    Event,
    State,
    advance,
)
from patchwindow.engine.decide_command import ACKNOWLEDGEMENT_WAIT, CommandSnapshot, decide
from patchwindow.engine.effects import (
    CommandEffect,
    Dispatch,
    EndSent,
    EndUnsent,
    Restate,
    SendCancel,
    StopAwaiting,
    WakeAt,
)

START = datetime(2026, 1, 15, 2, 0, tzinfo=UTC)
OUTCOMES = [Event.SUCCEEDED] * 6 + [Event.FAILED, Event.FAILED, Event.TIMED_OUT]


@dataclass(slots=True)
class Node:
    state: State = State.PENDING
    dispatched_at: datetime | None = None
    is_awaited: bool = False
    due_at: datetime | None = None

    @property
    def is_in_flight(self) -> bool:
        return self.dispatched_at is not None and self.state not in TERMINAL

    def move(self, state: State, due_at: datetime | None = None) -> None:
        self.state, self.due_at = state, due_at
        self.is_awaited = self.is_awaited and state in NOT_RECEIVED


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
        nodes = self.nodes.values()
        in_flight = [node for node in nodes if node.is_in_flight]
        dues = [node.due_at for node in in_flight if node.due_at is not None]
        waits = [node.dispatched_at for node in in_flight if node.dispatched_at is not None and node.is_awaited]
        silent_since = self.now - ACKNOWLEDGEMENT_WAIT
        return CommandSnapshot(
            standing=self.standing,
            cancel_requested=self.cancel_requested,
            delivery_timeout=self.delivery_timeout,
            expires_at=self.expires_at,
            concurrency=self.concurrency,
            errors_tolerated=self.errors_tolerated,
            ended=Counter(node.state for node in nodes if node.state in TERMINAL),
            in_flight=Counter(node.state for node in in_flight),
            unsent_count=sum(node.dispatched_at is None and node.state not in TERMINAL for node in nodes),
            overdue=Counter(node.state for node in in_flight if node.due_at is not None and node.due_at <= self.now),
            next_due_at=min((at for at in dues if at > self.now), default=None),
            awaited_count=len(waits),
            silent_count=sum(at <= silent_since for at in waits),
            awaited_since=min((at for at in waits if at > silent_since), default=None),
        )

    def engine(self) -> None:
        effects = decide(self.snapshot(), self.now)
        if self.random.random() < 0.1:
            self.come(1, self.engine)  # It crashed before it performed, and nothing of the decision is left.
            return
        for effect in effects:
            self.perform(effect)
        wakes = [effect for effect in effects if isinstance(effect, WakeAt)]
        again = decide(self.snapshot(), self.now)
        assert len(again) == len(wakes)
        # It may be later: a node that was told to stop is not awaited any more.
        for before, after in zip(wakes, again, strict=True):
            assert isinstance(after, WakeAt)
            assert after.instant >= before.instant

    def perform(self, effect: CommandEffect) -> None:
        match effect:
            case Dispatch(count_):
                unsent = [id for id, node in self.nodes.items() if node.dispatched_at is None]
                assert 0 < count_ <= len(unsent)
                self.dispatch(unsent[:count_])
            case StopAwaiting(sent_until):
                for node in self.nodes.values():
                    if node.dispatched_at is not None and node.dispatched_at <= sent_until:
                        node.is_awaited = False
            case SendCancel():
                for id, node in self.nodes.items():
                    if node.is_in_flight and node.state is not State.CANCELLING:
                        node.move(advance(node.state, Event.CANCEL_SENT), self.now + CANCEL_WAIT)
                        if self.random.random() < 0.7:
                            self.come(self.random.uniform(0, 400), partial(self.report, id, Event.CANCELLED))
            case EndSent(before, after, due_by):
                for id, node in self.nodes.items():
                    is_due = due_by is None or (node.due_at is not None and node.due_at <= due_by)
                    if node.is_in_flight and node.state is before and is_due:
                        self.end(id, after)
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
        self.nodes[id].move(state)

    def dispatch(self, node_ids: list[str]) -> None:
        states = [node.state for node in self.nodes.values()]
        assert sum(state in ERRORS for state in states) <= self.errors_tolerated
        assert not self.cancel_requested
        assert self.now < self.expires_at
        for id in node_ids:
            assert self.nodes[id].dispatched_at is None
            assert self.nodes[id].state is State.PENDING
            self.nodes[id].dispatched_at = self.now
            self.nodes[id].is_awaited = True
            self.nodes[id].due_at = self.now + self.delivery_timeout
            self.let_answer(id)
        assert sum(node.is_in_flight for node in self.nodes.values()) <= self.concurrency

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
            self.nodes[id].move(advance(self.nodes[id].state, event))
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
