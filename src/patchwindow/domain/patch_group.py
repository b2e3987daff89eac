"""The patch group of a node, and which baseline its group and operating system lead to."""

from collections.abc import Mapping
from typing import Final

from patchwindow.domain.operating_system import OperatingSystem

# The tag with the space wins where a node carries both; the other exists because instance metadata forbids spaces.
TAG_KEYS: Final = ("Patch Group", "PatchGroup")


def group_of(tags: Mapping[str, str]) -> str | None:
    """Return the patch group that a node with *tags* is in, `None` where it is in none."""
    return next((tags[key] for key in TAG_KEYS if tags.get(key)), None)


def baseline_for(
    *,
    group: str | None,
    operating_system: OperatingSystem,
    registered: Mapping[tuple[str, OperatingSystem], str],
    defaults: Mapping[OperatingSystem, str],
) -> str:
    """Return the id of the baseline: that registered for group and system, else the default of the system."""
    if group is not None and (found := registered.get((group, operating_system))) is not None:
        return found
    return defaults[operating_system]
