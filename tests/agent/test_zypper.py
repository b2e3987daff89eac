"""What zypper is asked to do, and what is made of answers that the real one does not give at will."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import pytest

from patchwindow_agent import reboot, zypper_output
from patchwindow_agent.errors import InstallFailed, Locked, NoRights, ScanFailed
from patchwindow_agent.package_manager import Order, Outcome, Phase, Wanted
from patchwindow_agent.programs import Completed, OnLine
from patchwindow_agent.zypper import Zypper

_T = TypeVar("_T")

OLD = "toy\t(none)\t1\t1\tnoarch\t1\t1\nother\t(none)\t1\t1\tnoarch\t1\t1\n"
NEW = OLD.replace("toy\t(none)\t1", "toy\t(none)\t2")
BOTH = NEW.replace("other\t(none)\t1", "other\t(none)\t2")
SOLVABLE = '<solvable type="package" name="{}" edition="2-1" arch="noarch"/>'
PLANNED = Completed(
    0,
    '<install-summary download-size="{}" space-usage-diff="0" packages-to-change="2"><to-upgrade>'
    f"{SOLVABLE.format('toy')}{SOLVABLE.format('other')}</to-upgrade></install-summary>",
    "",
)
NO_LOCKS = Completed(0, "<stream><locks size='0'/></stream>", "")
IS_LOCKED = Completed(
    7, '<message type="error">System management is locked by the application with pid 7 (zypper).</message>', ""
)


@dataclass(slots=True)
class Answers:
    """Answers plans, tests and transactions as told, the last of each again and again; *databases* is what rpm says."""

    transactions: list[Completed] = field(default_factory=lambda: [Completed(0, "", "")])
    databases: list[str] = field(default_factory=lambda: [OLD, NEW])
    plan: Completed = field(default_factory=lambda: Completed(0, PLANNED.stdout.format(10), ""))
    locks: list[Completed] = field(default_factory=lambda: [NO_LOCKS])
    repositories: str = ""
    links: str = ""
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
            asked = self.links if "REQUIRE" in "".join(command) else _next(self.databases)
            return Completed(0, asked, "")
        if "locks" in command:
            return _next(self.locks)
        if "repos" in command:
            return Completed(0, f"<stream><repo-list>{self.repositories}</repo-list></stream>", "")
        if "--dry-run" in command:
            return self.plan
        return _next(self.transactions)


def _next(answers: list[_T]) -> _T:
    return answers.pop(0) if len(answers) > 1 else answers[0]


def zypper(answers: Answers, root: Path, *, sleep: Callable[[float], None] = lambda _: None) -> Zypper:
    kernel = reboot.Kernel("1", "#1")
    return Zypper(answers, root=root, cache=None, kernel=kernel, is_root=True, sleep=sleep, stale=list)


def quietly(phase: Phase, done: int, total: int, what: str) -> None:
    """Hear how far an installation is."""


ORDER = Order([Wanted("toy.noarch:2-1", "toy", "noarch", "2-1"), Wanted("other.noarch:2-1", "other", "noarch", "2-1")])


def install(answers: Answers, root: Path, **options: Callable[[float], None]) -> Outcome:
    return zypper(answers, root, **options).install(ORDER, quietly)


def test_a_disk_without_room_is_told_before_anything_is_changed(tmp_path: Path) -> None:
    answers = Answers(plan=Completed(0, PLANNED.stdout.format(10**18), ""))
    with pytest.raises(InstallFailed, match=r"no room for .*packages.*: 1000000000032 MB are needed"):
        install(answers, tmp_path)
    assert all("--dry-run" in command for command in answers.commands if "install" in command)


def test_a_lock_that_stays_is_told_after_two_minutes_as_nothing_tried(tmp_path: Path) -> None:
    waited: list[float] = []
    with pytest.raises(InstallFailed, match=r"locked: System management is locked by .* pid 7"):
        install(Answers(transactions=[IS_LOCKED]), tmp_path, sleep=waited.append)
    assert sum(waited) == 120


def test_a_lock_that_comes_after_something_was_installed_does_not_hide_that(tmp_path: Path) -> None:
    aborted = Completed(8, '<message type="error">Installation has failed.</message>', "")
    outcome = install(Answers(transactions=[aborted, IS_LOCKED]), tmp_path)
    assert outcome.installed == ["toy.noarch:2-1"]
    assert "locked" in outcome.failed["other.noarch:2-1"]


def test_what_fails_for_no_package_that_is_named_is_tried_alone(tmp_path: Path) -> None:
    aborted = Completed(8, '<message type="error">Something failed.</message>', "")
    answers = Answers(transactions=[aborted, aborted, Completed(0, "", "")], databases=[OLD, OLD, OLD, BOTH])
    outcome = install(answers, tmp_path)
    assert [command[-1] for command in answers.commands if "in-advance" in command] == [
        "other.noarch=2-1",
        "toy.noarch=2-1",
        "other.noarch=2-1",
    ]
    assert set(outcome.installed) == {"toy.noarch:2-1", "other.noarch:2-1"}


def test_scripts_that_failed_are_remarked_also_where_nobody_says_which(tmp_path: Path) -> None:
    answers = Answers(transactions=[Completed(107, "", "")], databases=[OLD, BOTH])
    outcome = install(answers, tmp_path)
    assert outcome.failed == {}
    assert outcome.remarks == ["scripts of packages failed; /var/log/zypp/history says which"]


@pytest.mark.parametrize("code", [102, 103])
def test_a_transaction_that_asks_for_a_reboot_or_a_restart_of_zypper_is_done(tmp_path: Path, code: int) -> None:
    outcome = install(Answers(transactions=[Completed(code, "", "")], databases=[OLD, BOTH]), tmp_path)
    assert (outcome.failed, outcome.remarks) == ({}, [])


def test_nothing_is_installed_that_only_goes_by_putting_another_package_back(tmp_path: Path) -> None:
    plan = PLANNED.stdout.format(10).replace("</install-summary>", f"<to-downgrade>{SOLVABLE.format('low')}</to-downgrade></install-summary>")  # fmt: skip
    outcome = install(Answers(plan=Completed(0, plan, "")), tmp_path)
    assert "it would put back low to 2-1" in outcome.failed["other.noarch:2-1"]


def test_a_repository_whose_lists_cannot_be_read_fails_the_scan_with_the_way_out(tmp_path: Path) -> None:
    old = (
        '<repo alias="dvd" name="DVD" type="yast2" enabled="1"><url>cd:///</url></repo><repo alias="off" enabled="0"/>'
    )
    with pytest.raises(ScanFailed, match=r"dvd is of the type yast2.*zypper modifyrepo --disable dvd"):
        zypper(Answers(repositories=old), tmp_path).facts()


TWICE = OLD + "toy\t(none)\t2\t1\tnoarch\t1\t1\n"


def test_a_package_that_is_there_twice_is_installed_again_and_the_older_taken_away(tmp_path: Path) -> None:
    answers = Answers(databases=[TWICE])
    assert zypper(answers, tmp_path).repair() == [
        "Removed toy.noarch:0:1-1, which an unfinished transaction had left beside a newer version"
    ]
    assert answers.commands[-1] == ["rpm", "-e", "--nodeps", "toy-1-1.noarch"]
    assert any("--force" in command and command[-1] == "toy.noarch=2-1" for command in answers.commands)


@pytest.mark.parametrize(
    ("configuration", "provides"),
    [("multiversion = provides:multiversion(kernel), toy\n", ""), ("", "multiversion(kernel)")],
)
def test_what_the_machine_keeps_in_several_versions_is_left_so(
    tmp_path: Path, configuration: str, provides: str
) -> None:
    (tmp_path / "etc/zypp").mkdir(parents=True)
    (tmp_path / "etc/zypp/zypp.conf").write_text(f"[main]\n# multiversion = none\n{configuration}")
    links = f"toy\tnoarch\t(none)\t1\t1\tPROVIDE\t{provides}\n"
    assert zypper(Answers(databases=[TWICE], links=links), tmp_path).repair() == []


@pytest.mark.parametrize(
    ("code", "kind", "text"),
    [
        (5, NoRights, "cannot list: Root privileges are required"),
        (7, Locked, "cannot list: the package manager is locked: Root"),
        (106, ScanFailed, "cannot list: a repository was left out: Root"),
        (4, ScanFailed, "cannot list: Root"),
    ],
)
def test_an_exit_code_says_why_a_command_failed(code: int, kind: type[ScanFailed], text: str) -> None:
    said = '<message type="error">Root privileges are required.</message>'
    failure = zypper_output.failure(code, said, "", doing="list")
    assert type(failure) is kind
    assert str(failure).startswith(text)


def test_what_is_no_xml_is_told() -> None:
    with pytest.raises(ScanFailed, match="cannot read what zypper printed"):
        zypper_output.parse_locked("Segmentation fault")


def test_a_failure_without_a_word_is_told_with_its_exit_code() -> None:
    assert zypper_output.problem_text(1, "", "") == "it failed with exit status 1 and gave no reason"


def test_a_zypper_that_still_works_is_waited_for_before_anything_is_repaired(tmp_path: Path) -> None:
    """Between two packages rpm holds no lock, and zypper does."""
    waited: list[float] = []
    answers = Answers(locks=[IS_LOCKED])
    with pytest.raises(InstallFailed, match="the package manager is locked: System management is locked by"):
        zypper(answers, tmp_path, sleep=waited.append).repair()
    assert sum(waited) == 1800
    assert not any(command[0] == "rpm" for command in answers.commands)
    answers = Answers(locks=[IS_LOCKED, NO_LOCKS])
    assert zypper(answers, tmp_path).repair() == []
