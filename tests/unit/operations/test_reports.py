"""Orders to patch operations, their reports, and the URL that lets them speak."""

import dataclasses
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.fakes.scans import MAIN, SECURITY, facts_of, package, report_of, scan, send, update
from tests.fakes.site import SITE, Installation

from patchwindow.domain.errors import BadSignature, Denied, Invalid, UnsupportedOperatingSystem
from patchwindow.domain.run import TaskExecution, TaskInvocation, WindowExecution
from patchwindow.domain.window import TaskType, WindowTask
from patchwindow.operations import install_orders, reports
from patchwindow.operations.capabilities import capability_url, open_capability
from patchwindow.operations.report_reading import read
from patchwindow.operations.sessions import session_of

DEBIAN_DEFAULT = "pb-09a5f8eb62bde80b1"
FACTS = facts_of(
    [package("bash"), package("openssl", origin=SECURITY)],
    [update("openssl"), update("bash", origin=MAIN)],
)


def state(here: Installation, node: str) -> dict[str, Any]:
    (found,) = here.perform("DescribeInstancePatchStates", InstanceIds=[node])["InstancePatchStates"]
    return dict(found)


def receive(here: Installation, command_id: str, node: str, report: dict[str, Any]) -> dict[str, Any]:
    with here.call("report") as call:
        return reports.receive(call, command_id, node, read(report))


def test_an_order_says_what_the_command_says(here: Installation) -> None:
    node = here.node()
    command_id = send(here, node, RebootOption="NoReboot")
    with here.call("order") as call:
        assert install_orders.order(call, command_id, node) == {
            "schema": 1,
            "operation": "Scan",
            "rebootOption": "NoReboot",
            "commandId": command_id,
            "nodeId": node,
            "part": "",
            "sources": [],
            "mayRemove": False,
            "over": "",
            # An hour to be delivered, and the step's own time.
            "secondsLeft": 25_200.0,
        }


def test_a_report_becomes_the_patch_state_of_the_node(here: Installation) -> None:
    node = here.node(tags={"Patch Group": "web"})
    snapshot = "6f1d1a7e-0000-4000-8000-000000000001"
    command_id = send(here, node, SnapshotId=snapshot, RebootOption="NoReboot")
    verdict = receive(here, command_id, node, report_of(here, FACTS))
    assert verdict == {
        "nodeId": node,
        "status": "NON_COMPLIANT",
        "baselineId": DEBIAN_DEFAULT,
        "baselineName": "AWS-DebianDefaultPatchBaseline",
        "patchGroup": "web",
        "counts": {
            "Installed": 1,
            "InstalledOther": 1,
            "InstalledPendingReboot": 0,
            "InstalledRejected": 0,
            "Missing": 1,
            "Failed": 0,
            "NotApplicable": 0,
        },
        "missing": [
            {
                "title": "openssl.amd64:2",
                "classification": "Security",
                "severity": "optional",
                "source": "Debian-Security bookworm-security",
            }
        ],
    }
    assert {
        "InstanceId": node,
        "PatchGroup": "web",
        "BaselineId": DEBIAN_DEFAULT,
        "SnapshotId": snapshot,
        "OwnerInformation": "",
        "Operation": "Scan",
        "OperationStartTime": here.clock.now() - timedelta(seconds=1.75),
        "OperationEndTime": here.clock.now(),
        "RebootOption": "NoReboot",
        "InstalledCount": 1,
        "InstalledOtherCount": 1,
        "MissingCount": 1,
        "SecurityNonCompliantCount": 1,
        "OtherNonCompliantCount": 0,
    }.items() <= state(here, node).items()


def test_the_latest_report_takes_the_place_of_the_former(here: Installation) -> None:
    node = here.node()
    scan(here, node, FACTS)
    verdict = scan(here, node, facts_of([package("openssl", "2", origin=SECURITY)]))
    assert verdict["status"] == "COMPLIANT"
    assert (state(here, node)["MissingCount"], state(here, node)["InstalledCount"]) == (0, 1)


