"""Resources as a plan says them: the way of ``desired`` back, one function for each kind.

What a plan cannot say is left out here; whoever writes a plan compares what it says with what there is.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC
from typing import Any, Final

from patchwindow.plans.calendars import dates_of
from patchwindow.plans.check_windows import is_patch_document
from patchwindow.plans.state import FREEZES

Members = Mapping[str, Any]

_GROUP_TAG: Final = "tag:Patch Group"
# The words that tasks and associations have of their own for parameters of documents that patch.
_WORDS: Final = {
    "Operation": ("operation", ("Scan", "Install")),
    "RebootOption": ("rebootOption", ("RebootIfNeeded", "NoReboot")),
}
# What nothing is said of has no bound.
_ALL: Final = "100%"


def baseline(members: Members, *, is_default: bool) -> dict[str, Any]:
    """Return the baseline of these members, with every rule of its own and no model."""
    return _said(
        operatingSystem=members["OperatingSystem"],
        description=members["Description"],
        default=is_default,
        globalFilters=_filters(members["GlobalFilters"]),
        rules=[_rule(entry) for entry in members["ApprovalRules"]["PatchRules"]],
        approvedPatches=members["ApprovedPatches"],
        approvedPatchesComplianceLevel=_unless(members["ApprovedPatchesComplianceLevel"], "UNSPECIFIED"),
        approvedPatchesEnableNonSecurity=members["ApprovedPatchesEnableNonSecurity"],
        rejectedPatches=members["RejectedPatches"],
        rejectedPatchesAction=_unless(members["RejectedPatchesAction"], "ALLOW_AS_DEPENDENCY"),
        sources=[
            _said(name=source["Name"], products=source["Products"], configuration=source["Configuration"])
            for source in members["Sources"]
        ],
        availableSecurityUpdatesComplianceStatus=members["AvailableSecurityUpdatesComplianceStatus"],
    )


def freeze(members: Members) -> dict[str, Any]:
    """Return the freeze of this calendar: as dates where a plan has written it so, else as the calendar's text."""
    dates = dates_of(members["Content"])
    if dates is None:
        return {"calendar": members["Content"]}
    return {
        "dates": [
            {"from": f"{begin.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}", "to": f"{end.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"}
            | _said(reason=reason)
            for begin, end, reason in dates
        ]
    }


def window(members: Members, targets: Mapping[str, Any], tasks: Mapping[str, Any]) -> dict[str, Any]:
    """Return the window of these members, with what is in it."""
    said = _said(
        description=members["Description"],
        schedule=members["Schedule"],
        timezone=members["ScheduleTimezone"],
        offset=members["ScheduleOffset"],
        startDate=members["StartDate"],
        endDate=members["EndDate"],
        freezes=members[FREEZES],
        targets=targets,
        tasks=tasks,
    )
    # A cutoff of 0 and what is not enabled are said, although they are empty.
    said |= {"duration": members["Duration"], "cutoff": members["Cutoff"]}
    return said if members["Enabled"] else said | {"enabled": False}


def target(members: Members, groups: frozenset[str]) -> dict[str, Any] | None:
    """Return the target of these members, None where a plan has no words for its nodes."""
    nodes = _nodes(members["Targets"], groups)
    if nodes is None or "all" in nodes:
        return None
    return nodes | _said(description=members["Description"], ownerInformation=members["OwnerInformation"])


