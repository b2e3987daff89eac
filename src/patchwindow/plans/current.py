"""What there is of a plan, read through the public API.

What the plan has made is known by its tags, and inside a window, where nothing can be tagged, by its name.
A resource that only looks alike is somebody else's, and is not touched.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from patchwindow.client import ClientProblem, SsmClient, call, pages
from patchwindow.domain.freeze import names
from patchwindow.plans.naming import NameOf
from patchwindow.plans.state import (
    BASELINE,
    FREEZES,
    FREEZES_TAG,
    PLAN_TAG,
    Address,
    Found,
    Kind,
    complete,
    rule,
)


@dataclass(frozen=True, slots=True)
class Current:
    """What is there, the ids of predefined baselines by name, and the members of those that the plan copies."""

    found: tuple[Found, ...]
    predefined_ids: Mapping[str, str]
    models: Mapping[str, Mapping[str, Any]]


def read_current(
    client: SsmClient, name_of: NameOf, *, models: frozenset[str], predefined: frozenset[str] | None
) -> Current:
    """Return what there is that *name_of* gives a name, with the predefined baselines that a plan copies and refers to.

    Those are all that the service has where *predefined* is None.

    Raises:
        ClientProblem: the API could not be asked, or it has no such predefined baseline.
    """
    wanted = None if predefined is None else models | predefined
    predefined_ids = {} if wanted is not None and not wanted else _predefined(client, wanted)
    predefined_names = {id: name for name, id in predefined_ids.items()}
    own = list(pages(client, "DescribePatchBaselines", "BaselineIdentities", Filters=[_owner("Self")]))
    baselines = list(_baselines(client, name_of, own))
    keys = {found.id: found.address.path[0] for found in baselines}
    windows = list(_windows(client, name_of))
    found = [
        *baselines,
        *_defaults(own, keys),
        *_groups(client, keys, keys | predefined_names),
        *_freezes(client, name_of),
        *windows,
        *_associations(client, name_of),
    ]
    for window in windows:
        targets = list(_targets(client, window))
        found += targets
        found += _tasks(client, window, {target.id: target.address.path[1] for target in targets})
    contents = {name: _baseline(client, predefined_ids[name]) for name in models}
    return Current(tuple(found), predefined_ids, contents)


def _predefined(client: SsmClient, names: frozenset[str] | None) -> dict[str, str]:
    """Return the ids of the predefined baselines *names*, or of all."""
    identities = pages(client, "DescribePatchBaselines", "BaselineIdentities", Filters=[_owner("AWS")])
    ids = {entry["BaselineName"]: entry["BaselineId"] for entry in identities}
    if names is None:
        return ids
    if missing := sorted(names - ids.keys()):
        raise ClientProblem(f"the service has no predefined baseline {', '.join(missing)}")
    return {name: ids[name] for name in names}


def _owner(owner: str) -> dict[str, Any]:
    return {"Key": "OWNER", "Values": [owner]}


def _tags(client: SsmClient, resource_type: str, id: str) -> dict[str, str]:
    answer = call(client, "ListTagsForResource", ResourceType=resource_type, ResourceId=id)
    return {tag["Key"]: tag["Value"] for tag in answer.get("TagList", ())}


def _is_made(tags: Mapping[str, str]) -> bool:
    """Say whether a plan has made what has these *tags*; what none has made is only there to be written down."""
    return PLAN_TAG in tags


def _baselines(client: SsmClient, name_of: NameOf, own: Iterable[Mapping[str, Any]]) -> Iterator[Found]:
    for identity in own:
        id = identity["BaselineId"]
        tags = _tags(client, "PatchBaseline", id)
        if (name := name_of(Kind.BASELINE, tags, identity["BaselineName"])) is not None:
            yield Found(Address(Kind.BASELINE, (name,)), id, _baseline(client, id), is_ours=_is_made(tags))


def _baseline(client: SsmClient, id: str) -> dict[str, Any]:
    members = complete(Kind.BASELINE, call(client, "GetPatchBaseline", BaselineId=id))
    members["ApprovalRules"] = {"PatchRules": [rule(entry) for entry in members["ApprovalRules"]["PatchRules"]]}
    # COMPLIANT is what holds where nothing is set; a service may answer either.
    if members["AvailableSecurityUpdatesComplianceStatus"] == "COMPLIANT":
        members["AvailableSecurityUpdatesComplianceStatus"] = None
    return members


def _defaults(own: Iterable[Mapping[str, Any]], keys: Mapping[str, str]) -> Iterator[Found]:
    for identity in own:
        if identity.get("DefaultBaseline"):
            id = identity["BaselineId"]
            address = Address(Kind.DEFAULT, (identity["OperatingSystem"],))
            yield Found(address, id, {BASELINE: keys.get(id, id)}, is_ours=id in keys)


def _groups(client: SsmClient, ours: Mapping[str, str], names: Mapping[str, str]) -> Iterator[Found]:
    for mapping in pages(client, "DescribePatchGroups", "Mappings"):
        identity = mapping["BaselineIdentity"]
        id = identity["BaselineId"]
        address = Address(Kind.GROUP, (mapping["PatchGroup"], identity["OperatingSystem"]))
        yield Found(address, id, {BASELINE: names.get(id, id)}, is_ours=id in ours)


def _windows(client: SsmClient, name_of: NameOf) -> Iterator[Found]:
    for identity in pages(client, "DescribeMaintenanceWindows", "WindowIdentities"):
        id = identity["WindowId"]
        tags = _tags(client, "MaintenanceWindow", id)
        if (name := name_of(Kind.WINDOW, tags, identity["Name"])) is not None:
            answer = call(client, "GetMaintenanceWindow", WindowId=id)
            members = complete(Kind.WINDOW, answer) | {FREEZES: list(names(tags.get(FREEZES_TAG, "")))}
            yield Found(Address(Kind.WINDOW, (name,)), id, members, is_ours=_is_made(tags))


def _freezes(client: SsmClient, name_of: NameOf) -> Iterator[Found]:
    filters = [{"Key": "DocumentType", "Values": ["ChangeCalendar"]}, {"Key": "Owner", "Values": ["Self"]}]
    for identity in pages(client, "ListDocuments", "DocumentIdentifiers", Filters=filters):
        id = identity["Name"]
        tags = _tags(client, "Document", id)
        if (name := name_of(Kind.FREEZE, tags, id)) is not None:
            answer = call(client, "GetDocument", Name=id)
            address = Address(Kind.FREEZE, (name,))
            yield Found(address, id, {"Content": answer["Content"]}, is_ours=_is_made(tags))


def _associations(client: SsmClient, name_of: NameOf) -> Iterator[Found]:
    for identity in pages(client, "ListAssociations", "Associations"):
        # What a plan makes has a name; what has none need not be asked about.
        if "AssociationName" not in identity:
            continue
        id = identity["AssociationId"]
        tags = _tags(client, "Association", id)
        if (name := name_of(Kind.ASSOCIATION, tags, identity["AssociationName"])) is not None:
            answer = call(client, "DescribeAssociation", AssociationId=id)["AssociationDescription"]
            yield Found(Address(Kind.ASSOCIATION, (name,)), id, _association(answer), is_ours=_is_made(tags))


def _association(members: Mapping[str, Any]) -> dict[str, Any]:
    known = {name: value for name, value in members.items() if not _is_empty(value)}
    if known.get("DocumentVersion") == "$DEFAULT":
        del known["DocumentVersion"]
    return complete(Kind.ASSOCIATION, known)


def _targets(client: SsmClient, window: Found) -> Iterator[Found]:
    for target in pages(client, "DescribeMaintenanceWindowTargets", "Targets", WindowId=window.id):
        id = target["WindowTargetId"]
        # What has no name was not made by a plan; it is told by its id.
        address = Address(Kind.TARGET, (window.address.path[0], target.get("Name") or id))
        yield Found(address, id, complete(Kind.TARGET, target))


def _tasks(client: SsmClient, window: Found, target_names: Mapping[str, str]) -> Iterator[Found]:
    for identity in pages(client, "DescribeMaintenanceWindowTasks", "Tasks", WindowId=window.id):
        id = identity["WindowTaskId"]
        task = call(client, "GetMaintenanceWindowTask", WindowId=window.id, WindowTaskId=id)
        address = Address(Kind.TASK, (window.address.path[0], task.get("Name") or id))
        yield Found(address, id, _task(task, target_names))


def _task(task: Mapping[str, Any], target_names: Mapping[str, str]) -> dict[str, Any]:
    members = complete(Kind.TASK, task)
    members["Targets"] = [
        {"Key": target["Key"], "Values": [target_names.get(value, value) for value in target["Values"]]}
        for target in task.get("Targets", ())
    ]
    # Where none was given, AWS may answer with the role of its own.
    if ":role/aws-service-role/" in (members["ServiceRoleArn"] or ""):
        members["ServiceRoleArn"] = None
    if run_command := (task.get("TaskInvocationParameters") or {}).get("RunCommand"):
        members["TaskInvocationParameters"] = {"RunCommand": _run_command(run_command)}
    return members


def _run_command(members: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is set of *members*: AWS also answers with empty texts, lists and structures for what is not."""
    result = {name: value for name, value in members.items() if not _is_empty(value)}
    if result.get("DocumentVersion") == "$DEFAULT":
        del result["DocumentVersion"]
    return result


def _is_empty(value: Any) -> bool:
    if isinstance(value, Mapping):
        return all(_is_empty(entry) for entry in value.values())
    return value in (None, "", [], False)
