"""Streams in pieces, and where they are delivered."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patchwindow.domain.step_output import (
    Stream,
    StreamKey,
    StreamName,
    is_bucket,
    is_safe_key,
    object_key,
    pause_after,
    taken,
)

KEY = StreamKey(command_id="c", node_id="mi-1", step_name="say", stream=StreamName.STDOUT)


@given(st.binary(max_size=200), st.lists(st.tuples(st.integers(0, 200), st.integers(1, 60)), max_size=40))
def test_whatever_pieces_come_in_whatever_order_what_is_kept_is_the_beginning(
    written: bytes, pieces: list[tuple[int, int]]
) -> None:
    stream, kept = Stream(), b""
    for offset, size in [*pieces, (0, 200)]:
        content = written[offset : offset + size]
        stream, new = taken(stream, offset, content, is_last=False, bytes_max=1000)
        kept += new
        assert written.startswith(kept)
        assert stream.length == len(kept)
    # The last piece was the whole of it.
    assert kept == written


@given(st.binary(max_size=100), st.integers(0, 100))
def test_no_more_is_kept_than_the_bound_and_what_is_left_out_is_told(written: bytes, bytes_max: int) -> None:
    stream, kept = Stream(), b""
    for offset in range(0, len(written), 7):
        stream, new = taken(stream, offset, written[offset : offset + 7], is_last=False, bytes_max=bytes_max)
        kept += new
    assert kept == written[:bytes_max]
    assert stream.is_cut is (len(written) > bytes_max)


def test_a_stream_that_has_ended_stays_so() -> None:
    stream, _ = taken(Stream(), 0, b"ab", is_last=True, bytes_max=9)
    again, new = taken(stream, 0, b"ab", is_last=False, bytes_max=9)
    assert (again, new) == (Stream(length=2, is_ended=True), b"")


def test_the_end_of_a_stream_with_a_gap_is_not_taken() -> None:
    assert taken(Stream(length=2), 5, b"x", is_last=True, bytes_max=9) == (Stream(length=2), b"")


@pytest.mark.parametrize(
    ("prefix", "step", "expected"),
    [
        ("logs/a", "say", "logs/a/c/mi-1/awsrunShellScript/say/stdout"),
        ("", "say", "c/mi-1/awsrunShellScript/say/stdout"),
        ("/logs//", "aws:runShellScript", "logs/c/mi-1/awsrunShellScript/0.awsrunShellScript/stdout"),
    ],
)
def test_objects_are_laid_out_as_run_command_does(prefix: str, step: str, expected: str) -> None:
    key = StreamKey(command_id="c", node_id="mi-1", step_name=step, stream=StreamName.STDOUT)
    assert object_key(prefix, key, "aws:runShellScript") == expected


@pytest.mark.parametrize("name", ["logs", "a.b-c", "a" * 63])
def test_names_that_buckets_have(name: str) -> None:
    assert is_bucket(name)


@pytest.mark.parametrize("name", ["", "..", "a..b", "Logs", "a/b", "-a", "a" * 64, "a\n"])
def test_names_that_no_bucket_has(name: str) -> None:
    assert not is_bucket(name)


@pytest.mark.parametrize("key", ["../x", "a/../b", "a//b", "/a", "a/.", "", "a\x00b", "x" * 256, "a/b\n"])
def test_keys_that_lead_elsewhere_or_nowhere(key: str) -> None:
    assert not is_safe_key(key)


def test_pauses_grow_to_an_hour() -> None:
    pauses = [pause_after(failures).total_seconds() for failures in range(1, 30)]
    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[-1]) == (10.0, 3600.0)
