"""What an agent does after a sign of life, with the pool and the journal as they are and nothing else."""

import hashlib
import os
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import pytest

from patchwindow_agent.errors import StateProblem
from patchwindow_agent.journal import Journal, Record, State
from patchwindow_agent.pool import Pool
from patchwindow_agent.runner import Runner
from patchwindow_agent.shell import Stop
from patchwindow_agent.update import Updater
from patchwindow_agent.upkeep import Upkeep

HOUR_S = 3600.0
BOOT = "boot-1"


def rebooting(command_id: str, *, boot_id: str = BOOT, is_asked: bool = False) -> Record:
    """Return a command that waits for a reboot since the boot of that id."""
    record = Record(f"aws.ssm.{command_id}.mi-1", "{}").moved(State.RUNNING)
    return record.moved(State.REBOOTING, boot_id=boot_id, is_reboot_asked=is_asked)


@dataclass
class FakeRunner:
    """Runs commands by doing nothing; those in *stuck* meet a full disk, once."""

    journal: Journal
    stuck: set[str] = field(default_factory=set)
    ran: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    # Those whose step may run again, each as it was given to run.
    resumable: set[str] = field(default_factory=set)
    found: dict[str, Record] = field(default_factory=dict)

    def run(self, command_id: str, record: Record, _: Stop) -> bool:
        if command_id in self.stuck:
            self.stuck.discard(command_id)
            raise StateProblem("cannot write: No space left on device")
        self.ran.append(command_id)
        self.found[command_id] = record
        self.journal.save(command_id, record.moved(State.RUNNING))
        if command_id.startswith("reboot") and record.state is State.ACCEPTED:
            self.journal.save(command_id, rebooting(command_id))
            return True
        self.journal.save(command_id, record.moved(State.FINISHED))
        return False

    def may_run_again(self, record: Record) -> bool:
        return record.message_id.split(".")[2] in self.resumable

    def fail(self, command_id: str, record: Record, reason: str) -> None:
        self.failed[command_id] = reason
        self.journal.save(command_id, record.moved(State.FINISHED))


@dataclass
class Bench:
    """An upkeep, and all that it keeps up."""

    folder: Path
    program: Path | None = None
    steady_s: float = 0.0
    became: list[Path] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    reboot_count: int = 0

    def __post_init__(self) -> None:
        self.journal = Journal(self.folder / "commands")
        self.runner = FakeRunner(self.journal)
        runner = cast(Runner, self.runner)
        self.pool = Pool(runner, at_once=1, reboot=self._reboot, log=self.said.append)
        self.upkeep = Upkeep(
            journal=self.journal,
            pool=self.pool,
            runner=runner,
            updater=None if self.program is None else Updater(self.program, try_out=lambda _: ""),
            become=self.became.append,
            environ={"XDG_STATE_HOME": str(self.folder)},
            boot_id=BOOT,
            log=self.said.append,
            steady=lambda: time.monotonic() + self.steady_s,
        )

    def take(self, *command_ids: str) -> None:
        for command_id in command_ids:
            record = Record(f"aws.ssm.{command_id}.mi-1", "{}")
            self.journal.save(command_id, record)
            self.pool.add(command_id, record)

    def turn(self, digest: str = "") -> None:
        self.upkeep.turn(digest, lambda: b"print('new')")

    def wait_until_idle(self) -> None:
        ends_at = time.monotonic() + 5
        while not self.pool.hold():
            assert time.monotonic() < ends_at, "it never came"
            time.sleep(0.005)
        self.pool.release()

    def wait_for(self, ran: Iterable[str]) -> None:
        ends_at = time.monotonic() + 5
        while self.runner.ran != list(ran):
            assert time.monotonic() < ends_at, self.runner.ran
            time.sleep(0.005)

    def wait_for_reboot(self) -> None:
        ends_at = time.monotonic() + 5
        while self.reboot_count == 0:
            assert time.monotonic() < ends_at, "it was never asked for"
            time.sleep(0.005)

    def _reboot(self) -> None:
        self.reboot_count += 1


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_a_command_that_met_a_full_disk_before_it_began_runs_later_and_once(bench: Bench) -> None:
    bench.runner.stuck.add("a")
    bench.take("a")
    bench.wait_until_idle()
    assert bench.said == ["command a: cannot write: No space left on device"]
    bench.turn()
    bench.wait_for(["a"])
    bench.wait_until_idle()
    bench.turn()
    assert bench.runner.ran == ["a"]
    assert bench.runner.failed == {}


def test_a_command_that_met_a_full_disk_in_the_middle_fails_with_that_reason(bench: Bench) -> None:
    bench.runner.stuck.add("a")
    bench.take("a")
    bench.wait_until_idle()
    bench.journal.save("a", Record("aws.ssm.a.mi-1", "{}").moved(State.RUNNING))
    bench.turn()
    assert bench.runner.failed == {"a": "the state folder could not be written while the command ran"}


def test_after_a_restart_a_step_that_was_cut_off_fails_and_the_others_go_on(tmp_path: Path) -> None:
    before = Journal(tmp_path / "commands")
    before.save("cut-off", Record("aws.ssm.cut-off.mi-1", "{}").moved(State.RUNNING))
    before.save("waiting", Record("aws.ssm.waiting.mi-1", "{}"))
    before.save("done", Record("aws.ssm.done.mi-1", "{}").moved(State.RUNNING).moved(State.FINISHED))
    bench = Bench(tmp_path)
    bench.upkeep.begin()
    bench.wait_for(["waiting"])
    assert bench.runner.failed == {"cut-off": "the agent or the machine stopped while the step ran"}


