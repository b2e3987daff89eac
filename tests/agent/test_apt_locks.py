import pytest

from patchwindow_agent.apt_locks import held_lock, patiently
from patchwindow_agent.errors import Locked
from patchwindow_agent.programs import Completed

APT = "E: Could not get lock /var/lib/apt/lists/lock. It is held by process 4711 (apt-get)\nE: Unable to lock directory"


@pytest.mark.parametrize(
    ("stderr", "expected"),
    [
        ("", None),
        ("E: Unable to locate package x\n", None),
        (APT, "/var/lib/apt/lists/lock is held by process 4711 (apt-get)"),
        # Of apt 1.8 and older.
        (
            "E: Could not get lock /var/lib/dpkg/lock-frontend - open (11: Resource temporarily unavailable)\n",
            "/var/lib/dpkg/lock-frontend is held by another process",
        ),
        # Of dpkg 1.19, 1.20 and 1.21.
        (
            "dpkg: error: dpkg frontend lock is locked by another process\n",
            "dpkg frontend lock is held by another process",
        ),
        (
            "dpkg: error: dpkg frontend is locked by another process\n",
            "dpkg frontend is held by another process",
        ),
        (
            "dpkg: error: dpkg database lock was locked by another process with pid 4711\nNote: removing the lock …\n",
            "dpkg database lock is held by process 4711 (unknown)",
        ),
    ],
)
def test_a_held_lock_is_named_with_its_holder(stderr: str, expected: str | None) -> None:
    assert held_lock(stderr) == expected


def test_a_lock_is_waited_for_as_long_as_was_said_and_no_longer() -> None:
    slept: list[float] = []
    heard: list[str] = []
    with pytest.raises(Locked, match=r"lists/lock is held by process 4711 \(apt-get\); waited 10 s"):
        patiently(lambda: Completed(100, "", APT), sleep=slept.append, wait_s=10, on_wait=heard.append)
    assert slept == [2] * 5
    assert len(heard) == 5


def test_a_program_that_ended_well_is_not_run_again_whatever_it_said() -> None:
    done = Completed(0, "", APT)
    assert patiently(lambda: done, sleep=lambda _: pytest.fail("slept"), wait_s=10) == done
