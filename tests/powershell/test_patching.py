"""The patch operation for Windows, run by our interpreter: a made-up Windows Update in front, a real server behind.

Each test sends a command to the server, runs the step of the document as the server hands it out, restarts the machine when
it asks for it, and looks at what the server then says of the node.
"""

from typing import Any, Final

import pytest
from tests.fakes.edge import Edge
from tests.powershell import update_agent
from tests.powershell.machine import Killed
from tests.powershell.node import REBOOT, WindowsNode
from tests.powershell.some_updates import CUMULATIVE, OTHER, TOY, chain, cumulative, installed_titles, other, toy
from tests.powershell.update_agent import Behaviour, Update


def test_where_nothing_is_missing_nothing_is_installed_and_nothing_restarts(edge: Edge) -> None:
    node = WindowsNode(edge, toy(is_installed=True))
    node.approve("KB5034002")
    outcome = node.operate()
    assert (outcome.code, outcome.reboot_count) == (0, 0)
    assert node.states() == {TOY: "Installed"}
    assert node.report()["operation"] == "Install"
    assert installed_titles(node) == set()


@pytest.mark.parametrize("operation", ["Scan", "Install"])
def test_a_machine_without_any_update_is_reported_too(edge: Edge, operation: str) -> None:
    node = WindowsNode(edge)
    assert node.operate(operation).code == 0
    assert node.counts()["MissingCount"] == 0
    assert node.report()["facts"]["windowsUpdates"] == []


def test_what_is_approved_is_installed_and_nothing_else_and_the_machine_restarts_once(edge: Edge) -> None:
    node = WindowsNode(edge, cumulative(), toy(), other())
    node.approve("KB5034001", "KB5034002")
    outcome = node.operate()
    assert (outcome.code, outcome.reboot_count, outcome.errors) == (0, 1, [])
    assert installed_titles(node) == {CUMULATIVE, TOY}
    assert {update.install_count for update in node.machine.updates.updates} == {0, 1}
    states = node.states()
    assert (states[CUMULATIVE], states[TOY]) == ("Installed", "Installed")
    assert node.counts()["Operation"] == "Install"
    assert node.report()["pendingReboot"] == []
    assert "restarting: restart 1 of at most 3" in outcome.output


def test_a_scan_says_what_is_missing_and_changes_nothing(edge: Edge) -> None:
    node = WindowsNode(edge, cumulative(), toy(is_installed=True))
    node.approve("KB5034001", "KB5034002")
    outcome = node.operate("Scan")
    assert (outcome.code, outcome.reboot_count) == (0, 0)
    assert node.states() == {CUMULATIVE: "Missing", TOY: "Installed"}
    assert f"  missing: {CUMULATIVE}" in outcome.output
    assert installed_titles(node) == set()
    assert node.machine.points.count(f"before download {CUMULATIVE}") == 0


def test_a_scan_never_restarts_whatever_waits_for_it(edge: Edge) -> None:
    node = WindowsNode(edge, cumulative(reboot_required=True))
    node.machine.registry.put(r"SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing\RebootPending", x=1)
    node.machine.registry.put(
        r"SYSTEM\CurrentControlSet\Control\Session Manager", PendingFileRenameOperations="a", ProcessorControl=1
    )
    node.approve("KB5034001")
    outcome = node.operate("Scan")
    assert (outcome.code, outcome.reboot_count) == (0, 0)
    assert node.states() == {CUMULATIVE: "InstalledPendingReboot"}
    reboot = node.report()["facts"]["reboot"]
    assert reboot["required"] is True
    assert len(reboot["reasons"]) == 3
    assert "reboot: Component Based Servicing waits for a restart" in outcome.output


def test_files_to_be_renamed_alone_are_no_reason_for_a_restart(edge: Edge) -> None:
    node = WindowsNode(edge)
    key = r"SYSTEM\CurrentControlSet\Control\Session Manager"
    node.machine.registry.put(key, PendingFileRenameOperations="a")
    outcome = node.operate()
    assert (outcome.code, outcome.reboot_count) == (0, 0)
    assert node.report()["facts"]["reboot"]["required"] is False


