"""What an association may say, beyond what the model checks."""

import re
from collections.abc import Mapping
from typing import Any, Final

from patchwindow.documents.parameters import typed_parameters
from patchwindow.domain.association import INSTANCE_IDS, Association, is_everything
from patchwindow.domain.errors import (
    Invalid,
    InvalidOutputLocation,
    InvalidParameters,
    InvalidTarget,
    InvalidTargetMaps,
    UnknownNode,
)
from patchwindow.operations.alarms import check_alarm
from patchwindow.operations.call import Call, Request
from patchwindow.operations.commands import check_platforms
from patchwindow.operations.documents_found import find
from patchwindow.operations.freezes import check_calendars
from patchwindow.operations.targeting import targets_of
from patchwindow.protocol.records import to_members
from patchwindow.store.work import Work

_OWN_ID: Final = "AssociationId"
_BUCKET: Final = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_NOT_SERVED: Final[Mapping[str, tuple[type[Invalid], str]]] = {
    "TargetMaps": (InvalidTargetMaps, "name the nodes by Targets"),
    "TargetLocations": (InvalidTarget, "this server is one account in one region; name its nodes by Targets"),
    "AutomationTargetParameterName": (
        InvalidParameters,
        "associations run command documents here, which have no such parameter",
    ),
}


def check(call: Call, association: Association, request: Request) -> None:
    """Refuse an association that could never run as it says.

    Raises:
        Invalid: a member is not served, or members contradict one another.
        InvalidParameters: the parameters do not fit the document, or an alarm is relied on.
        InvalidTarget, InvalidTargetMaps: the targets select nodes by what cannot be asked.
        InvalidOutputLocation: the output is to go to no bucket.
        InvalidSchedule: the schedule is none that an association can have.
        UnknownDocument: there is no such document, or calendar.
        InvalidDocumentType: what is named as a calendar is none.
        UnknownNode: the one node that it is for does not exist.
        UnsupportedPlatform: the document cannot run on a node that is named.
    """
    for member, (error, advice) in _NOT_SERVED.items():
        if request.get(member):
            raise error(f"{member} is not served: {advice}")
    check_alarm(request.get("AlarmConfiguration"))
    check_calendars(call.work, association.calendar_names or ())
    association.timing()
    _check_targets(call, association)
    _check_output(association)
    if association.name is not None:
        document = find(call.work, association.name, association.document_version)
        parameters = parameters_of(call.work, association)
        typed_parameters(document, parameters)
        check_platforms(document, call.work.nodes.many(_named(association)))


def parameters_of(work: Work, association: Association) -> dict[str, Any]:
    """Return the parameters of a run: a document that must be told which association it is for is told so."""
    given = dict(association.parameters or {})
    document = find(work, association.name or "", association.document_version)
    declared = document.parameters.get(_OWN_ID)
    if declared is not None and "default" not in declared and not any(given.get(_OWN_ID, ())):
        given[_OWN_ID] = [association.association_id]
    return given


def _check_output(association: Association) -> None:
    location = (association.output_location or {}).get("S3Location") or {}
    bucket = location.get("OutputS3BucketName")
    if location and not bucket:
        raise InvalidOutputLocation("OutputLocation.S3Location has no OutputS3BucketName; give it")
    if bucket and not _BUCKET.fullmatch(bucket):
        raise InvalidOutputLocation(
            f"OutputS3BucketName is {bucket!r}; use the name of a bucket: lower-case letters, digits, . and -"
        )


def _named(association: Association) -> set[str]:
    return {id for target in association.targets or () if target.key == INSTANCE_IDS for id in target.values}


def _check_targets(call: Call, association: Association) -> None:
    targets = association.targets or ()
    if association.instance_id is not None and call.work.nodes.get(association.instance_id) is None:
        raise UnknownNode(f"there is no managed node {association.instance_id}; check its id")
    members = [to_members(target) for target in targets if not is_everything(target)]
    if not members:
        return
    try:
        targets_of(members)
    except Invalid as problem:
        raise InvalidTarget(str(problem)) from None
