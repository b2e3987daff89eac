"""The fields of a task's form: what they say as members of the API, and which of them a refusal is about."""

import base64
import json
from collections.abc import Mapping
from typing import Any, Final

from patchwindow.console import edits, refusals
from patchwindow.console.view import Act
from patchwindow.domain.errors import PatchwindowError

COMMAND: Final = "RUN_COMMAND"
CHOSEN: Final = ("Operation", "RebootOption")
"""The parameters of patch operations that have fields of their own."""
_TEXTS: Final = ("Name", "Description", "TaskArn", "MaxConcurrency", "MaxErrors", "CutoffBehavior")
_KEPT: Final = ("ServiceRoleArn", "TaskParameters", "TaskInvocationParameters", "LoggingInfo", "AlarmConfiguration")


def kept(task: Mapping[str, Any]) -> dict[str, Any]:
    """Return the members of a task that its form has no fields for, as UpdateMaintenanceWindowTask takes them."""
    members = {name: task[name] for name in _KEPT if task.get(name)}
    function = members.get("TaskInvocationParameters", {}).get("Lambda", {})
    if "Payload" in function:
        payload = base64.b64encode(function["Payload"]).decode()
        members["TaskInvocationParameters"] = {"Lambda": {**function, "Payload": payload}}
    return members


def read_members(act: Act, base: Mapping[str, Any]) -> dict[str, Any]:
    """Return the members that the form asks for; of those for Run Command that have no field, those of *base*."""
    members: dict[str, Any] = {name: act.first(name) for name in _TEXTS}
    members["Priority"] = edits.whole(act, "Priority")
    chosen = (
        ("WindowTargetIds", edits.lines(act, "WindowTargetIds")),
        ("InstanceIds", edits.lines(act, "InstanceIds")),
    )
    members["Targets"] = [{"Key": key, "Values": values} for key, values in chosen if values]
    if base["TaskType"] == COMMAND:
        members["TaskInvocationParameters"] = {"RunCommand": _run(act, base)}
        if not members["Targets"]:
            act.problems["WindowTargetIds"] = (
                "nothing is chosen; choose a target, or register one with the window first"
            )
    return {name: value for name, value in members.items() if value not in ("", None, []) or name == "TaskArn"}


def by_field(problem: PatchwindowError, act: Act) -> dict[str, str]:
    """Return what is wrong with a task, by field."""
    message = str(problem)
    if "WindowTargetIds" in message or "Window target" in message:
        return {"WindowTargetIds": message}
    if "node id" in message or "AllowUnassociatedTargets" in message:
        return {"InstanceIds": message}
    return refusals.by_field(problem, act.form)


def _run(act: Act, base: Mapping[str, Any]) -> dict[str, Any]:
    run = dict((base.get("TaskInvocationParameters") or {}).get("RunCommand") or {})
    given = _parameters(act)
    given |= {name: [act.first(name)] for name in CHOSEN if act.first(name)}
    run |= {"Parameters": given, "Comment": act.first("Comment"), "TimeoutSeconds": edits.whole(act, "TimeoutSeconds")}
    return {name: value for name, value in run.items() if value not in ("", None, {})}


def _parameters(act: Act) -> dict[str, list[str]]:
    """Return the other parameters, which a field has as JSON: lists of text by name, or text alone."""
    text = act.first("Parameters") or "{}"
    try:
        found = json.loads(text)
    except ValueError as problem:
        act.problems["Parameters"] = f'is no JSON ({problem}); write it as {{"commands": ["uptime"]}}'
        return {}
    if not isinstance(found, dict):
        act.problems["Parameters"] = (
            f'is a {type(found).__name__}, not an object; write it as {{"commands": ["uptime"]}}'
        )
        return {}
    read = {name: [value] if isinstance(value, str) else value for name, value in found.items()}
    for name, value in read.items():
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            act.problems["Parameters"] = f'has {name} as {json.dumps(value)}; write a list of text, such as ["true"]'
            return {}
        if name in CHOSEN:
            act.problems["Parameters"] = f"has {name}, which has a field of its own; choose it there"
    return read
