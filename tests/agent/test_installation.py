"""Installations from the plan to the report, in memory: what is right without a crash, and after one at any point."""

import time
from collections import Counter
from pathlib import Path

import pytest
from tests.agent.patching import NEW, OLD, KilledError, Machine, Server, killing_at, once, task, title, to_the_end

from patchwindow_agent.errors import AgentError, ScanFailed, Unusable
from patchwindow_agent.operation import ATTEMPTS_MAX
from patchwindow_agent.operation_journal import OperationJournal, is_under_way
from patchwindow_agent.package_manager import Phase, Source
from patchwindow_agent.pending import Pending, titles_of

# As many as a run without a crash passes.
POINTS = range(1, 23)


def test_what_is_installed_is_reported_from_a_fresh_scan_after_the_reboot(tmp_path: Path) -> None:
    machine, server = Machine(tmp_path), Server()
    assert once(machine, server).exit_code == 194
    assert not server.reports, "nothing is known before the reboot"
    machine.reboot()
    ended = once(machine, server)
    assert ended.exit_code == 0
    assert "rebooted: yes" in ended.text
    assert machine.versions == {"bash": NEW, "curl": NEW, "zlib": OLD}
    (report,) = server.reports
    assert titles_of(report["facts"]) == {title("bash"), title("curl"), title("zlib", OLD)}
    assert (report["bootId"], report["failed"], report["pendingReboot"]) == ("boot-2", {}, [])


def test_without_a_reboot_what_was_installed_waits_for_one(tmp_path: Path) -> None:
    machine, server = Machine(tmp_path), Server()
    machine.comes_along = ["zlib"]
    ended = once(machine, server, task(may_reboot=False))
    assert ended.exit_code == 0
    assert server.reports[0]["pendingReboot"] == [title("bash"), title("curl"), title("zlib")]
    assert "waiting for a reboot: 3" in ended.text


def test_what_a_restart_was_to_finish_and_did_not_has_failed(tmp_path: Path) -> None:
    """As with an update of macOS, which is only prepared before the restart."""
    machine, server = Machine(tmp_path), Server()
    assert once(machine, server).exit_code == 194
    machine.reboot()
    machine.versions["bash"] = OLD
    ended = once(machine, server)
    assert ended.exit_code == 1
    assert list(server.reports[0]["failed"]) == [title("bash")]
    assert f"  {title('bash')}: it was installed, and the scan at the end does not find it" in ended.text
    assert "installed: 1\n" in ended.text


def test_nothing_to_install_is_no_reason_to_reboot(tmp_path: Path) -> None:
    machine, server = Machine(tmp_path), Server(approves=())
    assert once(machine, server).exit_code == 0
    assert machine.installs == []


def test_what_an_earlier_operation_left_waiting_is_a_reason_to_reboot(tmp_path: Path) -> None:
    machine, server = Machine(tmp_path), Server(approves=())
    pending = Pending(tmp_path / "pending-reboot.json")
    pending.add([title("zlib", OLD)], machine.boot_id)
    assert once(machine, server).exit_code == 194
    machine.reboot()
    assert once(machine, server).exit_code == 0
    assert server.reports[0]["pendingReboot"] == []


def test_what_was_meant_to_be_installed_and_is_not_there_is_no_reason_to_reboot(tmp_path: Path) -> None:
    machine, server = Machine(tmp_path), Server(approves=())
    Pending(tmp_path / "pending-reboot.json").add([title("zlib")], machine.boot_id)
    assert once(machine, server).exit_code == 0


def test_a_patch_that_fails_keeps_out_no_other_and_fails_the_step(tmp_path: Path) -> None:
    machine, server = Machine(tmp_path), Server()
    machine.problems = {title("bash"): "its script\nfailed"}
    ended = to_the_end(machine, server)
    assert ended.exit_code == 1
    assert f"  {title('bash')}: its script failed" in ended.text.splitlines()
    assert server.reports[0]["failed"] == {title("bash"): "its script failed"}
    assert machine.versions["curl"] == NEW


def test_what_the_baseline_keeps_out_fails_the_patch_and_not_the_step(tmp_path: Path) -> None:
    machine, server = Machine(tmp_path), Server(blocks={title("bash"): "it needs what is rejected"})
    assert to_the_end(machine, server).exit_code == 0
    assert server.reports[0]["failed"] == {title("bash"): "it needs what is rejected"}


def test_where_nothing_can_be_installed_all_that_was_wanted_has_failed(tmp_path: Path) -> None:
    machine, server = Machine(tmp_path), Server()
    machine.cannot_begin = "no room on /var"
    ended = once(machine, server)
    assert ended.exit_code == 1
    assert "failed: nothing could be installed: no room on /var" in ended.text
    assert set(server.reports[0]["failed"].values()) == {"no room on /var"}