def test_no_reboot_leaves_what_waits_and_says_so(edge: Edge) -> None:
    node = WindowsNode(edge, cumulative(), toy())
    node.approve("KB5034001", "KB5034002")
    outcome = node.operate(reboots=False)
    assert (outcome.code, outcome.reboot_count) == (0, 0)
    assert node.report()["pendingReboot"] == sorted([CUMULATIVE, TOY])
    assert node.states() == {CUMULATIVE: "InstalledPendingReboot", TOY: "InstalledPendingReboot"}
    # The next restart, whoever asks for it, is what they wait for.
    node.machine.restart()
    node.operate("Scan")
    assert node.states() == {CUMULATIVE: "Installed", TOY: "Installed"}


@pytest.mark.parametrize(("reboots", "count"), [(True, 1), (False, 0)])
def test_what_waits_from_before_is_reason_enough_unless_no_reboot(edge: Edge, *, reboots: bool, count: int) -> None:
    node = WindowsNode(edge, cumulative(reboot_required=True))
    node.approve("KB5034001")
    assert node.operate(reboots=reboots).reboot_count == count
    assert installed_titles(node) == set()


def test_windows_update_that_waits_for_a_restart_without_naming_an_update_is_reason_enough(edge: Edge) -> None:
    node = WindowsNode(edge)
    node.machine.updates.needs_reboot_first = True
    assert node.operate(reboots=False).reboot_count == 0
    assert node.operate().reboot_count == 1


def test_an_installation_that_failed_and_has_come_to_its_end_all_the_same_is_no_failure(edge: Edge) -> None:
    node = WindowsNode(edge, toy(install_errors=[0x800705B4]))
    node.approve("KB5034002")
    (update,) = node.machine.updates.updates
    # It takes too long for who waits for it, and is there in the end.
    update.ends_after_error = True
    outcome = node.operate(reboots=False)
    assert (outcome.code, node.report()["failed"]) == (0, {})
    assert node.states() == {TOY: "InstalledPendingReboot"}


def test_a_download_that_fails_three_times_fails_that_update_alone(edge: Edge) -> None:
    node = WindowsNode(edge, cumulative(download_errors=[0x80240438] * 3), toy())
    node.approve("KB5034001", "KB5034002")
    outcome = node.operate()
    sentence = "it could not be downloaded: the update server could not be reached (0x80240438)"
    assert (outcome.code, outcome.reboot_count) == (1, 1)
    assert node.report()["failed"] == {CUMULATIVE: sentence}
    assert f"  {CUMULATIVE}: {sentence}" in outcome.output
    assert node.states() == {CUMULATIVE: "Failed", TOY: "Installed"}
    assert node.counts()["FailedCount"] == 1


def test_a_download_that_fails_twice_is_tried_again(edge: Edge) -> None:
    node = WindowsNode(edge, toy(download_errors=[0x80240438, 0x80072EE2]))
    node.approve("KB5034002")
    assert node.operate().code == 0
    assert node.states() == {TOY: "Installed"}


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        (0x80070643, "the installer of the update failed (0x80070643)"),
        (0x800F0922, "a part of its installation failed (0x800F0922)"),
        (0x80240FFF, "Windows Update gave the error 0x80240FFF"),
        (0x00240005, "Windows Update gave the error 0x00240005"),
    ],
)
def test_an_update_that_cannot_be_installed_fails_with_a_sentence_and_the_others_go_on(
    edge: Edge, code: int, sentence: str
) -> None:
    node = WindowsNode(edge, toy(install_errors=[code]), other())
    node.approve("KB5034002", "KB5034003")
    outcome = node.operate()
    assert outcome.code == 1
    assert node.report()["failed"] == {TOY: sentence}
    assert node.states() == {TOY: "Failed", OTHER: "Installed"}
    # It failed, and is not tried again: what failed once may do harm twice.
    assert installed_titles(node) == {OTHER}


def test_where_all_fail_nothing_restarts(edge: Edge) -> None:
    node = WindowsNode(edge, toy(install_errors=[0x80070643]))
    node.approve("KB5034002")
    outcome = node.operate()
    assert (outcome.code, outcome.reboot_count) == (1, 0)
    assert node.report()["pendingReboot"] == []


def test_a_busy_installer_is_waited_for(edge: Edge) -> None:
    node = WindowsNode(edge, toy())
    node.machine.updates.busy_count = 5
    node.approve("KB5034002")
    assert node.operate().code == 0
    assert node.states() == {TOY: "Installed"}


