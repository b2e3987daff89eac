"""Every operation that is served, asked by boto3, with each of its filters: what it shows, and what it leaves out."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import pytest
from tests.fakes.world import GROUP, RULES, World

from patchwindow.operations.table import OPERATIONS


@dataclass(frozen=True, slots=True)
class Case:
    """One call: its operation and members, and texts that its answer must have and must not have."""

    operation: str
    members: Mapping[str, Any] = field(default_factory=dict)
    shows: Sequence[str] = ()
    hides: Sequence[str] = ()

    def __str__(self) -> str:
        return self.operation


def asked(*pairs: tuple[str, list[str]]) -> dict[str, Any]:
    """Return `Filters` in their usual form."""
    return {"Filters": [{"Key": key, "Values": values} for key, values in pairs]}


def told(*pairs: tuple[str, str]) -> dict[str, Any]:
    """Return `Filters` in the form of the command operations."""
    return {"Filters": [{"key": key, "value": value} for key, value in pairs]}


PAST: Final = "2020-01-01T00:00:00Z"
FUTURE: Final = "2200-01-01T00:00:00Z"
EXECUTION: Final = {"WindowExecutionId": "{execution}"}
TASK_EXECUTION: Final = {**EXECUTION, "TaskId": "{task_execution}"}
INVOCATION: Final = {"CommandId": "{command}", "InstanceId": "{node}"}
TO_NOBODY: Final = {"Targets": [{"Key": "tag:Role", "Values": ["nobody"]}]}
OF_TARGET: Final = {"ResourceType": "INSTANCE", "Targets": [{"Key": "tag:Role", "Values": ["nobody-3"]}]}

BASELINES: Final = (
    Case("GetPatchBaseline", {"BaselineId": "{baseline}"}, ["debian-11", GROUP]),
    Case("DescribePatchBaselines", {}, ["AWS-DebianDefaultPatchBaseline", "debian-00"]),
    Case("DescribePatchBaselines", asked(("OWNER", ["Self"])), ["debian-00"], ["AWS-"]),
    Case("DescribePatchBaselines", asked(("OWNER", ["AWS"])), ["AWS-"], ["debian-00"]),
    Case("DescribePatchBaselines", asked(("OWNER", ["All"])), ["AWS-", "debian-00"]),
    Case("DescribePatchBaselines", asked(("NAME_PREFIX", ["debian-0"])), ["debian-00"], ["debian-11", "AWS-"]),
    Case("DescribePatchBaselines", asked(("OPERATING_SYSTEM", ["UBUNTU"])), ["UBUNTU"], ["DEBIAN"]),
    Case("RegisterDefaultPatchBaseline", {"BaselineId": "{baseline}"}, ["{baseline}"]),
    Case("GetDefaultPatchBaseline", {"OperatingSystem": "DEBIAN"}, ["{baseline}"]),
    Case("GetDefaultPatchBaseline", {}, ["WINDOWS"]),
    Case("GetPatchBaselineForPatchGroup", {"PatchGroup": GROUP, "OperatingSystem": "DEBIAN"}, ["{baseline}"]),
    Case("GetPatchBaselineForPatchGroup", {"PatchGroup": "unknown", "OperatingSystem": "DEBIAN"}, ["{baseline}"]),
    Case("DescribePatchGroups", asked(("NAME_PREFIX", ["Group 0"])), ["Group 00"], [GROUP]),
    Case("DescribePatchGroups", asked(("OPERATING_SYSTEM", ["UBUNTU"])), [], [GROUP]),
)
PATCHES: Final = (
    Case("DescribeAvailablePatches", {}, ["package-03.amd64:1", "package-03.amd64:2", "Debian12"]),
    Case(
        "DescribeAvailablePatches",
        asked(("NAME", ["package-03"])),
        ["package-03.amd64:2"],
        ["package-04", "package-02"],
    ),
    Case("DescribeAvailablePatches", asked(("CVE_ID", ["CVE-2026-0001"])), [], ["package"]),
    Case("DescribeEffectivePatchesForPatchBaseline", {"BaselineId": "{baseline}"}, ["package-03.amd64:2", "APPROVED"]),
    Case("DescribePatchProperties", {"OperatingSystem": "DEBIAN", "Property": "PRODUCT"}, ["Debian12"]),
    Case("DescribePatchProperties", {"OperatingSystem": "UBUNTU", "Property": "PRIORITY"}, ["Required"]),
    Case("DescribePatchGroupState", {"PatchGroup": GROUP}, ['"Instances": 12', '"InstancesWithMissingPatches": 12']),
    Case("DescribeInstancePatchStates", {"InstanceIds": ["{node}", "mi-" + "0" * 17]}, ["{node}"], ["0" * 17]),
    Case("DescribeInstancePatchStatesForPatchGroup", {"PatchGroup": GROUP}, ["{node}"]),
    *(
        Case(
            "DescribeInstancePatchStatesForPatchGroup",
            {"PatchGroup": GROUP, "Filters": [{"Key": "MissingCount", "Type": type, "Values": [value]}]},
            ["{node}"] if shows else [],
            [] if shows else ["{node}"],
        )
        for type, value, shows in (
            ("Equal", "1", True),
            ("Equal", "0", False),
            ("NotEqual", "1", False),
            ("LessThan", "1", False),
            ("GreaterThan", "0", True),
        )
    ),
    Case("DescribeInstancePatches", {"InstanceId": "{node}"}, ["package-00", '"Missing"']),
    *(
        Case(
            "DescribeInstancePatches", {"InstanceId": "{node}", **asked(filter)}, ["package-03.amd64:2"], ["package-00"]
        )
        for filter in (("State", ["Missing"]), ("Classification", ["Security"]), ("KBId", ["package-03.amd64"]))
    ),
    Case("DescribeInstancePatches", {"InstanceId": "{node}", **asked(("Severity", ["required"]))}, [], ["package"]),
    Case("ListComplianceItems", {"ResourceIds": ["{node}"]}, ["package-00", '"NON_COMPLIANT"']),
    *(
        Case(
            "ListComplianceItems",
            {"ResourceIds": ["{node}"], "Filters": [{"Key": key, "Values": [value], "Type": type}]},
            ["package-03.amd64:2"],
            ["package-00"],
        )
        for key, value, type in (
            ("Status", "NON_COMPLIANT", "EQUAL"),
            ("Status", "COMPLIANT", "NOT_EQUAL"),
            ("PatchState", "Missing", "EQUAL"),
            ("Title", "package-03.amd64:2", "BEGIN_WITH"),
        )
    ),
    Case("ListComplianceSummaries", {}, ['"NonCompliantCount": 12']),
    Case("ListComplianceSummaries", asked(("Status", ["COMPLIANT"])), [], ['"NonCompliantCount": 12']),
    Case("ListResourceComplianceSummaries", {}, ["{node}"]),
    Case("ListResourceComplianceSummaries", asked(("PatchGroup", [GROUP])), ["{node}"]),
    Case("ListResourceComplianceSummaries", asked(("PatchGroup", ["other"])), [], ["{node}"]),
    Case("ListResourceComplianceSummaries", asked(("AWS:InstanceInformation.PlatformType", ["Linux"])), ["{node}"]),
)
NETWORK: Final = {"TypeName": "AWS:Network", "SchemaVersion": "1.0", "CaptureTime": "2026-03-14T09:00:00Z"}
RACK: Final = {**NETWORK, "TypeName": "Custom:Rack", "Content": [{"Row": "row-7"}]}
TOLD: Final = {
    "ResourceId": "{node}",
    "ResourceType": "ManagedInstance",
    "ComplianceType": "Custom:Disk",
    "ExecutionSummary": {"ExecutionTime": 1780000000},
}
FULL: Final = {"Id": "disk-full", "Severity": "HIGH", "Status": "NON_COMPLIANT"}
OF_DISKS: Final = {"Filters": [{"Key": "ComplianceType", "Values": ["Custom:Disk"], "Type": "EQUAL"}]}
TIER: Final = {"SettingId": "/ssm/managed-instance/activation-tier"}
INVENTORY: Final = (
    Case("PutComplianceItems", {**TOLD, "Items": [FULL]}),
    Case("ListComplianceItems", {"ResourceIds": ["{node}"], **OF_DISKS}, ["disk-full"], ["package-00"]),
    Case("ListComplianceSummaries", OF_DISKS, ['"NonCompliantCount": 1', "Custom:Disk"]),
    Case("ListResourceComplianceSummaries", OF_DISKS, ["{node}", '"OverallSeverity": "HIGH"']),
    Case("PutComplianceItems", {**TOLD, "Items": []}),
    Case("ListComplianceSummaries", {}, [], ["Custom:Disk"]),
    Case("GetInventory", {"MaxResults": 50}, ["{node}", "Debian GNU/Linux"]),
    Case(
        "GetInventory", {"ResultAttributes": [{"TypeName": "AWS:PatchSummary"}]}, ['"MissingCount": "1"', "{command}"]
    ),
    *(
        Case("GetInventory", {"Filters": [{"Key": key, "Values": [value], "Type": type}]}, shows, hides)
        for key, value, type, shows, hides in (
            ("AWS:InstanceInformation.InstanceId", "{node}", "Equal", ["{node}"], []),
            ("AWS:InstanceInformation.InstanceId", "{node}", "NotEqual", ["mi-"], ["{node}"]),
            ("AWS:Application.Name", "package-0", "BeginWith", ["{node}"], []),
            ("AWS:PatchSummary.MissingCount", "1", "GreaterThan", [], ["mi-"]),
            ("AWS:PatchSummary.MissingCount", "2", "LessThan", ["{node}"], []),
            ("TypeName", "AWS:PatchCompliance", "Exists", ["{node}"], []),
        )
    ),
    Case(
        "GetInventory",
        {"Aggregators": [{"Expression": "AWS:InstanceInformation.PlatformType"}]},
        ['"Count": "12", "PlatformType": "Linux"'],
    ),
    Case("PutInventory", {"InstanceId": "{node}", "Items": [RACK]}),
    Case("GetInventorySchema", {"TypeName": "Custom:Rack"}, ['"Name": "Row", "DataType": "string"']),
    Case("ListInventoryEntries", {"InstanceId": "{node}", "TypeName": "Custom:Rack"}, ["row-7"]),
    Case("DeleteInventory", {"TypeName": "Custom:Rack", "DryRun": True}, ['"TotalCount": 1'], ["DeletionId"]),
    Case("DeleteInventory", {"TypeName": "Custom:Rack", "SchemaDeleteOption": "DeleteSchema"}, ["DeletionId"]),
    Case("DescribeInventoryDeletions", {}, ['"LastStatus": "Complete"', "Custom:Rack"]),
    Case("GetInventorySchema", {}, ["AWS:Application", '"DataType": "number"'], ["Custom:Rack"]),
    Case("GetServiceSetting", TIER, ['"standard"', '"Default"']),
    Case("UpdateServiceSetting", {**TIER, "SettingValue": "advanced"}),
    Case("GetServiceSetting", TIER, ['"advanced"', '"Customized"', "servicesetting/ssm/managed-instance"]),
    Case("ResetServiceSetting", TIER, ['"standard"', '"Default"']),
)
WINDOWS: Final = (
    Case("GetMaintenanceWindow", {"WindowId": "{weekly}"}, ["weekly-11", "rate(7 days)", "NextExecutionTime"]),
    Case("UpdateMaintenanceWindow", {"WindowId": "{weekly}", "Enabled": False, "Duration": 3}, ['"Duration": 3']),
    Case("GetMaintenanceWindow", {"WindowId": "{weekly}"}, ['"Enabled": false'], ["NextExecutionTime"]),
    Case("DescribeMaintenanceWindows", asked(("Name", ["weekly-0"])), ["weekly-00"], ["weekly-11", "ticking"]),
    Case("DescribeMaintenanceWindows", asked(("Enabled", ["false"])), ["weekly-11"], ["weekly-00"]),
    Case("UpdateMaintenanceWindow", {"WindowId": "{weekly}", "Enabled": True}, ['"Enabled": true']),
    Case("DescribeMaintenanceWindowSchedule", {"WindowId": "{ticking}"}, ["ticking"], ["weekly"]),
    Case("DescribeMaintenanceWindowSchedule", asked(("ScheduledAfter", [FUTURE])), [], ["ticking"]),
    Case("DescribeMaintenanceWindowSchedule", asked(("ScheduledBefore", [PAST])), [], ["ticking"]),
    Case("DescribeMaintenanceWindowSchedule", OF_TARGET, [], ["ticking"]),
    Case("DescribeMaintenanceWindowsForTarget", OF_TARGET, ["{window}"], ["ticking"]),
    Case("DescribeMaintenanceWindowTargets", {"WindowId": "{window}"}, ["target-00", "target-11"]),
    *(
        Case(
            "DescribeMaintenanceWindowTargets", {"WindowId": "{window}", **asked(filter)}, ["target-11"], ["target-00"]
        )
        for filter in (("WindowTargetId", ["{target}"]), ("OwnerInformation", ["team 11"]))
    ),
    Case(
        "DescribeMaintenanceWindowTargets", {"WindowId": "{window}", **asked(("Type", ["RESOURCE_GROUP"]))}, [], ["t-"]
    ),
    Case(
        "UpdateMaintenanceWindowTarget",
        {"WindowId": "{window}", "WindowTargetId": "{target}", "Description": "changed"},
        ["changed", "target-11"],
    ),
    Case("GetMaintenanceWindowTask", {"WindowId": "{window}", "WindowTaskId": "{task}"}, ["task-11", "AWS-Noop"]),
    Case(
        "UpdateMaintenanceWindowTask",
        {"WindowId": "{window}", "WindowTaskId": "{task}", "MaxErrors": "7"},
        ['"MaxErrors": "7"', "task-11"],
    ),
    *(
        Case("DescribeMaintenanceWindowTasks", {"WindowId": "{window}", **asked(filter)}, ["task-11"], hides)
        for filter, hides in (
            (("WindowTaskId", ["{task}"]), ["task-00"]),
            (("Priority", ["11"]), ["task-00"]),
            (("TaskArn", ["AWS-Noop"]), []),
            (("TaskType", ["RUN_COMMAND"]), []),
        )
    ),
    Case("DescribeMaintenanceWindowTasks", {"WindowId": "{window}", **asked(("TaskType", ["LAMBDA"]))}, [], ["task-"]),
)
EXECUTIONS: Final = (
    Case("DescribeMaintenanceWindowExecutions", {"WindowId": "{window}"}, ["{execution}", '"SUCCESS"']),
    *(
        Case("DescribeMaintenanceWindowExecutions", {"WindowId": "{window}", **asked(filter)}, [], ["{execution}"])
        for filter in (("ExecutedBefore", [PAST]), ("ExecutedAfter", [FUTURE]))
    ),
    Case("GetMaintenanceWindowExecution", EXECUTION, ["{task_execution}", '"SUCCESS"']),
    Case(
        "DescribeMaintenanceWindowExecutionTasks", {**EXECUTION, **asked(("STATUS", ["SUCCESS"]))}, ["{task_execution}"]
    ),
    Case("DescribeMaintenanceWindowExecutionTasks", {**EXECUTION, **asked(("STATUS", ["FAILED"]))}, [], ["AWS-Noop"]),
    Case("GetMaintenanceWindowExecutionTask", TASK_EXECUTION, ["AWS-Noop", '"MaxConcurrency": "1"']),
    Case("DescribeMaintenanceWindowExecutionTaskInvocations", TASK_EXECUTION, ["{invocation}", "team 0"]),
    Case(
        "DescribeMaintenanceWindowExecutionTaskInvocations",
        {**TASK_EXECUTION, **asked(("STATUS", ["FAILED"]))},
        [],
        ["{invocation}"],
    ),
    Case(
        "GetMaintenanceWindowExecutionTaskInvocation",
        {**TASK_EXECUTION, "InvocationId": "{invocation}"},
        ["{invocation}", "team 0"],
    ),
    Case("CancelMaintenanceWindowExecution", EXECUTION, ["{execution}"]),
)
COMMANDS: Final = (
    Case("SendCommand", {"DocumentName": "AWS-Noop", "DocumentVersion": "$LATEST", **TO_NOBODY}, ['"TargetCount": 0']),
    Case("ListCommands", {"CommandId": "{command}"}, ["{command}", '"CompletedCount": 12']),
    Case("ListCommands", {"InstanceId": "{node}"}, ["{command}"], ["AWS-Noop"]),
    *(
        Case("ListCommands", told(filter), shows, hides)
        for filter, shows, hides in (
            (("DocumentName", "AWS-RunPatchBaseline"), ["{command}"], ["AWS-Noop"]),
            (("Status", "Success"), ["{command}"], []),
            (("Status", "Failed"), [], ["{command}"]),
            (("ExecutionStage", "Complete"), ["{command}"], []),
            (("ExecutionStage", "Executing"), [], ["{command}"]),
            (("InvokedAfter", FUTURE), [], ["{command}"]),
            (("InvokedBefore", PAST), [], ["{command}"]),
        )
    ),
    Case("ListCommandInvocations", {**INVOCATION, "Details": True}, ["{command}", "PatchLinux"]),
    *(
        Case("ListCommandInvocations", {"InstanceId": "{node}", **told(filter)}, shows, hides)
        for filter, shows, hides in (
            (("Status", "Success"), ["{command}"], []),
            (("Status", "TimedOut"), [], ["{command}"]),
            (("DocumentName", "AWS-Noop"), [], ["{command}"]),
            (("InvokedAfter", FUTURE), [], ["{command}"]),
            (("InvokedBefore", PAST), [], ["{command}"]),
        )
    ),
    Case("GetCommandInvocation", {**INVOCATION, "PluginName": "PatchLinux"}, ["NON_COMPLIANT", '"ResponseCode": 0']),
    Case("CancelCommand", {"CommandId": "{command}"}),
    Case("CancelCommand", {"CommandId": "{command}", "InstanceIds": ["{node}"]}),
    Case("GetDocument", {"Name": "AWS-RunShellScript"}, ["aws:runShellScript", '"JSON"']),
    Case("GetDocument", {"Name": "AWS-RunShellScript", "DocumentFormat": "YAML"}, ["schemaVersion: ", '"YAML"']),
    Case("DescribeDocument", {"Name": "AWS-RunPatchBaseline"}, ["StepTimeoutSeconds", "Sha256"]),
    Case("ListDocuments", asked(("PlatformTypes", ["Windows"])), ["AWS-RunPatchBaseline"], ["AWS-RunShellScript"]),
    Case("ListDocuments", asked(("Owner", ["Self"])), [], ["AWS-"]),
    Case("ListDocuments", {"DocumentFilterList": [{"key": "Name", "value": "AWS-N"}]}, ["AWS-Noop"], ["AWS-Run"]),
)
NODES: Final = (
    Case("DescribeActivations", {}, ["{activation}", "role-00"]),
    *(
        Case("DescribeActivations", {"Filters": [{"FilterKey": key, "FilterValues": [value]}]}, shows, hides)
        for key, value, shows, hides in (
            ("ActivationIds", "{activation}", ["of the world"], ["role-00"]),
            ("DefaultInstanceName", "web", ["{activation}"], ["role-00"]),
            ("IamRole", "role-00", ["role-00"], ["{activation}"]),
        )
    ),
    *(
        Case(
            "DescribeInstanceInformation",
            {"MaxResults": 50, **asked((key, [value]))},
            ["{node}"] * shows,
            ["{node}"] * (not shows),
        )
        for key, value, shows in (
            ("InstanceIds", "{node}", True),
            ("ActivationIds", "{activation}", True),
            ("PingStatus", "Online", True),
            ("PingStatus", "ConnectionLost", False),
            ("PlatformTypes", "Windows", False),
            ("ResourceType", "ManagedInstance", True),
            ("tag-key", "Patch Group", True),
            ("tag:Patch Group", "other", False),
        )
    ),
    *(
        Case(
            "DescribeInstanceProperties",
            {"MaxResults": 1000, "FiltersWithOperator": [{"Key": key, "Values": [value], "Operator": operator}]},
            ["{node}"] * shows,
            ["{node}"] * (not shows),
        )
        for key, operator, value, shows in (
            ("InstanceIds", "BeginWith", "mi-", True),
            ("ActivationIds", "Equal", "{activation}", True),
            ("PingStatus", "NotEqual", "ConnectionLost", True),
            ("PlatformTypes", "NotEqual", "Linux", False),
            ("AgentVersion", "GreaterThan", "0.0.1", True),
            ("AgentVersion", "LessThan", "0.0.1", False),
        )
    ),
    *(
        Case("ListNodes", {"MaxResults": 50, "Filters": [{"Key": key, "Values": [value]}]}, shows, hides)
        for key, value, shows, hides in (
            ("InstanceId", "{node}", ["{node}"], []),
            ("InstanceStatus", "ConnectionLost", [], ["{node}"]),
        )
    ),
    Case(
        "ListNodesSummary",
        {"Aggregators": [{"AggregatorType": "Count", "TypeName": "Instance", "AttributeName": "PlatformType"}]},
        ["Linux", "Count"],
    ),
    Case("GetConnectionStatus", {"Target": "{node}"}, ['"connected"']),
    Case("UpdateManagedInstanceRole", {"InstanceId": "{node}", "IamRole": "changed"}),
    Case("DescribeInstanceInformation", asked(("IamRole", ["changed"])), ["{node}"]),
    *(
        Case(operation, {"ResourceType": kind, "ResourceId": id, **members}, shows, hides)
        for kind, id in (
            ("ManagedInstance", "{node}"),
            ("PatchBaseline", "{baseline}"),
            ("MaintenanceWindow", "{weekly}"),
        )
        for operation, members, shows, hides in (
            ("AddTagsToResource", {"Tags": [{"Key": "Stage", "Value": "test"}]}, [], []),
            ("ListTagsForResource", {}, ["Stage"], []),
            ("RemoveTagsFromResource", {"TagKeys": ["Stage"]}, [], []),
            ("ListTagsForResource", {}, [], ["Stage"]),
        )
    ),
)
CASES: Final = (*BASELINES, *PATCHES, *INVENTORY, *WINDOWS, *EXECUTIONS, *COMMANDS, *NODES)

ENDS: Final[dict[str, dict[str, Any]]] = {
    "CreatePatchBaseline": {"Name": "short-lived", "OperatingSystem": "DEBIAN", "ApprovalRules": RULES},
    "UpdatePatchBaseline": {"BaselineId": "{BaselineId}", "Replace": True, "Name": "renamed"},
    "RegisterPatchBaselineForPatchGroup": {"BaselineId": "{BaselineId}", "PatchGroup": "short-lived"},
    "DeregisterPatchBaselineForPatchGroup": {"BaselineId": "{BaselineId}", "PatchGroup": "short-lived"},
    "DeletePatchBaseline": {"BaselineId": "{BaselineId}"},
    "CreateMaintenanceWindow": {
        "Name": "short-lived",
        "Schedule": "rate(1 day)",
        "Duration": 2,
        "Cutoff": 1,
        "AllowUnassociatedTargets": True,
    },
    "RegisterTargetWithMaintenanceWindow": {"WindowId": "{WindowId}", "ResourceType": "INSTANCE", **TO_NOBODY},
    "RegisterTaskWithMaintenanceWindow": {
        "WindowId": "{WindowId}",
        "TaskType": "RUN_COMMAND",
        "TaskArn": "AWS-Noop",
        "MaxConcurrency": "1",
        "MaxErrors": "1",
        "Targets": [{"Key": "WindowTargetIds", "Values": ["{WindowTargetId}"]}],
    },
    "DeregisterTaskFromMaintenanceWindow": {"WindowId": "{WindowId}", "WindowTaskId": "{WindowTaskId}"},
    "DeregisterTargetFromMaintenanceWindow": {
        "WindowId": "{WindowId}",
        "WindowTargetId": "{WindowTargetId}",
        "Safe": True,
    },
    "DeleteMaintenanceWindow": {"WindowId": "{WindowId}"},
    "CreateActivation": {"IamRole": "short-lived"},
    "DeleteActivation": {"ActivationId": "{ActivationId}"},
}
"""What makes something and takes it away again, in order; each answer's ids are the names of the next."""