def test_on_what_cannot_be_repaired_nothing_is_installed_and_it_is_reported(tmp_path: Path) -> None:
    machine, server = Machine(tmp_path), Server()
    machine.cannot_repair = "dpkg is broken"
    ended = once(machine, server)
    assert ended.exit_code == 1
    assert "nothing was installed: dpkg is broken" in ended.text
    assert (machine.installs, len(server.reports)) == ([], 1)


def test_the_sources_of_the_order_are_used_from_the_plan_to_the_report(tmp_path: Path) -> None:
    machine, server = Machine(tmp_path), Server()
    sources = (Source("ours", "deb http://mirror.example.net stable main"),)
    once(machine, server, task(may_reboot=False, sources=sources))
    assert set(machine.used_sources) == {sources}


def test_a_mirror_that_fails_before_the_installation_fails_the_step(tmp_path: Path) -> None:
    machine, server = Machine(tmp_path), Server()
    machine.mirror_fails = 5
    with pytest.raises(ScanFailed):
        once(machine, server)
    assert (machine.installs, server.reports, machine.slept_s) == ([], [], 60)


def test_a_mirror_that_fails_for_a_minute_keeps_nothing_from_being_installed(tmp_path: Path) -> None:
    machine, server = Machine(tmp_path), Server()
    machine.mirror_fails = 4
    assert once(machine, server, task(may_reboot=False)).exit_code == 0
    assert (len(machine.installs), machine.slept_s) == (2, 60)


def test_a_mirror_that_fails_after_the_installation_does_not_hide_it(tmp_path: Path) -> None:
    machine, server = Machine(tmp_path), Server()
    assert once(machine, server).exit_code == 194
    machine.reboot()
    machine.mirror_fails = 99
    assert once(machine, server).exit_code == 0
    lists = server.reports[0]["lists"]
    assert lists == {"refreshed": False, "asOf": 1_795_390_000, "problem": "no mirror answers"}


def test_a_reboot_that_does_not_come_is_awaited_told_and_not_asked_for_again(tmp_path: Path) -> None:
    machine, server = Machine(tmp_path), Server()
    assert once(machine, server).exit_code == 194
    ended = once(machine, server)
    assert ended.exit_code == 1
    assert "was to reboot and has not done so within 300 s" in ended.text
    assert machine.slept_s == 300
    assert server.reports[0]["pendingReboot"] == [title("bash"), title("curl")]
    assert once(machine, server) == ended
    assert len(server.reports) == 1


def test_a_reboot_that_the_agent_will_not_do_is_told_with_what_waits_for_it(tmp_path: Path) -> None:
    machine, server = Machine(tmp_path), Server()
    machine.cannot_reboot = "this agent may not reboot the machine"
    ended = once(machine, server)
    assert ended.exit_code == 1
    assert "needs a reboot, which was not asked for: this agent may not reboot the machine" in ended.text
    assert server.reports[0]["pendingReboot"] == [title("bash"), title("curl")]


def test_a_reboot_that_no_agent_has_heard_of_is_asked_for(tmp_path: Path) -> None:
    machine, server = Machine(tmp_path), Server()
    assert once(machine, server).exit_code == 194
    assert once(machine, server, was_unheard=True).exit_code == 194
    machine.reboot()
    assert once(machine, server, was_unheard=True).exit_code == 0
    assert server.reports[0]["pendingReboot"] == []


def test_progress_names_the_phases_in_their_order(tmp_path: Path) -> None:
    machine, server = Machine(tmp_path), Server()
    to_the_end(machine, server)
    assert list(dict.fromkeys(phase for phase, *_ in server.told)) == [
        Phase.REPAIRING,
        Phase.REFRESHING,
        Phase.SCANNING,
        Phase.INSTALLING,
        Phase.REBOOTING,
        Phase.VERIFYING,
    ]


