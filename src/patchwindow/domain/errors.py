"""Everything patchwindow can refuse, in one tree.

* PatchwindowError
  - Invalid                  a value is outside its documented range
    - InvalidParameters      document parameters or fields that do not fit together
    - InvalidFilter          a filter that the operation does not know
    - InvalidFilterKey       the same, where the API names keys apart from values
    - InvalidFilterValue     a known filter with a value it cannot have
    - InvalidPageToken       a page token that this operation did not give out
    - InvalidResourceId      an identifier of the wrong form
    - InvalidResourceType    a resource type that the operation does not serve
    - InvalidActivationId    an activation id of the wrong form
    - InvalidDocumentVersion a document has no such version
    - InvalidDocumentType    a document of another type than is asked for
    - InvalidDocumentContent what a document says cannot be read, or could not be carried out
    - InvalidDocumentSchemaVersion  a document in a form that is not known
    - InvalidPermissionType  a kind of sharing that is not served
    - InvalidSchedule        a schedule that an association cannot have
    - InvalidTarget          targets that an association cannot have
    - InvalidTargetMaps      the same, in a form that is not served
    - InvalidOutputLocation  where an association's output cannot go
    - InvalidAssociation     an association that cannot run as it is
    - InvalidTag             a tag that a resource cannot have
    - InvalidAssociationVersion  an association has no such version, or a newer one
    - DuplicateNode          one node named twice
    - UnsupportedPlatform    a document that cannot run on a named node
    - UnsupportedOperatingSystem  an operation that this operating system does not have
    - InvalidTypeName        no such type of inventory
    - InvalidItemContent     an item of inventory or compliance that cannot be kept
      - ItemContentMismatch  a hash without its content, which is not here
      - UnsupportedSchemaVersion, UnsupportedItemContext, InvalidItemContext
    - InvalidResultAttribute, InvalidAggregator, InvalidInventoryGroup
                             what a query of inventory is to return, and cannot
    - InvalidDeletionId      no such deletion of inventory
  - NotFound                 the caller named something that does not exist
    - UnknownNode, UnknownDocument, UnknownCommand, UnknownInvocation, UnknownStep, UnknownActivation, UnknownResource
    - UnknownRun             an association has no such execution
  - Conflict                 it exists, and its state forbids the request
    - InUse                  something else still needs it
    - TargetInUse            a window's task still names the target
    - AlreadyExists          there may be only one of these
    - TokenReused            a client token came again with other parameters
    - Unchanged              it is already what it was to become
      - DuplicateContent     the latest version of a document says the same
    - DuplicateVersionName   another version of a document has this name
    - InvalidDocumentOperation  this cannot be done to this document
    - MovedMeanwhile         another process was first; read again and retry
    - IllegalTransition      a state has no such move
  - LimitExceeded            a documented limit would be crossed
    - TooManyTags
    - TooManyCustomTypes     an installation may have only so many types of its own
    - DocumentTooLarge       the text of a document is too long
    - ItemTooLarge           one item of inventory or compliance is too large
    - ContentTooLarge        all that is kept of a node would be too large
  - Denied                   the caller is known and may not do this
    - FingerprintMismatch    a node whose machine is not the one that registered
    - CommandOver            a command may change nothing more on a node
  - Unauthenticated          the caller could not be identified
    - MissingSignature, UnknownKey, BadSignature, StaleSignature
    - EndedSession           the time of a node's session is over
  - NotServed                the API has this operation; this server does not

What the wire calls them is said once, in `protocol/faults.py`.
"""


class PatchwindowError(Exception):
    """The root; never raised itself."""


class Invalid(PatchwindowError):
    """A value is outside its documented range."""


class InvalidParameters(Invalid):
    """Parameters of a document, or fields of a request, do not fit."""


class InvalidFilter(Invalid):
    """The operation has no such filter."""


class InvalidFilterKey(Invalid):
    """The operation has no filter of this key."""


class InvalidFilterValue(Invalid):
    """A known filter was given a value it cannot have."""


class InvalidPageToken(Invalid):
    """This operation did not give out this page token."""


class InvalidResourceId(Invalid):
    """The identifier has the wrong form."""


class InvalidResourceType(Invalid):
    """The operation does not serve this type of resource."""


class InvalidActivationId(Invalid):
    """The activation id has the wrong form."""


class InvalidDocumentVersion(Invalid):
    """The document has no such version."""


class InvalidDocumentType(Invalid):
    """The document is of another type than the one that is asked for."""


class InvalidDocumentContent(Invalid):
    """The content of a document cannot be read, or could not be carried out as it says."""


class InvalidDocumentSchemaVersion(Invalid):
    """The document is in a form that is not known."""


class InvalidPermissionType(Invalid):
    """Documents are not shared in this way."""


class InvalidSchedule(Invalid):
    """The schedule is none that an association can have."""


class InvalidTarget(Invalid):
    """The targets are none that an association can have."""


class InvalidTargetMaps(Invalid):
    """Targets in a form that is not served."""