REST: Final = {
    "DeregisterManagedInstance": "test_nodes",
    "GetDeployablePatchSnapshotForInstance": "test_overrides",
    **dict.fromkeys((name for name in OPERATIONS if "Association" in name), "test_associations"),
    **dict.fromkeys(
        (
            "CreateDocument",
            "DeleteDocument",
            "DescribeDocumentPermission",
            "GetCalendarState",
            "ListDocumentVersions",
            "UpdateDocument",
            "UpdateDocumentDefaultVersion",
        ),
        "test_documents",
    ),
}


def test_every_operation_is_tried() -> None:
    assert {case.operation for case in CASES} | ENDS.keys() | REST.keys() == OPERATIONS.keys()


@pytest.mark.parametrize("case", CASES, ids=str)
def test_an_operation_answers_what_there_is(world: World, case: Case) -> None:
    answer = json.dumps(world.call(case.operation, case.members), default=str)
    for text in case.shows:
        assert world.filled(text) in answer
    for text in case.hides:
        assert world.filled(text) not in answer


def ids_of(world: World) -> list[str]:
    """Return the ids of all that the operations of `ENDS` make."""
    lists = {
        "DescribePatchBaselines": ("BaselineIdentities", "BaselineId"),
        "DescribePatchGroups": ("Mappings", "PatchGroup"),
        "DescribeMaintenanceWindows": ("WindowIdentities", "WindowId"),
        "DescribeActivations": ("ActivationList", "ActivationId"),
    }
    return [each[id] for name, (member, id) in lists.items() for each in world.call(name, {})[member]]


def test_what_is_made_is_taken_away_again(world: World) -> None:
    before = ids_of(world)
    made = World.__new__(World)
    made.client, made.names = world.client, {}
    for operation, members in ENDS.items():
        answer = made.call(operation, members)
        made.names |= {name: value for name, value in answer.items() if isinstance(value, str)}
    assert ids_of(world) == before
