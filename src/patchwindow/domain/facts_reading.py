"""Facts from JSON: everything of schema 1 is checked here, and nowhere after."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeVar

from patchwindow.domain.errors import Invalid
from patchwindow.domain.facts import MANAGERS, SCHEMA, Facts, Origin, Package, Reboot, System, Update

# Longer than any name, version or sentence that a package manager has for us.
_TEXT_LENGTH_MAX: Final = 1024

_T = TypeVar("_T")


def parse(data: object) -> Facts:
    """Return the facts that *data*, from JSON, states; members that schema 1 does not have are passed over.

    Raises:
        Invalid: *data* is not of schema 1; the message says where.
    """
    facts = _object(data, "facts")
    if facts.get("schema") != SCHEMA:
        raise Invalid(f"facts.schema: {facts.get('schema')!r} is not known; this server reads schema {SCHEMA}")
    if (manager := _text(facts, "manager", "facts")) not in MANAGERS:
        raise Invalid(f"facts.manager: {manager!r} is not known; schema {SCHEMA} has {', '.join(sorted(MANAGERS))}")
    stated = _list(facts, "origins", "facts", _origin)
    origins = tuple(sorted(set(stated)))
    place = {origin: index for index, origin in enumerate(origins)}
    moved = [place[origin] for origin in stated]
    packages = _list(facts, "packages", "facts", lambda item, path: _package(item, path, moved))
    updates = _list(facts, "updates", "facts", lambda item, path: _update(item, path, moved))
    _refuse_twins([_package_order(package) for package in packages], "facts.packages")
    _refuse_twins([_update_order(update) for update in updates], "facts.updates")
    return Facts(
        manager=manager,
        os=_system(facts.get("os"), "facts.os"),
        origins=origins,
        packages=tuple(sorted(packages, key=_package_order)),
        updates=tuple(sorted(updates, key=_update_order)),
        held=tuple(sorted(set(_list(facts, "held", "facts", _string)))),
        reboot=_reboot(facts.get("reboot"), "facts.reboot"),
    )


def aligned(data: object, installed_at: object) -> tuple[float, ...]:
    """Return *installed_at*, which stands beside the packages of *data*, in the order of `parse(data).packages`.

    Raises:
        Invalid: it is not one number for each package.
    """
    packages = _list(_object(data, "facts"), "packages", "facts", lambda item, path: _package(item, path, None))
    if not isinstance(installed_at, list) or len(installed_at) != len(packages):
        raise Invalid(f"installedAt: expected one number for each of the {len(packages)} packages")
    for index, instant in enumerate(installed_at):
        # The bounds also keep out what JSON calls Infinity and NaN.
        if isinstance(instant, bool) or not isinstance(instant, int | float) or not 0 <= instant < 2**40:
            raise Invalid(f"installedAt[{index}]: {instant!r} is no time; write seconds since 1970, 0 where unknown")
    ordered = sorted(zip(packages, installed_at, strict=True), key=lambda pair: _package_order(pair[0]))
    return tuple(float(instant) for _, instant in ordered)


def _package_order(package: Package) -> tuple[str, ...]:
    return package.name, package.arch


def _update_order(update: Update) -> tuple[str, ...]:
    return update.name, update.arch, update.candidate


def _refuse_twins(keys: Sequence[tuple[str, ...]], path: str) -> None:
    seen: dict[tuple[str, ...], int] = {}
    for index, key in enumerate(keys):
        if (first := seen.setdefault(key, index)) != index:
            raise Invalid(f"{path}[{index}]: {' '.join(key)} is there already, at {first}")


def _system(data: object, path: str) -> System:
    item = _object(data, path)
    return System(
        id=_text(item, "id", path),
        name=_text(item, "name", path),
        version_id=_text(item, "versionId", path),
        codename=_text(item, "codename", path),
        arch=_text(item, "arch", path),
    )


def _origin(data: object, path: str) -> Origin:
    item = _object(data, path)
    return Origin(
        origin=_text(item, "origin", path),
        label=_text(item, "label", path),
        suite=_text(item, "suite", path),
        codename=_text(item, "codename", path),
        component=_text(item, "component", path),
        site=_text(item, "site", path),
    )


def _package(data: object, path: str, moved: Sequence[int] | None) -> Package:
    item = _object(data, path)
    return Package(
        name=_filled(item, "name", path),
        arch=_filled(item, "arch", path),
        version=_filled(item, "version", path),
        section=_text(item, "section", path),
        priority=_text(item, "priority", path),
        origins=_indexes(item, path, moved) if moved is not None else (),
    )


def _update(data: object, path: str, moved: Sequence[int]) -> Update:
    item = _object(data, path)
    return Update(
        name=_filled(item, "name", path),
        arch=_filled(item, "arch", path),
        installed=_filled(item, "installed", path),
        candidate=_filled(item, "candidate", path),
        section=_text(item, "section", path),
        priority=_text(item, "priority", path),
        size=_count(item, "size", path),
        origins=_indexes(item, path, moved),
        security=_flag(item, "security", path),
        held=_flag(item, "held", path),
    )


def _reboot(data: object, path: str) -> Reboot:
    item = _object(data, path)
    return Reboot(
        required=_flag(item, "required", path), reasons=tuple(sorted(set(_list(item, "reasons", path, _string))))
    )


def _object(data: object, path: str) -> Mapping[str, Any]:
    if not isinstance(data, dict):
        raise Invalid(f"{path}: expected an object, got {_shown(data)}")
    return data


def _list(item: Mapping[str, Any], name: str, path: str, read: Callable[[object, str], _T]) -> list[_T]:
    data = item.get(name)
    if not isinstance(data, list):
        raise Invalid(f"{path}.{name}: expected a list, got {_shown(data)}")
    return [read(entry, f"{path}.{name}[{index}]") for index, entry in enumerate(data)]


def _text(item: Mapping[str, Any], name: str, path: str) -> str:
    return _string(item.get(name), f"{path}.{name}")


def _filled(item: Mapping[str, Any], name: str, path: str) -> str:
    if not (text := _text(item, name, path)):
        raise Invalid(f"{path}.{name}: is empty; every package has one")
    return text


def _string(data: object, path: str) -> str:
    # Printable: neither database takes a lone surrogate, nor PostgreSQL a zero byte.
    if not isinstance(data, str) or len(data) > _TEXT_LENGTH_MAX or not data.isprintable():
        raise Invalid(f"{path}: expected at most {_TEXT_LENGTH_MAX} printable characters, got {_shown(data)}")
    return data


def _count(item: Mapping[str, Any], name: str, path: str) -> int:
    data = item.get(name)
    if not isinstance(data, int) or isinstance(data, bool) or not 0 <= data < 2**63:
        raise Invalid(f"{path}.{name}: expected a whole number, 0 or more, got {_shown(data)}")
    return data


def _flag(item: Mapping[str, Any], name: str, path: str) -> bool:
    data = item.get(name)
    if not isinstance(data, bool):
        raise Invalid(f"{path}.{name}: expected true or false, got {_shown(data)}")
    return data


def _indexes(item: Mapping[str, Any], path: str, moved: Sequence[int]) -> tuple[int, ...]:
    data = item.get("origins")
    if not isinstance(data, list):
        raise Invalid(f"{path}.origins: expected a list, got {_shown(data)}")
    for index in data:
        if not isinstance(index, int) or isinstance(index, bool) or not 0 <= index < len(moved):
            raise Invalid(f"{path}.origins: {_shown(index)} is no index of one of the {len(moved)} origins")
    return tuple(sorted({moved[index] for index in data}))


def _shown(data: object) -> str:
    match data:
        case None:
            return "nothing"
        case dict():
            return "an object"
        case list():
            return "a list"
        case _:
            shown = repr(data)
            return shown if len(shown) <= 40 else f"{shown[:37]}…"
