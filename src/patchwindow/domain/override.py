"""What one operation is told to do instead of what its baseline says: an install override list, or a baseline override.

An InstallOverrideList names patches and is for installations only.  On Linux and macOS it takes the place of the baseline;
on Windows it narrows what the baseline approves.  A BaselineOverride is a list of baselines, of which the node's operating
system chooses one.
"""

import reprlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from patchwindow.domain import debian_version, rpm_version
from patchwindow.domain.errors import Invalid
from patchwindow.domain.operating_system import Family, OperatingSystem
from patchwindow.domain.patch import Patch
from patchwindow.domain.patch_name import matcher

LISTED_MAX: Final = 1000
"""Patches in an install override list; AWS publishes no figure."""
_TEXT_MAX: Final = 1024
_BOTH: Final = "InstallOverrideList and BaselineOverride are both given; give only one of them"


@dataclass(frozen=True, slots=True)
class Listed:
    """One entry of an install override list; *title* narrows it to versions, where the operating system has such."""

    id: str
    title: str = ""


InstallList = tuple[Listed, ...]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A version that an installed package can be updated to, and whether the baseline approves it."""

    patch: Patch
    is_approved: bool


def check_pair(install_list: str, baseline: str) -> None:
    """Return if an operation may have these two overrides, which are URLs or empty.

    Raises:
        Invalid: it has both.
    """
    if install_list and baseline:
        raise Invalid(_BOTH)


def install_list_of(data: object) -> InstallList:
    """Return the list that *data*, read from YAML, is; what stands in it twice counts once.

    Raises:
        Invalid: it is no list of patches; the message names what is wrong first.
    """
    patches = data.get("patches") if isinstance(data, dict) else None
    if not isinstance(patches, list):
        raise Invalid("the install override list has no list 'patches'; write it as `patches: [{id: 'name.arch'}]`")
    if len(patches) > LISTED_MAX:
        raise Invalid(f"the install override list has {len(patches)} patches; give at most {LISTED_MAX}")
    return tuple(dict.fromkeys(_listed(index, each) for index, each in enumerate(patches)))


def _listed(index: int, entry: object) -> Listed:
    if not isinstance(entry, dict):
        raise Invalid(f"patches[{index}]: {reprlib.repr(entry)} is no mapping with an id")
    return Listed(_text(index, entry, "id"), _text(index, entry, "title") if "title" in entry else "")


def _text(index: int, entry: Mapping[object, object], name: str) -> str:
    value = entry.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= _TEXT_MAX:
        raise Invalid(
            f"patches[{index}].{name}: {reprlib.repr(value)} is no text of 1 to {_TEXT_MAX} characters; quote it"
        )
    return value


def chosen(entries: InstallList, candidates: Iterable[Candidate], family: Family) -> tuple[Patch, ...]:
    """Return those of the *candidates* that an installation with this list installs: of each package, the newest alone.

    An entry that names none of them counts for nothing.  Whether the baseline approves a patch matters on Windows only.
    """
    names = _finder(entries, family)
    needs_approval = family is Family.WINDOWS
    named = (one.patch for one in candidates if (one.is_approved or not needs_approval) and names(one.patch))
    newest: dict[str, Patch] = {}
    for patch in named:
        other = newest.setdefault(patch.kb_id, patch)
        if _version_key(other, family) < _version_key(patch, family):
            newest[patch.kb_id] = patch
    return tuple(newest.values())


def entry_for(entries: object, system: OperatingSystem) -> Mapping[str, Any]:
    """Return the one of *entries*, read from JSON, that is for nodes of *system*.

    Raises:
        Invalid: they are no list of baselines, or none of them, or several, are for the system.
    """
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise Invalid("the baseline override is no list of objects; write it as GetPatchBaseline answers, in [ and ]")
    # A baseline that names no operating system is one for WINDOWS, as in CreatePatchBaseline.
    found = [entry for entry in entries if entry.get("OperatingSystem", OperatingSystem.WINDOWS) == system]
    if len(found) != 1:
        raise Invalid(f"the baseline override has {len(found) or 'no'} entries for {system}; give exactly one")
    chosen_entry: Mapping[str, Any] = found[0]
    return chosen_entry


def _finder(entries: InstallList, family: Family) -> Callable[[Patch], bool]:
    if family is Family.WINDOWS:
        # By KB number or bulletin, as in the lists of baselines; titles are for readers.
        entry_of = matcher(tuple(entry.id for entry in entries), family, rejects=False)
        return lambda patch: entry_of(patch) is not None
    if family is Family.MACOS:
        ids = frozenset(entry.id for entry in entries)
        return lambda patch: patch.name in ids or f"{patch.name}.{patch.version}" in ids
    return lambda patch: any(
        _fits(entry.id, patch.kb_id) and (not entry.title or any(_fits(entry.title, title) for title in _titles(patch)))
        for entry in entries
    )


def _fits(pattern: str, text: str) -> bool:
    """Return whether *text* is *pattern*, in which each `*` stands for anything."""
    # Not by a regular expression, which with many stars can take as good as for ever.
    head, *middle = pattern.split("*")
    if not middle:
        return text == pattern
    tail = middle.pop()
    if len(text) < len(head) + len(tail) or not text.startswith(head) or not text.endswith(tail):
        return False
    at, end = len(head), len(text) - len(tail)
    for piece in middle:
        at = text.find(piece, at, end)
        if at < 0:
            return False
        at += len(piece)
    return True


def _titles(patch: Patch) -> Iterator[str]:
    """Yield what a title may say of a patch: all of it, or its version alone, which is how examples write it."""
    yield patch.title
    full = f"{patch.version}-{patch.release}" if patch.release else patch.version
    yield full
    if patch.release:
        yield f"{patch.epoch or '0'}:{full}"


def _version_key(patch: Patch, family: Family) -> tuple[int | str, ...]:
    if family is Family.APT:
        return debian_version.sort_key(patch.version)
    release = f"-{patch.release}" if patch.release else ""
    return rpm_version.sort_key(f"{patch.epoch or '0'}:{patch.version}{release}")
