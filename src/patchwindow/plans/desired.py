"""The state that a plan wants."""

from collections.abc import Iterator, Mapping
from typing import Any

from patchwindow.domain.operating_system import OperatingSystem
from patchwindow.plans.check_associations import runs_by_schedule_only
from patchwindow.plans.check_baselines import system_of_name
from patchwindow.plans.check_windows import is_patch_document
from patchwindow.plans.definitions import (
    Association,
    Baseline,
    Logs,
    Nodes,
    Notification,
    Plan,
    Rule,
    Target,
    Task,
    Window,
)
from patchwindow.plans.state import BASELINE, FREEZES, Address, Kind, Resource, complete, rule


def models_of(plan: Plan) -> frozenset[str]:
    """Return the names of the predefined baselines that *plan* copies."""
    return frozenset(baseline.copy_of for baseline in plan.baselines.values() if baseline.copy_of is not None)


def predefined_of(plan: Plan) -> frozenset[str]:
    """Return the names of the predefined baselines that the groups of *plan* use as they are."""
    names = {name for group in plan.patch_groups.values() for name in group.baselines}
    return frozenset(names - plan.baselines.keys())


def desired_state(
    plan: Plan, models: Mapping[str, Mapping[str, Any]], closed: frozenset[str] = frozenset()
) -> list[Resource]:
    """Return what *plan* wants, in the order in which it can be made.

    *models* are the members of the predefined baselines that the plan copies, by name; *closed* are the names of
    windows that must not open, whatever the plan says of them.
    """
    return [
        *_baselines(plan, models),
        *_defaults(plan),
        *_groups(plan),
        *_freezes(plan),
        *_windows(plan, closed),
        *_targets(plan),
        *_tasks(plan),
        *_associations(plan),
    ]


def _baselines(plan: Plan, models: Mapping[str, Mapping[str, Any]]) -> Iterator[Resource]:
    for name, baseline in plan.baselines.items():
        model = models[baseline.copy_of] if baseline.copy_of is not None else {}
        given = {member: value for member, value in _baseline(baseline).items() if value is not None}
        members = complete(Kind.BASELINE, {**model, **given, "Name": name, "OperatingSystem": _system(plan, name)})
        yield Resource(Address(Kind.BASELINE, (name,)), members, plan.marks.at("baselines", name))


def _baseline(baseline: Baseline) -> dict[str, Any]:
    """Return the API's members of what the plan says; None where it says nothing."""
    status = baseline.available_security_updates_compliance_status
    return {
        "Description": baseline.description,
        "GlobalFilters": None if baseline.global_filters is None else _filters(baseline.global_filters),
        "ApprovalRules": None if baseline.rules is None else {"PatchRules": [_rule(entry) for entry in baseline.rules]},
        "ApprovedPatches": _list(baseline.approved_patches),
        "ApprovedPatchesComplianceLevel": baseline.approved_patches_compliance_level,
        "ApprovedPatchesEnableNonSecurity": baseline.approved_patches_enable_non_security,
        "RejectedPatches": _list(baseline.rejected_patches),
        "RejectedPatchesAction": baseline.rejected_patches_action,
        "Sources": None
        if baseline.sources is None
        else [
            {"Name": source.name, "Products": list(source.products), "Configuration": source.configuration}
            for source in baseline.sources
        ],
        # COMPLIANT is what holds where nothing is set; a service may answer either.
        "AvailableSecurityUpdatesComplianceStatus": None if status == "COMPLIANT" else status,
    }


def _rule(entry: Rule) -> dict[str, Any]:
    members: dict[str, Any] = {
        "PatchFilterGroup": _filters(entry.filters),
        "ComplianceLevel": entry.compliance_level,
        "ApproveAfterDays": entry.approve_after_days,
        "ApproveUntilDate": entry.approve_until_date,
        "EnableNonSecurity": entry.enable_non_security,
    }
    return rule(_given(members))


def _filters(filters: Mapping[str, tuple[str, ...]]) -> dict[str, Any]:
    return {"PatchFilters": [{"Key": key, "Values": list(values)} for key, values in filters.items()]}


def _defaults(plan: Plan) -> Iterator[Resource]:
    for name, baseline in plan.baselines.items():
        if baseline.default:
            address = Address(Kind.DEFAULT, (_system(plan, name),))
            yield Resource(address, {BASELINE: name}, baseline.marks.at("default"))


def _groups(plan: Plan) -> Iterator[Resource]:
    for group_name, group in plan.patch_groups.items():
        for index, name in enumerate(group.baselines):
            address = Address(Kind.GROUP, (group_name, _system(plan, name)))
            yield Resource(address, {BASELINE: name}, group.marks.at("baselines", index))


def _system(plan: Plan, name: str) -> str:
    system = system_of_name(plan, name)
    assert isinstance(system, OperatingSystem), "a plan is checked before it is used"
    return str(system)


def _freezes(plan: Plan) -> Iterator[Resource]:
    for name in plan.freezes:
        yield Resource(Address(Kind.FREEZE, (name,)), {"Content": plan.calendars[name]}, plan.marks.at("freezes", name))


