"""Our own views of a fleet: in which of seven states its nodes are, and how that was before.

Unlike the API's, they never show a node as compliant by a scan that is too old, or of which nothing is heard.
"""

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, NamedTuple

from patchwindow.domain.errors import Invalid, InvalidFilter, UnknownNode
from patchwindow.domain.fleet_state import FleetState, state_of
from patchwindow.domain.node import CONNECTION_LOST_AFTER
from patchwindow.operations import retention
from patchwindow.operations.call import Answer, Call, Request, after_number, after_text, filter_values
from patchwindow.protocol.pages import Key
from patchwindow.protocol.records import to_members, to_ms
from patchwindow.store.fleet import FILTERS, CohortCount, CohortFacts, NodeRow
from patchwindow.store.history import DayCount, PastScan
from patchwindow.store.tags import ENVIRONMENT
from patchwindow.store.work import Work

_ENVIRONMENT: Final = "Environment"
_GROUPS: Final = ("PatchGroup", _ENVIRONMENT, "OperatingSystem")
_STATE: Final = "State"
_PAGE: Final = 50
_FIRST: Final = datetime(1970, 1, 1, tzinfo=UTC)
_BATCH: Final = 500


class Cell(NamedTuple):
    """What nodes are counted by."""

    patch_group: str
    environment: str
    operating_system: str
    state: FleetState


def get_compliance(call: Call, request: Request) -> Answer:
    """GetFleetCompliance: counts of nodes by state, with the first page; and the nodes."""
    key = request.get("EnvironmentTagKey") or ENVIRONMENT
    wanted = _wanted(request)
    answer = call.pages(
        request,
        "Nodes",
        default=_PAGE,
        fetch=lambda after, limit: find_nodes(call, wanted, key, after_text(after), limit),
        key=lambda pair: (pair[0].node_id,),
        shape=lambda pair: _node(*pair),
    )
    if not request.get("NextToken"):
        grouping = _grouping(request)
        needs_tag = _ENVIRONMENT in grouping or _ENVIRONMENT in wanted
        cells = count_states(call.work, call.now, tag_key=key if needs_tag else None)
        answer |= _counts(_passing(cells, wanted), grouping)
    return answer


def get_history(call: Call, request: Request) -> Answer:
    """GetComplianceHistory: the scans of one node, the last one first; without a node the fleet, day by day."""
    since, before = request.get("After", _FIRST), request.get("Before", call.now + timedelta(days=1))
    if since >= before:
        raise Invalid(f"After, {since:%Y-%m-%dT%H:%M:%SZ}, is not before Before, {before:%Y-%m-%dT%H:%M:%SZ}")
    node_id = request.get("InstanceId")
    if node_id is not None:
        return _scans(call, request, node_id, since, before)
    if request.get("Together"):
        return _whole_days(call, request, since, before)
    return _days(call, request, since, before)


def count_states(work: Work, now: datetime, *, tag_key: str | None = None) -> Counter[Cell]:
    """Return how many nodes are in which state, by group and system, and by the value of the tag where one is named."""
    stale_before = now - retention.of(work).stale_after
    known = work.fleet.cohorts()
    counts: Counter[Cell] = Counter()
    for one in work.fleet.scanned(stale_before=stale_before, tag_key=tag_key):
        _add(counts, known[one.cohort_id], one, 1)
    lost_before = now - CONNECTION_LOST_AFTER
    for one in work.fleet.scanned_but_lost(stale_before=stale_before, lost_before=lost_before, tag_key=tag_key):
        cohort = known[one.cohort_id]
        _add(counts, cohort, one, -1)
        counts[Cell(cohort.patch_group, one.value, cohort.operating_system, FleetState.OFFLINE)] += one.node_count
    for never in work.fleet.never_scanned(tag_key=tag_key):
        cell = Cell(never.patch_group, never.value, never.operating_system, FleetState.NEVER_SCANNED)
        counts[cell] += never.node_count
    return +counts


