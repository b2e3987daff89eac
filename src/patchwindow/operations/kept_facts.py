"""Facts as the store has them, read back: they were checked when they came, and are not checked again."""

import json
import typing
from collections.abc import Mapping
from typing import Any, Final, TypeVar

from patchwindow.domain.facts import (
    SCHEMA,
    Advisory,
    Facts,
    Kind,
    Manager,
    Origin,
    Package,
    Reboot,
    RebootBehaviour,
    System,
    Update,
    UpdateState,
    WindowsUpdate,
)
from patchwindow.domain.facts_reading import parse

T = TypeVar("T")


def read(canonical: bytes) -> Facts:
    """Return the facts whose canonical form this is: equal to what `facts_reading.parse` makes of it, and sooner."""
    data: dict[str, Any] = json.loads(canonical)
    if data.get("schema") != SCHEMA:
        return parse(data)
    return Facts(
        manager=Manager(data["manager"]),
        os=_made(System, data["os"]),
        origins=_all(Origin, data["origins"]),
        advisories=_all(Advisory, data["advisories"]),
        packages=_all(Package, data["packages"]),
        additions=_all(Package, data["additions"]),
        updates=_all(Update, data["updates"]),
        windows_updates=_all(WindowsUpdate, data["windowsUpdates"]),
        held=tuple(data["held"]),
        reboot=Reboot(required=data["reboot"]["required"], reasons=tuple(data["reboot"]["reasons"])),
    )


def _all(cls: type[T], members: list[Mapping[str, Any]]) -> tuple[T, ...]:
    return tuple([_made(cls, one) for one in members])


def _made(cls: type[T], members: Mapping[str, Any]) -> T:
    names = _NAMES[cls]
    given = {names[member]: tuple(value) if type(value) is list else value for member, value in members.items()}
    for name, enum in _ENUMS[cls]:
        if name in given:
            given[name] = enum(given[name])
    return cls(**given)


def _wire(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(map(str.capitalize, others))


_CLASSES: Final[tuple[type[Any], ...]] = (System, Origin, Advisory, Package, Update, WindowsUpdate)
_NAMES: Final[dict[type[Any], dict[str, str]]] = {
    cls: {_wire(name): name for name in typing.get_type_hints(cls)} for cls in _CLASSES
}
_ENUMS: Final[dict[type[Any], list[tuple[str, type[Any]]]]] = {
    cls: [
        (name, hint)
        for name, hint in typing.get_type_hints(cls).items()
        if hint in (Kind, RebootBehaviour, UpdateState)
    ]
    for cls in _CLASSES
}
