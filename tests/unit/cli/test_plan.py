"""`patchwindow plan`."""

import json
from pathlib import Path

import pytest
from tests.unit.cli.fake import Answers, Members, run

from patchwindow.cli.exits import Exit
from patchwindow.domain.patch_group import TAG_KEYS

WINDOW = "mw-0123456789abcdef0"
PLAN = """\
name: small
windows:
  web-server:
    schedule: cron(0 23 ? * THU#1 *)
    duration: 6
    cutoff: 1
"""
TAGS = [{"Key": "patchwindow:plan", "Value": "small"}, {"Key": "patchwindow:name", "Value": "web-server"}]
EMPTY: Answers = {"CreateMaintenanceWindow": {"WindowId": WINDOW}}


@pytest.fixture
def file(tmp_path: Path) -> str:
    """Return the path of a plan of one window."""
    path = tmp_path / "small.yaml"
    path.write_text(PLAN, encoding="utf-8")
    return str(path)


def there(changed: Members) -> Answers:
    """Return a server that has the plan's window, but for what is *changed*."""
    window = {
        "WindowId": WINDOW,
        "Name": "web-server",
        "Schedule": "cron(0 23 ? * THU#1 *)",
        "Duration": 6,
        "Cutoff": 1,
        "AllowUnassociatedTargets": False,
        "Enabled": True,
        **changed,
    }
    listed = {name: window[name] for name in ("WindowId", "Name", "Enabled", "Schedule")}
    return {
        "DescribeMaintenanceWindows": {"WindowIdentities": [listed]},
        "GetMaintenanceWindow": window,
        "ListTagsForResource": {"TagList": TAGS},
    }


def made(outcome: list[tuple[str, Members]]) -> list[str]:
    """Return the operations that changed something."""
    return [operation for operation, _ in outcome if not operation.startswith(("Describe", "Get", "List", "Preview"))]


def test_apply_makes_what_is_missing_and_counts_it(file: str) -> None:
    outcome = run("plan", "apply", file, "--yes", answers=EMPTY)
    assert outcome.exit_code == Exit.DONE
    assert made(outcome.asked) == ["CreateMaintenanceWindow"]
    assert outcome.stdout == "Plan       small\nCreated    1\nUpdated    0\nDeleted    0\nUnchanged  0\nLeft       0\n"
    assert outcome.stderr == "done: create window web-server\n"


def test_apply_as_json_names_what_it_did(file: str) -> None:
    found = json.loads(run("plan", "apply", file, "--yes", "--json", answers=there({"Duration": 5})).stdout)
    assert found == {
        "Plan": "small",
        "Created": [],
        "Updated": [{"Kind": "window", "Path": ["web-server"], "Changed": ["Duration"]}],
        "Deleted": [],
        "Unchanged": [],
        "Left": [],
    }


def test_apply_names_the_changes_and_makes_none_without_a_yes(file: str) -> None:
    outcome = run("plan", "apply", file, typed="n\n", answers=EMPTY)
    assert outcome.exit_code == Exit.FAILED
    assert made(outcome.asked) == []
    assert outcome.stderr.startswith(
        "will create window web-server\nThis makes 1 change for plan 'small'. Go on? [y/N]: "
    )


def test_apply_of_what_is_there_asks_and_changes_nothing(file: str) -> None:
    outcome = run("plan", "apply", file, answers=there({}))
    assert outcome.exit_code == Exit.DONE
    assert made(outcome.asked) == []
    assert outcome.stderr == ""
    assert "Unchanged  1" in outcome.stdout


def test_apply_names_what_has_left_the_plan_and_leaves_it(tmp_path: Path) -> None:
    path = tmp_path / "smaller.yaml"
    path.write_text("name: small\n", encoding="utf-8")
    outcome = run("plan", "apply", str(path), answers=there({}))
    assert outcome.exit_code == Exit.DONE
    assert made(outcome.asked) == []
    assert outcome.stderr == f"no longer in the plan, and stays: window web-server ({WINDOW})\n"