def _add(counts: Counter[Cell], cohort: CohortFacts, one: CohortCount, sign: int) -> None:
    """Count the nodes of a cohort that are heard of, or with *sign* -1 take from them those that are not."""
    for is_stale, count in ((True, one.stale_count), (False, one.node_count - one.stale_count)):
        state = state_of(cohort.standing, is_stale=is_stale, is_offline=False)
        counts[Cell(cohort.patch_group, one.value, cohort.operating_system, state)] += sign * count


def _wanted(request: Request) -> dict[str, tuple[str, ...]]:
    """Return the values that nodes may have, by filter."""
    wanted = filter_values(request.get("Filters"), (_STATE, *FILTERS))
    for value in wanted.get(_STATE, ()):
        if value not in FleetState.__members__.values():
            raise InvalidFilter(f"filter {_STATE} has the value {value!r}; use one of {', '.join(FleetState)}")
    return wanted


def _grouping(request: Request) -> tuple[str, ...]:
    found = tuple(dict.fromkeys(request.get("GroupBy") or ()))
    for name in found:
        if name not in _GROUPS:
            raise Invalid(f"GroupBy has {name!r}; use one of {', '.join(_GROUPS)}")
    return found


def _passing(cells: Counter[Cell], wanted: Mapping[str, Sequence[str]]) -> Counter[Cell]:
    return Counter(
        {
            cell: count
            for cell, count in cells.items()
            if all(_named(cell)[name] in values for name, values in wanted.items())
        }
    )


def _named(cell: Cell) -> dict[str, str]:
    return {**dict(zip(_GROUPS, cell[:3], strict=True)), _STATE: cell.state}


def _counts(cells: Counter[Cell], grouping: Sequence[str]) -> Answer:
    groups: dict[tuple[str, ...], Counter[FleetState]] = {}
    total: Counter[FleetState] = Counter()
    for cell, count in cells.items():
        names = _named(cell)
        group = tuple(names[name] for name in grouping)
        groups.setdefault(group, Counter())[cell.state] += count
        total[cell.state] += count
    shown = [
        {**dict(zip(grouping, values, strict=True)), "Counts": _shown(counts)}
        for values, counts in sorted(groups.items())
    ]
    return {"Counts": _shown(total), "Groups": shown if grouping else []}


def _shown(counts: Mapping[FleetState, int]) -> dict[str, int]:
    """Return the count of every state, and of all."""
    return {**{str(state): counts.get(state, 0) for state in FleetState}, "Total": sum(counts.values())}


def find_nodes(
    call: Call, wanted: Mapping[str, Sequence[str]], tag_key: str, after: str, limit: int
) -> list[tuple[NodeRow, FleetState]]:
    """Return up to *limit* nodes that pass, in order of id."""
    stale_before = call.now - retention.of(call.work).stale_after
    lost_before = call.now - CONNECTION_LOST_AFTER
    states = {FleetState(value) for value in wanted.get(_STATE, ())}
    filters = {name: values for name, values in wanted.items() if name != _STATE}
    found: list[tuple[NodeRow, FleetState]] = []
    size = max(limit, _BATCH) if states else limit
    while len(found) < limit:
        rows = call.work.fleet.page(
            after=after,
            limit=size,
            tag_key=tag_key,
            stale_before=stale_before,
            lost_before=lost_before,
            states=states,
            filters=filters,
        )
        for row in rows:
            is_stale = row.scanned_at is not None and row.scanned_at < stale_before
            state = state_of(row.standing, is_stale=is_stale, is_offline=row.pinged_at < lost_before)
            if not states or state in states:
                found.append((row, state))
        if len(rows) < size:
            break
        after = rows[-1].node_id
    return found[:limit]


