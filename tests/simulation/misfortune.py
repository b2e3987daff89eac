"""What befalls servers, clocks and nodes."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy.exc import OperationalError
from tests.simulation.server import Point, PowerCut

if TYPE_CHECKING:
    from tests.simulation.world import World

_FORWARD_S: Final = (0.3, 2, 60, 900, 3700, 10_000)
_BACKWARD_S: Final = (0.3, 2, 60, 900, 3700)
_REFUSALS: Final = {
    Point.BEFORE_WRITE: "database is locked",
    Point.BEFORE_READ: "unable to open database file",
    Point.IN_WRITE: "interrupted",
    Point.BEFORE_COMMIT: "database or disk is full",
    Point.AFTER_COMMIT: "the answer to a commit is lost",
}


class Misfortunes:
    """Draws what goes wrong in one world, and lets it."""

    def __init__(self, world: "World") -> None:
        self._world = world
        draw = self._random = world.random
        self._is_calm = False
        self._death = draw.choice([0, 0, 0, 0.005, 0.02])
        """How likely a process ends at any one point of a transaction."""
        self._deaths_left = 12
        self._fragility = draw.choice([0, 0, 0, 0.01, 0.05])
        """How likely the database refuses at any one point of a transaction."""
        self._deafness = draw.choice([0, 0, 0.01])
        """How likely a process ends between a commit and the bell that it rings."""
        self.slowness = draw.choice([0, 0, 0.2, 0.6])
        """How likely an engine stops between each two of its transactions."""
        self._refused = Point.BEFORE_WRITE
        self._refuses_until: datetime | None = None
        self._refusal_chance = 0.0

    @contextmanager
    def none(self) -> Iterator[None]:
        """Let nothing go wrong for a moment."""
        self._is_calm, before = True, self._is_calm
        yield
        self._is_calm = before

    def plan(self, hours: int) -> None:
        """Draw what will happen within so many hours."""
        draw, world = self._random, self._world
        faults: list[Callable[[], None]] = [
            self._jump,
            self._jump,
            self._end_one,
            self._end_one,
            self._end_all,
            self._refuse,
            self._refuse,
            self._switch_nodes_off,
            self._switch_nodes_off,
        ]
        for _ in range(draw.choice([0, 1, 2, 4])):
            world.come(world.any_time_s(hours), draw.choice(faults))

    def strike(self, point: Point, driver: Any) -> None:
        """Let happen at this point of a transaction what does."""
        if self._is_calm:
            return
        draw = self._random
        if self._death and point is not Point.IN_WRITE and draw.random() < self._death:
            self._die()
        if self._refuses(point):
            if point is Point.IN_WRITE:
                # The driver itself ends a statement, once it has taken so many steps.
                driver.set_progress_handler(lambda: 1, draw.choice([5, 20, 60, 200]))
            else:
                raise OperationalError(point.name, None, Exception(_REFUSALS[point]))

    def _refuses(self, point: Point) -> bool:
        """Draw whether the database refuses at this point, as it does now and then, or for a while."""
        if self._fragility and self._random.random() < self._fragility:
            return True
        if self._refuses_until is None or point is not self._refused:
            return False
        if self._world.now >= self._refuses_until:
            self._refuses_until = None
            return False
        return self._random.random() < self._refusal_chance

    def strike_bell(self) -> None:
        """Let the process end before the bell rings, or not."""
        if not self._is_calm and self._deafness and self._random.random() < self._deafness:
            self._die()

    def _die(self) -> None:
        if self._deaths_left:
            self._deaths_left -= 1
            raise PowerCut

    # What happens at an instant

    def _jump(self) -> None:
        draw, world = self._random, self._world
        by_s = draw.choice(_FORWARD_S) if draw.random() < 0.5 else -draw.choice(_BACKWARD_S)
        world.note(f"all clocks jump by {by_s} s")
        world.clock.advance(timedelta(milliseconds=round(by_s * 1000)))
        world.look_again()

    def _end_one(self) -> None:
        world = self._world
        world.end(self._random.choice(world.servers), "by force", for_s=self._random.choice([1, 60, 600, 3600]))

    def _end_all(self) -> None:
        for_s = self._random.choice([60, 1800, 3600, 5400, 12_000])
        for server in self._world.servers:
            self._world.end(server, "by force", for_s=for_s)

    def _refuse(self) -> None:
        draw, world = self._random, self._world
        self._refused = draw.choice(list(_REFUSALS))
        self._refusal_chance = draw.choice([0.2, 0.5, 1])
        for_s = draw.choice([1, 5, 60, 400])
        self._refuses_until = world.now + timedelta(seconds=for_s)
        world.note(f"the database refuses for {for_s} s: {_REFUSALS[self._refused]}")

    def _switch_nodes_off(self) -> None:
        draw, world = self._random, self._world
        for id in draw.sample(world.node_ids, min(len(world.node_ids), draw.choice([1, 1, 3]))):
            for_s, forgets = draw.choice([60, 900, 7200, 20_000]), draw.random() < 0.4
            world.note(f"{id} is off for {for_s} s{' and forgets all' if forgets else ''}")
            world.nodes[id].switch_off(for_s, forgets=forgets)
