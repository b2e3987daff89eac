"""What the wire calls our errors: the only place that knows.

Source: the errors that the service model documents for each operation, and the answers of the framework that every
operation can give (bad signatures, bad JSON, constraint violations).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from patchwindow.domain import errors
from patchwindow.protocol.rest import RestOperation
from patchwindow.protocol.scalars import Malformed
from patchwindow.protocol.service import OperationModel

# A class has the first of its names that the operation documents; has it none, those of the class above count.
# So InvalidPageToken is InvalidNextToken where that is modelled, and ValidationException elsewhere.
NAMES: Final[Mapping[type[errors.PatchwindowError], tuple[str, ...]]] = {
    errors.Invalid: ("ValidationException",),
    Malformed: ("SerializationException",),
    errors.InvalidParameters: ("InvalidParameters",),
    errors.InvalidFilter: ("InvalidFilter", "InvalidFilterKey"),
    errors.InvalidFilterKey: ("InvalidFilterKey", "InvalidFilter"),
    errors.InvalidFilterValue: (
        "InvalidFilterValue",
        "InvalidInstanceInformationFilterValue",
        "InvalidInstancePropertyFilterValue",
        "InvalidFilter",
    ),
    errors.InvalidPageToken: ("InvalidNextToken",),
    errors.InvalidResourceId: ("InvalidResourceId",),
    errors.InvalidResourceType: ("InvalidResourceType",),
    errors.InvalidActivationId: ("InvalidActivationId",),
    errors.InvalidDocumentVersion: ("InvalidDocumentVersion",),
    errors.InvalidDocumentType: ("InvalidDocumentType",),
    errors.InvalidDocumentContent: ("InvalidDocumentContent",),
    errors.InvalidDocumentSchemaVersion: ("InvalidDocumentSchemaVersion",),
    errors.InvalidPermissionType: ("InvalidPermissionType",),
    errors.InvalidSchedule: ("InvalidSchedule",),
    errors.InvalidTarget: ("InvalidTarget",),
    errors.InvalidTargetMaps: ("InvalidTargetMaps",),
    errors.InvalidOutputLocation: ("InvalidOutputLocation",),
    errors.InvalidAssociation: ("InvalidAssociation",),
    errors.InvalidTag: ("InvalidTag",),
    errors.InvalidAssociationVersion: ("InvalidAssociationVersion",),
    errors.DuplicateNode: ("DuplicateInstanceId",),
    errors.UnsupportedPlatform: ("UnsupportedPlatformType",),
    errors.UnsupportedOperatingSystem: ("UnsupportedOperatingSystem",),
    errors.InvalidTypeName: ("InvalidTypeNameException",),
    errors.InvalidItemContent: ("InvalidItemContentException",),
    errors.ItemContentMismatch: ("ItemContentMismatchException",),
    errors.UnsupportedSchemaVersion: ("UnsupportedInventorySchemaVersionException",),
    errors.UnsupportedItemContext: ("UnsupportedInventoryItemContextException",),
    errors.InvalidItemContext: ("InvalidInventoryItemContextException",),
    errors.InvalidResultAttribute: ("InvalidResultAttributeException",),
    errors.InvalidAggregator: ("InvalidAggregatorException",),
    errors.InvalidInventoryGroup: ("InvalidInventoryGroupException",),
    errors.InvalidDeletionId: ("InvalidDeletionIdException",),
    errors.NotFound: (
        "DoesNotExistException",
        "AssociationDoesNotExist",
        "ServiceSettingNotFound",
        "InvalidResourceId",
        "ValidationException",
    ),
    errors.UnknownNode: ("InvalidInstanceId", "InvalidResourceId", "InvalidDestinationException"),
    errors.UnknownDocument: ("InvalidDocument",),
    errors.UnknownCommand: ("InvalidCommandId", "InvalidMessageIdException"),
    errors.UnknownInvocation: ("InvocationDoesNotExist", "InvalidMessageIdException"),
    errors.UnknownStep: ("InvalidPluginName",),
    errors.UnknownActivation: ("InvalidActivation",),
    errors.UnknownRun: ("AssociationExecutionDoesNotExist",),
    errors.UnknownSync: ("ResourceDataSyncNotFoundException",),
    errors.UnknownResource: ("InvalidResourceId",),
    errors.Conflict: ("ResourceInUseException", "UnsupportedMessageOperationException", "ValidationException"),
    errors.InUse: ("ResourceInUseException", "AssociatedInstances", "InvalidDocumentOperation"),
    errors.TargetInUse: ("TargetInUseException",),
    errors.AlreadyExists: ("AlreadyExistsException", "DocumentAlreadyExists", "AssociationAlreadyExists"),
    errors.TokenReused: ("IdempotentParameterMismatch",),
    errors.Unchanged: ("StatusUnchanged",),
    errors.DuplicateContent: ("DuplicateDocumentContent",),
    errors.DuplicateVersionName: ("DuplicateDocumentVersionName",),
    errors.InvalidDocumentOperation: ("InvalidDocumentOperation",),
    # SDKs wait and ask again, which is what the caller has to do.
    errors.MovedMeanwhile: ("ThrottlingException",),
    errors.LimitExceeded: (
        "ResourceLimitExceededException",
        "DocumentLimitExceeded",
        "DocumentVersionLimitExceeded",
        "AssociationLimitExceeded",
        "AssociationVersionLimitExceeded",
        "ValidationException",
    ),
    errors.TooManyTags: ("TooManyTagsError",),
    errors.TooManyCustomTypes: ("CustomSchemaCountLimitExceededException", "ComplianceTypeCountLimitExceededException"),
    errors.DocumentTooLarge: ("MaxDocumentSizeExceeded",),
    errors.ItemTooLarge: ("ItemSizeLimitExceededException",),
    errors.ContentTooLarge: ("TotalSizeLimitExceededException",),
    errors.Denied: ("AccessDeniedException",),
    errors.FingerprintMismatch: ("MachineFingerprintDoesNotMatch",),
    errors.Unauthenticated: ("UnrecognizedClientException",),
    errors.MissingSignature: ("MissingAuthenticationTokenException",),
    errors.UnknownKey: ("UnrecognizedClientException",),
    errors.BadSignature: ("InvalidSignatureException",),
    errors.StaleSignature: ("InvalidSignatureException",),
    # At this one, of the names that SDKs know, they drop what they sign with, fetch it anew and repeat the request.
    errors.EndedSession: ("ExpiredTokenException",),
    errors.NotServed: ("UnknownOperationException",),
}

# In REST-JSON a refusal is one of a few names, each with an HTTP status of its own; a class without a name has that of the
# class above. Who cannot be identified is told what every service tells.
REST_NAMES: Final[Mapping[type[errors.PatchwindowError], str]] = {
    errors.Invalid: "BadRequestException",
    errors.NotFound: "NotFoundException",
    errors.Conflict: "BadRequestException",
    errors.MovedMeanwhile: "TooManyRequestsException",
    errors.LimitExceeded: "BadRequestException",
    errors.Denied: "ForbiddenException",
    errors.NotServed: "MethodNotAllowedException",
}
_FORBIDDEN: Final = 403

FRAMEWORK: Final = frozenset(
    {
        "AccessDeniedException",
        "ExpiredTokenException",
        "InvalidSignatureException",
        "MissingAuthenticationTokenException",
        "SerializationException",
        "ThrottlingException",
        "UnknownOperationException",
        "UnrecognizedClientException",
        "ValidationException",
    }
)
"""What any operation can answer without documenting it."""

_LOWER_CASE: Final = FRAMEWORK | {
    "InvalidInstanceInformationFilterValue",
    "InvalidInstancePropertyFilterValue",
    "AuthorizationFailureException",
    "InvalidDestinationException",
    "InvalidMessageIdException",
    "UnsupportedMessageOperationException",
}

_WITH_TYPE_NAME: Final = frozenset(
    {
        "InvalidItemContentException",
        "ItemContentMismatchException",
        "ItemSizeLimitExceededException",
        "UnsupportedInventoryItemContextException",
    }
)
"""What says beside its message of which type of inventory it is."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A refusal as the wire says it; *type_name* is told where the error has such a member."""

    code: str
    message: str
    http_status: int = 400
    type_name: str = ""

    def body(self) -> bytes:
        """Return the body of the answer; a few errors spell its second member in lower case."""
        members = {"__type": self.code, "message" if self.code in _LOWER_CASE else "Message": self.message}
        if self.type_name and self.code in _WITH_TYPE_NAME:
            members["TypeName"] = self.type_name
        return json.dumps(members, separators=(",", ":")).encode()