def test_an_installer_that_stays_busy_fails_the_update_after_half_an_hour(edge: Edge) -> None:
    node = WindowsNode(edge, toy())
    node.machine.updates.busy_count = 10_000
    node.approve("KB5034002")
    outcome = node.operate()
    assert outcome.code == 1
    assert node.report()["failed"] == {
        TOY: "another installation has been running for 1800 s; try again when it has ended"
    }
    assert installed_titles(node) == set()


def test_an_installation_that_begins_in_between_is_waited_for_once_more(edge: Edge) -> None:
    node = WindowsNode(edge, toy(install_errors=[update_agent.NOT_ALLOWED]))
    node.approve("KB5034002")
    assert node.operate().code == 0
    assert node.states() == {TOY: "Installed"}


def test_windows_that_has_to_restart_first_restarts_and_then_installs(edge: Edge) -> None:
    node = WindowsNode(edge, toy())
    node.machine.updates.needs_reboot_first = True
    node.approve("KB5034002")
    outcome = node.operate()
    assert (outcome.code, outcome.reboot_count) == (0, 2)
    assert node.states() == {TOY: "Installed"}


def test_windows_that_has_to_restart_first_fails_the_updates_where_it_may_not(edge: Edge) -> None:
    node = WindowsNode(edge, toy(), other())
    node.machine.updates.needs_reboot_first = True
    node.approve("KB5034002", "KB5034003")
    outcome = node.operate(reboots=False)
    assert (outcome.code, outcome.reboot_count) == (1, 0)
    reason = "Windows has to be restarted before it can be installed"
    assert node.report()["failed"] == {TOY: reason, OTHER: reason}
    assert installed_titles(node) == set()


def test_what_appears_after_a_restart_is_installed_too(edge: Edge) -> None:
    node = WindowsNode(edge, *chain(3))
    node.approve("KB4000000", "KB4000001", "KB4000002")
    outcome = node.operate()
    assert (outcome.code, outcome.reboot_count) == (0, 3)
    assert set(node.states().values()) == {"Installed"}


def test_there_are_three_restarts_at_most_and_what_is_left_is_reported(edge: Edge) -> None:
    node = WindowsNode(edge, *chain(6))
    node.approve(*(f"KB{4000000 + number}" for number in range(6)))
    outcome = node.operate()
    assert (outcome.code, outcome.reboot_count) == (1, 3)
    assert outcome.output[-1] == (
        "failed: Windows has to be restarted after 3 restarts, which are the most; restart it, and patch it again"
    )
    assert list(node.states().values()).count("Installed") == 3
    assert node.states()["Servicing Stack 3"] == "InstalledPendingReboot"


def test_what_the_restart_undoes_has_failed(edge: Edge) -> None:
    node = WindowsNode(edge, cumulative(is_undone_by_reboot=True))
    node.approve("KB5034001")
    outcome = node.operate()
    assert outcome.code == 1
    assert node.report()["failed"] == {CUMULATIVE: "it was installed, and Windows offers it again: it has been undone"}
    assert node.states() == {CUMULATIVE: "Failed"}
    (update,) = node.machine.updates.updates
    assert update.install_count == 1


def test_terms_are_accepted_and_what_may_ask_a_person_is_left(edge: Edge) -> None:
    asking = Behaviour(can_request_user_input=True)
    node = WindowsNode(edge, toy(), other(installation_behavior=asking))
    node.approve("KB5034002", "KB5034003")
    outcome = node.operate()
    assert outcome.code == 1
    assert [update.eula_accepted for update in node.machine.updates.updates] == [True, False]
    assert node.report()["failed"] == {OTHER: "it may ask a person something, and nobody is there; install it by hand"}


def test_run_again_it_says_again_what_it_said(edge: Edge) -> None:
    node = WindowsNode(edge, cumulative())
    node.approve("KB5034001")
    script = node.script()
    first = node.run(script)
    again = node.run(script)
    assert (again.code, again.reboot_count) == (0, 0)
    assert first.output[-len(again.output) :] == again.output
    assert len(node.reports()) == 1


def test_records_are_forgotten_after_a_week(edge: Edge) -> None:
    node = WindowsNode(edge)
    node.operate()
    assert len(node.records()) == 1
    node.machine.sleep(node.WEEK)
    node.operate("Scan")
    assert node.records() == []