def test_every_problem_of_a_plan_is_a_line_and_nothing_is_asked_of_the_server(tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(PLAN.replace("duration: 6", "duration: 60").replace("cutoff: 1", "cutof: 1"), encoding="utf-8")
    outcome = run("plan", "apply", str(path), "--yes")
    assert outcome.exit_code == Exit.FAILED
    assert outcome.asked == []
    *problems, last = outcome.stderr.splitlines()
    assert len(problems) >= 2
    assert all(problem.startswith(f"{path}:") for problem in problems)
    assert last == f"patchwindow: {path} has {len(problems)} problems, nothing was changed; correct the lines above"


def test_a_file_that_is_not_there_is_one_problem(tmp_path: Path) -> None:
    outcome = run("plan", "apply", str(tmp_path / "none.yaml"), "--yes")
    assert outcome.exit_code == Exit.FAILED
    assert "cannot be read: No such file or directory" in outcome.stderr


def test_check_asks_no_server_and_finds_nothing_wrong_with_a_sound_plan() -> None:
    outcome = run("plan", "check", "plans/reference.yaml", "--for", "aws", "--json")
    assert (outcome.exit_code, json.loads(outcome.stdout)) == (Exit.DONE, {"Findings": []})
    assert outcome.connected == []


@pytest.mark.parametrize(
    ("fail_on", "exit_code"), [("error", Exit.DONE), ("warning", Exit.FAILED), ("notice", Exit.FAILED)]
)
def test_the_exit_code_of_check_follows_the_severity(file: str, fail_on: str, exit_code: Exit) -> None:
    outcome = run("plan", "check", file, "--fail-on", fail_on)
    assert outcome.exit_code == exit_code
    assert outcome.stdout.splitlines() == [
        (
            f"{file}:3:3: warning: window 'web-server' has no targets, so it opens for no node; "
            "name its nodes under targets [no-targets]"
        ),
        (
            f"{file}:3:3: notice: window 'web-server' has no tasks, so nothing happens when it opens; "
            "say what is to be done under tasks [no-tasks]"
        ),
    ]


def test_a_plan_that_cannot_be_read_is_findings_too(tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text("name: small\ncolor: red\n", encoding="utf-8")
    outcome = run("plan", "check", str(path), "--json")
    assert outcome.exit_code == Exit.FAILED
    (finding,) = json.loads(outcome.stdout)["Findings"]
    assert (finding["Code"], finding["Severity"], finding["Line"], finding["Column"]) == ("invalid", "error", 2, 1)


def test_schema_prints_what_ships() -> None:
    outcome = run("plan", "schema")
    assert outcome.stdout == Path("src/patchwindow/plans/plan.schema.json").read_text(encoding="utf-8")


def test_an_apply_that_is_interrupted_says_what_is_done_and_what_may_be(file: str) -> None:
    def interrupt(_: Members) -> Members:
        raise KeyboardInterrupt

    outcome = run("plan", "apply", file, "--yes", answers={"CreateMaintenanceWindow": interrupt})
    assert outcome.exit_code == Exit.FAILED
    assert outcome.stderr == (
        "patchwindow: interrupted: 0 of 1 changes are done; the next, create window web-server, may be done or not; "
        "apply again, and it goes on from there\n"
    )


def test_an_apply_that_is_interrupted_while_it_looks_says_that_nothing_is_done(file: str) -> None:
    def interrupt(_: Members) -> Members:
        raise KeyboardInterrupt

    outcome = run("plan", "apply", file, "--yes", answers={"DescribeMaintenanceWindows": interrupt})
    assert outcome.exit_code == Exit.FAILED
    assert outcome.stderr == "patchwindow: interrupted before the first change; nothing was done\n"


def test_pruning_deletes_what_has_left_the_plan_and_says_so_first(tmp_path: Path) -> None:
    path = tmp_path / "smaller.yaml"
    path.write_text("name: small\n", encoding="utf-8")
    outcome = run("plan", "apply", str(path), "--prune", typed="y\n", answers=there({}))
    assert made(outcome.asked) == ["DeleteMaintenanceWindow"]
    assert "will delete window web-server\n" in outcome.stderr
    assert "Deleted    1" in outcome.stdout


@pytest.mark.parametrize(("service", "is_told"), [("aws", True), ("server", False)])
def test_that_windows_of_aws_heed_no_freezes_is_said_in_one_line(
    tmp_path: Path, service: str, *, is_told: bool
) -> None:
    path = tmp_path / "frozen.yaml"
    frozen = "freezes: {Never: {dates: [{from: 2020-01-01, to: 2020-01-02}]}}\n"
    path.write_text(f"{PLAN}    freezes: Never\n{frozen}", encoding="utf-8")
    outcome = run("plan", "apply", str(path), "--yes", "--for", service, answers=EMPTY)
    assert outcome.exit_code == Exit.DONE
    assert ("windows of AWS heed no freezes" in outcome.stderr) is is_told


def test_diff_tells_when_a_window_opens_next_whose_freeze_is_new(tmp_path: Path) -> None:
    path = tmp_path / "frozen.yaml"
    frozen = "freezes: {Never: {dates: [{from: 2020-01-01, to: 2020-01-02}]}}\n"
    path.write_text(f"{PLAN}    freezes: Never\n{frozen}", encoding="utf-8")
    heeding = {"TagList": [*TAGS, {"Key": "patchwindow:freezes", "Value": "Never"}]}
    told = json.loads(
        run("plan", "diff", str(path), "--json", answers={**there({}), "ListTagsForResource": heeding}).stdout
    )
    assert [(change["action"], change["kind"]) for change in told["changes"]] == [("create", "freeze")]
    assert [(window["window"], window["opensAt"] is not None) for window in told["windows"]] == [("web-server", True)]


NODES = [{"InstanceId": "mi-0123456789abcdef0"}, {"InstanceId": "mi-0123456789abcdef1"}]
TARGETED = f"""{PLAN}    targets: {{web: {{patchGroup: Web Server}}}}
patchGroups: {{Web Server: {{baselines: AWS-UbuntuDefaultPatchBaseline}}}}
"""
IDENTITY = {
    "BaselineId": "pb-0123456789abcdef0",
    "BaselineName": "AWS-UbuntuDefaultPatchBaseline",
    "OperatingSystem": "UBUNTU",
}
PREDEFINED: Answers = {
    "DescribePatchBaselines": lambda asked: {
        "BaselineIdentities": [IDENTITY] if asked["Filters"][0]["Values"] == ["AWS"] else []
    },
    "DescribeInstanceInformation": {"InstanceInformationList": NODES},
    "GetPatchBaseline": {"OperatingSystem": "UBUNTU", "RejectedPatches": ["nano"]},
    "PreviewBaseline": {
        "InstanceCount": 2,
        "Groups": [
            {
                "PatchGroup": "Web Server",
                "InstanceCount": 2,
                "NewlyApprovedCount": 1,
                "NewlyApproved": [{"Title": "openssl.amd64:2", "InstanceCount": 2}],
                "NoLongerApprovedCount": 0,
                "NoLongerApproved": [],
            }
        ],
    },
}


def test_diff_shows_changes_and_the_nodes_that_gain_a_window_and_makes_none(tmp_path: Path) -> None:
    path = tmp_path / "targeted.yaml"
    path.write_text(TARGETED, encoding="utf-8")
    outcome = run("plan", "diff", str(path), answers=PREDEFINED)
    assert outcome.exit_code == Exit.DONE
    assert made(outcome.asked) == []
    *changes, reach, patches = outcome.stdout.splitlines()
    assert changes == [
        "create patch group Web Server / UBUNTU",
        "create window web-server",
        "create target web-server / web",
    ]
    gained = "window web-server: 2 nodes gain it (mi-0123456789abcdef0, mi-0123456789abcdef1); it opens next at 20"
    assert reach.startswith(gained)
    asked = [members for operation, members in outcome.asked if operation == "DescribeInstanceInformation"]
    # What was asked for the window is not asked again for the group.
    assert asked == [{"Filters": [{"Key": f"tag:{key}", "Values": ["Web Server"]}]} for key in TAG_KEYS]
    assert patches == (
        "baseline AWS-UbuntuDefaultPatchBaseline, 2 nodes of group Web Server: 1 newly approved (openssl.amd64:2); "
        "no window of the plan installs there within a year"
    )
    (preview,) = [members for operation, members in outcome.asked if operation == "PreviewBaseline"]
    assert preview == {
        "Baseline": {"OperatingSystem": "UBUNTU", "RejectedPatches": ["nano"]},
        "IsDefault": False,
        "PatchGroups": ["Web Server"],
    }


OWN = "pb-0123456789abcdef1"
MADE = {"BaselineId": OWN, "BaselineName": "own", "OperatingSystem": "UBUNTU"}
CHOSEN = "pb-0123456789abcdef2"


def pruned(*, is_default: bool) -> Answers:
    """Answer with a baseline of the plan that has a patch group, and is the default of its system or is not."""

    def baselines(asked: Members) -> Members:
        if asked["Filters"][0]["Values"] == ["AWS"]:
            return {"BaselineIdentities": [IDENTITY]}
        return {"BaselineIdentities": [{**MADE, "DefaultBaseline": is_default}]}

    def baseline(asked: Members) -> Members:
        names = {OWN: "own", CHOSEN: "chosen", "pb-0123456789abcdef0": "AWS-UbuntuDefaultPatchBaseline"}
        return {"Name": names[asked["BaselineId"]], "OperatingSystem": "UBUNTU"}

    return {
        **PREDEFINED,
        "DescribePatchBaselines": baselines,
        "GetPatchBaseline": baseline,
        "GetDefaultPatchBaseline": {"BaselineId": CHOSEN},
        "DescribePatchGroups": {"Mappings": [{"PatchGroup": "Web Server", "BaselineIdentity": MADE}]},
        "ListTagsForResource": {
            "TagList": [{"Key": "patchwindow:plan", "Value": "small"}, {"Key": "patchwindow:name", "Value": "own"}]
        },
    }


@pytest.mark.parametrize(
    ("plan", "is_default", "previewed"),
    [
        # The plan has nothing to do with the default: whoever has chosen it.
        ("", False, {("chosen", False)}),
        # What was the default goes with the rest.
        ("", True, {("AWS-UbuntuDefaultPatchBaseline", True)}),
        # The plan keeps the baseline as the default, and takes it from the group alone.
        ("baselines: {own: {operatingSystem: UBUNTU, default: true}}\n", True, {("own", False)}),
    ],
)
def test_diff_tells_what_a_pruned_registration_leaves_to_the_default(
    tmp_path: Path, plan: str, previewed: set[tuple[str, bool]], *, is_default: bool
) -> None:
    path = tmp_path / "smaller.yaml"
    path.write_text(f"name: small\n{plan}", encoding="utf-8")
    outcome = run("plan", "diff", str(path), "--prune", "--json", answers=pruned(is_default=is_default))
    asked = [members for operation, members in outcome.asked if operation == "PreviewBaseline"]
    assert [members["PatchGroups"] for members in asked] == [["Web Server"]]
    told = {patches["baseline"] for patches in json.loads(outcome.stdout)["patches"]}
    assert {(name, members["IsDefault"]) for name in told for members in asked} == previewed


INSTALLING = TARGETED.replace(
    "patchGroups:",
    "    tasks: {patch: {operation: Install, rebootOption: NoReboot, maxConcurrency: 10%, maxErrors: 5%}}\npatchGroups:",
)


def test_diff_tells_the_first_opening_that_installs_what_becomes_approved(tmp_path: Path) -> None:
    path = tmp_path / "installing.yaml"
    path.write_text(INSTALLING, encoding="utf-8")
    told = json.loads(run("plan", "diff", str(path), "--json", answers=PREDEFINED).stdout)
    (window,), (patches,) = told["windows"], told["patches"]
    assert patches["opensAt"] == window["opensAt"] is not None
    said = run("plan", "diff", str(path), answers=PREDEFINED).stdout.splitlines()[-1]
    assert f"; takes effect first at {patches['opensAt'][:10]}" in said


@pytest.mark.parametrize(
    ("system", "is_told"),
    [
        ({"PlatformName": "Ubuntu", "PlatformVersion": "22.04"}, True),
        ({"PlatformName": "Debian GNU/Linux", "PlatformVersion": "12"}, False),
    ],
)
def test_a_window_for_nodes_of_another_system_is_no_first_effect_of_a_baseline(
    tmp_path: Path, system: Members, *, is_told: bool
) -> None:
    path = tmp_path / "installing.yaml"
    path.write_text(INSTALLING, encoding="utf-8")
    nodes = {"DescribeInstanceInformation": {"InstanceInformationList": [{**node, **system} for node in NODES]}}
    (patches,) = json.loads(run("plan", "diff", str(path), "--json", answers={**PREDEFINED, **nodes}).stdout)["patches"]
    assert (patches["opensAt"] is not None) is is_told


def test_where_nobody_tells_what_becomes_of_patches_diff_says_so(tmp_path: Path) -> None:
    path = tmp_path / "targeted.yaml"
    path.write_text(TARGETED, encoding="utf-8")
    outcome = run("plan", "diff", str(path), "--json", answers=PREDEFINED, without="patchwindow")
    assert json.loads(outcome.stdout)["patches"] is None
    assert "which patches become approved is not known here: there is no service patchwindow" in outcome.stderr


def test_diff_as_json_has_no_changes_where_nothing_would_change(file: str) -> None:
    outcome = run("plan", "diff", file, "--json", answers=there({}))
    assert json.loads(outcome.stdout) == {
        "plan": "small",
        "changes": [],
        "left": [],
        "windows": [],
        "patches": [],
    }


def test_diff_as_json_says_from_what_to_what_a_member_changes(file: str) -> None:
    found = json.loads(run("plan", "diff", file, "--json", answers=there({"Duration": 5})).stdout)
    (change,) = found["changes"]
    assert change == {
        "action": "update",
        "kind": "window",
        "path": ["web-server"],
        "id": WINDOW,
        "members": {"Duration": {"from": 5, "to": 6}},
    }
    assert [window["window"] for window in found["windows"]] == ["web-server"]


def test_diff_names_what_stays_and_with_prune_what_would_go(tmp_path: Path) -> None:
    path = tmp_path / "smaller.yaml"
    path.write_text("name: small\n", encoding="utf-8")
    assert f"stays: window web-server ({WINDOW})" in run("plan", "diff", str(path), answers=there({})).stderr
    outcome = run("plan", "diff", str(path), "--prune", answers=there({}))
    assert outcome.stdout.splitlines()[0] == "delete window web-server"
    assert made(outcome.asked) == []


def test_export_writes_a_plan_and_says_that_an_apply_would_make_it_again(tmp_path: Path) -> None:
    answers: Answers = {**there({}), "ListTagsForResource": {"TagList": []}}
    path = tmp_path / "exported.yaml"
    outcome = run("plan", "export", "--name", "small", "--output", str(path), answers=answers)
    assert outcome.exit_code == Exit.DONE
    assert "web-server:\n    schedule: cron(0 23 ? * THU#1 *)" in path.read_text(encoding="utf-8")
    assert (
        outcome.stderr == "1 resource is of no plan: an apply here makes it again; --adopt takes over what is there\n"
    )
    assert made(outcome.asked) == []


def test_export_as_json_has_the_plan_and_what_could_be_adopted() -> None:
    answers: Answers = {**there({}), "ListTagsForResource": {"TagList": []}}
    found = json.loads(run("plan", "export", "--name", "small", "--json", answers=answers).stdout)
    assert list(found["Plan"]["windows"]) == ["web-server"]
    assert found["Notes"] == []
    assert found["Adoptable"] == [{"Kind": "window", "Path": ["web-server"], "Id": WINDOW}]


def test_export_adopts_only_after_a_yes() -> None:
    answers: Answers = {**there({}), "ListTagsForResource": {"TagList": []}}
    refused = run("plan", "export", "--name", "small", "--adopt", typed="n\n", answers=answers)
    assert (refused.exit_code, made(refused.asked)) == (Exit.FAILED, [])
    outcome = run("plan", "export", "--name", "small", "--adopt", "--yes", answers=answers)
    (tagged,) = [members for operation, members in outcome.asked if operation == "AddTagsToResource"]
    assert tagged == {"ResourceType": "MaintenanceWindow", "ResourceId": WINDOW, "Tags": TAGS}
