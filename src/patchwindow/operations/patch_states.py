"""What the latest patch operation found: by node, by patch group, by patch."""

import operator
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Final

from patchwindow.domain import patch_state
from patchwindow.domain.errors import InvalidFilter
from patchwindow.domain.patch_state import PatchEntry
from patchwindow.operations.call import Answer, Call, Request, after_text, filter_values
from patchwindow.operations.evaluations import evaluation_of
from patchwindow.operations.nodes import stored
from patchwindow.protocol.pages import Key
from patchwindow.protocol.records import to_members
from patchwindow.store.patch_states import PatchState

_PAGE: Final = 100
_WITH_CVES: Final = (patch_state.PatchState.MISSING, patch_state.PatchState.FAILED)

_COUNTS: Final = {
    "InstalledCount": "installed_count",
    "InstalledOtherCount": "installed_other_count",
    "InstalledPendingRebootCount": "installed_pending_reboot_count",
    "InstalledRejectedCount": "installed_rejected_count",
    "MissingCount": "missing_count",
    "FailedCount": "failed_count",
    "NotApplicableCount": "not_applicable_count",
    "UnreportedNotApplicableCount": "unreported_not_applicable_count",
    "CriticalNonCompliantCount": "critical_non_compliant_count",
    "SecurityNonCompliantCount": "security_non_compliant_count",
    "OtherNonCompliantCount": "other_non_compliant_count",
    "AvailableSecurityUpdateCount": "available_security_update_count",
}
_COMPARISONS: Final[Mapping[str, Callable[[int, int], bool]]] = {
    "Equal": operator.eq,
    "NotEqual": operator.ne,
    "LessThan": operator.lt,
    "GreaterThan": operator.gt,
}
_FIELDS: Final[Mapping[str, Callable[[PatchEntry], str]]] = {
    "Classification": operator.attrgetter("classification"),
    "KBId": operator.attrgetter("kb_id"),
    "Severity": operator.attrgetter("severity"),
    "State": operator.attrgetter("state"),
}


def describe_states(call: Call, request: Request) -> Answer:
    """DescribeInstancePatchStates: of the nodes that are named; those without a state are left out."""
    states = call.work.patch_states.many(request["InstanceIds"])

    def fetch(after: Key | None, limit: int) -> Sequence[PatchState]:
        return [state for state in states if state.summary.instance_id > after_text(after)][:limit]

    return _states(call, request, fetch)


def describe_states_for_group(call: Call, request: Request) -> Answer:
    """DescribeInstancePatchStatesForPatchGroup: of the nodes in the group whose counts pass all filters."""
    passes = _count_filter(request.get("Filters") or ())

    def fetch(after: Key | None, limit: int) -> Sequence[PatchState]:
        states = call.work.patch_states.each(after=after_text(after), patch_group=request["PatchGroup"])
        return list(islice(filter(passes, states), limit))

    return _states(call, request, fetch)


def describe_group(call: Call, request: Request) -> Answer:
    """DescribePatchGroupState: how many nodes of the group have patches of each kind."""
    group = request["PatchGroup"]
    totals = dict.fromkeys(_COUNTS, 0)
    for counts, node_count in call.work.fleet.counts_of_group(group):
        for name, attribute in _COUNTS.items():
            totals[name] += node_count if getattr(counts, attribute) > 0 else 0
    return {
        "Instances": call.work.nodes.group_size(group),
        **{_instances_with(name): total for name, total in totals.items()},
    }


def describe_patches(call: Call, request: Request) -> Answer:
    """DescribeInstancePatches: by title; a node that was never scanned has none."""
    node = stored(call, request["InstanceId"])
    passes = _patch_filter(request.get("Filters") or ())
    state = call.work.patch_states.get(node.instance_id)
    entries = () if state is None else evaluation_of(call.work, state).entries
    installed_at = () if state is None else state.installed_at

    def fetch(after: Key | None, limit: int) -> Sequence[PatchEntry]:
        # By title and not by place, so that a scan between two pages neither repeats nor skips a patch that stayed.
        beyond = (entry for entry in entries if _place(entry) > (after or ()))
        return list(islice(filter(passes, beyond), limit))

    return call.pages(
        request,
        "Patches",
        default=_PAGE,
        fetch=fetch,
        key=_place,
        shape=lambda entry: _patch(entry, installed_at),
    )


