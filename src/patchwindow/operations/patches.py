"""The patches of all nodes: on how many each is in which state, and on which."""

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Any, Final

from patchwindow.domain.baseline import Baseline
from patchwindow.domain.errors import InvalidFilter, NotFound
from patchwindow.domain.facts import Facts
from patchwindow.domain.facts_patches import Patches, patches_of
from patchwindow.domain.fleet_patches import Listing, Tally, listing, tally
from patchwindow.domain.named_patches import Standing, node_patches
from patchwindow.domain.overlay import Overlay
from patchwindow.operations.call import Answer, Call, Request, after_text, filter_values
from patchwindow.operations.evaluations import evaluation_by, facts_of
from patchwindow.operations.recent import Recent
from patchwindow.protocol.pages import Key
from patchwindow.protocol.records import from_ms, to_ms
from patchwindow.store.fleet_patches import EvaluatedNodes
from patchwindow.store.work import Work

_PAGE: Final = 50
_KEYS: Final = ("CVE", "Name", "Classification", "Severity", "State", "Product", "MinAgeDays", "MaxAgeDays")
_DAYS_MAX: Final = 36_500
_STATES: Final = {standing.casefold(): standing for standing in Standing}

_Question = tuple[str, Baseline, Overlay, date]
_Passes = Callable[[Tally], bool]

# A listing of 2000 patches takes 18 kB.
_LISTINGS: Final[Recent[_Question, Listing]] = Recent(4000)
# What several baselines make of the same facts is asked one after another.
_FACTS: Final[Recent[str, tuple[Facts, Patches]]] = Recent(4)
# Of the pages of one list each asks for the same.
_TALLIES: Final[Recent[tuple[tuple[_Question, int], ...], Sequence[Tally]]] = Recent(2)


def list_patches(call: Call, request: Request) -> Answer:
    """ListPatches: by title; nodes with equal facts, baseline and overlay are looked at together."""
    filters = filter_values(request.get("Filters"), _KEYS)
    passes = [_condition(call, key, values) for key, values in filters.items()]
    found = [one for one in _tallies(call.work) if all(each(one) for each in passes)]
    return call.pages(
        request,
        "Patches",
        default=_PAGE,
        fetch=lambda after, limit: [one for one in found if after is None or one.patch.key > after][:limit],
        key=lambda one: one.patch.key,
        shape=_members,
    )


def list_instances(call: Call, request: Request) -> Answer:
    """ListPatchInstances: of one patch, by node."""
    title, wanted_product = request["Title"], request.get("Product")
    states = request.get("States")
    having: dict[str, Standing] = {}
    is_known = False
    for nodes in call.work.fleet_patches.evaluated():
        standing = _listing_of(call.work, nodes).of(title, wanted_product)
        if standing is not None:
            is_known = True
            if states is None or standing in states:
                having[nodes.evaluation_id] = standing
    if not is_known:
        where = f" on {wanted_product}" if wanted_product else ""
        raise NotFound(f"no node has a patch with the title {title!r}{where}; ListPatches tells those that there are")

    def fetch(after: Key | None, limit: int) -> Sequence[tuple[str, str]]:
        return call.work.fleet_patches.nodes(having, after=after_text(after), limit=limit) if having else ()

    return call.pages(
        request,
        "Instances",
        default=_PAGE,
        fetch=fetch,
        key=lambda node: (node[0],),
        shape=lambda node: {"InstanceId": node[0], "State": str(having[node[1]])},
    )


def _tallies(work: Work) -> Sequence[Tally]:
    evaluated = work.fleet_patches.evaluated()
    question = tuple((_question(work, nodes), nodes.node_count) for nodes in evaluated)
    return _TALLIES.recall(
        question,
        lambda: tally((_listing_of(work, nodes), nodes.node_count, nodes.first_seen_ms) for nodes in evaluated),
    )


def _listing_of(work: Work, nodes: EvaluatedNodes) -> Listing:
    question = _question(work, nodes)

    def make() -> Listing:
        facts, patches = _FACTS.recall(nodes.facts_digest, lambda: _read(work, nodes.facts_digest))
        digest, baseline, overlay, day = question
        evaluation = evaluation_by(work, facts, digest, baseline, day, overlay=overlay)
        return listing(facts, node_patches(patches, evaluation))

    return _LISTINGS.recall(question, make)


def _read(work: Work, digest: str) -> tuple[Facts, Patches]:
    facts = facts_of(work, digest)
    return facts, patches_of(facts)


def _question(work: Work, nodes: EvaluatedNodes) -> _Question:
    baseline = work.baselines.revision(nodes.baseline_id, nodes.baseline_revision)
    assert baseline is not None, "revisions are never deleted"
    return nodes.facts_digest, baseline, nodes.overlay, nodes.evaluated_on


def _members(one: Tally) -> dict[str, Any]:
    patch = one.patch
    return {
        "Title": patch.title,
        "KBId": patch.kb_id,
        "Product": patch.product,
        "Classification": patch.classification,
        "Severity": patch.severity,
        "CVEIds": list(patch.cve_ids),
        "FirstSeen": from_ms(one.first_seen_ms),
        "InstanceCount": sum(one.counts.values()),
        "StateCounts": {str(standing): one.counts[standing] for standing in Standing if one.counts[standing]},
    }


def _condition(call: Call, key: str, values: Sequence[str]) -> _Passes:
    """Return what tells whether a patch passes one filter.

    Raises:
        InvalidFilter: it has a value that means nothing.
    """
    if key in ("MinAgeDays", "MaxAgeDays"):
        limits = [to_ms(call.now - timedelta(days=_days(key, value))) for value in values]
        if key == "MinAgeDays":
            return lambda one: one.first_seen_ms <= max(limits)
        return lambda one: one.first_seen_ms >= min(limits)
    if key == "State":
        states = [_state(value) for value in values]
        return lambda one: any(one.counts[state] for state in states)
    wanted = frozenset(value.casefold() for value in values)
    if key == "Name":
        return lambda one: any(
            value in text.casefold() for value in wanted for text in (one.patch.title, one.patch.kb_id)
        )
    if key == "CVE":
        return lambda one: any(cve.casefold() in wanted for cve in one.patch.cve_ids)
    attribute = key.lower()
    return lambda one: getattr(one.patch, attribute).casefold() in wanted


def _state(value: str) -> Standing:
    state = _STATES.get(value.replace("_", "").casefold())
    if state is None:
        raise InvalidFilter(f"filter State has the value {value!r}; use one of {', '.join(Standing)}")
    return state


def _days(key: str, value: str) -> int:
    if not (value.isascii() and value.isdigit() and len(value) <= 5 and int(value) <= _DAYS_MAX):
        raise InvalidFilter(f"filter {key} has the value {value!r}; give whole days, from 0 to {_DAYS_MAX}")
    return int(value)
