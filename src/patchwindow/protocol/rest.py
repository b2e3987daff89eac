"""Services that speak REST-JSON: an operation is a method and a path, its members stand in path, query string and body.

The only one is Resource Groups, whose public model is that of the installed botocore package.
Source: "AWS restJson1 protocol" of Smithy; members of headers and payloads of one member are not needed, and not read.
"""

import functools
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final
from urllib.parse import parse_qsl, unquote_to_bytes

from patchwindow.protocol.service import OperationModel, ServiceModel, decode, read_public_model
from patchwindow.protocol.sigv4 import SignedRequest

_PUBLIC: Final = "data/resource-groups/2017-11-27/service-2.json.gz"
_DIGITS_MAX: Final = 18


class RestOperation(OperationModel):
    """One operation of such a service."""

    content_type = b"application/json"

    def __init__(self, service: ServiceModel, name: str) -> None:
        super().__init__(service, name)
        self.method: str = self._model["http"]["method"]
        self.path: str = self._model["http"]["requestUri"]
        self._segments = self.path.encode().split(b"/")

    def matches(self, method: str, path: bytes) -> bool:
        """Return whether a request of *method* for *path*, still percent-encoded, is one for this operation."""
        if method != self.method:
            return False
        given = path.split(b"/")
        return len(given) == len(self._segments) and all(
            own == segment or (_is_label(own) and segment) for own, segment in zip(self._segments, given, strict=True)
        )

    def members_of(self, request: SignedRequest) -> dict[str, Any]:
        """Return the members of the input in *request*; see `parse`."""
        value = decode(request.body)
        if isinstance(value, dict):
            value = {name: inner for name, inner in value.items() if name not in self._outside_body}
            value |= self._in_path(request.path)
            value |= self._in_query(request.query)
        return self.read(value)

    def status_of(self, error: str) -> int | None:
        """Return the HTTP status of an error that the operation documents."""
        if error not in self.errors:
            return None
        status: int = self._service.shapes[error]["error"]["httpStatusCode"]
        return status

    @functools.cached_property
    def _outside_body(self) -> Mapping[str, tuple[str, str]]:
        """The members that do not stand in the body: where each does, and under which name."""
        return {
            name: (member["location"], member.get("locationName", name))
            for name, member in self._input_members.items()
            if "location" in member
        }

    @functools.cached_property
    def _input_members(self) -> Mapping[str, Any]:
        members: Mapping[str, Any] = self._service.shapes[self._model["input"]["shape"]]["members"]
        return members

    def _in_path(self, path: bytes) -> dict[str, str]:
        labels = {
            own[1:-1].decode(): unquote_to_bytes(segment).decode(errors="replace")
            for own, segment in zip(self._segments, path.split(b"/"), strict=True)
            if _is_label(own)
        }
        return {name: labels[label] for name, (where, label) in self._outside_body.items() if where == "uri"}

    def _in_query(self, query: bytes) -> dict[str, Any]:
        given = dict(parse_qsl(query.decode("latin-1"), keep_blank_values=True))
        return {
            name: self._from_text(name, given[key])
            for name, (where, key) in self._outside_body.items()
            if where == "querystring" and key in given
        }

    def _from_text(self, member: str, text: str) -> Any:
        """Return the JSON value that *text* in a query string is; what is no number is refused by the reader."""
        kind = self._service.shapes[self._input_members[member]["shape"]]["type"]
        is_number = text.isascii() and text.removeprefix("-").isdigit() and len(text) <= _DIGITS_MAX
        return int(text) if kind in ("integer", "long") and is_number else text


class Routes:
    """Which operation a method and a path name."""

    def __init__(self, operations: Iterable[RestOperation]) -> None:
        self._operations = tuple(operations)

    def __iter__(self) -> Iterator[RestOperation]:
        return iter(self._operations)

    def find(self, method: str, path: bytes) -> RestOperation | None:
        """Return the operation for *method* and *path*, still percent-encoded; None where there is none."""
        return next((each for each in self._operations if each.matches(method, path)), None)


@functools.cache
def load_routes() -> Routes:
    """Return every operation of Resource Groups."""
    service = ServiceModel(json.loads(read_public_model(_PUBLIC)), public=True)
    return Routes(RestOperation(service, name) for name in service.operations)


def _is_label(segment: bytes) -> bool:
    return segment.startswith(b"{")
