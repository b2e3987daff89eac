"""Scan or patch now: which nodes that would be and what they miss is shown first, and sent after."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from patchwindow.console import edits
from patchwindow.console.refusals import FormProblem
from patchwindow.console.view import Act, Again, Done, Shown, View
from patchwindow.domain.errors import PatchwindowError
from patchwindow.domain.limit import Concurrency, ErrorLimit

DOCUMENT: Final = "AWS-RunPatchBaseline"
GROUP_TAG: Final = "Patch Group"
PLACE: Final = "/console/patch-now"
_OPERATIONS: Final = ("Scan", "Install")
_REBOOTS: Final = ("RebootIfNeeded", "NoReboot")
_CONCURRENCY: Final = "50"
_ERRORS: Final = "0"
"""What SendCommand goes by where nothing is said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """What would happen."""

    operation: str
    may_reboot: bool
    found: Mapping[str, Any]
    """What PreviewPatching tells."""
    at_once: int
    errors: int
    """So many nodes may fail; with one more, no further node starts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PatchNowPage:
    """The form."""

    groups: Sequence[str]
    chosen: Mapping[str, str]
    """What the fields begin with."""
    steps: edits.Steps[Weighed]


def show(view: View) -> Shown:
    """Return the form; the query can fill it: `node`, `group`, `tag`, each more than once, and `Operation` and `RebootOption`."""
    edits.need_operator(view)
    chosen = {
        "InstanceIds": "\n".join(view.all("node")),
        "PatchGroups": "\n".join(view.all("group")),
        "Tags": "\n".join(view.all("tag")),
        "Operation": view.first("Operation", view.first("operation", _OPERATIONS[0])),
        "RebootOption": view.first("RebootOption", _REBOOTS[0]),
    }
    return _shown(view, edits.begin({}), chosen)


def submit(act: Act) -> Done | Again:
    """Show what would happen, or do it where that has been seen and is still so."""
    view = act.view
    edits.need_operator(view)
    try:
        members, found = _read(act)
    except PatchwindowError as problem:
        act.problems.update(problem.problems if isinstance(problem, FormProblem) else {"": str(problem)})
        return lambda view: _shown(view, edits.begin({}), {})

    def weigh() -> Weighed:
        count, operation = found["InstanceCount"], members["Parameters"]["Operation"][0]
        return Weighed(
            operation=operation,
            may_reboot=operation == "Install" and members["Parameters"]["RebootOption"] == ["RebootIfNeeded"],
            found=found,
            at_once=Concurrency.parse(members["MaxConcurrency"]).of(count),
            errors=ErrorLimit.parse(members["MaxErrors"]).of(count),
        )

    is_to_send = act.first("Step") == "save"
    tried = members
    if "Targets" in members:
        # What is only tried is tried with a few of the nodes: what is refused is refused all the same, and nobody waits.
        tried = members | {"InstanceIds": [one["InstanceId"] for one in found["Instances"]], "Targets": None}

    def do() -> Done:
        command_id = view.ask("SendCommand", **(members if is_to_send else tried))["Command"]["CommandId"]
        return Done(url=f"/console/commands/{command_id}", said=f"Sent to {found['InstanceCount']:,} nodes")

    told = {"Nodes": f"{found['InstanceCount']:,}", "Fingerprint of their ids": found["InstancesDigest"]}
    outcome = edits.carry_out(act, told, weigh=weigh, do=do)
    if isinstance(outcome, Done):
        return outcome
    if not is_to_send:
        # Other nodes than before are what was asked for, as the fields are others.
        outcome = replace(outcome, meanwhile=())
    return lambda view: _shown(view, outcome, {})


def _read(act: Act) -> tuple[dict[str, Any], Mapping[str, Any]]:
    """Return the members of SendCommand that the form asks for, and what the nodes are that these select.

    Raises:
        FormProblem: it names no nodes, or in two ways that do not go together, or what it names is nobody.
        PatchwindowError: a node, or a target, is none.
    """
    where = _where(act)
    found = act.view.ask("PreviewPatching", **where)
    if not found["InstanceCount"]:
        field = "InstanceIds" if "InstanceIds" in where else "PatchGroups" if act.first("PatchGroups") else "Tags"
        raise FormProblem({field: "no node is there; look for the right name in the list of nodes"})
    operation, reboot = act.first("Operation"), act.first("RebootOption")
    if operation not in _OPERATIONS:
        raise FormProblem({"Operation": f"Operation is {operation!r}; use one of {', '.join(_OPERATIONS)}"})
    if reboot not in _REBOOTS:
        raise FormProblem({"RebootOption": f"RebootOption is {reboot!r}; use one of {', '.join(_REBOOTS)}"})
    members = {
        "DocumentName": DOCUMENT,
        **where,
        "Parameters": {"Operation": [operation], "RebootOption": [reboot]},
        "MaxConcurrency": act.first("MaxConcurrency") or _CONCURRENCY,
        "MaxErrors": act.first("MaxErrors") or _ERRORS,
        "Comment": act.first("Comment") or None,
    }
    return members, found


def _where(act: Act) -> dict[str, Any]:
    """Return the members that choose the nodes."""
    ids, groups, tags = (edits.lines(act, name) for name in ("InstanceIds", "PatchGroups", "Tags"))
    if ids and (groups or tags):
        raise FormProblem({"InstanceIds": "name nodes one by one, or by groups and tags: one of the two, and not both"})
    if ids:
        return {"InstanceIds": ids}
    values: dict[str, list[str]] = {GROUP_TAG: groups} if groups else {}
    for line in tags:
        key, equals, value = line.partition("=")
        if not key or not equals:
            raise FormProblem({"Tags": f"{line!r} is not of the form KEY=VALUE, such as Environment=Production"})
        values.setdefault(key, []).append(value)
    if not values:
        raise FormProblem({"PatchGroups": "name the nodes: by patch groups, by tags, or one by one"})
    return {"Targets": [{"Key": f"tag:{key}", "Values": some} for key, some in values.items()]}


def _shown(view: View, steps: edits.Steps[Weighed], chosen: Mapping[str, str]) -> Shown:
    groups = view.ask("GetFleetCompliance", GroupBy=["PatchGroup"], MaxResults=1)["Groups"]
    return Shown(
        title="Patch or scan now",
        template="patch_now.html",
        page=PatchNowPage(
            groups=sorted(one["PatchGroup"] for one in groups if one["PatchGroup"]), chosen=chosen, steps=steps
        ),
        command=("patchwindow scan --group GROUP", "patchwindow patch --group GROUP"),
    )
