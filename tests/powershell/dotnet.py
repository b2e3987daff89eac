"""The members of .NET that the script uses, by type and name; what is not here ends the test."""

import hashlib
import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from tests.powershell import registry, update_agent, web
from tests.powershell.running import compiled
from tests.powershell.values import (
    NOTHING,
    ErrorRecord,
    Kind,
    Nothing,
    NotKnown,
    Parsed,
    Table,
    Thrown,
    as_number,
    as_text,
    is_null,
)

if TYPE_CHECKING:
    from tests.powershell.machine import Machine

_INSTANT: Final = "yyyy-MM-dd"
_TLS12: Final = 3072
# What each exception is besides itself.
_BASES: Final[Mapping[str, str]] = {
    "FileNotFoundException": "IOException",
    "DirectoryNotFoundException": "IOException",
    "WebException": "InvalidOperationException",
    "COMException": "ExternalException",
}


@dataclass(frozen=True, slots=True)
class Property:
    """A PSPropertyInfo."""

    name: str
    value: Any


@dataclass(frozen=True, slots=True)
class Properties:
    """A PSObject of what ConvertFrom-Json made."""

    properties: list[Property]


@dataclass(frozen=True, slots=True)
class Writer:
    """A TextWriter of the console."""

    lines: list[str]

    def write_line(self, line: str) -> Nothing:
        self.lines.append(line)
        return NOTHING


@dataclass(frozen=True, slots=True)
class Uri:
    """A Uri."""

    host: str


class Stopwatch:
    """A Stopwatch; the clock of the machine never jumps."""

    def __init__(self, machine: "Machine") -> None:
        self._machine = machine
        self._started_at = machine.now()

    @property
    def elapsed(self) -> timedelta:
        return self._machine.now() - self._started_at


@dataclass(frozen=True, slots=True)
class Guid:
    """A Guid."""

    digits: str

    def to_string(self) -> str:
        return self.digits


@dataclass(frozen=True, slots=True)
class Hash:
    """A SHA256CryptoServiceProvider."""

    def compute_hash(self, data: bytes) -> bytes:
        return hashlib.sha256(data).digest()


def _text_format(instant: datetime, form: str, culture: str) -> str:
    if (form, culture) != (_INSTANT, "InvariantCulture"):
        raise NotKnown(f"the format {form} in {culture}")
    return f"{instant:%Y-%m-%d}"


def _substring(value: str, start: int, count: int) -> str:
    if start + count > len(value):
        raise Thrown("ArgumentOutOfRangeException", "Index and length must refer to a location within the string.")
    return value[start : start + count]


def _move(machine: "Machine", source: str, target: str) -> Nothing:
    machine.disk.move(source, target, replaces=False)
    return NOTHING


def _replace(machine: "Machine", source: str, target: str, backup: None) -> Nothing:
    if backup is not None:
        raise NotKnown(f"a backup at {backup!r}")
    machine.disk.move(source, target, replaces=True)
    return NOTHING


