"""Whatever nodes, callers and the engine do: what is kept for quick decisions is what the invocations are."""

import random
from collections import Counter
from collections.abc import Callable
from typing import Final

import pytest
from tests.engine.agent import Agent
from tests.engine.world import World

from patchwindow.domain.errors import UnknownNode
from patchwindow.domain.invocation import NOT_RECEIVED, TERMINAL, TIMED, State
from patchwindow.store.tally import Stage, place_of

STEPS: Final = 60
SAID: Final = ("InProgress", "Success", "Success", "Failed", "TimedOut", "Cancelled")


class Fleet:
    """Commands and nodes to which something happens, drawn from a seed."""

    def __init__(self, world: World, seed: int) -> None:
        self.world = world
        self.draw = random.Random(seed)
        self.nodes = world.nodes(self.draw.randint(1, 12))
        self.commands: list[str] = []
        self.send()

    def send(self) -> None:
        some = self.draw.sample(self.nodes, self.draw.randint(1, len(self.nodes)))
        limits = {"MaxConcurrency": self.draw.choice(["1", "3", "100%"]), "MaxErrors": self.draw.choice(["0", "50%"])}
        self.commands.append(self.world.send(some, TimeoutSeconds=self.draw.choice([30, 600]), **limits))

    def take(self) -> None:
        self.draw.choice(self.nodes).take()

    def say(self) -> None:
        self.draw.choice(self.nodes).say(self.draw.choice(self.commands), self.draw.choice(SAID))

    def refuse(self) -> None:
        self.draw.choice(self.nodes).refuse(self.draw.choice(self.commands))

    def cancel(self) -> None:
        """Cancel a command, on all nodes or on one, which may have no part in it."""
        some: list[Agent] = self.draw.choice([[], [self.draw.choice(self.nodes)]])
        try:
            ids = [node.id for node in some]
            self.world.perform("CancelCommand", CommandId=self.draw.choice(self.commands), InstanceIds=ids)
        except UnknownNode:
            assert some

    def deregister(self) -> None:
        if len(self.nodes) > 1:
            gone = self.nodes.pop(self.draw.randrange(len(self.nodes)))
            self.world.perform("DeregisterManagedInstance", InstanceId=gone.id)

    def wait(self) -> None:
        self.world.after(seconds=self.draw.choice([1, 10, 30, 300, 4000]))

    def happen(self) -> None:
        often: list[Callable[[], object]] = [self.take, self.say, self.world.turn]
        seldom: list[Callable[[], object]] = [
            self.send,
            self.refuse,
            self.cancel,
            self.wait,
            self.wait,
            self.deregister,
        ]
        self.draw.choice(3 * often + seldom)()

    def check(self) -> None:
        with self.world.database.read() as work:
            for id in self.commands:
                parts = work.invocations.of_command(id)
                assert work.invocations.tally(id) == Counter(map(place_of, parts))
                for one in parts:
                    state, stage = State(one.details), place_of(one).stage
                    assert (stage is Stage.ENDED) is (state in TERMINAL)
                    assert (one.due_at is not None) is (stage is not Stage.UNSENT and state in TIMED)
                    assert not one.is_awaited or (stage is Stage.AWAITED and state in NOT_RECEIVED)


@pytest.mark.parametrize("seed", [*range(4), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(4, 12))])
def test_the_tally_the_stages_and_the_deadlines_are_those_of_the_invocations(world: World, seed: int) -> None:
    fleet = Fleet(world, seed)
    for _ in range(STEPS):
        fleet.happen()
        fleet.check()
