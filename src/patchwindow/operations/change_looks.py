"""What each operation that changes something is about, and how to look at it: before the change, and after."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from patchwindow.operations.call import Request


@dataclass(frozen=True, slots=True)
class Look:
    """How the thing is asked for."""

    operation: str
    ask: Callable[[Mapping[str, Any]], Request]
    """Returns the request, from the members of the change's request and answer; KeyError where these do not name it."""
    member: str = ""
    """Which member of the answer it is, of a list its first entry; empty: the whole answer."""


@dataclass(frozen=True, slots=True)
class About:
    """What an operation changes."""

    names: tuple[str, ...] = ()
    """Members of request or answer that have its id, the first that there is; `Command.CommandId` is one inside another."""
    look: Look | None = None
    """Without one, what is kept is what was asked for."""
    without: tuple[str, ...] = ()
    """Members of the request that are data and no change of anybody's mind."""


def _by(*names: str, **fixed: str) -> Callable[[Mapping[str, Any]], Request]:
    return lambda members: {**{name: members[name] for name in names}, **fixed}


_WINDOW: Final = About(("WindowId",), Look("GetMaintenanceWindow", _by("WindowId")))
_WINDOW_TARGET: Final = About(
    ("WindowTargetId",),
    Look(
        "DescribeMaintenanceWindowTargets",
        lambda members: {
            "WindowId": members["WindowId"],
            "Filters": [{"Key": "WindowTargetId", "Values": [members["WindowTargetId"]]}],
        },
        "Targets",
    ),
)
_WINDOW_TASK: Final = About(("WindowTaskId",), Look("GetMaintenanceWindowTask", _by("WindowId", "WindowTaskId")))
_BASELINE: Final = About(("BaselineId",), Look("GetPatchBaseline", _by("BaselineId")))
_ASSOCIATION: Final = About(
    ("AssociationId", "AssociationDescription.AssociationId", "Name"),
    Look(
        "DescribeAssociation",
        lambda members: {
            "AssociationId": members.get("AssociationId") or members["AssociationDescription"]["AssociationId"]
        },
        "AssociationDescription",
    ),
)
_DOCUMENT: Final = About(("Name",), Look("GetDocument", _by("Name", DocumentVersion="$LATEST")))
_ACTIVATION: Final = About(
    ("ActivationId",),
    Look(
        "DescribeActivations",
        lambda members: {"Filters": [{"FilterKey": "ActivationIds", "FilterValues": [members["ActivationId"]]}]},
        "ActivationList",
    ),
)
_NODE: Final = About(
    ("InstanceId",),
    Look(
        "DescribeInstanceInformation",
        lambda members: {"Filters": [{"Key": "InstanceIds", "Values": [members["InstanceId"]]}]},
        "InstanceInformationList",
    ),
)
_TAGS: Final = About(("ResourceId",), Look("ListTagsForResource", _by("ResourceType", "ResourceId")))
_SETTING: Final = About(("SettingId",), Look("GetServiceSetting", _by("SettingId"), "ServiceSetting"))
_COMMAND: Final = About(("CommandId", "Command.CommandId"))


def _group(members: Mapping[str, Any]) -> Request:
    # In an answer, Group is the whole group.
    names = (members.get(name) for name in ("Group", "GroupName", "Name"))
    return {"Group": next((name for name in names if name and isinstance(name, str)), "")}


_GROUP: Final = About(("Group", "GroupName", "Name"), Look("GetGroup", _group, "Group"))
_PERSON: Final = About(("Name",), Look("ListPeople", _by("Name"), "People"))
_KEY: Final = About(("AccessKeyId",), Look("ListAccessKeys", _by("AccessKeyId"), "AccessKeys"))
_GROUP_TAGS: Final = About(("Arn",), Look("GetTags", _by("Arn")))

ABOUT: Final[Mapping[str, About]] = {
    "CreatePatchBaseline": _BASELINE,
    "UpdatePatchBaseline": _BASELINE,
    "DeletePatchBaseline": _BASELINE,
    "RegisterDefaultPatchBaseline": About(("BaselineId",)),
    "RegisterPatchBaselineForPatchGroup": About(("PatchGroup",)),
    "DeregisterPatchBaselineForPatchGroup": About(("PatchGroup",)),
    "CreateMaintenanceWindow": _WINDOW,
    "UpdateMaintenanceWindow": _WINDOW,
    "DeleteMaintenanceWindow": _WINDOW,
    "RegisterTargetWithMaintenanceWindow": _WINDOW_TARGET,
    "UpdateMaintenanceWindowTarget": _WINDOW_TARGET,
    "DeregisterTargetFromMaintenanceWindow": _WINDOW_TARGET,
    "RegisterTaskWithMaintenanceWindow": _WINDOW_TASK,
    "UpdateMaintenanceWindowTask": _WINDOW_TASK,
    "DeregisterTaskFromMaintenanceWindow": _WINDOW_TASK,
    "CancelMaintenanceWindowExecution": About(("WindowExecutionId",)),
    "SendCommand": _COMMAND,
    "CancelCommand": _COMMAND,
    "CreateAssociation": _ASSOCIATION,
    "CreateAssociationBatch": About(),
    "UpdateAssociation": _ASSOCIATION,
    "DeleteAssociation": _ASSOCIATION,
    "StartAssociationsOnce": About(),
    "UpdateAssociationStatus": About(("Name",)),
    "CreateDocument": _DOCUMENT,
    "UpdateDocument": _DOCUMENT,
    "UpdateDocumentDefaultVersion": About(("Name",), Look("DescribeDocument", _by("Name"), "Document")),
    "DeleteDocument": _DOCUMENT,
    "CreateActivation": _ACTIVATION,
    "DeleteActivation": _ACTIVATION,
    "DeregisterManagedInstance": _NODE,
    "UpdateManagedInstanceRole": _NODE,
    "AddTagsToResource": _TAGS,
    "RemoveTagsFromResource": _TAGS,
    "PutComplianceItems": About(("ResourceId",), without=("Items",)),
    "PutInventory": About(("InstanceId",), without=("Items",)),
    "DeleteInventory": About(("TypeName",)),
    "UpdateServiceSetting": _SETTING,
    "ResetServiceSetting": _SETTING,
    "CreateGroup": _GROUP,
    "UpdateGroup": _GROUP,
    "UpdateGroupQuery": About(_GROUP.names, Look("GetGroupQuery", _group, "GroupQuery")),
    "DeleteGroup": _GROUP,
    "Tag": _GROUP_TAGS,
    "Untag": _GROUP_TAGS,
    "CreatePerson": _PERSON,
    "UpdatePerson": _PERSON,
    "DeletePerson": _PERSON,
    "CreateSignInLink": About(("Name",)),
    "CreateAccessKey": _KEY,
    "UpdateAccessKey": _KEY,
    "DeleteAccessKey": _KEY,
    "ImportAdvisories": About(("Source",), without=("Advisories", "Cves")),
    "ReplaceInstance": _NODE,
    "CreateCalendarFeed": About(("FeedId",)),
    "DeleteCalendarFeed": About(("FeedId",)),
}

NO_CHANGES: Final = frozenset({"GetDeployablePatchSnapshotForInstance"})
"""What writes only what it answers."""
