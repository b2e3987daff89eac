"""Plan files against a running server, by the command line."""

import re
import signal
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest
from tests.fakes.commandline import PATCHWINDOW, Shell, line_of
from tests.fakes.node import PaperNode
from tests.fakes.scans import facts_of, package, update
from tests.fakes.server import Plane, all_pages

PREVIEWED: Final = """\
name: previewed
baselines:
  Bash-Alone:
    operatingSystem: DEBIAN
    default: true
    approvedPatches: [bash]
windows:
  Sunday:
    schedule: cron(0 3 ? * SUN *)
    duration: 2
    cutoff: 1
    targets:
      previewed: {tags: {Role: previewed}}
    tasks:
      patch: {operation: Install, rebootOption: NoReboot, maxConcurrency: 10%, maxErrors: 5%}
"""
REFERENCE: Final = Path(__file__).parents[2] / "plans" / "reference.yaml"
FULL_OF_PROBLEMS: Final = """\
name: troubled
baselines:
  security:
    operatingSystem: DEBIAN
    approveAfter: 7
patchGroups:
  Web Server:
    baselines: nothing-of-this-name
windows:
  web:
    schedule: cron(0 25 ? * THU#1 *)
    duration: six
    targets:
      web: {patchGroup: Web Server}
    tasks:
      patch: {targets: [nowhere]}
"""


def everything(plane: Plane) -> Any:
    """Return what a plan can make."""
    client = plane.client
    windows = all_pages(client, "describe_maintenance_windows", "WindowIdentities")
    of_windows = [
        [
            *all_pages(client, "describe_maintenance_window_targets", "Targets", WindowId=window["WindowId"]),
            *all_pages(client, "describe_maintenance_window_tasks", "Tasks", WindowId=window["WindowId"]),
        ]
        for window in windows
    ]
    baselines = all_pages(client, "describe_patch_baselines", "BaselineIdentities")
    return [windows, baselines, all_pages(client, "describe_patch_groups", "Mappings"), of_windows]


def test_every_problem_of_a_plan_is_told_by_its_place_and_nothing_is_made(plane: Plane, tmp_path: Path) -> None:
    before = everything(plane)
    file = tmp_path / "plan.yaml"
    file.write_text(FULL_OF_PROBLEMS)
    done = plane.shell().patchwindow("plan", "apply", str(file), "--yes", exit_code=1)
    *problems, last = done.err.splitlines()
    places = {int(found[1]) for line in problems if (found := re.match(rf"{re.escape(str(file))}:(\d+):\d+: \S", line))}
    assert len(problems) >= 5
    assert places >= {5, 8, 11, 12, 16}
    assert last.startswith(f"patchwindow: {file} has {len(problems)} problems, nothing was changed")
    assert everything(plane) == before


@pytest.mark.parametrize("text", ["name: [", "- a list"])
def test_a_plan_that_is_no_plan_is_refused_at_its_place(plane: Plane, tmp_path: Path, text: str) -> None:
    file = tmp_path / "plan.yaml"
    file.write_text(text)
    done = plane.shell().patchwindow("plan", "apply", str(file), "--yes", exit_code=1)
    assert re.match(rf"{re.escape(str(file))}:\d+:\d+: ", done.err)
    assert "Traceback" not in done.err


def test_a_plan_that_is_not_there_is_named(plane: Plane, tmp_path: Path) -> None:
    done = plane.shell().patchwindow("plan", "apply", str(tmp_path / "none.yaml"), "--yes", exit_code=1)
    assert done.err.startswith(f"{tmp_path / 'none.yaml'}:1:1: cannot be read: No such file or directory")


def test_the_reference_plan_is_applied_once_and_then_found_in_place(plane: Plane) -> None:
    shell = plane.shell()
    refused = shell.patchwindow("plan", "apply", str(REFERENCE), exit_code=1)
    assert "will create window Web-Server" in refused.err
    assert "not confirmed, nothing was done" in refused.err

    first = shell.patchwindow("plan", "apply", str(REFERENCE), "--yes", "--json").json
    assert (len(first["Created"]), first["Updated"], first["Unchanged"]) == (52, [], [])
    made = everything(plane)
    assert {window["Name"] for window in made[0]} == {
        *("Management-Server", "Web-Server", "Application-Server", "Database-Server"),
        *("Sandbox-Development-Test", "Acceptance-Production"),
    }
    assert [len(of_window) for of_window in made[3]] == [2] * 6

    second = shell.patchwindow("plan", "apply", str(REFERENCE), "--json").json
    assert (second["Created"], second["Updated"], len(second["Unchanged"])) == ([], [], 52)
    assert everything(plane) == made


def test_a_changed_plan_changes_just_that(plane: Plane, tmp_path: Path) -> None:
    file = tmp_path / "plan.yaml"
    file.write_text(REFERENCE.read_text().replace("maxErrors: 5%", "maxErrors: 6%"))
    outcome = plane.shell().patchwindow("plan", "apply", str(file), "--yes", "--json").json
    assert {change["Kind"] for change in outcome["Updated"]} == {"task"}
    assert (len(outcome["Updated"]), len(outcome["Created"]), len(outcome["Unchanged"])) == (6, 0, 46)