_MEMBERS: Final[Mapping[tuple[type, str], Callable[[Any], Any]]] = {
    (ErrorRecord, "Exception"): lambda value: value.exception,
    (Thrown, "Message"): lambda value: value.message,
    (Thrown, "InnerException"): lambda value: value.inner,
    (Table, "Keys"): lambda value: [key for key, _ in value.items()],
    (Table, "Count"): len,
    (list, "Count"): len,
    (list, "Length"): len,
    (bytes, "Length"): len,
    (str, "Length"): len,
    (timedelta, "TotalSeconds"): timedelta.total_seconds,
    (Parsed, "PSObject"): lambda value: Properties([Property(*item) for item in value.members.items()]),
}
_METHODS: Final[Mapping[tuple[type, str], Callable[..., Any]]] = {
    (Thrown, "GetBaseException"): Thrown.base,
    (Table, "ContainsKey"): Table.has,
    (Table, "Remove"): Table.remove,
    (str, "Contains"): str.__contains__,
    (str, "Trim"): str.strip,
    (str, "Split"): str.split,
    (str, "Substring"): _substring,
    (str, "Replace"): str.replace,
    (str, "ToLowerInvariant"): str.lower,
    (datetime, "ToString"): _text_format,
    (datetime, "AddDays"): lambda value, days: value + timedelta(days=days),
}
_STATIC_MEMBERS: Final[Mapping[tuple[str, str], Callable[["Machine"], Any]]] = {
    ("console", "Out"): lambda machine: Writer(machine.output),
    ("console", "Error"): lambda machine: Writer(machine.errors),
    ("datetime", "UtcNow"): lambda machine: machine.now(),
    ("text.encoding", "UTF8"): lambda _: _Utf8(),
    ("globalization.cultureinfo", "InvariantCulture"): lambda _: "InvariantCulture",
    ("nullstring", "Value"): lambda _: None,
    ("net.securityprotocoltype", "Tls12"): lambda _: _TLS12,
    ("net.servicepointmanager", "SecurityProtocol"): lambda machine: machine.security_protocol,
    ("microsoft.win32.registry", "LocalMachine"): lambda machine: registry.LocalMachine(machine.registry),
    ("microsoft.win32.registryoptions", "Volatile"): lambda _: registry.VOLATILE,
    ("microsoft.win32.registrykeypermissioncheck", "ReadWriteSubTree"): lambda _: "ReadWriteSubTree",
}
_STATIC_METHODS: Final[Mapping[tuple[str, str], Callable[..., Any]]] = {
    ("math", "Floor"): lambda _, value: float(math.floor(value)),
    ("math", "Min"): lambda _, left, right: min(left, right),
    ("math", "Max"): lambda _, left, right: max(left, right),
    ("diagnostics.stopwatch", "StartNew"): Stopwatch,
    ("guid", "NewGuid"): lambda machine: Guid(machine.new_guid()),
    ("scriptblock", "Create"): lambda _, script: compiled(script),
    ("bitconverter", "ToString"): lambda _, data: data.hex("-").upper(),
    ("net.webrequest", "Create"): lambda machine, url: web.Request(machine.web, url),
    ("io.file", "Exists"): lambda machine, path: machine.disk.exists(path),
    ("io.file", "ReadAllText"): lambda machine, path: machine.disk.read(path),
    ("io.file", "Open"): lambda machine, *given: machine.disk.open(*given),
    ("io.file", "Move"): _move,
    ("io.file", "Replace"): _replace,
    ("io.directory", "CreateDirectory"): lambda machine, path: machine.disk.create_folder(path),
}
_CONSTRUCTORS: Final[Mapping[str, Callable[..., Any]]] = {
    "datetime": lambda _, year, month, day: datetime(year, month, day, tzinfo=UTC),
    "io.streamreader": lambda _, content: web.Reader(content),
    "net.webclient": lambda machine: web.Client(machine.web),
    "net.webproxy": lambda _, address: web.Proxy(address),
    "security.cryptography.sha256cryptoserviceprovider": lambda _: Hash(),
}
_COM: Final[Mapping[str, Callable[["Machine"], Any]]] = {
    "microsoft.update.session": lambda machine: update_agent.Session(machine.updates),
    "microsoft.update.systeminfo": lambda machine: update_agent.SystemInformation(machine.updates),
    "microsoft.update.updatecoll": lambda _: update_agent.Collection([]),
}


class _Utf8:
    """Encoding.UTF8."""

    def get_bytes(self, value: str) -> bytes:
        return value.encode()

    def get_string(self, value: bytes) -> str:
        return value.decode(errors="replace")


def member(machine: "Machine", value: Any, name: str) -> Any:
    """Return a member of an object, or a static one of a type."""
    if isinstance(value, Kind):
        return _known(_STATIC_MEMBERS, (value.key, name))(machine)
    if isinstance(value, Thrown) and (found := _python_name(name)) in value.members:
        return value.members[found]
    if (type(value), name) in _MEMBERS:
        return _MEMBERS[type(value), name](value)
    found = _found(value, name)
    if callable(found):
        raise NotKnown(f"the method {name} as a value")
    return found


def put_member(machine: "Machine", value: Any, name: str, new: Any) -> None:
    """Change a member of an object, or a static one of a type."""
    if isinstance(value, Kind):
        if (value.key, name) != ("net.servicepointmanager", "SecurityProtocol"):
            raise NotKnown(f"[{value.name}]::{name} on the left of an assignment")
        machine.security_protocol = new
    elif callable(_found(value, name)):
        raise NotKnown(f"the method {name} on the left of an assignment")
    else:
        setattr(value, _python_name(name), new)


