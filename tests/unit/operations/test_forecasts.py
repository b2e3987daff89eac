from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.scans import facts_of, package, report_of, scan, send, update
from tests.fakes.site import Installation

from patchwindow.domain.errors import Invalid, NotFound, UnknownNode
from patchwindow.domain.invocation import State
from patchwindow.domain.run import Command
from patchwindow.operations.report_reading import read as read_report
from patchwindow.operations.reports import receive
from patchwindow.operations.sending import dispatch, end_invocation
from patchwindow.plans import read_fleet
from patchwindow.protocol.forecast_answers import answer, until_after
from patchwindow.protocol.forecast_file import read
from patchwindow.store.work import Work

OFFERED = facts_of([package("bash"), package("openssl")], [update("openssl"), update("bash")])


def window(here: Installation, *nodes: str, **task: Any) -> str:
    """Return a window that opens each night at three, and installs on *nodes*."""
    made = here.perform(
        "CreateMaintenanceWindow",
        Name="night",
        Schedule="cron(0 3 * * ? *)",
        Duration=2,
        Cutoff=1,
        AllowUnassociatedTargets=True,
    )
    target = here.perform(
        "RegisterTargetWithMaintenanceWindow",
        WindowId=made["WindowId"],
        ResourceType="INSTANCE",
        Targets=[{"Key": "InstanceIds", "Values": list(nodes)}],
    )
    here.perform(
        "RegisterTaskWithMaintenanceWindow",
        **{
            "WindowId": made["WindowId"],
            "TaskType": "RUN_COMMAND",
            "TaskArn": "AWS-RunPatchBaseline",
            "Targets": [{"Key": "WindowTargetIds", "Values": [target["WindowTargetId"]]}],
            "MaxConcurrency": "1",
            "MaxErrors": "0",
            "TaskInvocationParameters": {"RunCommand": {"Parameters": {"Operation": ["Install"]}}},
            **task,
        },
    )
    return str(made["WindowId"])


def forecast(here: Installation, **request: Any) -> dict[str, Any]:
    return here.perform("ForecastPatches", **{"Weeks": 1, **request})


def nodes_of(opening: dict[str, Any]) -> list[dict[str, Any]]:
    return [group for task in opening["Tasks"] for group in task["Nodes"]]


@pytest.fixture
def baseline(here: Installation) -> str:
    """Make a baseline that approves all of openssl the default of Debian."""
    made = here.perform(
        "CreatePatchBaseline",
        Name="own",
        OperatingSystem="DEBIAN",
        ApprovedPatches=["openssl"],
        ApprovedPatchesEnableNonSecurity=True,
    )
    here.perform("RegisterDefaultPatchBaseline", BaselineId=made["BaselineId"])
    return str(made["BaselineId"])


@pytest.mark.usefixtures("baseline")
def test_the_first_opening_installs_what_is_approved_and_the_next_have_nothing_to_do(here: Installation) -> None:
    nodes = [here.node(), here.node()]
    for node in nodes:
        scan(here, node, OFFERED)
    window(here, *nodes)
    told = forecast(here)
    assert [one["InstallCount"] for one in told["Openings"]] == [2, 0, 0, 0, 0, 0, 0]
    assert [one["RebootCount"] for one in told["Openings"]] == [2, 0, 0, 0, 0, 0, 0]
    first = told["Openings"][0]
    assert (first["P50Seconds"], first["P95Seconds"], first["Fits"]) == (2400, 2400, True), "one after another"
    assert told["Left"] == [], "what no baseline approves is not missing"


@pytest.mark.usefixtures("baseline")
def test_nodes_that_need_a_reboot_and_get_none_are_counted(here: Installation) -> None:
    node = here.node()
    scan(here, node, OFFERED)
    run = {"Parameters": {"Operation": ["Install"], "RebootOption": ["NoReboot"]}}
    window(here, node, TaskInvocationParameters={"RunCommand": run})
    first, second, *_ = forecast(here)["Openings"]
    assert [(one["RebootCount"], one["RebootNeededCount"]) for one in (first, second)] == [(0, 1), (0, 1)]