def test_hooks_make_of_it_a_scan_an_installation_without_a_restart_and_a_restart(edge: Edge) -> None:
    node = WindowsNode(edge, cumulative())
    node.approve("KB5034001")
    parts = node.parts()
    assert node.run(parts["ScanWindows"]).code == 0
    assert node.states() == {CUMULATIVE: "Missing"}
    outcome = node.run(parts["InstallWindows"])
    assert (outcome.code, outcome.reboot_count) == (0, 0)
    assert node.states() == {CUMULATIVE: "InstalledPendingReboot"}
    outcome = node.run(parts["RebootWindows"])
    assert (outcome.code, outcome.reboot_count) == (0, 1)
    assert node.states() == {CUMULATIVE: "Installed"}


def test_with_hooks_the_scan_says_by_168_that_nothing_is_left(edge: Edge) -> None:
    node = WindowsNode(edge, cumulative(is_installed=True))
    node.approve("KB5034001")
    assert node.run(node.parts()["ScanWindows"]).code == 168


def test_with_hooks_and_no_reboot_the_last_part_does_nothing(edge: Edge) -> None:
    node = WindowsNode(edge, cumulative())
    node.approve("KB5034001")
    parts = node.parts(reboots=False)
    for name in ("ScanWindows", "InstallWindows"):
        assert node.run(parts[name]).code == 0
    outcome = node.run(parts["RebootWindows"])
    assert (outcome.code, outcome.reboot_count) == (0, 0)
    assert outcome.output == ["nothing to do: the command says NoReboot"]


def test_a_restart_that_was_asked_for_and_does_not_come_is_waited_for_and_said(edge: Edge) -> None:
    node = WindowsNode(edge, cumulative())
    node.approve("KB5034001")
    script = node.script()
    assert node.machine.run(script) == REBOOT
    # The agent runs the step again in the same boot.
    outcome = node.run(script)
    assert (outcome.code, outcome.reboot_count) == (1, 0)
    assert node.machine.slept.total_seconds() >= 300
    assert node.states() == {CUMULATIVE: "InstalledPendingReboot"}
    assert "failed: the machine was to restart and has not done so within 300 s" in outcome.output[-1]


def twins(**more: Any) -> list[Update]:
    """Return two updates of one title, as drivers for two devices have it, of which the second is as *more* says."""
    return [Update("Toys Inc. - Net", number=1), Update("Toys Inc. - Net", number=2, **more)]


SECURITY_RULE: Final = {
    "PatchRules": [
        {
            "PatchFilterGroup": {"PatchFilters": [{"Key": "CLASSIFICATION", "Values": ["SecurityUpdates"]}]},
            "ApproveAfterDays": 0,
        }
    ]
}


def test_of_two_updates_of_one_title_the_one_that_fails_has_failed(edge: Edge) -> None:
    node = WindowsNode(edge, *twins(install_errors=[0x80070643]))
    node.approve(ApprovalRules=SECURITY_RULE)
    outcome = node.operate()
    assert outcome.code == 1
    assert node.report()["failed"] == {"Toys Inc. - Net": "the installer of the update failed (0x80070643)"}


def test_of_two_updates_of_one_title_the_one_that_is_not_approved_has_not_been_undone(edge: Edge) -> None:
    node = WindowsNode(edge, *twins(kinds=(update_agent.DRIVERS, update_agent.SERVER_2022)))
    node.approve(ApprovalRules=SECURITY_RULE)
    outcome = node.operate()
    assert (outcome.code, node.report()["failed"]) == (0, {})
    assert [update.install_count for update in node.machine.updates.updates] == [1, 0]


def test_an_installation_that_is_cut_off_three_times_is_given_up_and_said(edge: Edge) -> None:
    node = WindowsNode(edge, toy())
    node.approve("KB5034002")
    script = node.script()
    for _ in range(3):
        with pytest.raises(Killed):
            node.machine.run(script, kills=lambda point: point == f"before install {TOY}")
    outcome = node.run(script)
    assert (outcome.code, outcome.reboot_count) == (1, 0)
    assert node.report()["failed"] == {TOY: "its installation was cut off 3 times"}
    assert node.states() == {TOY: "Failed"}
    assert "failed: the installation was cut off again and again, so no more was tried" in outcome.output
    assert installed_titles(node) == set()


def test_a_rejected_update_is_not_installed_and_does_not_fail_the_step(edge: Edge) -> None:
    node = WindowsNode(edge, toy(), other())
    node.approve("KB5034002", RejectedPatches=["KB5034003"], RejectedPatchesAction="BLOCK")
    outcome = node.operate()
    assert (outcome.code, node.report()["failed"]) == (0, {})
    assert installed_titles(node) == {TOY}
