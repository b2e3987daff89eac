"""Which function serves which operation. Adding one = one function, and one line here.

Every operation of the public model stands in `OPERATIONS` or, with its reason, in `NOT_SERVED`; those of Resource Groups in
`GROUP_OPERATIONS` or in `GROUPS_NOT_SERVED`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from patchwindow.operations import (
    activations,
    agent_installation,
    agents,
    all_openings,
    association_results,
    associations,
    baselines,
    calendar_feeds,
    catalog,
    changes,
    command_results,
    command_states,
    commands,
    compliance,
    compliance_items,
    concerns,
    document_changes,
    documents,
    executions,
    explain,
    exposure,
    fleet,
    forecasts,
    freezes,
    instance_properties,
    inventory,
    inventory_reports,
    known_patches,
    messages,
    node_compliance,
    node_views,
    nodes,
    openings,
    patch_progress,
    patch_states,
    patches,
    people,
    preview,
    preview_patching,
    preview_targets,
    resource_groups,
    same_machine,
    service_settings,
    snapshots,
    step_output,
    tags,
    targets,
    tasks,
    window_calendar,
    windows,
)
from patchwindow.operations.call import Answer, Call, Request
from patchwindow.operations.not_served import GROUPS_NOT_SERVED as GROUPS_NOT_SERVED  # noqa: PLC0414  (part of this table)
from patchwindow.operations.not_served import NOT_SERVED as NOT_SERVED  # noqa: PLC0414  (part of this table)


@dataclass(frozen=True, slots=True)
class Operation:
    """How an operation is carried out."""

    run: Callable[[Call, Request], Answer]
    writes: bool
    node_of: Callable[[Request], str] | None = None
    """Which node the request is about, of what a node may ask for itself: a caller that is a node must be that one."""
    is_for_nodes: bool = False
    """Whether any node may ask for it, because it is about none."""
    is_unsigned: bool = False
    is_for_admins: bool = False
    """Whether the caller must be an admin, also to read."""


def _reads(run: Callable[[Call, Request], Answer]) -> Operation:
    return Operation(run, writes=False)


def _writes(run: Callable[[Call, Request], Answer]) -> Operation:
    return Operation(run, writes=True)


def _administers(run: Callable[[Call, Request], Answer], *, writes: bool = True) -> Operation:
    return Operation(run, writes=writes, is_for_admins=True)


def _named(member: str) -> Callable[[Request], str]:
    return lambda request: str(request.get(member, ""))


OPERATIONS: Final[dict[str, Operation]] = {
    # Patch baselines
    "CreatePatchBaseline": _writes(baselines.create),
    "GetPatchBaseline": _reads(baselines.get),
    "UpdatePatchBaseline": _writes(baselines.update),
    "DeletePatchBaseline": _writes(baselines.delete),
    "DescribePatchBaselines": _reads(baselines.describe),
    "RegisterDefaultPatchBaseline": _writes(baselines.register_default),
    "GetDefaultPatchBaseline": _reads(baselines.get_default),
    "GetDeployablePatchSnapshotForInstance": Operation(
        snapshots.get_deployable, writes=True, node_of=_named("InstanceId")
    ),
    "DescribePatchProperties": _reads(known_patches.describe_properties),
    "DescribeAvailablePatches": _reads(known_patches.describe_available),
    "DescribeEffectivePatchesForPatchBaseline": _reads(known_patches.describe_effective),
    # Patch groups and patch state
    "RegisterPatchBaselineForPatchGroup": _writes(baselines.register_group),
    "DeregisterPatchBaselineForPatchGroup": _writes(baselines.deregister_group),
    "GetPatchBaselineForPatchGroup": _reads(baselines.for_group),
    "DescribePatchGroups": _reads(baselines.describe_groups),
    "DescribePatchGroupState": _reads(patch_states.describe_group),
    "DescribeInstancePatchStates": _reads(patch_states.describe_states),
    "DescribeInstancePatchStatesForPatchGroup": _reads(patch_states.describe_states_for_group),
    "DescribeInstancePatches": _reads(patch_states.describe_patches),
    # Maintenance windows
    "CreateMaintenanceWindow": _writes(windows.create),
    "GetMaintenanceWindow": _reads(windows.get),
    "UpdateMaintenanceWindow": _writes(windows.update),
    "DeleteMaintenanceWindow": _writes(windows.delete),
    "DescribeMaintenanceWindows": _reads(windows.describe),
    "DescribeMaintenanceWindowSchedule": _reads(openings.describe_schedule),
    "DescribeMaintenanceWindowsForTarget": _reads(openings.describe_for_target),
    # Window targets and tasks
    "RegisterTargetWithMaintenanceWindow": _writes(targets.register),
    "UpdateMaintenanceWindowTarget": _writes(targets.update),
    "DeregisterTargetFromMaintenanceWindow": _writes(targets.deregister),
    "DescribeMaintenanceWindowTargets": _reads(targets.describe),
    "RegisterTaskWithMaintenanceWindow": _writes(tasks.register),
    "UpdateMaintenanceWindowTask": _writes(tasks.update),
    "GetMaintenanceWindowTask": _reads(tasks.get),
    "DeregisterTaskFromMaintenanceWindow": _writes(tasks.deregister),
    "DescribeMaintenanceWindowTasks": _reads(tasks.describe),
    # Window executions
    "DescribeMaintenanceWindowExecutions": _reads(executions.describe),
    "GetMaintenanceWindowExecution": _reads(executions.get),
    "DescribeMaintenanceWindowExecutionTasks": _reads(executions.describe_tasks),
    "GetMaintenanceWindowExecutionTask": _reads(executions.get_task),
    "DescribeMaintenanceWindowExecutionTaskInvocations": _reads(executions.describe_invocations),
    "GetMaintenanceWindowExecutionTaskInvocation": _reads(executions.get_invocation),
    "CancelMaintenanceWindowExecution": _writes(executions.cancel),
    # Commands
    "SendCommand": _writes(commands.send),
    "ListCommands": _reads(command_results.list_commands),
    "ListCommandInvocations": _reads(command_results.list_invocations),
    "GetCommandInvocation": _reads(command_results.get_invocation),
    "CancelCommand": _writes(commands.cancel),
    # Associations
    "CreateAssociation": _writes(associations.create),
    "CreateAssociationBatch": _writes(associations.create_batch),
    "DescribeAssociation": _reads(associations.describe),
    "UpdateAssociation": _writes(associations.update),
    "DeleteAssociation": _writes(associations.delete),
    "ListAssociations": Operation(associations.list_associations, writes=False, is_for_nodes=True),
    "ListAssociationVersions": _reads(associations.list_versions),
    "StartAssociationsOnce": _writes(associations.start_once),
    "UpdateAssociationStatus": _writes(associations.update_status),
    "DescribeAssociationExecutions": _reads(association_results.describe_executions),
    "DescribeAssociationExecutionTargets": _reads(association_results.describe_targets),
    "DescribeInstanceAssociationsStatus": _reads(association_results.describe_of_node),
    "DescribeEffectiveInstanceAssociations": _reads(association_results.describe_effective),
    # Documents
    "GetDocument": Operation(documents.get, writes=False, is_for_nodes=True),
    "DescribeDocument": _reads(documents.describe),
    "ListDocuments": _reads(documents.list_documents),
    "ListDocumentVersions": _reads(documents.list_versions),
    "DescribeDocumentPermission": _reads(documents.describe_permission),
    "GetCalendarState": _reads(freezes.get_state),
    "CreateDocument": _writes(document_changes.create),
    "UpdateDocument": _writes(document_changes.update),
    "UpdateDocumentDefaultVersion": _writes(document_changes.set_default),
    "DeleteDocument": _writes(document_changes.delete),
    # Activations and nodes
    "CreateActivation": _writes(activations.create),
    "DescribeActivations": _reads(activations.describe),
    "DeleteActivation": _writes(activations.delete),
    "DescribeInstanceInformation": _reads(nodes.describe),
    "DescribeInstanceProperties": _reads(instance_properties.describe),
    "ListNodes": _reads(node_views.list_nodes),
    "ListNodesSummary": _reads(node_views.summarize),
    "GetConnectionStatus": _reads(node_views.connection),
    "DeregisterManagedInstance": _writes(nodes.deregister),
    "UpdateManagedInstanceRole": _writes(nodes.update_role),
    # Tags
    "AddTagsToResource": _writes(tags.add),
    "RemoveTagsFromResource": _writes(tags.remove),
    "ListTagsForResource": _reads(tags.list_tags),
    # Compliance
    "ListComplianceItems": _reads(compliance.list_items),
    "ListComplianceSummaries": _reads(compliance.list_summaries),
    "ListResourceComplianceSummaries": _reads(compliance.list_resource_summaries),
    "PutComplianceItems": Operation(compliance_items.put, writes=True, node_of=_named("ResourceId")),
    # Inventory
    "PutInventory": Operation(inventory_reports.put, writes=True, node_of=_named("InstanceId")),
    "GetInventory": _reads(inventory.query),
    "GetInventorySchema": _reads(inventory.schemas),
    "ListInventoryEntries": _reads(inventory.entries),
    "DeleteInventory": _writes(inventory.delete),
    "DescribeInventoryDeletions": _reads(inventory.describe_deletions),
    # Service settings
    "GetServiceSetting": _reads(service_settings.get),
    "UpdateServiceSetting": _writes(service_settings.update),
    "ResetServiceSetting": _writes(service_settings.reset),
}

GROUP_OPERATIONS: Final[dict[str, Operation]] = {
    "CreateGroup": _writes(resource_groups.create),
    "GetGroup": _reads(resource_groups.get),
    "GetGroupQuery": _reads(resource_groups.get_query),
    "GetGroupConfiguration": _reads(resource_groups.get_configuration),
    "UpdateGroup": _writes(resource_groups.update),
    "UpdateGroupQuery": _writes(resource_groups.update_query),
    "DeleteGroup": _writes(resource_groups.delete),
    "ListGroups": _reads(resource_groups.list_groups),
    "ListGroupResources": _reads(resource_groups.list_resources),
    "SearchResources": _reads(resource_groups.search),
    "Tag": _writes(resource_groups.tag),
    "Untag": _writes(resource_groups.untag),
    "GetTags": _reads(resource_groups.get_tags),
}
"""The operations of Resource Groups."""

OWN_OPERATIONS: Final[dict[str, Operation]] = {
    "GetCatalogStatus": _reads(catalog.get_status),
    "ImportAdvisories": _writes(catalog.import_advisories),
    "ExplainPatch": _reads(explain.explain_patch),
    "PreviewBaseline": _reads(preview.preview_baseline),
    "PreviewPatching": _reads(preview_patching.preview),
    "PreviewTargets": _reads(preview_targets.preview_targets),
    "CompareTargets": _reads(preview_targets.compare_targets),
    "ListPatches": _reads(patches.list_patches),
    "ListPatchInstances": _reads(patches.list_instances),
    "SearchInstances": _reads(node_views.search),
    "GetFleetCompliance": _reads(fleet.get_compliance),
    "GetExposure": _reads(exposure.get_exposure),
    "GetNodeCompliance": _reads(node_compliance.get),
    "GetAgentInstallation": _reads(agent_installation.get),
    "GetPatchProgress": _reads(patch_progress.get),
    "GetComplianceHistory": _reads(fleet.get_history),
    "ForecastPatches": _reads(forecasts.forecast_patches),
    "ExportForecastFacts": _reads(forecasts.export_facts),
    "GetCommandStates": _reads(command_states.get),
    "ListConcerns": _reads(concerns.list_concerns),
    "ListOpenings": _reads(all_openings.list_openings),
    "GetWindowCalendar": _reads(window_calendar.get_window_calendar),
    "CreateCalendarFeed": _writes(calendar_feeds.create_feed),
    "ListCalendarFeeds": _reads(calendar_feeds.list_feeds),
    "DeleteCalendarFeed": _writes(calendar_feeds.delete_feed),
    "GetStepOutput": _reads(step_output.get),
    "ListChanges": _reads(changes.list_changes),
    "CreatePerson": _administers(people.create),
    "ListPeople": _administers(people.list_people, writes=False),
    "UpdatePerson": _administers(people.update),
    "DeletePerson": _administers(people.delete),
    "CreateSignInLink": _administers(people.create_link),
    "CreateAccessKey": _administers(people.create_key),
    "ListAccessKeys": _administers(people.list_keys, writes=False),
    "UpdateAccessKey": _administers(people.update_key),
    "DeleteAccessKey": _administers(people.delete_key),
    "ListSameMachineInstances": _reads(same_machine.list_instances),
    "ReplaceInstance": _writes(same_machine.replace),
}
"""The operations of our own service, which AWS does not have."""

AGENT_OPERATIONS: Final[dict[str, Operation]] = {
    "RegisterManagedInstance": Operation(agents.register, writes=True, is_unsigned=True),
    "RequestManagedInstanceRoleToken": Operation(agents.request_token, writes=False),
    "UpdateManagedInstancePublicKey": Operation(agents.update_key, writes=True),
    "UpdateInstanceInformation": Operation(agents.ping, writes=True, node_of=_named("InstanceId")),
    "ListInstanceAssociations": Operation(agents.list_associations, writes=False, node_of=_named("InstanceId")),
    "UpdateInstanceAssociationStatus": Operation(agents.update_association, writes=False, node_of=_named("InstanceId")),
    "GetMessages": Operation(messages.get, writes=True, node_of=_named("Destination")),
    "AcknowledgeMessage": Operation(messages.acknowledge, writes=True, node_of=messages.node_of),
    "SendReply": Operation(messages.reply, writes=True, node_of=messages.node_of),
    "PutStepOutput": Operation(step_output.put, writes=True, node_of=_named("InstanceId")),
    "FailMessage": Operation(messages.fail, writes=True, node_of=messages.node_of),
    "DeleteMessage": Operation(messages.delete, writes=True, node_of=messages.node_of),
}
