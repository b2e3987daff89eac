"""What steps write, on its way to a server that loses answers, is away, or wants no more."""

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patchwindow_agent.errors import Refused, Unreachable
from patchwindow_agent.shell import KEPT_MAX
from patchwindow_agent.streams import Streams


class Server:
    """Keeps streams as a server does; *losses* says of each request to come whether it, or its answer, is lost."""

    def __init__(self, *, bytes_max: int = 10**9) -> None:
        self.kept: dict[tuple[str, str, str], bytes] = {}
        self.ended: set[tuple[str, str, str]] = set()
        self.losses: list[str] = []
        self.requests = 0
        self._bytes_max = bytes_max

    def __call__(self, told: Mapping[str, Any]) -> Mapping[str, Any]:
        self.requests += 1
        loss = self.losses.pop(0) if self.losses else ""
        if loss == "request":
            raise Unreachable("no link")
        key = (told["CommandId"], told["StepName"], told["Stream"])
        before = self.kept.get(key, b"")
        content = base64.b64decode(told["Content"])
        if told["Offset"] <= len(before):
            self.kept[key] = (before + content[len(before) - told["Offset"] :])[: self._bytes_max]
            if told["IsLast"]:
                self.ended.add(key)
        if loss == "answer":
            raise Unreachable("no link")
        have = len(self.kept.get(key, b""))
        return {"NextOffset": have, "IsFull": have >= self._bytes_max}


KEY = ("c-1", "say", "stdout")


@pytest.fixture
def step(tmp_path: Path) -> Path:
    folder = tmp_path / "step-0"
    folder.mkdir()
    return folder


def streams(tmp_path: Path, **more: Any) -> Streams:
    return Streams(tmp_path / "output", node_id="mi-1", **more)


def test_output_is_sent_while_the_step_runs_and_its_end_is_told(tmp_path: Path, step: Path) -> None:
    server, mine = Server(), streams(tmp_path)
    mine.begin("c-1", "say", step)
    (step / "stdout").write_bytes(b"one ")
    assert mine.flush(server) is True
    assert (server.kept[KEY], server.ended) == (b"one ", set())
    with (step / "stdout").open("ab") as file:
        file.write(b"two")
    mine.end("c-1", "say", step)
    assert mine.flush(server) is False
    assert server.kept[KEY] == b"one two"
    assert KEY in server.ended
    assert list((tmp_path / "output").iterdir()) == []


def test_output_of_a_step_that_has_ended_outlives_the_agent(tmp_path: Path, step: Path) -> None:
    (step / "stdout").write_bytes(b"all of it")
    before = streams(tmp_path)
    before.end("c-1", "say", step)
    assert list(step.iterdir()) == []
    server = Server()
    after = streams(tmp_path)
    assert after.filled.is_set()
    after.flush(server)
    assert server.kept[KEY] == b"all of it"


def test_after_a_reboot_a_step_goes_on_where_it_was(tmp_path: Path, step: Path) -> None:
    server, mine = Server(), streams(tmp_path)
    mine.begin("c-1", "say", step)
    (step / "stdout").write_bytes(b"before ")
    mine.flush(server)
    mine.pause("c-1", "say")
    again = streams(tmp_path)
    again.begin("c-1", "say", step)
    with (step / "stdout").open("ab") as file:
        file.write(b"after")
    again.end("c-1", "say", step)
    again.flush(server)
    assert server.kept[KEY] == b"before after"


@given(st.binary(max_size=600_000), st.lists(st.sampled_from(["", "request", "answer"]), max_size=12))
def test_whatever_is_lost_on_the_way_all_of_it_arrives_once(
    tmp_path_factory: pytest.TempPathFactory, written: bytes, losses: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("streams")
    server, mine = Server(), streams(folder)
    server.losses = list(losses)
    (folder / "stdout").write_bytes(written)
    mine.end("c-1", "say", folder)
    for _ in range(len(losses) + 1):
        try:
            mine.flush(server)
        except Unreachable:
            continue
    assert server.kept[KEY] == written
    assert KEY in server.ended


def test_a_server_that_keeps_no_more_is_sent_no_more(tmp_path: Path, step: Path) -> None:
    server, mine = Server(bytes_max=10), streams(tmp_path)
    (step / "stdout").write_bytes(b"x" * 1_000_000)
    mine.end("c-1", "say", step)
    mine.flush(server)
    assert server.kept[KEY] == b"x" * 10
    # How much it has, one piece, and the end.
    assert server.requests == 3


def test_no_more_is_sent_than_is_kept_here(tmp_path: Path, step: Path) -> None:
    server, mine = Server(), streams(tmp_path)
    with (step / "stdout").open("wb") as file:
        file.truncate(KEPT_MAX + 5)
    mine.end("c-1", "say", step)
    mine.flush(server)
    assert len(server.kept[KEY]) == KEPT_MAX


def test_a_server_without_streams_is_asked_once(tmp_path: Path, step: Path) -> None:
    mine, asked = streams(tmp_path), 0

    def send(_: Mapping[str, Any]) -> Mapping[str, Any]:
        nonlocal asked
        asked += 1
        raise Refused("UnknownOperationException", "no", status=400)

    for name in ("say", "sing"):
        (step / "stdout").write_bytes(b"x")
        mine.end("c-1", name, step)
    mine.flush(send)
    assert asked == 1
    assert list((tmp_path / "output").iterdir()) == []


def test_what_the_server_refuses_is_dropped_and_holds_up_no_other(tmp_path: Path, step: Path) -> None:
    server, mine = Server(), streams(tmp_path)
    for name in ("say", "sing"):
        (step / "stdout").write_bytes(name.encode())
        mine.end("c-1", name, step)

    def send(told: Mapping[str, Any]) -> Mapping[str, Any]:
        if told["StepName"] == "say":
            raise Refused("InvocationDoesNotExist", "no", status=400)
        return server(told)

    mine.flush(send)
    assert server.kept == {("c-1", "sing", "stdout"): b"sing"}
    assert list((tmp_path / "output").iterdir()) == []


def test_what_a_server_that_fails_did_not_take_is_kept_for_two_days(tmp_path: Path, step: Path) -> None:
    now = 0.0
    mine = streams(tmp_path, wall=lambda: now)
    (step / "stdout").write_bytes(b"x")
    mine.end("c-1", "say", step)

    def send(_: Mapping[str, Any]) -> Mapping[str, Any]:
        raise Refused("InternalFailure", "no", status=500)

    mine.flush(send)
    assert len(list((tmp_path / "output").iterdir())) == 2
    now = 49 * 3600.0
    mine.flush(send)
    assert list((tmp_path / "output").iterdir()) == []
