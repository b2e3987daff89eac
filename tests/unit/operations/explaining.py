"""Nodes whose patches are to be explained, baselines that they follow, and what patches them."""

from datetime import date
from typing import Any, Final

from tests.fakes.api import Api
from tests.fakes.scans import SECURITY, facts_of, package, scan, update
from tests.fakes.site import Installation

from patchwindow.domain.association import Association
from patchwindow.domain.window import Target
from patchwindow.engine.recompute import recompute
from patchwindow.system import SystemIds

FACTS: Final = facts_of(
    [package("bash"), package("openssl", origin=SECURITY), package("zlib", origin=SECURITY)],
    [update("openssl"), update("bash", origin=0), update("zlib", priority="important")],
)
SECURITY_ONLY: Final[dict[str, Any]] = {
    "OperatingSystem": "DEBIAN",
    "ApprovalRules": {
        "PatchRules": [
            {
                "PatchFilterGroup": {"PatchFilters": [{"Key": "PRIORITY", "Values": ["Important"]}]},
                "ComplianceLevel": "HIGH",
            }
        ]
    },
}
WINDOW: Final[dict[str, Any]] = {
    "Name": "thursday",
    "Schedule": "cron(0 23 ? * THU *)",
    "Duration": 6,
    "Cutoff": 1,
    "AllowUnassociatedTargets": False,
}


REDHAT: Final = {
    "PlatformType": "Linux",
    "PlatformName": "Red Hat Enterprise Linux",
    "PlatformVersion": "9.4",
}


def redhat_facts(*, issued: date) -> dict[str, Any]:
    """Return the facts of a node whose kernel has an update, which a critical notice names."""
    notice = {"id": "RHSA-2026:1", "kind": "security", "severity": "Critical", "cves": ["CVE-2026-1001"]}
    kernel = {"name": "kernel", "arch": "x86_64", "origins": [0]}
    return {
        "schema": 2,
        "manager": "dnf",
        "os": {"id": "rhel", "name": "Red Hat Enterprise Linux", "versionId": "9.4", "arch": "x86_64"},
        "origins": [{"id": "baseos", "label": "BaseOS"}],
        "advisories": [{**notice, "issued": str(issued)}],
        "packages": [{**kernel, "version": "0:5.14-1"}],
        "updates": [{**kernel, "installed": "0:5.14-1", "candidate": "0:5.14-2", "advisories": [0]}],
        "reboot": {"required": False},
    }


def explained(api: Api, node: str, patch: str) -> dict[str, Any]:
    return api("ExplainPatch", InstanceId=node, Patch=patch)


def scanned(here: Installation, facts: Any = FACTS, **report: Any) -> str:
    node = here.node(tags={"Patch Group": "web"})
    scan(here, node, facts, **report)
    return node


def registered(api: Api, **members: Any) -> str:
    """Make a baseline and let the group follow it."""
    baseline = api("CreatePatchBaseline", **{"Name": "own", **SECURITY_ONLY, **members})["BaselineId"]
    api("RegisterPatchBaselineForPatchGroup", BaselineId=baseline, PatchGroup="web")
    return str(baseline)


def recomputed(here: Installation) -> None:
    """Let all that is due be evaluated anew, as the engine does."""
    with here.database.write() as work:
        for digest in work.cohorts.due(here.clock.now(), 100):
            recompute(work, SystemIds(), digest, here.clock.now())


def window(api: Api, operation: str, node: str, **members: Any) -> str:
    """Make a window whose one task carries out *operation* on the nodes of the group."""
    made = api("CreateMaintenanceWindow", **{**WINDOW, **members})["WindowId"]
    target = api(
        "RegisterTargetWithMaintenanceWindow",
        WindowId=made,
        ResourceType="INSTANCE",
        Targets=[{"Key": "InstanceIds", "Values": [node]}],
    )["WindowTargetId"]
    api(
        "RegisterTaskWithMaintenanceWindow",
        WindowId=made,
        Targets=[{"Key": "WindowTargetIds", "Values": [target]}],
        TaskArn="AWS-RunPatchBaseline",
        TaskType="RUN_COMMAND",
        MaxConcurrency="1",
        MaxErrors="1",
        TaskInvocationParameters={"RunCommand": {"Parameters": {"Operation": [operation]}}},
    )
    return str(made)


def associated(here: Installation, document: str, schedule: str, **members: Any) -> None:
    """Make an association with every node."""
    now = here.clock.now()
    made = Association(
        **{
            "association_id": here.ids.uuid(),
            "association_name": document,
            "name": document,
            "schedule_expression": schedule,
            "targets": (Target(key="InstanceIds", values=("*",)),),
            "date": now,
            "last_update_association_date": now,
            "scheduled_at": now,
            **members,
        }
    )
    with here.database.write() as work:
        work.associations.put(made, is_wanted=False, next_run_at=None, wake_at=now)