@pytest.mark.parametrize("cuts_power", [False, True], ids=["killed", "power cut"])
@pytest.mark.parametrize("may_reboot", [False, True], ids=["NoReboot", "RebootIfNeeded"])
@pytest.mark.parametrize("number", POINTS)
def test_a_crash_at_any_point_leaves_the_verdict_right(
    tmp_path: Path,
    number: int,
    may_reboot: bool,  # noqa: FBT001  (parameters of cases)
    cuts_power: bool,  # noqa: FBT001  (parameters of cases)
) -> None:
    machine, server = Machine(tmp_path), Server()
    machine.point, passed = killing_at(number)
    boots_before = machine.boot_count
    ended = to_the_end(machine, server, task(may_reboot=may_reboot), cuts_power=cuts_power)
    crashes = len(passed) >= number
    reboots = machine.boot_count - boots_before - (crashes and cuts_power)

    assert machine.versions == {"bash": NEW, "curl": NEW, "zlib": OLD}
    assert max(Counter(machine.installs).values()) == 1, "nothing is installed twice"
    assert reboots <= int(may_reboot), "at most one reboot, and none that nobody asked for"

    report = server.reports[-1]
    assert titles_of(report["facts"]) == {title("bash"), title("curl"), title("zlib", OLD)}
    # What was reported before the power was cut is true of the boot that it names.
    is_reported = passed[number - 1] == "after Reported is saved" if crashes else False
    assert (report["failed"], report["bootId"] == machine.boot_id) == ({}, not (is_reported and cuts_power))
    fresh = {title(name) for name, boot in machine.finished_in.items() if boot == report["bootId"]}
    # Of what a power cut tore apart nobody knows what was still to do, so it may wait without need, never the reverse.
    assert fresh <= set(report["pendingReboot"]) <= ({title("bash"), title("curl")} if fresh else set())
    assert ended.exit_code == 0
    assert not (may_reboot and report["pendingReboot"]), "also where it was noted, and nobody had heard of it yet"


def test_the_points_are_all_that_there_are(tmp_path: Path) -> None:
    machine, server = Machine(tmp_path), Server()
    machine.point, passed = killing_at(0)
    to_the_end(machine, server)
    assert len(passed) == len(POINTS)
    assert {"before Installing is saved", "bash half done", "after Reported is saved"} <= set(passed)


def test_an_installation_that_is_cut_off_each_time_is_given_up_and_told(tmp_path: Path) -> None:
    machine, server = Machine(tmp_path), Server(approves=("bash",))

    def point(name: str) -> None:
        if name == "after Installing is saved":
            raise KilledError(name)

    machine.point = point
    ended = to_the_end(machine, server)
    assert ended.exit_code == 1
    assert server.reports[0]["failed"] == {title("bash"): f"its installation was cut off {ATTEMPTS_MAX} times"}


def test_a_full_disk_before_the_installation_keeps_it_from_beginning(tmp_path: Path) -> None:
    machine, server = Machine(tmp_path), Server()
    (tmp_path / "operations").write_text("in the way")
    with pytest.raises(AgentError, match="cannot use the folder"):
        once(machine, server)
    assert machine.installs == []


def test_a_full_disk_after_the_installation_keeps_nothing_from_the_report(tmp_path: Path) -> None:
    machine, server = Machine(tmp_path), Server()
    machine.comes_along = ["zlib"]

    def point(name: str) -> None:
        if name == "curl done":
            # It cannot be written anew from now on.
            (tmp_path / ".pending-reboot.json.new").mkdir()

    machine.point = point
    ended = once(machine, server, task(may_reboot=False))
    assert "cannot write" in ended.text
    assert server.reports[0]["pendingReboot"] == [title("bash"), title("curl"), title("zlib")]


def test_an_id_that_would_lead_elsewhere_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Unusable, match=r"no ids of a command and a node"):
        OperationJournal(tmp_path, "../../etc", "mi-1")


def test_a_record_that_is_none_is_told(tmp_path: Path) -> None:
    (tmp_path / "c-1.mi-1.json").write_text('{"stage": "Nowhere"}')
    with pytest.raises(AgentError, match=r"c-1\.mi-1\.json is no record of a patch operation"):
        OperationJournal(tmp_path, "c-1", "mi-1").load()


def test_an_operation_that_is_not_reported_is_never_forgotten(tmp_path: Path) -> None:
    machine, server = Machine(tmp_path), Server()
    assert once(machine, server).exit_code == 194
    folder = tmp_path / "operations"
    years_later = OperationJournal(folder, "c-2", "mi-1", wall=lambda: time.time() + 10 * 365 * 86_400)
    years_later.forget_old()
    assert is_under_way(folder, "c-1")
    machine.reboot()
    assert once(machine, server).exit_code == 0
    assert not is_under_way(folder, "")
    years_later.forget_old()
    assert not list(folder.iterdir())


def test_only_the_operation_of_the_command_is_under_way(tmp_path: Path) -> None:
    machine, server = Machine(tmp_path), Server()
    assert once(machine, server).exit_code == 194
    under_way = [is_under_way(tmp_path / "operations", id) for id in ("c-1", "c-2", "c", "", "*")]
    assert under_way == [True, False, False, True, True]


def test_an_rpm_without_an_epoch_has_the_title_that_the_server_gives_it() -> None:
    facts = {
        "manager": "dnf",
        "packages": [
            {"name": "bash", "arch": "x86_64", "version": "5.1-1.el9"},
            {"name": "bind", "arch": "x86_64", "version": "32:9.16-1.el9"},
        ],
    }
    assert titles_of(facts) == {"bash.x86_64:0:5.1-1.el9", "bind.x86_64:32:9.16-1.el9"}
