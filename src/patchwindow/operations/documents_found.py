"""The documents that an installation has: those that came with the server, and those of one's own.

What runs documents asks for `find`, which knows commands alone; `find_any` finds change calendars too.
"""

import functools
from collections.abc import Iterator
from datetime import datetime

from patchwindow.documents import library
from patchwindow.documents.library import Document
from patchwindow.domain.errors import UnknownDocument
from patchwindow.domain.own_document import COMMAND, DEFAULT, DocumentVersion, OwnDocument
from patchwindow.domain.run import Command
from patchwindow.operations.call import bare_id
from patchwindow.store.work import Work


def find(work: Work, name_or_arn: str, version: str | None = None) -> Document:
    """Return a command in a version: a number, `$LATEST` or `$DEFAULT`, which is also what no *version* means.

    Raises:
        UnknownDocument: there is none of this name, or it is of another type and nothing can run it.
        InvalidDocumentVersion: it has no such version.
    """
    found = find_any(work, name_or_arn, version)
    if found.type != COMMAND:
        raise UnknownDocument(f"document {found.name!r} is of type {found.type}; name one of type {COMMAND}")
    return found


def find_any(work: Work, name_or_arn: str, version: str | None = None) -> Document:
    """Return a document of any type in a version, as `find` does.

    Raises:
        UnknownDocument: there is none of this name.
        InvalidDocumentVersion: it has no such version.
    """
    name, wanted = bare_id(name_or_arn), version or DEFAULT
    if library.is_shipped(name):
        return library.get(name, wanted)
    own = own_document(work, name)
    return in_version(work, own, own.version(wanted))


def sent_document(work: Work, command: Command) -> Document:
    """Return the document of *command* as it was when it was sent, whatever became of it since."""
    if not command.document_digest:
        return library.get(command.document_name)
    format, text = work.documents.text(command.document_digest)
    return _own(command.document_name, command.sent_version, command.requested_date_time, text, format)


def own_document(work: Work, name: str) -> OwnDocument:
    """Return the document of one's own with this name.

    Raises:
        UnknownDocument: there is none.
    """
    own = work.documents.get(name)
    if own is None:
        raise UnknownDocument(f"document {name!r} does not exist; ListDocuments has those that do")
    return own


def in_version(work: Work, own: OwnDocument, version: DocumentVersion) -> Document:
    """Return *own* in one of its versions."""
    _, text = work.documents.text(version.digest)
    return _own(
        own.name,
        str(version.document_version),
        version.created_date,
        text,
        version.document_format,
        type=own.document_type,
    )


def documents(work: Work) -> Iterator[tuple[Document, OwnDocument | None]]:
    """Yield every document by name, in its default version, with what is kept of it if it is of one's own."""
    yield from ((document, None) for document in library.documents())
    yield from ((in_version(work, own, own.default), own) for own in work.documents.all())


# By the text itself: a name that was deleted may be given again, and its versions count from 1 again.
@functools.lru_cache(maxsize=256)
def _own(name: str, version: str, created_at: datetime, text: str, format: str, *, type: str = COMMAND) -> Document:
    return Document(
        name=name,
        version=version,
        created_at=created_at,
        text=text,
        content=library.written(text, format) if type == COMMAND else {},
        format=format,
        is_own=True,
        type=type,
    )
