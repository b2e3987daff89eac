"""Which nodes targets select now, before or after they are registered with a window."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from patchwindow.domain.errors import Invalid, NotFound
from patchwindow.domain.window import ResourceType
from patchwindow.operations.call import Answer, Call, Request
from patchwindow.operations.targeting import selection, targets_of

IDS_MAX: Final = 50
"""So many nodes are named."""


def preview_targets(call: Call, request: Request) -> Answer:
    """PreviewTargets: how many nodes all of Targets select, and the first of them, by id.

    Raises:
        Invalid: a target is none that selects nodes, or not of ResourceType.
        NotFound: a resource group does not exist, or not any more.
    """
    wanted = selection(call.work, targets_of(request["Targets"], resource_type=_type(request.get("ResourceType"))))
    ids = [] if wanted is None else call.work.nodes.selected_ids(ids=wanted.ids, tags=wanted.tags)
    return {"InstanceCount": len(ids), "InstanceIds": ids[:IDS_MAX]}


def compare_targets(call: Call, request: Request) -> Answer:
    """CompareTargets: which nodes any of After selects and none of Before, and the other way round, by id.

    A resource group that is gone selects nobody, as when a window opens.

    Raises:
        Invalid: a target is none that selects nodes.
    """
    before, after = _all(call, request.get("Before", ())), _all(call, request.get("After", ()))
    gained, lost = sorted(after - before), sorted(before - after)
    return {
        "FormerInstanceCount": len(before),
        "InstanceCount": len(after),
        "GainedCount": len(gained),
        "GainedInstanceIds": gained[:IDS_MAX],
        "LostCount": len(lost),
        "LostInstanceIds": lost[:IDS_MAX],
    }


def _all(call: Call, registered: Sequence[Sequence[Mapping[str, Any]]]) -> set[str]:
    found: set[str] = set()
    for targets in registered:
        try:
            wanted = selection(call.work, targets_of(targets))
        except NotFound:
            continue
        if wanted is not None:
            found.update(call.work.nodes.selected_ids(ids=wanted.ids, tags=wanted.tags))
    return found


def _type(name: str | None) -> ResourceType | None:
    if name is not None and name not in [*ResourceType]:
        raise Invalid(f"ResourceType is {name!r}; use {' or '.join(ResourceType)}")
    return None if name is None else ResourceType(name)
