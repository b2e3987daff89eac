"""What dnf is asked to do, and what is made of answers that the real one does not give at will."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import pytest

from patchwindow_agent import reboot
from patchwindow_agent.dnf import Dnf
from patchwindow_agent.errors import InstallFailed
from patchwindow_agent.package_manager import Blocked, Order, Outcome, Phase, Wanted
from patchwindow_agent.programs import Completed, OnLine

_T = TypeVar("_T")

OLD = "toy\t(none)\t1\t1\tnoarch\t1\t1\nother\t(none)\t1\t1\tnoarch\t1\t1\n"
NEW = OLD.replace("toy\t(none)\t1", "toy\t(none)\t2")
PLANNED = Completed(1, "Upgrading:\n toy noarch 2-1 toy 4\n\nTransaction Summary\n", "Operation aborted.\n")
DONE = Completed(0, "Complete!\n", "")
LOCKED = Completed(200, "", "Error: Failed to obtain the transaction lock (logged in as: root).\n")


@dataclass(slots=True)
class Answers:
    """Answers plans, tests and transactions as told, the last of each again and again; *database* is what rpm says."""

    plans: list[Completed] = field(default_factory=lambda: [PLANNED])
    tests: list[Completed] = field(default_factory=lambda: [DONE])
    transactions: list[Completed] = field(default_factory=lambda: [DONE])
    databases: list[str] = field(default_factory=lambda: [OLD, NEW])
    commands: list[Sequence[str]] = field(default_factory=list)

    def __call__(
        self,
        command: Sequence[str],
        *,
        timeout_s: float = 0,
        environ: Mapping[str, str] | None = None,
        on_line: OnLine | None = None,
    ) -> Completed:
        del timeout_s, environ, on_line
        self.commands.append(command)
        if command[0] == "rpm":
            return Completed(0, _next(self.databases), "")
        if "upgrade" not in command:
            return DONE
        if "--assumeno" in command:
            return _next(self.plans)
        return _next(self.tests if "--setopt=tsflags=test" in command else self.transactions)


def _next(answers: list[_T]) -> _T:
    return answers.pop(0) if len(answers) > 1 else answers[0]


def dnf(answers: Answers, root: Path, *, sleep: Callable[[float], None] = lambda _: None) -> Dnf:
    kernel = reboot.Kernel("1", "#1")
    return Dnf(answers, root=root, cache=None, kernel=kernel, is_root=True, sleep=sleep, stale=list)


def quietly(phase: Phase, done: int, total: int, what: str) -> None:
    """Hear how far an installation is."""


ORDER = Order([Wanted("toy.noarch:2-1", "toy", "noarch", "2-1"), Wanted("other.noarch:2-1", "other", "noarch", "2-1")])


def install(answers: Answers, root: Path) -> Outcome:
    return dnf(answers, root).install(ORDER, quietly)


def test_a_disk_without_room_is_told_before_anything_is_changed(tmp_path: Path) -> None:
    full = "Error: Transaction test error:\n  installing package toy-2-1.noarch needs 12MB more space on the / filesystem\n"
    answers = Answers(tests=[Completed(1, "", full)])
    with pytest.raises(InstallFailed, match=r"no room on the disk: .*needs 12MB more space on the / filesystem"):
        install(answers, tmp_path)
    # Not even those that would have fitted are tried.
    assert sum("--setopt=tsflags=test" in command for command in answers.commands) == 1


def test_a_lock_that_comes_after_something_was_installed_does_not_hide_that(tmp_path: Path) -> None:
    broken = Completed(1, "", "Error in PREIN scriptlet in rpm package nobody\nError: Transaction failed\n")
    answers = Answers(transactions=[broken, LOCKED], databases=[OLD, NEW])
    outcome = install(answers, tmp_path)
    assert outcome.installed == ["toy.noarch:2-1"]
    assert "Transaction failed" in outcome.failed["other.noarch:2-1"]


def test_a_lock_before_the_first_transaction_is_told_as_nothing_tried(tmp_path: Path) -> None:
    with pytest.raises(InstallFailed, match="locked"):
        install(Answers(transactions=[LOCKED]), tmp_path)


def test_what_a_transaction_leaves_out_without_a_word_has_failed(tmp_path: Path) -> None:
    outcome = install(Answers(), tmp_path)
    assert outcome.installed == ["toy.noarch:2-1"]
    assert outcome.failed == {"other.noarch:2-1": "the transaction did not install it: it ended without an error"}


def test_what_is_there_already_is_not_installed_again(tmp_path: Path) -> None:
    both = NEW.replace("other\t(none)\t1", "other\t(none)\t2")
    answers = Answers(databases=[both])
    outcome = install(answers, tmp_path)
    assert outcome.installed == ["toy.noarch:2-1", "other.noarch:2-1"]
    assert not any("upgrade" in command for command in answers.commands)


@pytest.mark.parametrize(
    ("blocked", "name"),
    [
        (Blocked("bad", "noarch", "1:2-3"), "bad-1:2-3.noarch"),
        (Blocked("bad", "noarch", "2-3"), "bad-0:2-3.noarch"),
        (Blocked("bad", "", "2-3"), "bad-0:2-3"),
        (Blocked("bad", "x86_64"), "bad.x86_64"),
        (Blocked("bad", ""), "bad"),
    ],
)
def test_what_is_blocked_is_excluded_from_plan_test_and_transaction(
    tmp_path: Path, blocked: Blocked, name: str
) -> None:
    answers = Answers()
    dnf(answers, tmp_path).install(Order(ORDER.wanted, blocked=[blocked]), quietly)
    upgrades = [command for command in answers.commands if "upgrade" in command]
    assert len(upgrades) >= 3
    assert all(f"--exclude={name}" in command for command in upgrades)


def test_an_ordinary_user_keeps_lists_of_its_own(tmp_path: Path) -> None:
    answers = Answers()
    own = Dnf(answers, root=tmp_path, cache=tmp_path / "own", kernel=reboot.Kernel("1", "#1"), is_root=False)
    assert own.refresh().is_refreshed
    assert f"--setopt=cachedir={tmp_path}/own/dnf" in answers.commands[0]
    with pytest.raises(InstallFailed, match="only root may install with dnf"):
        own.install(ORDER, quietly)


def test_an_ordinary_user_without_a_folder_is_told_how_old_the_lists_are(tmp_path: Path) -> None:
    answers = Answers()
    lists = Dnf(answers, root=tmp_path, cache=None, kernel=reboot.Kernel("1", "#1"), is_root=False).refresh()
    assert (lists.is_refreshed, lists.as_of) == (False, 0)
    assert lists.problem == "only root may refresh the lists of dnf, and this user has no folder for its own"
    assert not any("makecache" in command for command in answers.commands)


@pytest.mark.parametrize(("version_id", "is_asked"), [("2023", True), ("2", False)])
def test_amazon_linux_2023_is_patched_from_todays_release_whatever_it_is_kept_on(
    tmp_path: Path, version_id: str, *, is_asked: bool
) -> None:
    """Patch Manager's reference: "the latest repository release is used, whatever version the host is locked to"."""
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/os-release").write_text(f'ID="amzn"\nVERSION_ID="{version_id}"\n')
    answers = Answers()
    dnf(answers, tmp_path).refresh()
    assert ("--releasever=latest" in answers.commands[0]) is is_asked