def call(machine: "Machine", value: Any, name: str, given: list[Any]) -> Any:
    """Call a method of an object, or a static one of a type."""
    if isinstance(value, Kind):
        return _known(_STATIC_METHODS, (value.key, name))(machine, *given)
    method = _METHODS.get((type(value), name))
    if method is not None:
        return method(value, *given)
    return _found(value, name)(*given)


def new(machine: "Machine", kind: str, given: list[Any]) -> Any:
    """Return a new object of a type."""
    return _known(_CONSTRUCTORS, Kind(kind).key)(machine, *given)


def new_com(machine: "Machine", name: str) -> Any:
    """Return a new object of COM."""
    return _known(_COM, name.casefold())(machine)


def cast(kind: Kind, value: Any) -> Any:
    """Return *value* as of a type."""
    match kind.key:
        case "int" | "int64":
            number = as_number(value)
            if number is None:
                raise Thrown("RuntimeException", f'Cannot convert value "{as_text(value)}" to type "System.Int32".')
            # To the even one where it is half way, as .NET does and Python too.
            return round(number)
        case "double":
            return float(as_number(value) or 0)
        case "uri":
            return Uri(urlsplit(value).hostname or "")
        case "string":
            return as_text(value)
        case unknown:
            raise NotKnown(f"a cast to {unknown}")


def is_of(value: Any, kind: Kind) -> bool:
    """Return whether *value* is of a type."""
    if is_null(value):
        return False
    if not isinstance(value, Thrown):
        raise NotKnown(f"-is of a {type(value).__name__}")
    wanted = kind.key.rpartition(".")[2]
    found = value.kind
    while found.casefold() != wanted and found in _BASES:
        found = _BASES[found]
    return found.casefold() == wanted


def to_json(value: Any, depth: int) -> str:
    """Return what ConvertTo-Json writes, where no part is deeper than *depth*."""
    return json.dumps(_jsonable(value, depth), separators=(",", ":"))


def _jsonable(value: Any, depth: int) -> Any:
    if is_null(value) or isinstance(value, str | int | float):
        return None if is_null(value) else value
    if depth < 0:
        raise NotKnown("JSON that is deeper than -Depth, which would be cut off without a word")
    if isinstance(value, list):
        return [_jsonable(each, depth - 1) for each in value]
    if isinstance(value, Table):
        return {as_text(key): _jsonable(each, depth - 1) for key, each in value.items()}
    if isinstance(value, Parsed):
        return {key: _jsonable(each, depth - 1) for key, each in value.members.items()}
    raise NotKnown(f"a {type(value).__name__} as JSON")


def from_json(written: str) -> Any:
    """Return what ConvertFrom-Json reads."""
    if not written:
        raise Thrown("ParameterBindingValidationException", "Cannot bind argument to parameter 'InputObject'.")
    try:
        found = json.loads(written, object_pairs_hook=_object)
    except ValueError:
        raise Thrown("ArgumentException", f"Invalid JSON primitive: {written[:20]}.") from None
    if isinstance(found, list):
        raise NotKnown("JSON that is an array")
    return found


def _object(pairs: list[tuple[str, Any]]) -> Parsed:
    if len({key.casefold() for key, _ in pairs}) < len(pairs):
        raise Thrown("InvalidOperationException", "The dictionary contains the duplicated keys, which differ by case.")
    return Parsed(dict(pairs))


def _known(table: Mapping[Any, Any], key: Any) -> Any:
    if key not in table:
        raise NotKnown(f"{key} of .NET or COM")
    return table[key]


def _found(value: Any, name: str) -> Any:
    """Return a member of an object that stands for one of .NET or COM."""
    if isinstance(value, str | int | float | list | bytes | datetime) or not hasattr(value, _python_name(name)):
        raise NotKnown(f"{name} of a {type(value).__name__}")
    return getattr(value, _python_name(name))


def _python_name(name: str) -> str:
    words = name.replace("IDs", "Ids")
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", words).lower()