def installed_time(entry: PatchEntry, installed_at: Sequence[int]) -> datetime:
    """Return when the patch was installed: the beginning of 1970 where it is not, or nobody knows."""
    seconds = 0 if entry.package_index is None else installed_at[entry.package_index]
    return datetime.fromtimestamp(seconds, UTC)


def cve_ids(entry: PatchEntry) -> str | None:
    """Return the CVEs that the patch would close, with commas between them; only of a patch that is not installed."""
    return ",".join(entry.cve_ids) or None if entry.state in _WITH_CVES else None


def _states(call: Call, request: Request, fetch: Callable[[Key | None, int], Sequence[PatchState]]) -> Answer:
    return call.pages(
        request,
        "InstancePatchStates",
        default=_PAGE,
        fetch=fetch,
        key=lambda state: (state.summary.instance_id,),
        shape=lambda state: to_members(state.summary),
    )


def _place(entry: PatchEntry) -> Key:
    return entry.title, str(entry.state)


def _patch(entry: PatchEntry, installed_at: Sequence[int]) -> dict[str, Any]:
    return {
        "Title": entry.title,
        "KBId": entry.kb_id,
        "Classification": entry.classification,
        "Severity": entry.severity,
        "State": str(entry.state),
        "InstalledTime": installed_time(entry, installed_at),
        "CVEIds": cve_ids(entry),
    }


def _instances_with(count: str) -> str:
    """Return the member for the nodes whose *count* is not 0; one of them is spelled unlike the others."""
    kind = count.removesuffix("Count")
    return f"InstancesWith{kind}s" if kind == "AvailableSecurityUpdate" else f"InstancesWith{kind}Patches"


def _count_filter(filters: Iterable[Mapping[str, Any]]) -> Callable[[PatchState], bool]:
    """Return what tells whether a state passes all *filters*.

    Raises:
        InvalidFilter: a filter names no count, or compares it with what is no number.
    """
    conditions: list[tuple[str, Callable[[int, int], bool], int]] = []
    for each in filters:
        key, values = each["Key"], each["Values"]
        if key not in _COUNTS:
            raise InvalidFilter(f"filter key {key!r} is not known here; use one of {', '.join(_COUNTS)}")
        if len(values) != 1 or not (values[0].isascii() and values[0].isdigit()):
            raise InvalidFilter(f"filter {key} has the values {', '.join(values)}; give one whole number, 0 or more")
        conditions.append((_COUNTS[key], _COMPARISONS[each["Type"]], int(values[0])))

    def passes(state: PatchState) -> bool:
        return all(compare(getattr(state.summary, name), value) for name, compare, value in conditions)

    return passes


def _patch_filter(filters: Sequence[Mapping[str, Any]]) -> Callable[[PatchEntry], bool]:
    for each in filters:
        if not each.get("Key") or not each.get("Values"):
            raise InvalidFilter("a filter lacks its Key or its Values; give both")
    wanted: dict[str, Collection[str]] = {**filter_values(filters, tuple(_FIELDS))}
    if "State" in wanted:
        wanted["State"] = [_state(name) for name in wanted["State"]]

    def passes(entry: PatchEntry) -> bool:
        return all(_FIELDS[key](entry) in values for key, values in wanted.items())

    return passes


def _state(name: str) -> str:
    found = patch_state.state_named(name)
    if found is None:
        raise InvalidFilter(f"filter State has the value {name!r}; use one of {', '.join(patch_state.PatchState)}")
    return found
