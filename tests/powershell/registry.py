"""A registry: keys with values, of which some are gone when Windows has restarted."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from tests.powershell.values import NOTHING, Nothing, NotKnown

VOLATILE: Final = "Volatile"
_LOCAL_MACHINE: Final = "hklm:\\"


@dataclass(slots=True)
class Registry:
    """Keys below HKEY_LOCAL_MACHINE, by their path without it, past case."""

    keys: dict[str, dict[str, Any]] = field(default_factory=dict)
    volatile: set[str] = field(default_factory=set)

    def put(self, path: str, **values: Any) -> None:
        """Put a key there that stays."""
        self.keys[_key(path)] = values

    def remove(self, path: str) -> None:
        """Remove a key, if it is there."""
        self.keys.pop(_key(path), None)

    def values(self, path: str) -> Mapping[str, Any] | None:
        """Return the values of a key, `None` without it."""
        return self.keys.get(_key(path))

    def restart(self) -> None:
        """Forget what lasts for one boot."""
        for path in self.volatile:
            self.keys.pop(path, None)
        self.volatile.clear()


@dataclass(frozen=True, slots=True)
class LocalMachine:
    """`[Microsoft.Win32.Registry]::LocalMachine`."""

    registry: Registry

    def create_sub_key(self, path: str, check: str, options: str) -> "OpenKey":
        if check != "ReadWriteSubTree" or options != VOLATILE:
            raise NotKnown(f"a key with {check} and {options}")
        if _key(path) not in self.registry.keys:
            self.registry.keys[_key(path)] = {}
            self.registry.volatile.add(_key(path))
        return OpenKey(self.registry.keys[_key(path)])


@dataclass(frozen=True, slots=True)
class OpenKey:
    """A RegistryKey."""

    held: dict[str, Any]

    def get_value(self, name: str) -> Any:
        return self.held.get(name)

    def set_value(self, name: str, value: Any) -> Nothing:
        self.held[name] = value
        return NOTHING

    def close(self) -> Nothing:
        return NOTHING


def _key(path: str) -> str:
    return path.casefold().removeprefix(_LOCAL_MACHINE)
