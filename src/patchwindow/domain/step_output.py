"""What the steps of a command wrote: where it is kept, how much of it, and where a copy is delivered.

A stream is addressed by offsets in bytes, so that a piece may come twice, and what was lost on the way comes again.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final


class StreamName(StrEnum):
    """The two streams of a step."""

    STDOUT = "stdout"
    STDERR = "stderr"


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamKey:
    """One stream of one step of a command on a node."""

    command_id: str
    node_id: str
    step_name: str
    stream: StreamName


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """How much of a stream is kept, in bytes; what came beyond the bound was not kept, and *is_cut* says so.

    *is_ended*: its node has said that no more comes.
    """

    length: int = 0
    is_cut: bool = False
    is_ended: bool = False


def taken(stream: Stream, offset: int, content: bytes, *, is_last: bool, bytes_max: int) -> tuple[Stream, bytes]:
    """Return *stream* with the piece *content* of it, which begins at *offset*, and what of the piece is new.

    A piece beyond the end waits for those before it: nothing is taken. What is there already is passed over.
    """
    if offset > stream.length and not stream.is_cut:
        return stream, b""
    new = b"" if stream.is_cut else content[stream.length - offset :]
    kept = new[: max(bytes_max - stream.length, 0)]
    after = Stream(
        length=stream.length + len(kept),
        is_cut=stream.is_cut or len(kept) < len(new),
        is_ended=stream.is_ended or is_last,
    )
    return after, kept


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A stream that is to be written to an object store, as *object_key* of *bucket*.

    It is due at *due_at*, unless it is done or was given up; who delivers it holds it under a *lease*. *url* says where
    it is once it is there, *reason* why the last of its *failures* was one.
    """

    stream_key: StreamKey
    bucket: str
    object_key: str
    ended_at: datetime
    due_at: datetime | None
    url: str = ""
    lease: str = ""
    failures: int = 0
    reason: str = ""


_PAUSE: Final = timedelta(seconds=5)
_PAUSE_MAX: Final = timedelta(hours=1)
DELIVERED_WITHIN: Final = timedelta(hours=24)
"""So long a delivery is tried."""
WAITS_FOR_STREAM: Final = timedelta(minutes=2)
"""So long a delivery waits for the rest of a stream whose step has ended."""


def pause_after(failures: int) -> timedelta:
    """Return how long to wait after so many failures in a row."""
    return min(_PAUSE * int(2 ** min(failures, 16)), _PAUSE_MAX)


def object_key(prefix: str, key: StreamKey, action: str) -> str:
    """Return under which key the stream stands in its bucket.

    Source: Run Command's layout, `prefix/command id/node id/awsrunShellScript/step/stdout`; of a plugin of schema 1.2 the
    step is `0.awsrunShellScript`.
    """
    plugin = action.replace(":", "")
    step = f"0.{plugin}" if key.step_name == action else key.step_name
    parts = (*prefix.split("/"), key.command_id, key.node_id, plugin, step, str(key.stream))
    return "/".join(part for part in parts if part)


_BUCKET: Final = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_PARTS_BAD: Final = frozenset({".", ".."})


def is_bucket(name: str) -> bool:
    """Return whether a bucket can have this name. Source: the naming rules of S3 for general purpose buckets."""
    return _BUCKET.fullmatch(name) is not None and ".." not in name


def is_safe_key(key: str) -> bool:
    """Return whether *key* can be a path below a directory, and leads nowhere else."""
    return (
        0 < len(key.encode()) <= 1024
        and key.isprintable()
        and not any(part in _PARTS_BAD or not part or len(part.encode()) > 255 for part in key.split("/"))
    )
