"""What steps wrote is delivered where their commands say."""

from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from tests.engine.world import World

from patchwindow.domain.step_output import Delivery, StreamKey, StreamName, taken
from patchwindow.engine.deliver_output import Deliverer

KEY = StreamKey(command_id="c", node_id="mi-1", step_name="say", stream=StreamName.STDOUT)


@dataclass
class Objects:
    """An object store that says what it is told to say."""

    problem: str | None = None
    kept: dict[tuple[str, str], bytes] = field(default_factory=dict)
    asked: int = 0

    def put(self, bucket: str, key: str, content: bytes) -> str | None:
        self.asked += 1
        if self.problem is None:
            self.kept[bucket, key] = content
        return self.problem

    def url(self, bucket: str, key: str) -> str:
        return f"https://objects.example/{bucket}/{key}"


@pytest.fixture
def objects() -> Objects:
    return Objects()


@pytest.fixture
def deliverer(world: World, objects: Objects) -> Deliverer:
    return Deliverer(database=world.database, clock=world.clock, ids=world.ids, objects=objects, bytes_max=1000)


def wrote(world: World, content: bytes, *, is_last: bool) -> None:
    with world.database.write() as work:
        before = work.output.lock(KEY)
        after, new = taken(before, before.length, content, is_last=is_last, bytes_max=1000)
        work.output.append(KEY, before, after, new, world.clock.now())


def plan(world: World) -> None:
    now = world.clock.now()
    with world.database.write() as work:
        work.output.put_delivery(
            Delivery(stream_key=KEY, bucket="logs", object_key="a/stdout", ended_at=now, due_at=now)
        )


def delivery(world: World) -> Delivery:
    with world.database.read() as work:
        found = work.output.delivery(KEY)
    assert found is not None
    return found


def test_a_stream_that_has_ended_is_delivered_once(world: World, deliverer: Deliverer, objects: Objects) -> None:
    wrote(world, b"all of it", is_last=True)
    plan(world)
    deliverer.turn()
    deliverer.turn()
    assert objects.kept == {("logs", "a/stdout"): b"all of it"}
    assert objects.asked == 1
    assert delivery(world).url == "https://objects.example/logs/a/stdout"


def test_the_rest_of_a_stream_is_waited_for(world: World, deliverer: Deliverer, objects: Objects) -> None:
    wrote(world, b"half", is_last=False)
    plan(world)
    deliverer.turn()
    assert objects.kept == {}
    wrote(world, b" and half", is_last=True)
    world.clock.advance(timedelta(seconds=3))
    deliverer.turn()
    assert objects.kept == {("logs", "a/stdout"): b"half and half"}


def test_of_a_node_that_was_lost_what_there_is_is_delivered(
    world: World, deliverer: Deliverer, objects: Objects
) -> None:
    wrote(world, b"then the power went", is_last=False)
    plan(world)
    world.clock.advance(timedelta(minutes=3))
    deliverer.turn()
    assert objects.kept == {("logs", "a/stdout"): b"then the power went"}


def test_of_an_empty_stream_there_is_no_object(world: World, deliverer: Deliverer, objects: Objects) -> None:
    wrote(world, b"", is_last=True)
    plan(world)
    deliverer.turn()
    assert (objects.asked, delivery(world).due_at) == (0, None)


def test_what_fails_is_said_and_tried_again_later(world: World, deliverer: Deliverer, objects: Objects) -> None:
    wrote(world, b"all of it", is_last=True)
    plan(world)
    objects.problem = "the disk is full"
    deliverer.turn()
    deliverer.turn()
    assert objects.asked == 1
    assert delivery(world).reason == "the disk is full"
    objects.problem = None
    world.clock.advance(timedelta(seconds=11))
    deliverer.turn()
    assert objects.kept == {("logs", "a/stdout"): b"all of it"}
    assert delivery(world).reason == ""


def test_after_a_day_it_is_given_up(world: World, deliverer: Deliverer, objects: Objects) -> None:
    wrote(world, b"all of it", is_last=True)
    plan(world)
    objects.problem = "the disk is full"
    for _ in range(60):
        deliverer.turn()
        world.clock.advance(timedelta(hours=1))
    assert delivery(world).due_at is None
    assert delivery(world).reason == "the disk is full"
    assert objects.asked < 40


def test_who_dies_leaves_a_delivery_to_the_next(world: World, deliverer: Deliverer, objects: Objects) -> None:
    wrote(world, b"all of it", is_last=True)
    plan(world)
    [held] = deliverer.take(10)
    assert deliverer.take(10) == []
    world.clock.advance(timedelta(minutes=6))
    deliverer.turn()
    assert objects.asked == 1
    # The first was only slow: what it has to say does not count any more.
    deliverer.carry_out(held)
    assert delivery(world).url


def test_a_stream_that_was_forgotten_is_delivered_nowhere(world: World, deliverer: Deliverer, objects: Objects) -> None:
    wrote(world, b"all of it", is_last=True)
    plan(world)
    [held] = deliverer.take(10)
    with world.database.write() as work:
        assert work.output.prune(world.clock.now() + timedelta(days=1), 10) == 1
        assert work.output.stream(KEY) is None
    deliverer.carry_out(held)
    assert objects.asked == 0


def test_a_stream_of_which_nothing_came_may_be_late(world: World, deliverer: Deliverer, objects: Objects) -> None:
    plan(world)
    deliverer.turn()
    assert delivery(world).due_at is not None
    wrote(world, b"late, and all of it", is_last=True)
    world.clock.advance(timedelta(seconds=3))
    deliverer.turn()
    assert objects.kept == {("logs", "a/stdout"): b"late, and all of it"}
