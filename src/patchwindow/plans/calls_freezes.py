"""The calls that make, change and take away freezes: documents of type ChangeCalendar."""

from typing import Final

from patchwindow.client import ClientProblem, call
from patchwindow.plans.difference import Change
from patchwindow.plans.work import Work

_FORMAT: Final = "TEXT"


def create_freeze(work: Work, change: Change) -> str:
    """Make the document; its name is its id, so a second attempt finds what the first has made."""
    name = change.address.path[0]
    call(
        work.client,
        "CreateDocument",
        Name=name,
        Content=change.members["Content"],
        DocumentType="ChangeCalendar",
        DocumentFormat=_FORMAT,
        Tags=work.tags(change.address),
    )
    return name


def update_freeze(work: Work, change: Change) -> None:
    """Make a version of the new content, and the default of it: that is the one which windows heed."""
    content = change.members["Content"]
    try:
        answer = call(
            work.client,
            "UpdateDocument",
            Name=change.id,
            Content=content,
            DocumentVersion="$LATEST",
            DocumentFormat=_FORMAT,
        )
        version = answer["DocumentDescription"]["DocumentVersion"]
    except ClientProblem as problem:
        if problem.code != "DuplicateDocumentContent":
            raise
        # An apply that was cut off has made the version, and not the default of it.
        version = call(work.client, "DescribeDocument", Name=change.id)["Document"]["LatestVersion"]
    call(work.client, "UpdateDocumentDefaultVersion", Name=change.id, DocumentVersion=version)


def delete_freeze(work: Work, change: Change) -> None:
    """Delete the document with all its versions."""
    call(work.client, "DeleteDocument", Name=change.id)
