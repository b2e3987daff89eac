"""Documents of one's own, commands and change calendars: made, given new versions, and deleted."""

import dataclasses
import hashlib
from typing import Final

from patchwindow.documents import library
from patchwindow.documents.library import JSON, TEXT, YAML
from patchwindow.domain.document_content import PLUGIN_SCHEMA, check
from patchwindow.domain.errors import (
    AlreadyExists,
    Denied,
    DocumentTooLarge,
    DuplicateContent,
    DuplicateVersionName,
    InUse,
    Invalid,
    InvalidDocumentContent,
    InvalidDocumentOperation,
    InvalidDocumentVersion,
    UnknownDocument,
)
from patchwindow.domain.freeze import TAG
from patchwindow.domain.own_document import CALENDAR, COMMAND, LATEST, TYPES, DocumentVersion, OwnDocument
from patchwindow.ical.reading import read
from patchwindow.operations import associations
from patchwindow.operations.associations import run_with_new_default, using
from patchwindow.operations.call import Answer, Call, Request, bare_id
from patchwindow.operations.documents import description
from patchwindow.operations.documents_found import in_version
from patchwindow.operations.freezes import heed_change, windows_heeding
from patchwindow.operations.tags import DOCUMENT, add_new_tags

TEXT_MAX: Final = 64 * 1024
"""Bytes of a document's text. Source: quotas of Systems Manager, "document size"."""

_RESERVED: Final = ("aws", "amazon", "amzn")
_NOT_SERVED: Final = {
    "Attachments": "scripts can be part of a step, or be fetched by it",
    "Requires": "documents here stand alone",
}


def create(call: Call, request: Request) -> Answer:
    """CreateDocument: version 1, which is the default."""
    name = request["Name"]
    if name.lower().startswith(_RESERVED):
        raise Invalid(f"document name {name!r} begins with {', '.join(_RESERVED)}, which are reserved; use another")
    kind = request.get("DocumentType", COMMAND)
    if kind not in TYPES:
        raise Invalid(f"DocumentType {kind} is not served here; documents are of type {' or '.join(TYPES)}")
    call.site.quotas.check("documents", call.work.documents.count() + 1)
    version = _written(call, request, 1, kind)
    own = OwnDocument(
        name=name,
        default_version=1,
        latest_number=1,
        created_date=call.now,
        versions=(version,),
        document_type=kind,
    )
    if not call.work.documents.add(own):
        raise AlreadyExists(f"document {name!r} exists already; update it, or use another name")
    add_new_tags(call, DOCUMENT, name, request)
    return _described(call, own, version)


def update(call: Call, request: Request) -> Answer:
    """UpdateDocument: a new version; the default stays what it is."""
    own = _own(call, request["Name"], "updated")
    based_on = own.version(request.get("DocumentVersion") or LATEST)
    if based_on is not own.latest:
        raise InvalidDocumentVersion(
            f"DocumentVersion {based_on.document_version} of {own.name} is not its latest, "
            f"{own.latest.document_version}; leave it out, or give {LATEST}"
        )
    if in_version(call.work, own, own.latest).schema_version == PLUGIN_SCHEMA:
        raise InvalidDocumentOperation(
            f"document {own.name} is of schema {PLUGIN_SCHEMA}, which has no versions; create another"
        )
    call.site.quotas.check("versions-per-document", len(own.versions) + 1)
    version = _written(call, request, own.latest_number + 1, own.document_type)
    if version.digest == own.latest.digest:
        raise DuplicateContent(f"version {own.latest.document_version} of {own.name} says the same; nothing changed")
    if version.version_name is not None and version.version_name in {one.version_name for one in own.versions}:
        raise DuplicateVersionName(f"another version of {own.name} is named {version.version_name!r}; use another name")
    changed = dataclasses.replace(own, latest_number=version.document_version, versions=(*own.versions, version))
    call.work.documents.put(changed)
    return _described(call, changed, version)