class InvalidOutputLocation(Invalid):
    """The output of an association cannot go there."""


class InvalidAssociation(Invalid):
    """The association cannot run as it is."""


class InvalidTag(Invalid):
    """A resource cannot have the tag."""


class InvalidAssociationVersion(Invalid):
    """The association has no such version, or a newer one where the latest must be named."""


class DuplicateNode(Invalid):
    """One node was named twice."""


class UnsupportedPlatform(Invalid):
    """The document cannot run on a named node."""


class UnsupportedOperatingSystem(Invalid):
    """This operating system does not have the operation."""


class InvalidTypeName(Invalid):
    """There is no such type of inventory, or it cannot be used so."""


class InvalidItemContent(Invalid):
    """An item of inventory or compliance cannot be kept; *type_name* is that of the inventory, where there is one."""

    def __init__(self, message: str, *, type_name: str = "") -> None:
        super().__init__(message)
        self.type_name = type_name


class ItemContentMismatch(InvalidItemContent):
    """A hash came without its content, and the content is not here."""


class UnsupportedSchemaVersion(InvalidItemContent):
    """The type of inventory has no such version."""


class UnsupportedItemContext(InvalidItemContent):
    """Items of this type have no context."""


class InvalidItemContext(InvalidItemContent):
    """The context of an item lacks something, or has what it cannot have."""


class InvalidResultAttribute(Invalid):
    """There is no such type of inventory to return."""


class InvalidAggregator(Invalid):
    """What inventory is to be counted by cannot be."""


class InvalidInventoryGroup(Invalid):
    """A group that inventory is to be counted by is wrong."""


class InvalidDeletionId(Invalid):
    """There is no such deletion of inventory."""


class NotFound(PatchwindowError):
    """The caller named something that does not exist."""


class UnknownNode(NotFound):
    """No such managed node."""


class UnknownDocument(NotFound):
    """No such document, or one that cannot be used so."""


class UnknownCommand(NotFound):
    """No such command."""


class UnknownInvocation(NotFound):
    """The command has no invocation on this node."""


class UnknownStep(NotFound):
    """The document has no step of this name."""


class UnknownActivation(NotFound):
    """No such activation, or one that can no longer be used."""


class UnknownResource(NotFound):
    """No such resource to tag."""


class UnknownSync(NotFound):
    """There is no such resource data sync."""


class UnknownRun(NotFound):
    """The association has no such execution."""


class Conflict(PatchwindowError):
    """It exists, and its state forbids the request."""


class InUse(Conflict):
    """Something else still needs it."""


class TargetInUse(Conflict):
    """A task of the window still names the target."""


class AlreadyExists(Conflict):
    """There may be only one of these."""


class TokenReused(Conflict):
    """A client token came again with other parameters."""


class Unchanged(Conflict):
    """It is already what it was to become."""


class DuplicateContent(Unchanged):
    """The latest version of the document says the same."""


class DuplicateVersionName(Conflict):
    """Another version of the document has this name."""


class InvalidDocumentOperation(Conflict):
    """This cannot be done to this document."""


class MovedMeanwhile(Conflict):
    """Another process was first; read again and retry."""


class IllegalTransition(Conflict):
    """A state has no such move; nothing changed."""

    def __init__(self, state: object, event: object) -> None:
        super().__init__(f"in state {state}, {event} cannot happen")


class LimitExceeded(PatchwindowError):
    """A documented limit would be crossed."""


class TooManyTags(LimitExceeded):
    """A resource may carry only so many tags."""


class TooManyCustomTypes(LimitExceeded):
    """An installation may have only so many types of its own."""


class DocumentTooLarge(LimitExceeded):
    """The text of a document is too long."""


class ItemTooLarge(LimitExceeded):
    """One item of inventory or compliance is too large; *type_name* is that of the inventory, where there is one."""

    def __init__(self, message: str, *, type_name: str = "") -> None:
        super().__init__(message)
        self.type_name = type_name


class ContentTooLarge(LimitExceeded):
    """All that is kept of a node would be too large."""


class Denied(PatchwindowError):
    """The caller is known and may not do this."""


class FingerprintMismatch(Denied):
    """The machine is not the one that registered as this node."""


class CommandOver(Denied):
    """The command is cancelled, cut off, expired or ended: nothing more may be changed by it."""


class Unauthenticated(PatchwindowError):
    """The caller could not be identified."""


class MissingSignature(Unauthenticated):
    """The request carries no signature, or one that cannot be read."""


class UnknownKey(Unauthenticated):
    """No such access key, or it is disabled or ended."""


class BadSignature(Unauthenticated):
    """The signature is not the one that the secret key gives."""


class StaleSignature(Unauthenticated):
    """The request was signed too long ago, or by a clock that is wrong."""


class EndedSession(Unauthenticated):
    """The session's time is over; its node gets another with its key."""


class NotServed(PatchwindowError):
    """The API has this operation; this server does not."""
