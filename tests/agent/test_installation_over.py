"""Installations whose command is cancelled, cut off or expired: nothing more is begun, and what is there is reported."""

from pathlib import Path

import pytest
from tests.agent.patching import NEW, OLD, KilledError, Machine, Server, killing_at, once, task, title

from patchwindow_agent.pending import titles_of

OVER = "command c-1 is cancelled"
# An installation asks before the repair, for the plan, before each of two transactions and before the reboot.
ASKED_COUNT = 5
# As many as a run passes up to the reboot that it asks for.
POINTS = range(1, 17)


class Ending(Server):
    """Says from the question with this number on that the command is over, and what was installed by then."""

    def __init__(self, machine: Machine, number: int) -> None:
        super().__init__()
        self._machine = machine
        self._left = number
        self.installed: list[str] | None = None
        self.over = self._asked

    def _asked(self) -> str:
        self._left -= 1
        if self._left > 0:
            return ""
        if self.installed is None:
            self.installed = list(self._machine.installs)
        return OVER


def test_an_installation_asks_before_each_thing_that_changes_the_machine(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    server = Ending(machine, ASKED_COUNT + 1)
    assert once(machine, server).exit_code == 194
    assert server.installed is None
    assert server.over() == OVER, "there was no further question"


@pytest.mark.parametrize("number", range(1, ASKED_COUNT + 1))
def test_from_when_it_is_over_nothing_is_begun_and_what_is_there_is_reported(tmp_path: Path, number: int) -> None:
    machine = Machine(tmp_path)
    server = Ending(machine, number)
    ended = once(machine, server)
    assert ended.exit_code == 1, "and no reboot is asked for"
    assert machine.installs == server.installed
    (report,) = server.reports
    assert titles_of(report["facts"]) == {title(name, version) for name, version in machine.versions.items()}
    assert report["failed"] == {}, "what was not tried has not failed: it is missing"
    assert report["pendingReboot"] == [title(name) for name in machine.installs]
    is_whole = len(machine.installs) == 2
    assert (f"cancelled: nothing more was installed: {OVER}" in ended.text) == (not is_whole)
    assert (f"a reboot, which was not asked for: {OVER}" in ended.text) == bool(machine.installs)


@pytest.mark.parametrize("cuts_power", [False, True], ids=["killed", "power cut"])
@pytest.mark.parametrize("number", POINTS)
def test_an_installation_that_is_taken_up_when_its_command_is_over_only_reports(
    tmp_path: Path,
    number: int,
    cuts_power: bool,  # noqa: FBT001  (a parameter of cases)
) -> None:
    machine, server = Machine(tmp_path), Server()
    machine.point, passed = killing_at(number)
    with pytest.raises(KilledError):
        once(machine, server)
    if cuts_power:
        machine.reboot()
    had_all = "after Installed is saved" in passed
    before, half_done = list(machine.installs), list(machine.half_done)
    ended = once(machine, server, task(over=OVER), was_unheard=True)
    assert (machine.installs, machine.half_done) == (before, half_done), "not even a repair changes the machine now"
    assert ended.exit_code != 194
    (report,) = server.reports
    assert titles_of(report["facts"]) == {title(name, version) for name, version in machine.versions.items()}
    fresh = {title(name) for name, boot in machine.finished_in.items() if boot == machine.boot_id}
    assert fresh <= set(report["pendingReboot"])
    assert all(f"  {title(name)}" in ended.text for name in before), "it says what it has installed"
    # Done it is only where it knew that all was installed, and the cut was the reboot.
    assert ended.exit_code == int(not (had_all and cuts_power))


def test_the_scan_after_a_reboot_that_was_asked_for_in_time_is_reported(tmp_path: Path) -> None:
    machine, server = Machine(tmp_path), Server()
    assert once(machine, server).exit_code == 194
    machine.reboot()
    ended = once(machine, server, task(over=OVER))
    assert ended.exit_code == 0
    assert server.reports[0]["pendingReboot"] == []
    assert machine.versions == {"bash": NEW, "curl": NEW, "zlib": OLD}
