"""What an installation of patches that is sent now would be about: which nodes, and what they miss."""

import hashlib
from collections import Counter
from typing import Final

from patchwindow.domain.errors import InvalidParameters
from patchwindow.domain.fleet_patches import STANDINGS
from patchwindow.domain.fleet_state import FleetState
from patchwindow.domain.named_patches import Standing
from patchwindow.domain.node import CONNECTION_LOST_AFTER
from patchwindow.operations.call import Answer, Call, Request
from patchwindow.operations.patches import listing_in
from patchwindow.operations.targeting import IDS, Selection, selection, targets_of

INSTANCES_MAX: Final = 20
PATCHES_MAX: Final = 100
_TO_INSTALL: Final = (Standing.MISSING, Standing.FAILED)


def preview(call: Call, request: Request) -> Answer:
    """PreviewPatching: from the facts of the nodes' last scans; nothing is changed, and nothing is sent.

    Raises:
        InvalidParameters: the nodes are named twice over, or not at all.
        Invalid: targets that select no nodes by what they are.
        NotFound: a resource group does not exist.
    """
    ids, targets = request.get("InstanceIds") or (), request.get("Targets") or ()
    if bool(ids) == bool(targets):
        raise InvalidParameters("name the nodes by InstanceIds or by Targets: one of the two, and not both")
    wanted = selection(call.work, targets_of(targets or [{"Key": IDS, "Values": list(ids)}]))
    if wanted is None:
        return _answer([], [], Counter[FleetState](), Counter[str]())
    node_ids = call.work.nodes.selected_ids(ids=wanted.ids, tags=wanted.tags)
    states, titles = _counted(call, wanted)
    first = call.work.nodes.many(node_ids[:INSTANCES_MAX])
    named = [{"InstanceId": one.instance_id, "Name": one.name or one.computer_name or ""} for one in first]
    return _answer(node_ids, named, states, titles)


def _counted(call: Call, wanted: Selection) -> tuple[Counter[FleetState], Counter[str]]:
    """Return how many of the nodes are in a state that matters here, and how many miss each patch, by title."""
    states, titles = Counter[FleetState](), Counter[str]()
    counts = Counter[str]()
    lost_before = call.now - CONNECTION_LOST_AFTER
    for one in call.work.fleet_patches.standings(wanted.ids, wanted.tags, lost_before=lost_before):
        states[FleetState.OFFLINE] += one.lost_count
        if one.evaluation_id is None or one.standing is None:
            states[FleetState.NEVER_SCANNED] += one.node_count
            continue
        states[FleetState(one.standing)] += one.node_count
        counts[one.evaluation_id] += one.node_count
    for nodes in call.work.fleet_patches.evaluated():
        count = counts[nodes.evaluation_id]
        if count:
            listing = listing_in(call.work, nodes)
            for patch, place in zip(listing.patches, listing.places, strict=True):
                if STANDINGS[place] in _TO_INSTALL:
                    titles[patch.title] += count
    return states, titles


def _answer(
    node_ids: list[str], named: list[dict[str, str]], states: Counter[FleetState], titles: Counter[str]
) -> Answer:
    ordered = sorted(titles.items(), key=lambda item: (-item[1], item[0]))
    return {
        "InstanceCount": len(node_ids),
        "InstancesDigest": hashlib.sha256("\n".join(node_ids).encode()).hexdigest(),
        "Instances": named,
        "OfflineCount": states[FleetState.OFFLINE],
        "NeverScannedCount": states[FleetState.NEVER_SCANNED],
        "CompliantCount": states[FleetState.COMPLIANT],
        "PatchCount": len(titles),
        "Patches": [{"Title": title, "InstanceCount": count} for title, count in ordered[:PATCHES_MAX]],
    }
