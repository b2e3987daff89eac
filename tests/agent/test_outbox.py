from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from patchwindow_agent.errors import Refused, Unreachable
from patchwindow_agent.outbox import Outbox


def sent(outbox: Outbox) -> list[str]:
    told: list[str] = []
    outbox.flush(lambda body: told.append(body["Payload"]))
    return told


def test_replies_go_out_in_order_and_once_also_after_a_restart(tmp_path: Path) -> None:
    first = Outbox(tmp_path, log=print)
    for number in range(12):
        first.put("m", str(number))
    second = Outbox(tmp_path, log=print)
    second.put("m", "12")
    assert sent(second) == [str(number) for number in range(13)]
    assert sent(second) == []


def test_a_refused_reply_stays_and_holds_up_no_other(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path, log=print)
    for payload in ("bad", "good"):
        outbox.put("m", payload)
    ids: list[str] = []

    def send(body: Mapping[str, Any]) -> None:
        ids.append(body["ReplyId"])
        if body["Payload"] == "bad":
            raise Refused("ValidationException", "no", status=400)

    for _ in range(2):
        with pytest.raises(Refused):
            outbox.flush(send)
    # The good one went out once; the bad one was tried twice under one id.
    assert len(ids) == 3
    assert ids[0] == ids[2]


def test_what_cannot_be_written_is_said_and_sent_from_memory(tmp_path: Path) -> None:
    said: list[str] = []
    folder = tmp_path / "replies"
    outbox = Outbox(folder, log=said.append)
    outbox.put("m", "on disk")
    # As good as full: nothing new can be made there.
    before = folder.rename(tmp_path / "moved")
    folder.touch()
    outbox.put("m", "in memory")
    folder.unlink()
    before.rename(folder)
    assert "the reply to m is kept in memory until it is sent" in said[0]
    assert outbox.filled.is_set()
    assert sorted(sent(outbox)) == ["in memory", "on disk"]
    assert sent(outbox) == []


def test_a_lost_link_keeps_all_that_was_not_sent(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path, log=print)
    outbox.put("m", "a")
    outbox.put("m", "b")

    def send(_: Mapping[str, Any]) -> None:
        raise Unreachable("no link")

    with pytest.raises(Unreachable):
        outbox.flush(send)
    assert sent(outbox) == ["a", "b"]


def test_a_reply_that_nobody_wants_is_dropped_after_two_days(tmp_path: Path) -> None:
    now = 0.0
    outbox = Outbox(tmp_path, log=print, wall=lambda: now)
    outbox.put("m", "a")
    now = 49 * 3600.0

    def send(_: Mapping[str, Any]) -> None:
        raise Refused("ValidationException", "no", status=400)

    with pytest.raises(Refused):
        outbox.flush(send)
    assert sent(outbox) == []
