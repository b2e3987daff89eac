"""The files that apt keeps package lists in, by their names: which ones a refresh that failed has taken away."""

from pathlib import Path
from typing import Sequence

_RELEASES = ("_InRelease", "_Release")


def names(lists: Path) -> "frozenset[str]":
    """Return the names of the package lists in the folder *lists*, and of the files that say who publishes them."""
    return frozenset(path.name for path in lists.glob("*") if "_Packages" in path.name or path.name.endswith(_RELEASES))


def lost(before: "frozenset[str]", after: "frozenset[str]") -> Sequence[str]:
    """Return what was there *before* and is not *after*, sorted; a publisher's file counts in either of its two forms.

    What a refresh before this one has taken away is told too: a package list without its publisher's file.
    """
    publishers = {_publisher(name) for name in after if name.endswith(_RELEASES)}
    gone = [name for name in before - after if not name.endswith(_RELEASES) or _publisher(name) not in publishers]
    orphans = [
        f"the Release file of {name}"
        for name in after
        if "_Packages" in name and not any(name.startswith(publisher) for publisher in publishers)
    ]
    return sorted([*gone, *orphans])


def _publisher(name: str) -> str:
    return name[: name.rindex("_") + 1]