def to_fault(error: errors.PatchwindowError, operation: OperationModel | None = None) -> Fault:
    """Return the fault for *error*: its nearest class's first name that *operation* documents.

    Without an operation, or where it documents none of them, the nearest class's first name.
    """
    named = [NAMES[cls] for cls in type(error).__mro__ if cls in NAMES]
    assert named, f"{type(error).__name__} has no name on the wire"
    code = named[0][0]
    if isinstance(operation, RestOperation):
        code = next((REST_NAMES[cls] for cls in type(error).__mro__ if cls in REST_NAMES), code)
        return Fault(code, str(error), operation.status_of(code) or _FORBIDDEN)
    if operation is not None:
        legal = operation.errors | FRAMEWORK
        code = next((name for names in named for name in names if name in legal), code)
    if isinstance(error, errors.InvalidItemContent | errors.ItemTooLarge):
        return Fault(code, str(error), type_name=error.type_name)
    return Fault(code, str(error))


def internal_fault(request_id: str, operation: OperationModel | None = None) -> Fault:
    """Return the fault for a defect of ours; the log says under *request_id* what happened."""
    code = "InternalServerErrorException" if isinstance(operation, RestOperation) else "InternalServerError"
    return Fault(code, f"the server failed; its log has the reason under request {request_id}", 500)