def test_equal_nodes_share_their_facts(here: Installation) -> None:
    nodes = [here.node(), here.node()]
    scan(here, nodes[0], FACTS, installedAt=[1, 2])
    scan(here, nodes[1], {**FACTS, "packages": FACTS["packages"][::-1]}, installedAt=[4, 3])
    with here.database.read() as work:
        first, second = work.patch_states.many(nodes)
    assert first.facts_digest == second.facts_digest
    assert (first.installed_at, second.installed_at) == ((1, 2), (3, 4))


def test_the_group_and_the_operating_system_choose_the_baseline(here: Installation) -> None:
    own = here.perform("CreatePatchBaseline", Name="own", OperatingSystem="DEBIAN")["BaselineId"]
    here.perform("RegisterPatchBaselineForPatchGroup", BaselineId=own, PatchGroup="web")
    web, db = here.node(tags={"Patch Group": "web"}), here.node(tags={"Patch Group": "db"})
    assert scan(here, web, FACTS)["baselineName"] == "own"
    assert scan(here, db, FACTS)["baselineId"] == DEBIAN_DEFAULT
    assert scan(here, db, facts_of([package("bash")], name="Ubuntu"))["baselineId"] != DEBIAN_DEFAULT


def test_where_the_facts_do_not_tell_the_operating_system_the_node_does(here: Installation) -> None:
    unknown = facts_of([package("bash")], name="Own Linux")
    assert scan(here, here.node(), unknown)["baselineId"] == DEBIAN_DEFAULT
    with pytest.raises(UnsupportedOperatingSystem, match="'Own Linux' 12 is no operating system"):
        scan(here, here.node(ping={}), unknown)


def test_the_owner_information_is_that_of_the_window_target(here: Installation) -> None:
    node = here.node()
    command_id = send(here, node)
    now = here.clock.now()
    with here.database.write() as work:
        work.executions.open(
            WindowExecution(
                window_execution_id="we",
                window_id="mw",
                opens_at=now,
                cutoff_at=now,
                ends_at=now,
                status="IN_PROGRESS",
                start_time=now,
            ),
            wake_at=None,
        )
        task = WindowTask(
            window_id="mw", window_task_id="t", task_arn="AWS-RunPatchBaseline", task_type=TaskType.RUN_COMMAND
        )
        work.executions.put_task(
            TaskExecution(task_execution_id="te", window_execution_id="we", ordinal=0, status="IN_PROGRESS", task=task)
        )
        work.executions.put_invocation(
            TaskInvocation(
                invocation_id="ti",
                task_execution_id="te",
                ordinal=0,
                window_target_id=None,
                targets=(),
                owner_information="team web",
                command_id=command_id,
                status="IN_PROGRESS",
            )
        )
    receive(here, command_id, node, report_of(here, FACTS))
    assert state(here, node)["OwnerInformation"] == "team web"


def test_a_command_that_has_ended_takes_no_report(here: Installation) -> None:
    node = here.node()
    command_id = send(here, node)
    with here.database.write() as work:
        open_ = work.invocations.get(command_id, node)
        assert open_ is not None
        work.invocations.move(open_, dataclasses.replace(open_, details="Success", ended_at=here.clock.now()))
    with pytest.raises(Denied, match=f"command {command_id} has ended on node {node}"):
        receive(here, command_id, node, report_of(here, FACTS))
    with here.call("order") as call, pytest.raises(Denied):
        install_orders.order(call, command_id, node)
    assert here.perform("DescribeInstancePatchStates", InstanceIds=[node])["InstancePatchStates"] == []


@pytest.mark.parametrize("details", ["Pending", "Delayed", "InProgress", "Cancelling"])
def test_a_command_that_runs_takes_a_report(here: Installation, details: str) -> None:
    node = here.node()
    command_id = send(here, node)
    with here.database.write() as work:
        open_ = work.invocations.get(command_id, node)
        assert open_ is not None
        work.invocations.move(open_, dataclasses.replace(open_, details=details))
    assert receive(here, command_id, node, report_of(here, FACTS))["nodeId"] == node


