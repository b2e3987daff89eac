"""Taking the server's program over: what is tried, what is switched, what is left as it was."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from patchwindow_agent.errors import NotTaken, Unreachable
from patchwindow_agent.update import Updater, trial

OLD, NEW = b"print('old')", b"print('new')"
DIGEST = hashlib.sha256(NEW).hexdigest()


def fine(_: Path) -> str:
    return ""


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "agent.pyz"
    path.write_bytes(OLD)
    return path


def files(program: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in program.parent.iterdir()}


def test_a_program_that_proves_itself_takes_the_place_of_the_old_one_which_stays_until_it_settles(
    program: Path,
) -> None:
    tried: list[tuple[str, bytes]] = []

    def try_out(path: Path) -> str:
        tried.append((path.name, path.read_bytes()))
        assert program.read_bytes() == OLD, "it is tried beside the old one"
        return ""

    updater = Updater(program, try_out=try_out)
    assert updater.wants(DIGEST)
    updater.take(DIGEST, lambda: NEW)
    assert tried == [("agent.pyz.new", NEW)]
    assert files(program) == {"agent.pyz": NEW, "agent.pyz.old": OLD}
    updater.settle()
    assert files(program) == {"agent.pyz": NEW}


def wrong_content() -> bytes:
    return b"something else"


def no_answer() -> bytes:
    raise Unreachable("no answer")


@pytest.mark.parametrize(
    ("fetch", "try_out", "told"),
    [
        (wrong_content, fine, "nothing of it was run"),
        (no_answer, fine, "no answer"),
        (lambda: NEW, lambda _: "it ended with 1: no such module", "fails on this machine: it ended with 1"),
    ],
)
def test_what_cannot_be_taken_over_leaves_everything_as_it_was_and_is_not_tried_again_at_once(
    program: Path, fetch: Callable[[], bytes], try_out: Callable[[Path], str], told: str
) -> None:
    now = 0.0
    updater = Updater(program, try_out=try_out, steady=lambda: now)
    with pytest.raises((NotTaken, Unreachable), match=told):
        updater.take(DIGEST, fetch)
    assert files(program) == {"agent.pyz": OLD}
    assert not updater.wants(DIGEST)
    now = 3600.0
    assert updater.wants(DIGEST)


def test_the_program_that_runs_is_not_wanted(program: Path) -> None:
    assert not Updater(program, try_out=fine).wants(hashlib.sha256(OLD).hexdigest())


def test_a_program_that_was_gone_back_from_is_not_wanted_again(program: Path) -> None:
    program.with_name("agent.pyz.bad").write_bytes(NEW)
    updater = Updater(program, try_out=fine)
    assert not updater.wants(DIGEST)
    assert updater.wants("0" * 64)


def test_a_trial_is_a_process_of_the_new_program_that_must_end_well(tmp_path: Path) -> None:
    program = tmp_path / "agent.pyz.new"
    program.write_text("import sys; sys.exit(sys.argv[1:] != ['run', '--state', 'here', '--trial'])")
    assert trial(Path("here"), {})(program) == ""
    assert trial(Path("elsewhere"), {})(program) == "it ended with 1: "
    program.write_text("this is no Python")
    assert "SyntaxError" in trial(Path("here"), {})(program)
