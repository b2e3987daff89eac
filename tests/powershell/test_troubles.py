"""What the patch operation for Windows does where something around it fails, and what it trusts."""

import pytest
from tests.fakes.edge import Edge
from tests.powershell.node import REBOOT, WindowsNode, step
from tests.powershell.some_updates import OTHER, TOY, installed_titles, other, toy


@pytest.mark.parametrize(
    ("errors", "problem"),
    [
        ([0x8024402C], "the name of the update server or of the proxy could not be resolved (0x8024402C)"),
        ([3], "the search for IsInstalled=1 ended with the result 3, not 2; Windows' own update log says why"),
    ],
)
def test_a_search_that_fails_or_finds_a_part_is_no_scan(edge: Edge, errors: list[int], problem: str) -> None:
    node = WindowsNode(edge, toy())
    node.machine.updates.search_errors = errors
    outcome = node.operate("Scan")
    assert (outcome.code, outcome.errors) == (1, [f"patchwindow: {problem}"])
    assert node.reports() == []
    assert edge.here.perform("DescribeInstancePatches", InstanceId=node.node_id)["Patches"] == []


def test_an_update_server_that_fails_before_anything_is_installed_fails_the_step(edge: Edge) -> None:
    node = WindowsNode(edge, toy())
    node.approve("KB5034002")
    node.machine.updates.search_errors = [0x80072EE2]
    outcome = node.operate()
    assert outcome.code == 1
    assert installed_titles(node) == set()


def test_an_update_server_that_fails_after_the_installation_is_said_and_what_is_known_is_reported(edge: Edge) -> None:
    node = WindowsNode(edge, toy())
    node.approve("KB5034002")
    # Three searches are one look; then comes the installation.
    node.machine.updates.search_errors = [0, 0, 0, *[0x80072EE2] * 50]
    outcome = node.operate(reboots=False)
    assert outcome.code == 1
    lists = node.report()["lists"]
    assert (lists["refreshed"], lists["asOf"]) == (False, node.report()["startedAt"])
    assert lists["problem"] == "the update server did not answer in time (0x80072EE2)"
    assert node.states() == {TOY: "InstalledPendingReboot"}


def test_a_server_that_cannot_be_reached_is_asked_again_only_where_work_is_under_way(edge: Edge) -> None:
    node = WindowsNode(edge, toy())
    node.approve("KB5034002")
    node.machine.web.troubles = {"order": [0]}
    outcome = node.operate()
    assert (outcome.code, outcome.errors) == (
        1,
        ["patchwindow: the server cannot be reached for the order: Unable to connect to the remote server"],
    )
    node.machine.web.troubles = {"plan": [503, 0, 500], "report": [0, 503, 429]}
    assert node.operate().code == 0
    assert node.states() == {TOY: "Installed"}


def test_a_report_that_cannot_be_delivered_for_fifteen_minutes_fails_the_step_and_is_sent_by_the_next_run(
    edge: Edge,
) -> None:
    node = WindowsNode(edge, toy())
    node.approve("KB5034002")
    script = node.script(reboots=False)
    node.machine.web.troubles = {"report": [0] * 1000}
    assert node.run(script).code == 1
    assert 850 <= node.machine.slept.total_seconds() <= 950
    node.machine.web.troubles = {}
    assert node.run(script).code == 0
    assert node.states() == {TOY: "InstalledPendingReboot"}
    assert {update.install_count for update in node.machine.updates.updates} == {1}


def test_progress_that_cannot_be_delivered_is_no_error_and_is_not_tried_for_a_minute(edge: Edge) -> None:
    node = WindowsNode(edge, toy(), other())
    node.approve("KB5034002", "KB5034003")
    node.machine.web.troubles = {"progress": [0] * 100}
    assert node.operate().code == 0
    assert len(node.machine.web.troubles["progress"]) > 95


def test_the_server_hears_how_far_the_operation_is(edge: Edge) -> None:
    node = WindowsNode(edge, toy())
    node.approve("KB5034002")
    node.operate()
    assert node.phases() == ["Scanning", "Downloading", "Installing", "Scanning", "Rebooting", "Scanning", "Verifying"]


def test_what_another_sent_is_not_run(edge: Edge) -> None:
    node = WindowsNode(edge, toy())
    node.approve("KB5034002")
    outcome = node.run(node.script(digest="0" * 64))
    assert outcome.code == 1
    assert outcome.errors[0].endswith(f"not {'0' * 64}; nothing of it was run")
    assert [name for name, _ in node.machine.web.sent] == ["script"]


