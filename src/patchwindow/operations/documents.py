"""Documents, read: one, its versions, and lists of them."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import yaml

from patchwindow.documents.library import JSON, TEXT, YAML, Document
from patchwindow.domain.errors import Invalid, InvalidDocumentVersion, InvalidFilterKey, InvalidPermissionType
from patchwindow.domain.own_document import CALENDAR, DocumentVersion, OwnDocument
from patchwindow.operations.call import Answer, Call, Request, bare_id, slice_after
from patchwindow.operations.documents_found import documents, find_any, in_version, own_document
from patchwindow.operations.tags import DOCUMENT, tag_list

OWNER: Final = "Amazon"
"""Who clients expect to own the documents that come with the service, though these were written for this server."""

_PAGE: Final = 50
_TAG: Final = "tag:"

_Listed = tuple[Document, OwnDocument | None]
_Matcher = Callable[[Call, _Listed, str], bool]

_MATCHERS: Final[Mapping[str, _Matcher]] = {
    "Name": lambda _, listed, value: listed[0].name.startswith(value),
    "Owner": lambda _, listed, value: value in (("Self", "Private") if listed[0].is_own else (OWNER, "Public")),
    "PlatformTypes": lambda _, listed, value: value in listed[0].platform_types,
    "DocumentType": lambda _, listed, value: value == listed[0].type,
    "SearchKeyword": lambda _, listed, value: (
        value.casefold() in f"{listed[0].name} {listed[0].description}".casefold()
    ),
    "TargetType": lambda _, listed, value: listed[1] is not None and listed[1].default.target_type == value,
}
_KEYS: Final = (*_MATCHERS, f"{_TAG}<key>")


def get(call: Call, request: Request) -> Answer:
    """GetDocument: the content, in JSON or YAML; in the one in which it was written, to the letter. A calendar is TEXT."""
    document = _named(call, request)
    formats = (TEXT,) if document.type == CALENDAR else (JSON, YAML)
    format_ = request.get("DocumentFormat", formats[0])
    if format_ not in formats:
        raise Invalid(f"DocumentFormat {format_} is not possible for {document.name}; use {' or '.join(formats)}")
    return {
        **_identity(call, document),
        "Status": "Active",
        "DocumentFormat": format_,
        "Content": document.text if format_ == document.format else _rewritten(document, format_),
    }


def describe(call: Call, request: Request) -> Answer:
    """DescribeDocument."""
    return {"Document": description(call, _named(call, request))}


def list_documents(call: Call, request: Request) -> Answer:
    """ListDocuments: filters are ANDed, the values of one are ORed."""
    filters = _filters(request)
    found = [
        listed
        for listed in sorted(documents(call.work), key=lambda listed: listed[0].name)
        if all(any(matches(call, listed, value) for value in values) for matches, values in filters)
    ]
    return call.pages(
        request,
        "DocumentIdentifiers",
        default=_PAGE,
        fetch=lambda after, limit: slice_after(range(len(found)), after, limit),
        key=lambda place: (place,),
        shape=lambda place: {**_identity(call, found[place][0]), **_properties(call, found[place][0])},
    )


def list_versions(call: Call, request: Request) -> Answer:
    """ListDocumentVersions: the newest first."""
    name = bare_id(request["Name"])
    document = find_any(call.work, name)
    if document.is_own:
        own = own_document(call.work, name)
        versions = [_version(own, version) for version in reversed(own.versions)]
    else:
        versions = [
            {
                "Name": name,
                "DocumentVersion": document.version,
                "CreatedDate": document.created_at,
                "IsDefaultVersion": True,
                "DocumentFormat": JSON,
                "Status": "Active",
            }
        ]
    return call.pages(
        request,
        "DocumentVersions",
        default=_PAGE,
        fetch=lambda after, limit: slice_after(range(len(versions)), after, limit),
        key=lambda place: (place,),
        shape=lambda place: versions[place],
    )


def describe_permission(call: Call, request: Request) -> Answer:
    """DescribeDocumentPermission: a server is one account, so nobody shares its documents."""
    if request["PermissionType"] != "Share":
        raise InvalidPermissionType(f"PermissionType is {request['PermissionType']!r}; use Share")
    find_any(call.work, request["Name"])
    return {"AccountIds": [], "AccountSharingInfoList": []}


def description(call: Call, document: Document) -> dict[str, Any]:
    """Return everything about a document but its content."""
    latest = default = document.version
    if document.is_own:
        own = own_document(call.work, document.name)
        latest, default = str(own.latest.document_version), str(own.default.document_version)
    return {
        **_identity(call, document),
        **_properties(call, document),
        "Status": "Active",
        "Hash": document.hash_of("Sha256"),
        "HashType": "Sha256",
        "Description": document.description,
        "Parameters": [_parameter(name, declared) for name, declared in document.parameters.items()],
        "LatestVersion": latest,
        "DefaultVersion": default,
    }


def _named(call: Call, request: Request) -> Document:
    name, version_name = bare_id(request["Name"]), request.get("VersionName")
    document = find_any(call.work, name, request.get("DocumentVersion"))
    if version_name is None:
        return document
    if not document.is_own:
        raise InvalidDocumentVersion(f"document {name} has no version named {version_name!r}; use DocumentVersion")
    own = own_document(call.work, name)
    return in_version(call.work, own, own.named(version_name))


def _kept(call: Call, document: Document) -> DocumentVersion | None:
    return own_document(call.work, document.name).version(document.version) if document.is_own else None


def _identity(call: Call, document: Document) -> dict[str, Any]:
    kept = _kept(call, document)
    named = {} if kept is None else {"VersionName": kept.version_name, "DisplayName": kept.display_name}
    return {
        "Name": document.name,
        "CreatedDate": document.created_at,
        "DocumentVersion": document.version,
        "DocumentType": document.type,
        **{member: value for member, value in named.items() if value is not None},
    }


def _properties(call: Call, document: Document) -> dict[str, Any]:
    kept = _kept(call, document)
    told = {
        "Owner": call.site.account_id if document.is_own else OWNER,
        "PlatformTypes": [str(platform) for platform in document.platform_types],
        "DocumentFormat": document.format,
        "Tags": tag_list(call.work.tags.of(DOCUMENT, document.name)) if document.is_own else [],
    }
    if document.schema_version:
        told["SchemaVersion"] = document.schema_version
    if kept is not None and kept.target_type is not None:
        told["TargetType"] = kept.target_type
    return told


def _version(own: OwnDocument, version: DocumentVersion) -> dict[str, Any]:
    told = {
        "Name": own.name,
        "DocumentVersion": str(version.document_version),
        "CreatedDate": version.created_date,
        "IsDefaultVersion": version is own.default,
        "DocumentFormat": version.document_format,
        "Status": "Active",
        "VersionName": version.version_name,
        "DisplayName": version.display_name,
    }
    return {member: value for member, value in told.items() if value is not None}


def _parameter(name: str, declared: Mapping[str, Any]) -> dict[str, str]:
    members = {"Name": name, "Type": declared["type"], "Description": declared.get("description", "")}
    if "default" in declared:
        default = declared["default"]
        members["DefaultValue"] = default if isinstance(default, str) else json.dumps(default)
    return members


def _rewritten(document: Document, format_: str) -> str:
    if format_ == JSON:
        return json.dumps(document.content, indent=2, ensure_ascii=False)
    return yaml.safe_dump(document.content, sort_keys=False, allow_unicode=True, width=120)


def _filters(request: Request) -> list[tuple[_Matcher, Sequence[str]]]:
    """Return the filters of either form."""
    filters, legacy = request.get("Filters") or (), request.get("DocumentFilterList") or ()
    if filters and legacy:
        raise Invalid("Filters and DocumentFilterList cannot be given together; use Filters")
    pairs = [
        *((each.get("Key", ""), each.get("Values") or ()) for each in filters),
        *((each["key"], (each["value"],)) for each in legacy),
    ]
    return [(_matcher(key), values) for key, values in pairs]


def _matcher(key: str) -> _Matcher:
    if key.startswith(_TAG) and key != _TAG:
        tag = key.removeprefix(_TAG)
        return lambda call, listed, value: (
            listed[0].is_own and call.work.tags.of(DOCUMENT, listed[0].name).get(tag) == value
        )
    if key not in _MATCHERS:
        raise InvalidFilterKey(f"filter key {key!r} is not known here; use one of {', '.join(_KEYS)}")
    return _MATCHERS[key]