def _node(row: NodeRow, state: FleetState) -> dict[str, Any]:
    """Return a node with its state, and what that was computed from."""
    shown: dict[str, Any] = {
        "InstanceId": row.node_id,
        "State": str(state),
        "PatchGroup": row.patch_group,
        "Environment": row.value,
        "OperatingSystem": row.operating_system,
        "LastPingTime": row.pinged_at,
    }
    if row.scanned_at is not None and row.computed_at is not None:
        # Facts that are new and equal to known ones were found to be so when they came.
        computed_at = max(row.computed_at, row.scanned_at)
        shown |= {
            "Status": row.status,
            "FactsTime": row.scanned_at,
            "FactsDigest": row.facts_digest,
            "BaselineId": row.baseline_id,
            "BaselineRevision": row.baseline_revision,
            "ComputedTime": computed_at,
        }
    return shown


def _scans(call: Call, request: Request, node_id: str, since: datetime, before: datetime) -> Answer:
    def fetch(after: Key | None, limit: int) -> Sequence[PastScan]:
        end = before if after is None else _FIRST + timedelta(milliseconds=after_number(after))
        return call.work.scans.of_node(node_id, since=since, before=end, limit=limit)

    answer = call.pages(
        request, "Scans", default=_PAGE, fetch=fetch, key=lambda past: (to_ms(past.ended_at),), shape=_past
    )
    # The history outlives the node; who never was a node has none.
    if not answer["Scans"] and call.work.nodes.get(node_id) is None:
        raise UnknownNode(f"managed node {node_id} does not exist, and no scan of it is kept")
    return answer


def _past(past: PastScan) -> dict[str, Any]:
    return {
        "InstanceId": past.node_id,
        "Time": past.ended_at,
        "Operation": past.operation,
        "CommandId": past.command_id,
        "PatchGroup": past.patch_group,
        "BaselineId": past.baseline_id,
        "BaselineRevision": past.baseline_revision,
        "FactsDigest": past.facts_digest,
        **to_members(past.counts),
    }


def _days(call: Call, request: Request, since: datetime, before: datetime) -> Answer:
    first, last = _range(since, before)

    def fetch(after: Key | None, limit: int) -> list[list[DayCount]]:
        # Of each day, group and system there are at most so many rows as there are states.
        rows = call.work.trend.page(first=first, last=last, after=after, limit=limit * len(FleetState))
        groups = itertools.groupby(rows, key=lambda row: (row.day, row.patch_group, row.operating_system))
        return [list(group) for _, group in itertools.islice(groups, limit)]

    return call.pages(
        request,
        "Days",
        default=_PAGE,
        fetch=fetch,
        key=lambda rows: (rows[0].day.isoformat(), rows[0].patch_group, rows[0].operating_system),
        shape=_day,
    )


def _whole_days(call: Call, request: Request, since: datetime, before: datetime) -> Answer:
    first, last = _range(since, before)

    def fetch(after: Key | None, limit: int) -> list[list[DayCount]]:
        begin = first if after is None else date.fromisoformat(str(after[0])) + timedelta(days=1)
        rows = call.work.trend.totals(first=begin, last=last, limit=limit * len(FleetState))
        days = itertools.groupby(rows, key=lambda row: row.day)
        return [list(day) for _, day in itertools.islice(days, limit)]

    return call.pages(
        request,
        "Days",
        default=_PAGE,
        fetch=fetch,
        key=lambda rows: (rows[0].day.isoformat(),),
        shape=_whole_day,
    )


def _range(since: datetime, before: datetime) -> tuple[date, date]:
    """Return the first and the last day of which a part lies in the range."""
    return since.astimezone(UTC).date(), (before - timedelta(microseconds=1)).astimezone(UTC).date()


def _day(rows: Sequence[DayCount]) -> dict[str, Any]:
    whose = {"PatchGroup": rows[0].patch_group, "OperatingSystem": rows[0].operating_system}
    return _whole_day(rows) | whose


def _whole_day(rows: Sequence[DayCount]) -> dict[str, Any]:
    counts = {FleetState(row.state): row.node_count for row in rows}
    return {"Day": rows[0].day.isoformat(), "Counts": _shown(counts)}