def test_the_step_says_when_the_script_cannot_be_fetched_or_the_command_has_no_address(edge: Edge) -> None:
    node = WindowsNode(edge)
    node.machine.web.troubles = {"script": [0]}
    outcome = node.operate("Scan")
    said = "patchwindow: the server did not send the patch operation: Unable to connect to the remote server"
    assert (outcome.code, outcome.errors) == (1, [said])
    outcome = node.run(step("AWS-RunPatchBaseline"))
    assert outcome.code == 1
    assert "carries no address of a patch operation" in outcome.errors[0]


@pytest.mark.parametrize(
    ("environment", "proxies"),
    [
        ({}, set()),
        ({"HTTPS_PROXY": "http://proxy.example.net:3128"}, {"http://proxy.example.net:3128"}),
        ({"HTTPS_PROXY": "http://proxy.example.net:3128", "NO_PROXY": "localhost,patch.example.net"}, set()),
        (
            {"PATCHWINDOW_PROXY": "http://ours.example.net", "NO_PROXY": "patch.example.net"},
            {"http://ours.example.net"},
        ),
    ],
)
def test_requests_go_by_the_proxy_that_the_environment_names(
    edge: Edge, environment: dict[str, str], proxies: set[str]
) -> None:
    node = WindowsNode(edge)
    node.machine.environment.update(environment)
    assert node.operate("Scan").code == 0
    assert node.machine.web.proxies == proxies


def test_tls_1_2_is_offered_beside_what_was(edge: Edge) -> None:
    node = WindowsNode(edge)
    node.machine.security_protocol = 192
    node.operate("Scan")
    assert node.machine.security_protocol == 192 | 3072


def test_another_operation_on_the_machine_is_waited_for_ten_minutes(edge: Edge) -> None:
    node = WindowsNode(edge, toy())
    node.approve("KB5034002")
    script = node.script()
    node.machine.hold_lock()
    outcome = node.run(script)
    assert outcome.code == 1
    assert "for 600 s; try again when it has ended" in outcome.errors[0]
    assert installed_titles(node) == set()


def test_a_lock_that_may_not_be_opened_is_not_waited_for(edge: Edge) -> None:
    node = WindowsNode(edge)
    node.machine.disk.denied.add("patch.lock")
    outcome = node.operate("Scan")
    assert (outcome.code, node.machine.slept.total_seconds()) == (1, 0)
    assert outcome.errors[0].endswith("patch.lock' is denied.")


def test_a_full_disk_ends_the_operation_before_it_installs_and_not_after(edge: Edge) -> None:
    node = WindowsNode(edge, toy())
    node.approve("KB5034002")
    node.machine.disk.free_bytes = 0
    outcome = node.operate()
    assert outcome.code == 1
    assert outcome.errors == ["patchwindow: There is not enough space on the disk."]
    assert installed_titles(node) == set()

    node.machine.disk.free_bytes = 2**40
    node.machine.at_point(f"after install {TOY}", lambda: setattr(node.machine.disk, "free_bytes", 0))
    outcome = node.operate()
    # It does not restart either, since the restart could not be noted.
    assert (outcome.code, outcome.reboot_count) == (1, 0)
    assert node.states() == {TOY: "InstalledPendingReboot"}
    assert "cannot be written: There is not enough space on the disk." in outcome.output[-1]


def test_a_disk_that_fills_between_two_updates_ends_the_installation_and_what_was_done_is_reported(edge: Edge) -> None:
    node = WindowsNode(edge, toy(), other())
    node.approve("KB5034002", "KB5034003")
    for title in (TOY, OTHER):
        node.machine.at_point(f"after install {title}", lambda: setattr(node.machine.disk, "free_bytes", 0))
    outcome = node.operate()
    assert (outcome.code, outcome.reboot_count) == (1, 0)
    (done,) = installed_titles(node)
    assert node.states() == {done: "InstalledPendingReboot", ({TOY, OTHER} - {done}).pop(): "Missing"}
    assert "nothing more was installed, since what waits for a restart cannot be noted" in outcome.output[-1]


def test_a_disk_that_is_full_after_the_restart_does_not_keep_what_was_done_from_being_reported(edge: Edge) -> None:
    node = WindowsNode(edge, toy())
    node.approve("KB5034002")
    script = node.script()
    assert node.machine.run(script) == REBOOT
    node.machine.restart()
    node.machine.disk.free_bytes = 0
    outcome = node.run(script)
    assert (outcome.code, outcome.reboot_count) == (1, 0)
    assert node.states() == {TOY: "Installed"}
