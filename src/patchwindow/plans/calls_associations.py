"""The calls that make, change and take away associations."""

from patchwindow.client import call
from patchwindow.plans.difference import Change
from patchwindow.plans.work import Work, set_members


def create_association(work: Work, change: Change) -> str:
    """Make it.  The API has no token for this; its tags come with it, so a later look knows it."""
    request = set_members(change) | {"Tags": work.tags(change.address)}
    answer = call(work.client, "CreateAssociation", **request)
    return str(answer["AssociationDescription"]["AssociationId"])


def update_association(work: Work, change: Change) -> None:
    """Send it as a whole: the API makes absent what an update leaves out."""
    call(work.client, "UpdateAssociation", AssociationId=change.id, **set_members(change))


def delete_association(work: Work, change: Change) -> None:
    """Delete it."""
    call(work.client, "DeleteAssociation", AssociationId=change.id)