def _windows(plan: Plan, closed: frozenset[str]) -> Iterator[Resource]:
    for name, window in plan.windows.items():
        members = {
            "Name": name,
            "Description": window.description,
            "StartDate": window.start_date,
            "EndDate": window.end_date,
            "Schedule": window.schedule,
            "ScheduleTimezone": window.timezone,
            "ScheduleOffset": window.offset,
            "Duration": window.duration,
            "Cutoff": window.cutoff,
            # What a window patches is said by its targets alone; a task for single nodes names a target for them.
            "AllowUnassociatedTargets": False,
            "Enabled": window.enabled and name not in closed,
            FREEZES: list(window.freezes or ()),
        }
        address = Address(Kind.WINDOW, (name,))
        yield Resource(address, complete(Kind.WINDOW, members), plan.marks.at("windows", name))


def _targets(plan: Plan) -> Iterator[Resource]:
    for window_name, window in plan.windows.items():
        for name, target in window.targets.items():
            members = {
                "ResourceType": "INSTANCE",
                "Targets": _target_filters(target),
                "OwnerInformation": target.owner_information,
                "Name": name,
                "Description": target.description,
            }
            address = Address(Kind.TARGET, (window_name, name))
            yield Resource(address, complete(Kind.TARGET, members), window.marks.at("targets", name))


def _target_filters(target: Target | Nodes) -> list[dict[str, Any]]:
    if isinstance(target, Nodes) and target.all:
        return [{"Key": "InstanceIds", "Values": ["*"]}]
    if target.node_ids is not None:
        return [{"Key": "InstanceIds", "Values": list(target.node_ids)}]
    groups = target.patch_groups or ((target.patch_group,) if target.patch_group is not None else ())
    filters = {"tag:Patch Group": groups} if groups else {}
    filters |= {f"tag:{key}": values for key, values in (target.tags or {}).items()}
    return [{"Key": key, "Values": list(values)} for key, values in filters.items()]


def _tasks(plan: Plan) -> Iterator[Resource]:
    for window_name, window in plan.windows.items():
        for name, task in window.tasks.items():
            members = _task(window, task) | {"Name": name}
            address = Address(Kind.TASK, (window_name, name))
            yield Resource(address, complete(Kind.TASK, members), window.marks.at("tasks", name))


def _task(window: Window, task: Task) -> dict[str, Any]:
    targets = list(task.targets) if task.targets is not None else list(window.targets)
    return {
        "Targets": [{"Key": "WindowTargetIds", "Values": targets}],
        "TaskArn": task.document,
        "TaskType": "RUN_COMMAND",
        "ServiceRoleArn": task.service_role_arn,
        "TaskInvocationParameters": {"RunCommand": _run_command(task)},
        "Priority": task.priority,
        "MaxConcurrency": task.max_concurrency,
        "MaxErrors": task.max_errors,
        "Description": task.description,
        "CutoffBehavior": task.cutoff_behavior,
    }


def _run_command(task: Task) -> dict[str, Any]:
    logs, notification = task.logs, task.notification
    return _given(
        {
            "Comment": task.comment,
            "DocumentVersion": None if task.document_version == "$DEFAULT" else task.document_version,
            "OutputS3BucketName": logs and logs.s3_bucket,
            "OutputS3KeyPrefix": logs and logs.s3_prefix,
            "CloudWatchOutputConfig": _cloud_watch(logs),
            "NotificationConfig": _notification(notification),
            "Parameters": _parameters(task) or None,
            "ServiceRoleArn": notification and notification.role_arn,
            "TimeoutSeconds": task.timeout_seconds,
        }
    )


def _parameters(run: Task | Association) -> dict[str, list[str]]:
    """Return the parameters of a document, with what a plan says of those that patch by words of its own."""
    parameters: dict[str, list[str]] = {}
    if is_patch_document(run.document):
        operation = {"Operation": run.operation, "RebootOption": run.reboot_option}
        parameters = {name: [value] for name, value in operation.items() if value is not None}
    return parameters | {name: list(values) for name, values in run.parameters.items()}


def _notification(notification: Notification | None) -> dict[str, Any] | None:
    if notification is None:
        return None
    return {
        "NotificationArn": notification.topic_arn,
        "NotificationEvents": list(notification.events),
        "NotificationType": notification.type,
    }


def _associations(plan: Plan) -> Iterator[Resource]:
    for name, association in plan.associations.items():
        members = {
            "Name": association.document,
            "AssociationName": name,
            "DocumentVersion": None if association.document_version == "$DEFAULT" else association.document_version,
            "Parameters": _parameters(association) or None,
            "Targets": _target_filters(association.targets),
            "ScheduleExpression": association.schedule,
            "ScheduleOffset": association.offset,
            "ApplyOnlyAtCronInterval": runs_by_schedule_only(association),
            "OutputLocation": _output_location(association.logs),
            "MaxConcurrency": association.max_concurrency,
            "MaxErrors": association.max_errors,
            "ComplianceSeverity": association.severity,
            "CalendarNames": list(association.freezes or ()),
        }
        address = Address(Kind.ASSOCIATION, (name,))
        yield Resource(address, complete(Kind.ASSOCIATION, members), plan.marks.at("associations", name))


def _output_location(logs: Logs | None) -> dict[str, Any] | None:
    if logs is None:
        return None
    return {"S3Location": _given({"OutputS3BucketName": logs.s3_bucket, "OutputS3KeyPrefix": logs.s3_prefix})}


def _cloud_watch(logs: Logs | None) -> dict[str, Any] | None:
    if logs is None or logs.cloud_watch_log_group is None:
        return None
    return {"CloudWatchLogGroupName": logs.cloud_watch_log_group, "CloudWatchOutputEnabled": True}


def _given(members: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}


def _list(values: tuple[str, ...] | None) -> list[str] | None:
    return None if values is None else list(values)
