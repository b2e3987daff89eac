"""What steps wrote, and which streams are to be delivered."""

from dataclasses import replace
from datetime import timedelta
from typing import Final

from patchwindow.domain.step_output import Delivery, Stream, StreamKey, StreamName, taken
from patchwindow.protocol.records import from_ms
from patchwindow.store.work import Work

NOW: Final = from_ms(1_795_400_000_123)
KEY: Final = StreamKey(command_id="c-1", node_id="mi-1", step_name="say", stream=StreamName.STDOUT)
DELIVERY: Final = Delivery(stream_key=KEY, bucket="logs", object_key="a/b", ended_at=NOW, due_at=NOW)


def append(work: Work, content: bytes, *, key: StreamKey = KEY, at: timedelta = timedelta()) -> None:
    before = work.output.lock(key)
    after, new = taken(before, before.length, content, is_last=False, bytes_max=1000)
    work.output.append(key, before, after, new, NOW + at)


def test_pieces_are_read_as_one_stream_from_anywhere(work: Work) -> None:
    for piece in (b"one ", b"two ", b"three"):
        append(work, piece)
    append(work, b"of another", key=replace(KEY, stream=StreamName.STDERR))
    assert work.output.stream(KEY) == Stream(length=13)
    assert work.output.read(KEY, 0, 100) == b"one two three"
    for offset in range(14):
        assert work.output.read(KEY, offset, 5) == b"one two three"[offset : offset + 5]


def test_of_what_never_came_there_is_nothing(work: Work) -> None:
    assert work.output.stream(KEY) is None
    assert work.output.lock(KEY) == Stream()
    assert work.output.read(KEY, 0, 10) == b""
    assert work.output.step_names("c-1", "mi-1") == []


def test_old_streams_are_forgotten_with_all_that_belongs_to_them(work: Work) -> None:
    other = replace(KEY, node_id="mi-2")
    append(work, b"old")
    append(work, b"new", key=other, at=timedelta(days=2))
    work.output.put_delivery(DELIVERY)
    assert work.output.prune(NOW + timedelta(days=1), 10) == 1
    assert work.output.stream(KEY) is None
    assert work.output.read(KEY, 0, 10) == b""
    assert work.output.delivery(KEY) is None
    assert work.output.read(other, 0, 10) == b"new"


def test_a_delivery_is_due_until_it_has_ended_and_held_under_one_lease(work: Work) -> None:
    work.output.put_delivery(DELIVERY)
    assert work.output.next_due_at() == NOW
    assert work.output.due(NOW - timedelta(milliseconds=1), 10) == []
    [due] = work.output.due(NOW, 10)
    assert due == DELIVERY
    work.output.put_delivery(replace(due, lease="mine"))
    assert work.output.held(KEY, "mine") is not None
    assert work.output.held(KEY, "another") is None
    ended = replace(due, due_at=None, url="file:///logs/a/b")
    work.output.put_delivery(ended)
    assert work.output.delivery(KEY) == ended
    assert work.output.next_due_at() is None
