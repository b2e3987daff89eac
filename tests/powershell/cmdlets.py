"""The cmdlets that the script calls, with the parameters that it gives them and no others."""

import fnmatch
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import PureWindowsPath
from typing import TYPE_CHECKING, Any, Final

from tests.powershell import dotnet
from tests.powershell.disk import FileInfo
from tests.powershell.values import NotKnown, Parsed, Thrown

if TYPE_CHECKING:
    from tests.powershell.machine import Machine


@dataclass(frozen=True, slots=True)
class OperatingSystem:
    """A Win32_OperatingSystem."""

    caption: str
    version: str


def run(machine: "Machine", name: str, given: list[Any], options: Mapping[str, Any]) -> list[Any]:
    """Return the output of a cmdlet."""
    if name not in _CMDLETS:
        raise NotKnown(f"the command {name}")
    left = dict(options)
    action = left.pop("erroraction", "Stop")
    if action not in ("Stop", "SilentlyContinue"):
        raise NotKnown(f"-ErrorAction {action}")
    try:
        return _CMDLETS[name](machine, *given, **left)
    except TypeError as problem:
        raise NotKnown(f"{name} {given} {options}: {problem}") from problem
    except Thrown:
        if action == "SilentlyContinue":
            return []
        raise


def _join_path(_: "Machine", parent: str, child: str) -> list[Any]:
    return [str(PureWindowsPath(parent) / child)]


def _start_sleep(machine: "Machine", *, seconds: int) -> list[Any]:
    machine.sleep(timedelta(seconds=seconds))
    return []


def _new_object(machine: "Machine", kind: str = "", *, argumentlist: Any = None, comobject: str = "") -> list[Any]:
    if comobject:
        return [dotnet.new_com(machine, comobject)]
    given = argumentlist if isinstance(argumentlist, list) else [] if argumentlist is None else [argumentlist]
    return [dotnet.new(machine, kind, given)]


def _convert_to_json(_: "Machine", value: Any, *, depth: int, compress: bool) -> list[Any]:
    if not compress:
        raise NotKnown("JSON over several lines")
    return [dotnet.to_json(value, depth)]


def _convert_from_json(_: "Machine", written: str) -> list[Any]:
    return [dotnet.from_json(written)]


def _get_child_item(machine: "Machine", *, literalpath: str, filter: str = "*") -> list[Any]:
    # Found when it is called: what is removed meanwhile is listed.
    found = [each for each in machine.disk.children(literalpath) if fnmatch.fnmatch(each, filter)]
    return [FileInfo(path, machine.disk.files[path.casefold()].written_at) for path in found]


def _remove_item(machine: "Machine", *, literalpath: str) -> list[Any]:
    machine.disk.remove(literalpath)
    return []


def _get_cim_instance(machine: "Machine", *, classname: str) -> list[Any]:
    if classname != "Win32_OperatingSystem":
        raise NotKnown(f"the class {classname} of CIM")
    return [OperatingSystem(machine.caption, machine.version)]


def _test_path(machine: "Machine", *, literalpath: str) -> list[Any]:
    return [machine.registry.values(literalpath) is not None]


def _get_item_property(machine: "Machine", *, literalpath: str, name: str = "") -> list[Any]:
    values = machine.registry.values(literalpath)
    if values is None or (name and name not in values):
        raise Thrown("ItemNotFoundException", f"Cannot find path '{literalpath}' because it does not exist.")
    # A key without values has no output.
    return [Parsed({name: values[name]} if name else values)] if values else []


def _remove_type_data(_: "Machine", name: str) -> list[Any]:
    if name != "System.Array":
        raise NotKnown(f"the type data of {name}")
    return []


_CMDLETS: Final[Mapping[str, Callable[..., list[Any]]]] = {
    "ConvertFrom-Json": _convert_from_json,
    "ConvertTo-Json": _convert_to_json,
    "Get-ChildItem": _get_child_item,
    "Get-CimInstance": _get_cim_instance,
    "Get-ItemProperty": _get_item_property,
    "Join-Path": _join_path,
    "New-Object": _new_object,
    "Remove-Item": _remove_item,
    "Remove-TypeData": _remove_type_data,
    "Start-Sleep": _start_sleep,
    "Test-Path": _test_path,
}