@pytest.mark.usefixtures("baseline")
def test_a_window_is_told_with_what_it_does_to_which_nodes(here: Installation) -> None:
    node = here.node()
    scan(here, node, OFFERED)
    told = forecast(here, WindowId=window(here, node))
    (group,) = nodes_of(told["Openings"][0])
    assert group["InstanceIds"] == [node]
    assert group["Installed"] == ["openssl.amd64:2"]
    assert group["Reboots"]


@pytest.mark.usefixtures("baseline")
def test_what_has_no_window_stays_missing_and_the_reason_says_so(here: Installation) -> None:
    node = here.node()
    scan(here, node, OFFERED)
    (left,) = forecast(here, InstanceId=node)["Left"]
    assert left["Title"] == "openssl.amd64:2"
    assert "no window installs on the node until" in left["Reason"]


@pytest.mark.usefixtures("baseline")
def test_nodes_that_the_cutoff_leaves_out_are_told_with_the_reason(here: Installation) -> None:
    nodes = [here.node() for _ in range(5)]
    for node in nodes:
        scan(here, node, OFFERED)
    told = forecast(here, WindowId=window(here, *nodes, CutoffBehavior="CANCEL_TASK"))
    first = told["Openings"][0]
    fates = {group["Fate"]: group for group in nodes_of(first)}
    assert fates["Installed"]["NodeCount"] == 3, "an hour has room for three of twenty minutes"
    assert fates["NoTurn"]["NodeCount"] == 2
    assert "the cutoff at" in fates["NoTurn"]["Reason"]
    assert [one["InstallCount"] for one in told["Openings"]][:2] == [3, 2]


@pytest.mark.usefixtures("baseline")
def test_a_patch_is_told_with_when_the_last_node_has_it_and_which_never_do(here: Installation) -> None:
    patched, lonely = here.node(), here.node()
    for node in (patched, lonely):
        scan(here, node, OFFERED)
    window(here, patched)
    told = forecast(here, Patch="OpenSSL")["Patch"]
    assert (told["Titles"], told["NodeCount"], told["InstalledCount"]) == (["openssl.amd64:2"], 2, 1)
    assert told["By"] == told["Installed"][0]["OpensAt"] + timedelta(minutes=20)
    (excepted,) = told["Excepted"]
    assert excepted["InstanceIds"] == [lonely]
    assert "no window installs" in excepted["Reason"]


@pytest.mark.usefixtures("baseline")
def test_a_patch_that_is_not_approved_is_excepted_by_what_the_baseline_says(here: Installation) -> None:
    node = here.node()
    scan(here, node, OFFERED)
    window(here, node)
    told = forecast(here, Patch="bash")["Patch"]
    assert "By" not in told
    assert [one["InstanceIds"] for one in told["Excepted"]] == [[node]]


def test_nodes_that_were_never_scanned_are_named(here: Installation) -> None:
    node = here.node()
    window(here, node)
    told = forecast(here)
    assert told["NeverScanned"] == {"NodeCount": 1, "InstanceIds": [node]}
    assert told["Openings"][0]["NoTurnCount"] == 1


def test_durations_are_those_of_former_operations(here: Installation, baseline: str) -> None:
    assert baseline
    node = here.node()
    scan(here, node, OFFERED)
    command_id = send(here, node, Operation="Install")
    now = here.clock.now()
    with here.call("test") as call:
        dispatch(call.work, held(call.work, command_id), [node], now)
        told = report_of(here, OFFERED, operation="Install", failed={"openssl.amd64:2": "no room"})
        receive(call, command_id, node, read_report(told))
        before = call.work.invocations.get(command_id, node)
        assert before is not None
        end_invocation(call.work, before, State.SUCCESS, now + timedelta(minutes=7))
    window(here, node)
    assert forecast(here)["Openings"][0]["P50Seconds"] == 7 * 60