def test_a_diff_shows_a_change_before_it_is_made_and_nothing_after(plane: Plane, tmp_path: Path) -> None:
    file = tmp_path / "plan.yaml"
    file.write_text(REFERENCE.read_text().replace("maxErrors: 5%", "maxErrors: 7%"))
    shell = plane.shell()
    before = everything(plane)
    found = shell.patchwindow("plan", "diff", str(file), "--json").json
    assert [(change["action"], change["kind"]) for change in found["changes"]] == [("update", "task")] * 6
    assert everything(plane) == before
    shell.patchwindow("plan", "apply", str(file), "--yes")
    assert shell.patchwindow("plan", "diff", str(file), "--json").json["changes"] == []


def test_a_diff_tells_which_patches_are_approved_no_longer_and_when_that_takes_effect(
    plane: Plane, tmp_path: Path
) -> None:
    activation = plane.activation(Tags=[{"Key": "Role", "Value": "previewed"}])
    node = PaperNode.registered(plane.url, activation, tmp_path / "state")
    said = {"PlatformType": "Linux", "PlatformName": "Debian GNU/Linux", "PlatformVersion": "12", "AgentVersion": "1"}
    node.call("ssm", "UpdateInstanceInformation", InstanceId=node.node_id, **said)
    plane.client.send_command(
        InstanceIds=[node.node_id], DocumentName="AWS-RunPatchBaseline", Parameters={"Operation": ["Scan"]}
    )
    node.scan(facts_of([package("openssl")], [update("openssl")]))
    file = tmp_path / "plan.yaml"
    file.write_text(PREVIEWED, encoding="utf-8")
    found = plane.shell().patchwindow("plan", "diff", str(file), "--json").json
    (patches,) = (each for each in found["patches"] if each["group"] == "")
    assert (patches["newlyApprovedCount"], patches["noLongerApprovedCount"]) == (0, 1)
    (window,) = found["windows"]
    assert window["gaining"] == [node.node_id]
    assert patches["opensAt"] == window["opensAt"] is not None
    node.close()


def test_an_export_of_what_a_plan_has_made_changes_nothing_when_it_is_applied(plane: Plane, tmp_path: Path) -> None:
    shell, file = plane.shell(), tmp_path / "exported.yaml"
    exported = shell.patchwindow("plan", "export", "--name", "reference", "--output", str(file))
    assert exported.err == ""
    assert shell.patchwindow("plan", "check", str(file)).err == f"{file}: 0 findings\n"
    assert shell.patchwindow("plan", "diff", str(file), "--json").json["changes"] == []


def test_pruning_a_plan_of_nothing_takes_away_all_that_the_plan_has_made(plane: Plane, tmp_path: Path) -> None:
    shell, file = plane.shell(), tmp_path / "nothing.yaml"
    file.write_text("name: reference\n")
    kept = shell.patchwindow("plan", "apply", str(file), "--yes", "--json").json
    assert (len(kept["Left"]), kept["Deleted"]) == (52, [])
    gone = shell.patchwindow("plan", "apply", str(file), "--prune", "--yes", "--json").json
    assert (len(gone["Deleted"]), gone["Left"]) == (52, [])
    assert shell.patchwindow("plan", "export").out == "name: exported\n"


@pytest.mark.parametrize("verb", ["apply", "diff"])
def test_an_endpoint_that_nobody_answers_at_is_named(plane: Plane, verb: str) -> None:
    nowhere = "http://127.0.0.1:1"
    done = plane.shell().patchwindow("plan", verb, str(REFERENCE), "--endpoint-url", nowhere, exit_code=1)
    assert done.err == f"patchwindow: cannot reach {nowhere}; check the endpoint URL, and that the server runs\n"


def test_a_key_that_the_server_does_not_know_is_refused_with_what_to_check(plane: Plane) -> None:
    shell, key = plane.shell(), {"AWS_ACCESS_KEY_ID": "PWUNKNOWN00000000000", "AWS_SECRET_ACCESS_KEY": "secret"}
    done = Shell({**shell.environ, **key}).patchwindow("plan", "apply", str(REFERENCE), "--yes", exit_code=1)
    assert "UnrecognizedClientException" in done.err
    assert "check the profile and the endpoint" in done.err


def test_ctrl_c_says_how_far_an_apply_came_and_the_next_one_goes_on(plane: Plane, tmp_path: Path) -> None:
    shell, file = plane.shell(), tmp_path / "plan.yaml"
    file.write_text(REFERENCE.read_text().replace("name: reference", "name: interrupted").replace("default: true", ""))
    command = [*PATCHWINDOW, "plan", "apply", str(file), "--yes"]
    with subprocess.Popen(
        command, env=dict(shell.environ), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None, "it is a pipe"
        line_of(process.stderr, "done: create baseline")
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=20)
    assert process.returncode == 1
    *_, last = said.splitlines()
    told = re.fullmatch(
        r"patchwindow: interrupted: (\d+) of (\d+) changes are done; the next, .*, may be done or not; .*", last
    )
    assert told is not None, last
    done_count, all_count = int(told[1]), int(told[2])
    assert 0 < done_count < all_count
    again = shell.patchwindow("plan", "apply", str(file), "--yes", "--json").json
    # What was under way may have been done before the program ended.
    assert len(again["Created"]) in (all_count - done_count, all_count - done_count - 1)
    assert shell.patchwindow("plan", "diff", str(file), "--json").json["changes"] == []
