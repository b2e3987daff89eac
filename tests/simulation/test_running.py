"""Which worlds run, and what the user is told of them."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from tests.simulation import __main__ as program
from tests.simulation import processes, seeds
from tests.simulation.processes import Ending
from tests.simulation.rules import Broken, Rule

ROOT: Final = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("environ", "worlds"),
    [
        ({}, range(7)),
        ({"SEED": "", "SEEDS": "", "FROM": ""}, range(7)),
        ({"SEEDS": "300"}, range(300)),
        ({"FROM": "5000"}, range(5000, 5007)),
        ({"FROM": "5000", "SEEDS": "2"}, range(5000, 5002)),
        ({"SEED": "123", "SEEDS": "300", "FROM": "5"}, range(123, 124)),
    ],
)
def test_the_environment_says_which_worlds_run(environ: dict[str, str], worlds: range) -> None:
    assert seeds.wanted(environ, count=7) == worlds


@pytest.mark.parametrize("name", ["SEED", "SEEDS", "FROM"])
def test_what_is_no_number_is_refused_by_name(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _ask(monkeypatch, **{name: "-1"})

    assert program.main() == 2
    assert capsys.readouterr().err == f"Error: {name} is -1; use a whole number from 0 on\n"


def test_a_world_that_breaks_the_law_is_told_with_the_way_to_have_it_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def live(*_: Any) -> None:
        raise Broken(Rule.OPENS_ONCE, "it opened twice")

    monkeypatch.setattr(seeds, "live", live)
    _ask(monkeypatch, SEED="41")

    assert program.main() == 1
    told = capsys.readouterr().out
    assert "seed 41: OPENS_ONCE: " in told
    assert "it opened twice\n  the same world again: make simulate SEED=41\n" in told
    assert "in live" in told, "of one world the whole story is told"
    assert told.endswith("\n0 passed, 1 failed\n")


def test_of_many_worlds_each_that_failed_is_told_in_two_lines(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def endings(asked: range, *_: Any, **__: Any) -> Iterator[Ending | None]:
        yield None
        for seed in asked:
            yield Ending(seed, "OPENS_ONCE: it opened twice" if seed == 6 else None, "a long story")

    monkeypatch.setattr(program, "endings", endings)
    _ask(monkeypatch, SEEDS="3", FROM="5")

    assert program.main() == 1
    told = capsys.readouterr().out
    assert (
        "\nseed 6: OPENS_ONCE: it opened twice\n  the same world again: make simulate SEED=6\nseeds 5 to 7: 3 in "
        in told
    )
    assert "a long story" not in told
    assert told.endswith("\n2 passed, 1 failed\n")


def test_an_interrupt_stops_and_tells_what_was_done(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def endings(asked: range, *_: Any, **__: Any) -> Iterator[Ending | None]:
        yield Ending(asked[0])
        raise KeyboardInterrupt

    monkeypatch.setattr(program, "endings", endings)
    _ask(monkeypatch, SEEDS="3")

    assert program.main() == 130
    told = capsys.readouterr().out
    assert told.startswith("stopped; seeds 0 to 2: 1 in ")
    assert told.endswith("\n1 passed, 0 failed\n")


def test_worlds_run_in_processes_of_their_own() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.simulation"],
        cwd=ROOT,
        env={"SEEDS": "2"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("seeds 0 to 1: 2 in ")
    assert done.stdout.endswith("\n2 passed, 0 failed\n")


def test_a_world_whose_process_ends_has_failed_and_the_next_has_a_new_process(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # Given a connection where it wants a number, it ends at once.
    monkeypatch.setattr(processes, "_work", os._exit)

    told = [one for one in processes.endings([4, 5], tmp_path, process_count=1) if one]

    assert told == [Ending(seed, "its process ended with exit code 1") for seed in (4, 5)]


def test_a_world_that_takes_too_long_has_failed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(processes, "_WORLD_MAX_S", 0)
    # Nobody waits for the process to begin.
    monkeypatch.setattr(processes, "_LOOK_S", 0)

    told = [one for one in processes.endings([4, 5], tmp_path, process_count=1) if one]

    assert told == [Ending(seed, "it did not end within 0 s") for seed in (4, 5)]


def _ask(monkeypatch: pytest.MonkeyPatch, **environ: str) -> None:
    for name in ("SEED", "SEEDS", "FROM"):
        monkeypatch.setenv(name, environ.get(name, ""))
