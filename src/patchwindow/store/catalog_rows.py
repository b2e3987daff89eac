"""Patches of the catalogue as rows: what says nothing is left out, since there are many."""

import dataclasses
import functools
import json
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, Final

from patchwindow.domain.facts_patches import Readings
from patchwindow.domain.feeds.known_patch import NOTHING, Added, KnownPatch
from patchwindow.domain.operating_system import OperatingSystem
from patchwindow.domain.patch import Patch
from patchwindow.store.rows import instant

Key = tuple[str, str, str, str]

KEY: Final = ("operating_system", "title", "product", "repository")

# The ledger knows when a version was first seen; in what a publisher says it has no place.
_PATCH: Final = {field.name: field for field in dataclasses.fields(Patch) if field.name != "first_seen_on"}
_ADDED: Final = {field.name: field for field in dataclasses.fields(Added)}
_DATES: Final = frozenset({"released_on", "updated_on", "built_on"})
_encode: Final = json.JSONEncoder(separators=(",", ":"), default=str, ensure_ascii=False).encode


def row_of(patch: KnownPatch) -> dict[str, object]:
    """Return the row of *patch*, without what the ledger says."""
    return {
        **dict(zip(KEY, patch.key, strict=True)),
        "name": patch.name,
        "source": patch.source,
        "update_id": patch.update_id,
        "readings": _readings_text(patch.readings),
        "added": added_text(patch.added),
    }


def patch_of(row: Any) -> KnownPatch:
    """Return the patch of a row."""
    return KnownPatch(
        operating_system=OperatingSystem(row.operating_system),
        readings=_readings_of(row.readings),
        update_id=row.update_id,
        added=_added_of(row.added),
        first_seen_at=instant(row.first_seen_at_ms),
        first_seen_in=row.first_seen_in,
    )


def added_text(added: Added) -> str:
    """Return *added* as it is kept; nothing is the empty text."""
    return "" if added == NOTHING else _encode(_members(added, _ADDED))


# Facts that are new have mostly the patches of others.
@functools.lru_cache(maxsize=20_000)
def _readings_text(readings: Readings) -> str:
    return _encode([_members(patch, _PATCH) for patch in readings])


@functools.lru_cache(maxsize=20_000)
def _readings_of(text: str) -> Readings:
    return tuple(Patch(**dict(_values(members))) for members in json.loads(text))


def _added_of(text: str) -> Added:
    return Added(**dict(_values(json.loads(text)))) if text else NOTHING


def _members(value: Patch | Added, fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: said for name, field in fields.items() if (said := getattr(value, name)) != field.default}


def _values(members: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, said in members.items():
        if name in _DATES:
            yield name, date.fromisoformat(said)
        else:
            yield name, tuple(said) if isinstance(said, list) else said
