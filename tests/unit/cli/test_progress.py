"""How far a command is, while it runs."""

from collections.abc import Mapping

import pytest

from patchwindow.cli.progress import Watch, describe
from patchwindow.client import Progress


def progress(status: str, counts: Mapping[str, int]) -> Progress:
    """Return the progress of a command for three nodes."""
    return Progress(command_id="c", status=status, details=status, target_count=3, counts=counts, changes=())


FIRST = progress("InProgress", {"Pending": 2, "InProgress": 1})
LAST = progress("Success", {"Success": 3})


def test_progress_reads_as_a_line() -> None:
    assert describe(FIRST) == "InProgress: 3 nodes, 1 InProgress, 2 Pending"
    assert describe(progress("Pending", {})) == "Pending: 3 nodes"


def test_elsewhere_each_change_is_a_line_and_nothing_is_said_twice(capsys: pytest.CaptureFixture[str]) -> None:
    with Watch(rewrites=False) as watch:
        for seen in (FIRST, FIRST, LAST):
            watch(seen)
    assert capsys.readouterr().err == f"{describe(FIRST)}\n{describe(LAST)}\n"


def test_on_a_terminal_one_line_is_rewritten_and_ended(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    with Watch(rewrites=True) as watch:
        watch(FIRST)
        watch(LAST)
    assert capsys.readouterr().err == f"\r{describe(FIRST)}\r{describe(LAST):{len(describe(FIRST))}}\n"


def test_a_rewritten_line_never_wraps(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    with Watch(rewrites=True) as watch:
        watch(FIRST)
    assert capsys.readouterr().err == "\rInProgress: 3 nodes\n"


def test_an_error_begins_on_its_own_line(capsys: pytest.CaptureFixture[str]) -> None:
    watch = Watch(rewrites=True)
    watch(FIRST)
    watch.__exit__(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert capsys.readouterr().err.endswith("\n")