def set_default(call: Call, request: Request) -> Answer:
    """UpdateDocumentDefaultVersion: what is sent as `$DEFAULT` from now on; commands that were sent keep theirs.

    Associations that take the default run with it, at once unless they only run by their schedule.
    """
    own = _own(call, request["Name"], "given a default version")
    version = own.version(request["DocumentVersion"])
    call.work.documents.put(dataclasses.replace(own, default_version=version.document_version))
    if version is not own.default:
        run_with_new_default(call, own.name)
        associations.heed_change(call, own.name)
        heed_change(call, own.name)
    told = {
        "Name": own.name,
        "DefaultVersion": str(version.document_version),
        "DefaultVersionName": version.version_name,
    }
    return {"Description": {member: value for member, value in told.items() if value is not None}}


def delete(call: Call, request: Request) -> Answer:
    """DeleteDocument: one version, or the whole. Commands that were sent go on; windows that name it will fail and say so."""
    own = _own(call, request["Name"], "deleted")
    if "DocumentVersion" in request or "VersionName" in request:
        _delete_version(call, own, request)
        return {}
    users = [one.association_id for one in (*using(call, own.name), *associations.under(call, own.name))]
    if users:
        raise InUse(f"document {own.name} is used by association {', '.join(users)}; delete or change that first")
    windows = windows_heeding(call.work, own.name)
    if windows:
        raise InUse(
            f"calendar {own.name} is heeded by maintenance window {', '.join(windows)}, which would not open without it; "
            f"change the tag {TAG} of that first"
        )
    call.work.documents.delete(own.name)
    call.work.tags.remove_all(DOCUMENT, own.name)
    return {}


def _delete_version(call: Call, own: OwnDocument, request: Request) -> None:
    name = request.get("VersionName")
    version = own.version(request["DocumentVersion"]) if name is None else own.named(name)
    if version is own.default:
        raise InvalidDocumentOperation(
            f"version {version.document_version} of {own.name} is its default; make another the default, "
            "or delete the whole document"
        )
    rest = tuple(one for one in own.versions if one is not version)
    call.work.documents.put(dataclasses.replace(own, versions=rest))


def _written(call: Call, request: Request, number: int, kind: str) -> DocumentVersion:
    """Return the version that *request* holds, whose text is kept.

    Raises:
        Invalid: a member is not served; InvalidDocumentContent or InvalidDocumentSchemaVersion where it is the content.
        DocumentTooLarge: the text is too long.
    """
    for member, advice in _NOT_SERVED.items():
        if request.get(member):
            raise Invalid(f"{member} is not served: {advice}")
    text, format_ = request["Content"], request.get("DocumentFormat", JSON)
    formats = (TEXT,) if kind == CALENDAR else (JSON, YAML)
    if format_ not in formats:
        raise InvalidDocumentContent(
            f"DocumentFormat {format_} is not possible for a {kind}; use {' or '.join(formats)}"
        )
    size = len(text.encode())
    if size > TEXT_MAX:
        raise DocumentTooLarge(f"Content has {size} bytes; {TEXT_MAX} are the most, so let steps fetch what is long")
    if kind == CALENDAR:
        read(text)
    else:
        check(library.written(text, format_))
    digest = hashlib.sha256(text.encode()).hexdigest()
    call.work.documents.put_text(digest, format_, text)
    return DocumentVersion(
        document_version=number,
        digest=digest,
        document_format=format_,
        created_date=call.now,
        version_name=request.get("VersionName"),
        display_name=request.get("DisplayName"),
        target_type=request.get("TargetType"),
    )


def _own(call: Call, name_or_arn: str, done: str) -> OwnDocument:
    """Return a document of one's own, and keep others from changing it until the call ends.

    Raises:
        UnknownDocument: there is none.
        Denied: it came with the server.
    """
    name = bare_id(name_or_arn)
    if library.is_shipped(name):
        raise Denied(f"document {name} came with the server and cannot be {done}; create one of your own")
    own = call.work.documents.lock(name)
    if own is None:
        raise UnknownDocument(f"document {name!r} does not exist; ListDocuments has those that do")
    return own


def _described(call: Call, own: OwnDocument, version: DocumentVersion) -> Answer:
    return {"DocumentDescription": description(call, in_version(call.work, own, version))}
