"""Command documents: reading and listing. All of them came with the server; writing one's own comes later."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import yaml

from patchwindow.documents import library
from patchwindow.documents.library import Document
from patchwindow.domain.errors import Invalid, InvalidDocumentVersion, InvalidFilterKey
from patchwindow.operations.call import Answer, Call, Request, bare_id, slice_after

OWNER: Final = "Amazon"
"""Who clients expect to own the documents that come with the service, though these were written for this server."""

_PAGE: Final = 50
_TYPE: Final = "Command"
_JSON: Final = "JSON"
_YAML: Final = "YAML"
_TAG: Final = "tag:"

Matcher = Callable[[Document, str], bool]

_MATCHERS: Final[Mapping[str, Matcher]] = {
    "Name": lambda document, value: document.name.startswith(value),
    "Owner": lambda _, value: value in (OWNER, "Public"),
    "PlatformTypes": lambda document, value: value in document.platform_types,
    "DocumentType": lambda _, value: value == _TYPE,
    "SearchKeyword": lambda document, value: value.casefold() in f"{document.name} {document.description}".casefold(),
    # None of these documents has a target type or a tag.
    "TargetType": lambda *_: False,
}
_KEYS: Final = (*_MATCHERS, f"{_TAG}<key>")


def get(_: Call, request: Request) -> Answer:
    """GetDocument: the content, in JSON or YAML."""
    document = _named(request)
    format_ = request.get("DocumentFormat", _JSON)
    if format_ not in (_JSON, _YAML):
        raise Invalid(f"DocumentFormat {format_} is not possible for {document.name}; use JSON or YAML")
    return {
        **_identity(document),
        "Status": "Active",
        "DocumentFormat": format_,
        "Content": document.text if format_ == _JSON else _in_yaml(document),
    }


def describe(_: Call, request: Request) -> Answer:
    """DescribeDocument."""
    document = _named(request)
    return {
        "Document": {
            **_identity(document),
            **_properties(document),
            "Status": "Active",
            "Hash": document.hash_of("Sha256"),
            "HashType": "Sha256",
            "Description": document.description,
            "Parameters": [_parameter(name, declared) for name, declared in document.parameters.items()],
            "LatestVersion": document.version,
            "DefaultVersion": document.version,
        }
    }


def list_documents(call: Call, request: Request) -> Answer:
    """ListDocuments: filters are ANDed, the values of one are ORed."""
    filters = _filters(request)
    found = [
        document
        for document in library.documents()
        if all(any(matches(document, value) for value in values) for matches, values in filters)
    ]
    return call.pages(
        request,
        "DocumentIdentifiers",
        default=_PAGE,
        fetch=lambda after, limit: slice_after(range(len(found)), after, limit),
        key=lambda place: (place,),
        shape=lambda place: {**_identity(found[place]), **_properties(found[place])},
    )


def _named(request: Request) -> Document:
    name = bare_id(request["Name"])
    if version_name := request.get("VersionName"):
        raise InvalidDocumentVersion(f"document {name} has no version named {version_name!r}; use DocumentVersion")
    return library.get(name, request.get("DocumentVersion", library.DEFAULT_VERSION))


def _identity(document: Document) -> dict[str, Any]:
    return {
        "Name": document.name,
        "CreatedDate": document.created_at,
        "DocumentVersion": document.version,
        "DocumentType": _TYPE,
    }


def _properties(document: Document) -> dict[str, Any]:
    return {
        "Owner": OWNER,
        "PlatformTypes": [str(platform) for platform in document.platform_types],
        "SchemaVersion": document.schema_version,
        "DocumentFormat": _JSON,
        "Tags": [],
    }


def _parameter(name: str, declared: Mapping[str, Any]) -> dict[str, str]:
    members = {"Name": name, "Type": declared["type"], "Description": declared["description"]}
    if "default" in declared:
        default = declared["default"]
        members["DefaultValue"] = default if isinstance(default, str) else json.dumps(default)
    return members


def _in_yaml(document: Document) -> str:
    return yaml.safe_dump(document.content, sort_keys=False, allow_unicode=True, width=120)


def _filters(request: Request) -> list[tuple[Matcher, Sequence[str]]]:
    """Return the filters of either form."""
    filters, legacy = request.get("Filters") or (), request.get("DocumentFilterList") or ()
    if filters and legacy:
        raise Invalid("Filters and DocumentFilterList cannot be given together; use Filters")
    pairs = [
        *((each.get("Key", ""), each.get("Values") or ()) for each in filters),
        *((each["key"], (each["value"],)) for each in legacy),
    ]
    return [(_matcher(key), values) for key, values in pairs]


def _matcher(key: str) -> Matcher:
    if key.startswith(_TAG) and key != _TAG:
        return _MATCHERS["TargetType"]
    if key not in _MATCHERS:
        raise InvalidFilterKey(f"filter key {key!r} is not known here; use one of {', '.join(_KEYS)}")
    return _MATCHERS[key]
