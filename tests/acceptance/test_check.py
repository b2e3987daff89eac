"""`patchwindow check` against a running server, with a key that may only read."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from tests.fakes.calendars import calendar
from tests.fakes.commandline import PATCHWINDOW, environment, run
from tests.fakes.here import Here
from tests.fakes.node import PaperNode
from tests.fakes.scans import facts_of, package, update
from tests.fakes.server import Plane, until

from patchwindow.store.settings import Role

FACTS: Final = facts_of([package("openssl")], [update("openssl")])
RULES: Final = {"PatchRules": [{"PatchFilterGroup": {"PatchFilters": [{"Key": "PRODUCT", "Values": ["*"]}]}}]}
UPDATE: Final = (
    '<update type="security"><id>ALSA-{release}</id><title>kernel</title><issued date="{day}"/><updated date="{day}"/>'
    "<severity>Important</severity><pkglist><collection><package name="
    "'kernel' epoch='0' version='5.14.0' release='{release}.el9' arch='x86_64'/></collection></pkglist></update>"
)


@pytest.fixture(scope="module")
def viewer(plane: Plane) -> Here:
    """Return who has a key that may only read."""
    return Here(plane, plane.server.key(Role.VIEWER))


@pytest.fixture(scope="module")
def node(plane: Plane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PaperNode]:
    """A node of a group that has no baseline and is in no window."""
    activation = plane.activation(Tags=[{"Key": "PatchGroup", "Value": "lost"}, {"Key": "Role", "Value": "web"}])
    node = PaperNode.registered(plane.url, activation, tmp_path_factory.mktemp("node") / "state")
    yield node
    node.close()


def codes(found: Any) -> set[tuple[str, str]]:
    """Return what was found, and about which kind of thing."""
    return {(finding["Code"], finding["Where"].partition(" ")[0]) for finding in found["Findings"]}


def window(plane: Plane, name: str, schedule: str, targets: list[dict[str, Any]], **members: Any) -> str:
    """Make a window whose one task scans its targets, and return its id."""
    client = plane.client
    id = client.create_maintenance_window(
        Name=name, Schedule=schedule, Duration=2, Cutoff=0, AllowUnassociatedTargets=True
    )["WindowId"]
    kind = "RESOURCE_GROUP" if targets[0]["Key"].startswith("resource-groups") else "INSTANCE"
    target = client.register_target_with_maintenance_window(WindowId=id, ResourceType=kind, Targets=targets)
    client.register_task_with_maintenance_window(
        WindowId=id,
        Targets=[{"Key": "WindowTargetIds", "Values": [target["WindowTargetId"]]}],
        TaskArn="AWS-RunPatchBaseline",
        TaskType="RUN_COMMAND",
        MaxConcurrency="1",
        MaxErrors="1",
        TaskInvocationParameters={"RunCommand": {"Parameters": {"Operation": ["Scan"]}, **members}},
    )
    return str(id)


def test_a_forgotten_node_is_found_by_a_key_that_may_only_read(viewer: Here, node: PaperNode) -> None:
    found = viewer.patchwindow("check", "--json", exit_code=1)
    assert codes(found.json) == {
        ("node-in-no-window", "node"),
        ("node-in-unknown-group", "node"),
        ("node-not-scanned", "node"),
    }
    assert node.node_id in found.out
    assert "'lost'" in found.out


def test_what_is_found_follows_what_is_done(plane: Plane, viewer: Here, node: PaperNode) -> None:
    client = plane.client
    soon = datetime.now(UTC) + timedelta(seconds=2)
    targets = [{"Key": "tag:Role", "Values": ["web"]}, {"Key": "tag-key", "Values": ["PatchGroup"]}]
    opened = window(plane, "soon", f"at({soon:%Y-%m-%dT%H:%M:%S})", targets)
    until(
        lambda: client.describe_maintenance_window_executions(WindowId=opened)["WindowExecutions"],
        "the window's opening",
    )
    node.scan(FACTS)
    ended = ("SUCCESS", "FAILED")
    until(
        lambda: (
            client.describe_maintenance_window_executions(WindowId=opened)["WindowExecutions"][0]["Status"] in ended
        ),
        "the end of the window",
    )
    Here(plane, plane.key).patchwindow("resource-groups", "create", "webs", "--tag", "Role=web")
    window(plane, "by-group", "cron(0 3 ? * SUN *)", [{"Key": "resource-groups:Name", "Values": ["webs"]}])
    window(plane, "by-id", "cron(0 4 ? * SUN *)", [{"Key": "InstanceIds", "Values": [node.node_id]}])
    baseline = client.create_patch_baseline(Name="debian", OperatingSystem="DEBIAN", ApprovalRules=RULES)["BaselineId"]
    client.register_patch_baseline_for_patch_group(BaselineId=baseline, PatchGroup="lost")
    client.create_patch_baseline(Name="spare", OperatingSystem="DEBIAN", ApprovalRules=RULES)
    client.register_patch_baseline_for_patch_group(
        BaselineId=client.create_patch_baseline(Name="more", OperatingSystem="DEBIAN", ApprovalRules=RULES)[
            "BaselineId"
        ],
        PatchGroup="deserted",
    )
    found = viewer.patchwindow("check", "--json")
    assert codes(found.json) == {
        ("window-ended", "window"),
        ("windows-overlap", "window"),
        ("baseline-unused", "baseline"),
        ("group-without-nodes", "patch"),
    }
    for form in ("text", "sarif", "junit"):
        assert (
            "windows-overlap" in viewer.patchwindow("check", "--format", form, "--fail-on", "warning", exit_code=1).out
        )


def test_a_key_that_is_not_known_is_one_clear_line(plane: Plane, tmp_path: Path) -> None:
    keys = {"AWS_ACCESS_KEY_ID": "AKIDNOBODY", "AWS_SECRET_ACCESS_KEY": "none"}
    done = run([*PATCHWINDOW, "check", "--endpoint-url", plane.url], environment(tmp_path, keys), exit_code=1)
    assert (done.out, len(done.err.splitlines())) == ("", 1)
    assert "the endpoint does not know this access key" in done.err


def test_an_approval_that_never_comes_is_found_by_what_the_catalogue_knows(plane: Plane, tmp_path: Path) -> None:
    client, product = plane.client, "AlmaLinux9.4"
    activation = plane.activation(Tags=[{"Key": "Patch Group", "Value": "alma"}])
    alma = PaperNode.registered(plane.url, activation, tmp_path / "state")
    said = {"PlatformType": "Linux", "PlatformName": "AlmaLinux", "PlatformVersion": "9.4", "AgentVersion": "3.3.0"}
    alma.call("ssm", "UpdateInstanceInformation", InstanceId=alma.node_id, **said)
    feed = tmp_path / "updateinfo.xml"
    days = [datetime.now(UTC) - timedelta(days=5 * number) for number in range(6)]
    updates = [UPDATE.format(day=f"{day:%Y-%m-%d %H:%M:%S}", release=f"{day:%Y%m%d}") for day in days]
    feed.write_text(f"<updates>{''.join(updates)}</updates>")
    where = ("--kind", "updateinfo", "--operating-system", "ALMA_LINUX", "--product", product)
    here = Here(plane, plane.key)
    here.patchwindow("catalog", "import", str(feed), *where)
    rules = {"PatchRules": [{**RULES["PatchRules"][0], "ApproveAfterDays": 7}]}
    baseline = client.create_patch_baseline(Name="alma", OperatingSystem="ALMA_LINUX", ApprovalRules=rules)[
        "BaselineId"
    ]
    client.register_patch_baseline_for_patch_group(BaselineId=baseline, PatchGroup="alma")
    parameters = {"Operation": ["Install"], "RebootOption": ["NoReboot"]}
    window(
        plane,
        "alma",
        "cron(0 5 ? * SUN *)",
        [{"Key": "tag:Patch Group", "Values": ["alma"]}],
        Parameters=parameters,
    )
    findings = here.patchwindow("check", "--json").json["Findings"]
    (starving,) = (finding for finding in findings if finding["Code"] == "approval-starves")
    assert starving["Where"] == f"baseline alma ({baseline})"
    assert "of kernel (every 5 days)" in starving["Sentence"]
    alma.close()


def test_a_freeze_at_the_next_opening_is_told(plane: Plane, viewer: Here) -> None:
    client, now = plane.client, datetime.now(UTC)
    id = window(plane, "heeding", "cron(0 6 ? * SUN *)", [{"Key": "tag:Role", "Values": ["heeding"]}])
    freeze = calendar((now, now + timedelta(days=30), "nobody is there"))
    client.create_document(Name="holidays", Content=freeze, DocumentType="ChangeCalendar", DocumentFormat="TEXT")
    tag = {"Key": "patchwindow:freezes", "Value": "holidays"}
    client.add_tags_to_resource(ResourceType="MaintenanceWindow", ResourceId=id, Tags=[tag])
    heeding = f"window heeding ({id})"

    def told(exit_code: int) -> set[str]:
        found = viewer.patchwindow("check", "--json", exit_code=exit_code).json["Findings"]
        return {each["Code"] for each in found if each["Where"] == heeding}

    assert told(0) == {"opening-frozen", "target-without-nodes"}
    for days, code, exit_code in ((100, "frozen-for-long", 0), (400, "freeze-swallows-window", 1)):
        longer = calendar((now, now + timedelta(days=days), "nobody is there"))
        client.update_document(Name="holidays", Content=longer, DocumentVersion="$LATEST", DocumentFormat="TEXT")
        latest = client.describe_document(Name="holidays", DocumentVersion="$LATEST")["Document"]["LatestVersion"]
        client.update_document_default_version(Name="holidays", DocumentVersion=latest)
        assert told(exit_code) == {code, "target-without-nodes"}
    client.delete_maintenance_window(WindowId=id)


def test_a_node_that_an_association_patches_is_not_forgotten(plane: Plane, viewer: Here, tmp_path: Path) -> None:
    activation = plane.activation(Tags=[{"Key": "Role", "Value": "associated"}])
    node = PaperNode.registered(plane.url, activation, tmp_path / "state")

    def told(exit_code: int) -> set[str]:
        found = viewer.patchwindow("check", "--json", exit_code=exit_code).json["Findings"]
        return {each["Code"] for each in found if node.node_id in each["Where"] or "nightly" in each["Where"]}

    assert "node-in-no-window" in told(1)
    id = plane.client.create_association(
        Name="AWS-RunPatchBaseline",
        AssociationName="nightly",
        Targets=[{"Key": "tag:Role", "Values": ["associated"]}],
        ScheduleExpression="cron(0 3 ? * * *)",
        ApplyOnlyAtCronInterval=True,
        Parameters={"Operation": ["Install"], "RebootOption": ["NoReboot"]},
    )["AssociationDescription"]["AssociationId"]
    after = told(0)
    assert "installs-outside-windows" in after
    assert "node-in-no-window" not in after
    plane.client.delete_association(AssociationId=id)
    node.close()
