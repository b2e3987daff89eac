"""The operations that the wire knows: the public service model, our own, and what agents speak, as functions from bytes
to values.

The public model is the one of the installed botocore package. It is read without botocore's own loader, which would let a
file in the user's home replace it. Our own models, in the same format, lie beside this file. Shapes are compiled when
their operation is first used: loading all of it takes about 30 ms, a first use a few.
"""

import functools
import gzip
import json
import re
import threading
from collections.abc import Iterator, Mapping
from importlib import resources
from types import MappingProxyType
from typing import Any, Final, NoReturn

from patchwindow.domain.errors import Invalid
from patchwindow.protocol.inputs import InputCompiler
from patchwindow.protocol.outputs import OutputCompiler, Writer
from patchwindow.protocol.scalars import Malformed, Reader
from patchwindow.protocol.sigv4 import SignedRequest
from patchwindow.protocol.violations import summary

_PUBLIC: Final = "data/ssm/2014-11-06/service-2.json.gz"
_AGENTS: Final = ("agent.json", "agent_messages.json")
# In folders as botocore's own loader wants them, so that clients can be pointed to it.
_OWN: Final = "patchwindow/2026-11-01/service-2.json"
# Characters that JSON can escape but no text column holds.
_NO_TEXT: Final = re.compile("[\0\ud800-\udfff]")


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


# Made once: the module's own functions make a new one at each call with options.
_parse_json: Final = json.JSONDecoder(parse_constant=_refuse_constant).decode
_encode: Final = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode


class ServiceModel:
    """A service model and its compilers."""

    def __init__(self, model: Mapping[str, Any], *, public: bool) -> None:
        self.public = public
        metadata = model["metadata"]
        # A service whose operations are methods and paths has no prefix of their names.
        self.target_prefix: str = metadata.get("targetPrefix") or metadata["signingName"]
        self.operations: Mapping[str, Mapping[str, Any]] = model["operations"]
        self.shapes: Mapping[str, Mapping[str, Any]] = model["shapes"]
        self.inputs = InputCompiler(self.shapes)
        self.outputs = OutputCompiler(self.shapes)
        # A shape that contains itself is not to be used by a second thread before it is complete.
        self.lock = threading.RLock()


class OperationModel:
    """One operation of a service: how its input is read and checked, and its output written."""

    content_type = b"application/x-amz-json-1.1"
    """What requests and answers are."""

    def __init__(self, service: ServiceModel, name: str) -> None:
        self._service = service
        self.name: str = name
        self.target: str = f"{service.target_prefix}.{name}"
        self.public: bool = service.public
        self._model = service.operations[name]

    def __repr__(self) -> str:
        return f"OperationModel({self.target!r})"

    @functools.cached_property
    def members(self) -> frozenset[str]:
        """The names of the input's members."""
        return frozenset(self._service.shapes[self._model["input"]["shape"]]["members"])

    @functools.cached_property
    def errors(self) -> frozenset[str]:
        """The names of the errors that the operation documents."""
        return frozenset(error["shape"] for error in self._model.get("errors", ()))

    def members_of(self, request: SignedRequest) -> dict[str, Any]:
        """Return the members of the input in *request*; see `parse`."""
        return self.parse(request.body)

    def parse(self, body: bytes) -> dict[str, Any]:
        """Return the members of the input in *body*; unknown members and nulls are left out.

        Timestamps come as aware instants in UTC, blobs as bytes. An empty body is an empty object.

        Raises:
            Malformed: *body* is not a JSON object with members of the right types.
            Invalid: members break constraints of the model; the message lists all of them, in AWS's words.
        """
        return self.read(decode(body))

    def read(self, value: Any) -> dict[str, Any]:
        """Return the members of the input in *value*, which is decoded JSON, as `parse` does.

        Raises:
            Malformed: *value* is not an object with members of the right types.
            Invalid: members break constraints of the model.
        """
        found: list[str] = []
        try:
            members: dict[str, Any] = self._read(value, "", found)
        except RecursionError:
            raise Malformed("the request body is nested too deeply") from None
        if found:
            raise Invalid(summary(found))
        return members

    def serialize(self, members: Mapping[str, Any]) -> bytes:
        """Return *members* as the output's JSON; None and what the output does not have are left out."""
        return _encode(self._write(members)).encode()

    @functools.cached_property
    def _read(self) -> Reader:
        with self._service.lock:
            return self._service.inputs.compile(self._model["input"]["shape"]).read

    @functools.cached_property
    def _write(self) -> Writer:
        with self._service.lock:
            writer = self._service.outputs.compile(self._model["output"]["shape"])
        assert writer is not None
        return writer


@functools.cache
def load_operations() -> Mapping[str, OperationModel]:
    """Return every operation of all models by its X-Amz-Target, such as `AmazonSSM.CreatePatchBaseline`."""
    services = [ServiceModel(json.loads(text), public=True) for text in (read_public_model(_PUBLIC), _read_model(_OWN))]
    services += (ServiceModel(json.loads(_read_model(name)), public=False) for name in _AGENTS)
    operations = (OperationModel(service, name) for service in services for name in service.operations)
    return MappingProxyType({operation.target: operation for operation in operations})


def _read_model(path: str) -> bytes:
    return (resources.files("patchwindow.protocol") / "model" / path).read_bytes()


def read_public_model(path: str) -> bytes:
    """Return the service model at *path* in the installed botocore package, as JSON."""
    return gzip.decompress((resources.files("botocore") / path).read_bytes())


def decode(body: bytes) -> Any:
    """Return the JSON value in *body*; an empty body is an empty object.

    Raises:
        Malformed: it is not JSON in UTF-8, or holds characters that are no text.
    """
    try:
        text = body.decode()
        value = _parse_json(text) if text else {}
    except ValueError as error:
        raise Malformed(f"the request body is not JSON in UTF-8: {error}") from None
    except RecursionError:
        raise Malformed("the request body is nested too deeply") from None
    if "\\u" in text:
        for string in _strings(value):
            if unfit := _NO_TEXT.search(string):
                raise Malformed(
                    f"the request body holds the character U+{ord(unfit[0]):04X}, which is no text; remove it"
                )
    return value


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield name
            yield from _strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(inner)
