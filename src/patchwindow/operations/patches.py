"""The patches of all nodes: on how many each is in which state, and on which."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

from patchwindow.domain.errors import NotFound
from patchwindow.domain.fleet_patches import FleetPatch, Listing, Tally, tally
from patchwindow.domain.named_patches import Standing
from patchwindow.operations.call import Answer, Call, Request, after_text, filter_values
from patchwindow.operations.catalog_join import NOTHING, Known, known_of
from patchwindow.operations.evaluations import evaluation_by, facts_of, listing_of
from patchwindow.operations.patch_filters import KEYS, passing
from patchwindow.operations.recent import Recent
from patchwindow.protocol.pages import Key
from patchwindow.protocol.records import from_ms
from patchwindow.store.fleet_patches import EvaluatedNodes
from patchwindow.store.work import Work

_PAGE: Final = 50

# What a fleet has of patches is shared by evaluations; one of 2000 takes 16 kB.
_PATCHES: Final[Recent[str, tuple[FleetPatch, ...]]] = Recent(4000)
# Of the pages of one list each asks for the same.
_TALLIES: Final[Recent[tuple[tuple[str | None, bytes | None, int, int], ...], Sequence[Tally]]] = Recent(2)


def list_patches(call: Call, request: Request) -> Answer:
    """ListPatches: by title; nodes with equal facts, baseline and overlay are looked at together."""
    filters = filter_values(request.get("Filters"), KEYS)
    found = passing(call, _tallies(call.work), filters)

    def fetch(after: Key | None, limit: int) -> list[tuple[Tally, Known]]:
        page = [one for one in found if after is None or one.patch.key > after][:limit]
        known = known_of(call.work, {one.patch.catalog_key for one in page})
        return [(one, known.get(one.patch.catalog_key, NOTHING)) for one in page]

    return call.pages(
        request,
        "Patches",
        default=_PAGE,
        fetch=fetch,
        key=lambda pair: pair[0].patch.key,
        shape=lambda pair: _members(*pair),
    )


def list_instances(call: Call, request: Request) -> Answer:
    """ListPatchInstances: of one patch, by node; and why it failed on how many of them."""
    title, wanted_product = request["Title"], request.get("Product")
    states = request.get("States")
    having: dict[str, Standing] = {}
    reasons: dict[str, str] = {}
    causes = Counter[str]()
    is_known = False
    for nodes in call.work.fleet_patches.evaluated():
        standing = listing_in(call.work, nodes).of(title, wanted_product)
        if standing is not None:
            is_known = True
            if states is None or standing in states:
                having[nodes.evaluation_id] = standing
            if standing is Standing.FAILED:
                reason = nodes.overlay.reasons.get(title, "")
                reasons[nodes.evaluation_id] = reason
                causes[reason] += nodes.node_count
    if not is_known:
        where = f" on {wanted_product}" if wanted_product else ""
        raise NotFound(f"no node has a patch with the title {title!r}{where}; ListPatches tells those that there are")

    def fetch(after: Key | None, limit: int) -> Sequence[tuple[str, str]]:
        return call.work.fleet_patches.nodes(having, after=after_text(after), limit=limit) if having else ()

    answer = call.pages(
        request,
        "Instances",
        default=_PAGE,
        fetch=fetch,
        key=lambda node: (node[0],),
        shape=lambda node: {
            "InstanceId": node[0],
            "State": str(having[node[1]]),
            "Reason": reasons.get(node[1]) or None,
        },
    )
    if not request.get("NextToken"):
        ordered = sorted(causes.items(), key=lambda pair: (-pair[1], pair[0]))
        answer["Failures"] = [{"Reason": reason, "InstanceCount": count} for reason, count in ordered]
    return answer


def _tallies(work: Work) -> Sequence[Tally]:
    evaluated = work.fleet_patches.evaluated()

    def make() -> Sequence[Tally]:
        return tally((listing_in(work, nodes), nodes.node_count, nodes.first_seen_ms) for nodes in evaluated)

    if any(nodes.listing_digest is None for nodes in evaluated):
        return make()
    question = tuple((nodes.listing_digest, nodes.places, nodes.node_count, nodes.first_seen_ms) for nodes in evaluated)
    return _TALLIES.recall(question, make)


def listing_in(work: Work, nodes: EvaluatedNodes) -> Listing:
    digest, places = nodes.listing_digest, nodes.places
    if digest is None or places is None:
        return _made(work, nodes)
    return Listing(_PATCHES.recall(digest, lambda: work.fleet_patches.listed(digest)), places)


def _made(work: Work, nodes: EvaluatedNodes) -> Listing:
    """Return the listing of an evaluation that an older version has made, for the moment until it is made anew."""
    baseline = work.baselines.revision(nodes.baseline_id, nodes.baseline_revision)
    assert baseline is not None, "revisions are never deleted"
    facts = facts_of(work, nodes.facts_digest)
    evaluation = evaluation_by(work, facts, nodes.facts_digest, baseline, nodes.evaluated_on, overlay=nodes.overlay)
    return listing_of(facts, evaluation)


def _members(one: Tally, known: Known) -> dict[str, Any]:
    patch = one.patch
    return {
        **known.members(),
        "Title": patch.title,
        "KBId": patch.kb_id,
        "Product": patch.product,
        "Classification": patch.classification or known.classification,
        "Severity": patch.severity or known.severity,
        "CVEIds": list(patch.cve_ids or known.cve_ids),
        "FirstSeen": known.first_seen_at or from_ms(one.first_seen_ms),
        "InstanceCount": sum(one.counts.values()),
        "StateCounts": {str(standing): one.counts[standing] for standing in Standing if one.counts[standing]},
    }
