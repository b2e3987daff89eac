"""The patch group of a node, and which baseline its group and operating system lead to."""

from collections.abc import Callable, Mapping
from typing import Final

# The tag with the space wins where a node carries both; the other exists because instance metadata forbids spaces.
TAG_KEYS: Final = ("Patch Group", "PatchGroup")


def group_of(tags: Mapping[str, str]) -> str | None:
    """Return the patch group that a node with *tags* is in, `None` where it is in none."""
    return next((tags[key] for key in TAG_KEYS if tags.get(key)), None)


def baseline_for(
    *,
    group: str | None,
    operating_system: str,
    registered: Callable[[str, str], str | None],
    default: Callable[[str], str],
) -> str:
    """Return the id of the baseline: that registered for group and system, else the default of the system.

    A node in no group has None, or the empty text, for its group.
    """
    found = registered(group, operating_system) if group else None
    return default(operating_system) if found is None else found