def held(work: Work, command_id: str) -> Command:
    """Return the command, which is held until the transaction ends."""
    found = work.commands.lock(command_id)
    assert found is not None
    return found


@pytest.mark.usefixtures("baseline")
def test_a_forecast_from_an_export_is_that_of_the_server(here: Installation) -> None:
    nodes = [here.node(), here.node()]
    scan(here, nodes[0], OFFERED)
    window_id = window(here, *nodes)
    parts = [part for page in here.pages("ExportForecastFacts", "Parts", MaxResults=1) for part in page]
    fleet = read([line for part in parts for line in part.splitlines()], name="fleet.jsonl")
    assert fleet.as_of == here.clock.now()
    for asked in ({}, {"window_id": window_id}, {"node_id": nodes[0]}, {"patch": "openssl"}):
        given: dict[str, Any] = {"window_id": None, "node_id": None, "patch": None, **asked}
        names = {"window_id": "WindowId", "node_id": "InstanceId", "patch": "Patch"}
        own = answer(fleet, until_after(fleet.as_of, 1), **given)
        assert own == forecast(here, **{names[name]: value for name, value in asked.items()})


def test_an_export_tells_the_tags_of_nodes_so_that_a_plan_is_held_against_them(
    here: Installation, tmp_path: Path
) -> None:
    tagged, untagged = here.node(), here.node()
    scan(here, tagged, OFFERED)
    tags = [{"Key": "Patch Group", "Value": "Web Server"}]
    here.perform("AddTagsToResource", ResourceType="ManagedInstance", ResourceId=tagged, Tags=tags)
    parts = [part for page in here.pages("ExportForecastFacts", "Parts") for part in page]
    file = tmp_path / "fleet.jsonl"
    file.write_text("\n".join(parts), encoding="utf-8")
    fleet = read_fleet(file)
    assert fleet.nodes == {tagged, untagged}
    assert fleet.groups == {"Web Server": [tagged]}


def test_an_export_that_is_cut_off_is_refused(here: Installation) -> None:
    scan(here, here.node(), OFFERED)
    ((head,), _) = here.pages("ExportForecastFacts", "Parts", MaxResults=1)
    with pytest.raises(Invalid, match=r"^fleet: it names [0-9a-f]+ and does not have it; export it again, and whole$"):
        read(head.splitlines(), name="fleet")
    without = [line for line in head.splitlines() if '"kind": "node"' not in line]
    with pytest.raises(Invalid, match=r"^fleet: it has 0 of 1 nodes; export it again, and whole$"):
        read(without, name="fleet")
    with pytest.raises(Invalid, match=r"^fleet: it has 0 lines of kind fleet"):
        read([], name="fleet")


@pytest.mark.parametrize(
    "line", ["", "[]", '{"kind": "node"}', '{"kind": "cat", "value": {}}', '{"kind": "node", "value": 1}']
)
def test_a_line_that_is_no_line_of_an_export_is_named(line: str) -> None:
    with pytest.raises(Invalid, match=r"^fleet, line 1: this is no line of a fleet's facts"):
        read([line], name="fleet")


def test_an_export_of_another_version_is_refused() -> None:
    with pytest.raises(Invalid, match=r"schema is 2; this version reads 1"):
        read(['{"kind": "fleet", "value": {"schema": 2, "asOfMs": 0}}'], name="fleet")


def test_what_is_not_there_is_named(here: Installation) -> None:
    with pytest.raises(NotFound, match="window mw-0123456789abcdef0"):
        forecast(here, WindowId="mw-0123456789abcdef0")
    with pytest.raises(UnknownNode, match="node mi-0123456789abcdef0"):
        forecast(here, InstanceId="mi-0123456789abcdef0")
    with pytest.raises(NotFound, match="patch 'openssl' is offered to no node"):
        forecast(here, Patch="openssl")