def test_another_node_takes_no_part_in_the_command(here: Installation) -> None:
    node, other = here.node(), here.node()
    with pytest.raises(Denied, match="never was sent to it"):
        receive(here, send(here, node), other, report_of(here, FACTS))


def test_a_deregistered_node_reports_nothing(here: Installation) -> None:
    node = here.node()
    command_id = send(here, node)
    here.perform("DeregisterManagedInstance", InstanceId=node)
    with pytest.raises(Denied, match=f"node {node} was deregistered"):
        receive(here, command_id, node, report_of(here, FACTS))


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"schema": 2}, "schema: 2 is not known"),
        ({"operation": "Install"}, "operation: the report is of 'Install', and the command is Scan"),
        ({"startedAt": None}, "startedAt: None is no time"),
        ({"endedAt": True}, "endedAt: True is no time"),
        ({"endedAt": float("nan")}, "endedAt: nan is no time"),
        ({"endedAt": 2**35}, "is no time"),
        ({"startedAt": 2, "endedAt": 1}, "endedAt: 1.0 is before startedAt, 2.0"),
        ({"facts": None}, "facts: expected an object"),
        ({"installedAt": [1]}, "installedAt: expected one number for each of the 2 packages"),
    ],
)
def test_a_report_of_another_form_is_refused_and_nothing_kept(
    here: Installation, changed: dict[str, Any], problem: str
) -> None:
    node = here.node()
    with pytest.raises(Invalid, match=problem):
        receive(here, send(here, node), node, {**report_of(here, FACTS), **changed})
    assert here.perform("DescribeInstancePatchStates", InstanceIds=[node])["InstancePatchStates"] == []


@pytest.mark.parametrize("off", [timedelta(days=400), timedelta(days=-400), timedelta(minutes=6)])
def test_where_the_clock_of_a_node_is_wrong_the_operation_ended_now(here: Installation, off: timedelta) -> None:
    node = here.node()
    ended = (here.clock.now() + off).timestamp()
    scan(here, node, FACTS, startedAt=ended - 60, endedAt=ended)
    found = state(here, node)
    assert found["OperationEndTime"] == here.clock.now()
    assert found["OperationStartTime"] == here.clock.now() - timedelta(seconds=60)


def test_a_report_may_take_minutes_to_arrive(here: Installation) -> None:
    node = here.node()
    ended_at = datetime(2026, 3, 14, 8, 56, 0, 123456, tzinfo=UTC)
    scan(here, node, FACTS, startedAt=ended_at.timestamp() - 1, endedAt=ended_at.timestamp())
    assert state(here, node)["OperationEndTime"] == ended_at.replace(microsecond=123000)


def test_a_verdict_names_the_first_twenty_missing_patches(here: Installation) -> None:
    names = [f"package-{number:02}" for number in range(25)]
    verdict = scan(here, here.node(), facts_of(list(map(package, names)), list(map(update, names))))
    assert verdict["counts"]["Missing"] == 25
    assert [patch["title"] for patch in verdict["missing"]] == [f"{name}.amd64:2" for name in names[:20]]


def test_a_capability_is_for_one_command_on_one_node() -> None:
    url = capability_url(SITE, "command", "mi-0")
    prefix, _, token = url.rpartition("/")
    assert prefix == "https://patch.example.net/operation"
    assert open_capability(SITE, token) == ("command", "mi-0")
    with pytest.raises(BadSignature):
        open_capability(SITE, token[:-4] + "AAAA")
    with pytest.raises(BadSignature):
        open_capability(dataclasses.replace(SITE, seal_key=bytes(32)), token)


def test_a_capability_is_no_session() -> None:
    token = capability_url(SITE, "command", "mi-0").rpartition("/")[2]
    with pytest.raises(BadSignature):
        session_of(SITE, token, datetime(2026, 3, 14, tzinfo=UTC))