def task(members: Members) -> dict[str, Any] | None:
    """Return the task of these members, None where it is no command on targets of its window."""
    targets = list(members["Targets"] or ())
    run = (members["TaskInvocationParameters"] or {}).get("RunCommand")
    if members["TaskType"] != "RUN_COMMAND" or [entry["Key"] for entry in targets] != ["WindowTargetIds"]:
        return None
    run = run or {}
    notification = run.get("NotificationConfig", {})
    return (
        _document(members["TaskArn"], run.get("Parameters") or {})
        | {"targets": list(targets[0]["Values"]), "priority": members["Priority"] or 0}
        | _said(
            maxConcurrency=members["MaxConcurrency"],
            maxErrors=members["MaxErrors"],
            cutoffBehavior=_unless(members["CutoffBehavior"], "CONTINUE_TASK"),
            timeoutSeconds=run.get("TimeoutSeconds"),
            documentVersion=run.get("DocumentVersion"),
            serviceRoleArn=members["ServiceRoleArn"],
            logs=_said(
                s3Bucket=run.get("OutputS3BucketName"),
                s3Prefix=run.get("OutputS3KeyPrefix"),
                cloudWatchLogGroup=run.get("CloudWatchOutputConfig", {}).get("CloudWatchLogGroupName"),
            ),
            notification=_said(
                topicArn=notification.get("NotificationArn"),
                roleArn=run.get("ServiceRoleArn"),
                events=notification.get("NotificationEvents"),
                type=notification.get("NotificationType"),
            ),
            comment=run.get("Comment"),
            description=members["Description"],
        )
    )


def association(members: Members, groups: frozenset[str]) -> dict[str, Any] | None:
    """Return the association of these members, None where it has no schedule or a plan has no words for its nodes."""
    nodes = _nodes(members["Targets"] or (), groups)
    if not nodes or members["ScheduleExpression"] is None:
        return None
    location = (members["OutputLocation"] or {}).get("S3Location", {})
    is_cron = members["ScheduleExpression"].startswith("cron(")
    return _document(members["Name"], members["Parameters"] or {}) | _said(
        documentVersion=members["DocumentVersion"],
        schedule=members["ScheduleExpression"],
        offset=members["ScheduleOffset"],
        atOnce=is_cron and not members["ApplyOnlyAtCronInterval"],
        targets=nodes,
        maxConcurrency=members["MaxConcurrency"] or _ALL,
        maxErrors=members["MaxErrors"] or _ALL,
        severity=_unless(members["ComplianceSeverity"], "UNSPECIFIED"),
        freezes=members["CalendarNames"],
        logs=_said(s3Bucket=location.get("OutputS3BucketName"), s3Prefix=location.get("OutputS3KeyPrefix")),
    )


def _document(name: str, parameters: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Return the document and its parameters, with the plan's own words for those of a document that patches."""
    words: dict[str, Any] = {}
    others = {key: list(values) for key, values in parameters.items()}
    for key, (word, choices) in _WORDS.items() if is_patch_document(name) else ():
        if len(others.get(key, ())) == 1 and others[key][0] in choices:
            (words[word],) = others.pop(key)
    return {"document": name} | words | _said(parameters=others)


def _nodes(targets: Sequence[Members], groups: frozenset[str]) -> dict[str, Any] | None:
    """Return the words for these nodes; a patch group that the plan does not have is named by its tag."""
    said: dict[str, Any] = {}
    tags: dict[str, list[str]] = {}
    for entry in targets:
        key, values = entry["Key"], list(entry["Values"])
        if key == "InstanceIds":
            said |= {"all": True} if values == ["*"] else {"nodeIds": values}
        elif key == _GROUP_TAG and groups.issuperset(values):
            said |= {"patchGroup": values[0]} if len(values) == 1 else {"patchGroups": values}
        elif key.startswith("tag:"):
            tags[key.removeprefix("tag:")] = values
        else:
            return None
    return said | _said(tags=tags)


def _rule(entry: Members) -> dict[str, Any]:
    return {"filters": _filters(entry["PatchFilterGroup"])} | {
        name: value
        for name, value in (
            ("approveAfterDays", entry.get("ApproveAfterDays")),
            ("approveUntilDate", entry.get("ApproveUntilDate")),
            ("complianceLevel", _unless(entry["ComplianceLevel"], "UNSPECIFIED")),
            ("enableNonSecurity", entry["EnableNonSecurity"] or None),
        )
        if value is not None
    }


def _filters(group: Members) -> dict[str, list[str]]:
    return {entry["Key"]: list(entry["Values"]) for entry in group["PatchFilters"]}


def _unless(value: Any, default: str) -> Any:
    return None if value == default else value


def _said(**members: Any) -> dict[str, Any]:
    """Return the members that are not empty."""
    return {
        name: value for name, value in members.items() if value not in (None, "", False) and value not in ([], {}, ())
    }