def test_what_was_left_days_ago_does_not_begin_now_but_for_what_asks_its_server_itself(tmp_path: Path) -> None:
    before = Journal(tmp_path / "commands")
    for command_id in ("old", "patching", "young"):
        before.save(command_id, Record(f"aws.ssm.{command_id}.mi-1", "{}"))
    for command_id in ("old", "patching"):
        days_ago = time.time() - 49 * HOUR_S
        os.utime(tmp_path / "commands" / command_id / "record.json", (days_ago, days_ago))
    bench = Bench(tmp_path)
    bench.runner.resumable.add("patching")
    bench.upkeep.begin()
    bench.wait_for(["patching", "young"])
    assert bench.runner.failed == {"old": "it was left here more than 48 hours ago, after which nobody waits for it"}


def test_a_reboot_that_never_comes_does_not_keep_the_node_from_working(bench: Bench) -> None:
    bench.take("reboot")
    bench.wait_for_reboot()
    bench.take("after")
    bench.turn()
    assert bench.runner.ran == ["reboot"], "nothing begins before the reboot"
    bench.steady_s = HOUR_S + 60
    bench.turn()
    bench.wait_for(["reboot", "after"])
    assert "still runs 60 minutes after it was asked to reboot" in bench.runner.failed["reboot"]
    assert bench.reboot_count == 1


def test_what_can_say_what_is_so_without_the_reboot_runs_again(bench: Bench) -> None:
    bench.runner.resumable.add("reboot")
    bench.take("reboot")
    bench.wait_for_reboot()
    bench.upkeep.no_reboot("enough")
    bench.wait_for(["reboot", "reboot"])
    assert (bench.runner.found["reboot"].state, bench.runner.failed) == (State.REBOOTING, {})


@pytest.mark.parametrize("boot_id", ["boot-0", ""])
def test_after_the_reboot_its_command_goes_on(tmp_path: Path, boot_id: str) -> None:
    Journal(tmp_path / "commands").save("a", rebooting("a", boot_id=boot_id, is_asked=True))
    bench = Bench(tmp_path)
    bench.upkeep.begin()
    bench.wait_for(["a"])
    assert bench.runner.found["a"].state is State.REBOOTING


def test_an_agent_that_was_started_again_before_the_shutdown_waits_for_it(tmp_path: Path) -> None:
    before = Journal(tmp_path / "commands")
    before.save("other", Record("aws.ssm.other.mi-1", "{}"))
    before.save("a", rebooting("a"))
    before.note_reboot_asked()
    bench = Bench(tmp_path)
    bench.upkeep.begin()
    bench.turn()
    time.sleep(0.02)
    assert bench.runner.ran == [], "no step runs as after a reboot, and nothing else begins"
    bench.steady_s = HOUR_S + 60
    bench.turn()
    bench.wait_for(["other"])
    assert "still runs 60 minutes after it was asked to reboot" in bench.runner.failed["a"]
    assert bench.reboot_count == 0


def test_an_agent_that_stopped_before_it_asked_for_the_reboot_does_not_ask_later_by_itself(tmp_path: Path) -> None:
    before = Journal(tmp_path / "commands")
    before.save("a", rebooting("a"))
    before.save("patching", rebooting("patching"))
    bench = Bench(tmp_path)
    bench.runner.resumable.add("patching")
    bench.upkeep.begin()
    bench.wait_for(["patching"])
    assert bench.runner.found["patching"].state is State.RUNNING, "it learns that nobody heard of its reboot"
    assert bench.runner.failed == {"a": "the agent stopped before the reboot was begun that the step asked for"}
    assert bench.reboot_count == 0


def test_a_new_program_is_taken_when_nothing_runs_and_commands_that_come_meanwhile_wait(tmp_path: Path) -> None:
    program = tmp_path / "agent.pyz"
    program.write_text("print('old')")
    bench = Bench(tmp_path, program)
    digest = hashlib.sha256(b"print('new')").hexdigest()
    bench.take("reboot")
    bench.wait_for_reboot()
    bench.turn(digest)
    assert bench.became == [], "a command waits for a reboot"
    bench.upkeep.no_reboot("enough")
    bench.wait_until_idle()
    bench.turn(digest)
    assert bench.became == [program]
    assert program.read_text() == "print('new')"
    bench.take("later")
    bench.wait_for(["reboot", "later"])


def test_while_the_pool_is_held_nothing_begins_until_it_is_let_go(bench: Bench) -> None:
    assert bench.pool.hold()
    bench.take("a")
    time.sleep(0.02)
    assert bench.runner.ran == []
    assert not bench.pool.hold(), "a command waits"
    bench.pool.release()
    bench.wait_for(["a"])


def test_old_programs_are_cleared_away_once_a_day(bench: Bench) -> None:
    folder = bench.folder / "patchwindow"
    folder.mkdir()
    old = folder / "program-old.pyz"
    old.touch()
    os.utime(old, (1, 1))
    bench.turn("now")
    assert old.exists()
    bench.steady_s = 24 * HOUR_S + 1
    bench.turn("now")
    assert not old.exists()
