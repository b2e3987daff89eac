"""Windows, their targets and tasks in words by label: what forms compare and show."""

from collections.abc import Mapping, Sequence
from typing import Any

from patchwindow.console.edits import words


def told_window(window: Mapping[str, Any]) -> dict[str, str]:
    """Return what GetMaintenanceWindow answers: all that UpdateMaintenanceWindow could change."""
    return {
        "Name": words(window.get("Name")),
        "Description": words(window.get("Description")),
        "Schedule": words(window.get("Schedule")),
        "Zone": words(window.get("ScheduleTimezone")),
        "Days later": words(window.get("ScheduleOffset")),
        "Opens from": words(window.get("StartDate")),
        "Opens until": words(window.get("EndDate")),
        "Length in hours": words(window.get("Duration")),
        "Cutoff in hours": words(window.get("Cutoff")),
        "Takes nodes that are no target": words(window.get("AllowUnassociatedTargets")),
        "Enabled": words(window.get("Enabled", True)),
    }


def told_target(target: Mapping[str, Any]) -> dict[str, str]:
    """Return what DescribeMaintenanceWindowTargets answers of one."""
    asked = target.get("Targets", ())
    return {
        "Name": words(target.get("Name")),
        "Description": words(target.get("Description")),
        "Owner": words(target.get("OwnerInformation")),
        **{f"Condition {number}": in_words(one) for number, one in enumerate(asked, 1)},
    }


def told_task(task: Mapping[str, Any], targets: Mapping[str, str]) -> dict[str, str]:
    """Return what GetMaintenanceWindowTask answers; *targets* has the names of registered targets by id."""
    return {
        "Name": words(task.get("Name")),
        "Description": words(task.get("Description")),
        "Runs": words(task.get("TaskArn")),
        "Kind": words(task.get("TaskType")),
        "Runs on": words(_on(task.get("Targets", ()), targets)),
        "At once": words(task.get("MaxConcurrency")),
        "Stops after errors": words(task.get("MaxErrors")),
        "Priority": words(task.get("Priority", 0)),
        "At the cutoff": words(task.get("CutoffBehavior") or "CONTINUE_TASK"),
        **{f"Parameters: {label}": text for label, text in _parameters(task).items()},
        "Service role": words(task.get("ServiceRoleArn")),
        "Parameters of old": words(task.get("TaskParameters")),
        "Logging": words(task.get("LoggingInfo")),
        "Alarms": words(task.get("AlarmConfiguration")),
    }


def in_words(target: Mapping[str, Any]) -> str:
    """Return what one condition of a target asks."""
    return f"{target['Key']} is {' or '.join(target['Values'])}" if target["Key"] != "tag-key" else (
        f"has the tag {' and '.join(target['Values'])}"
    )  # fmt: skip


def _on(targets: Sequence[Mapping[str, Any]], names: Mapping[str, str]) -> list[str]:
    return [names.get(value, value) for target in targets for value in target["Values"]]


def _parameters(task: Mapping[str, Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    for kind, members in (task.get("TaskInvocationParameters") or {}).items():
        for name, value in members.items():
            if name == "Parameters" and isinstance(value, Mapping):
                found |= {parameter: words(given) for parameter, given in value.items()}
            else:
                found[f"{kind} {name}"] = words(value)
    return found
