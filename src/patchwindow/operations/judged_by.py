"""By what a node was judged: its baseline and why this one, what was given beside it, and which facts of when."""

from datetime import date
from typing import Any

from patchwindow.domain.baseline import Baseline
from patchwindow.operations import retention
from patchwindow.operations.call import Call
from patchwindow.store.patch_states import PatchState


def baseline_members(call: Call, state: PatchState, baseline: Baseline, group: str | None) -> dict[str, Any]:
    """Return the baseline of a node in *group*, and why it is this one."""
    baseline_id, system = baseline.baseline_id, baseline.operating_system
    registered = call.work.patch_groups.baseline_of(group, system) if group else None
    if registered == baseline_id:
        reason = "PATCH_GROUP"
    elif registered is None and call.work.baselines.default_of(system) == baseline_id:
        reason = "DEFAULT"
    else:
        reason = "FORMER"
    now = call.work.baselines.get(baseline_id)
    return {
        "BaselineId": baseline_id,
        "Name": baseline.name,
        "Version": state.baseline_revision,
        "CurrentVersion": None if now is None else now.revision,
        "Reason": reason,
    }


def override_members(state: PatchState) -> dict[str, Any] | None:
    """Return what the last operation was given beside the baseline; of one by a baseline override nothing is kept."""
    given = {
        "InstallOverrideList": state.summary.install_override_list,
        "SnapshotId": state.summary.snapshot_id,
    }
    return given if any(given.values()) else None


def evaluation_members(call: Call, state: PatchState, day: date) -> dict[str, Any]:
    """Return from what it was decided for *day*, and how old that is."""
    facts_at = state.summary.operation_end_time
    return {
        "FactsDigest": state.facts_digest,
        "FactsAt": facts_at,
        "Operation": state.summary.operation,
        "CommandId": state.command_id,
        "EvaluatedOn": str(day),
        # Facts that are equal to known ones were found to be so when they came.
        "EvaluatedAt": max(state.computed_at, facts_at),
        "IsStale": call.now - facts_at > retention.of(call.work).stale_after,
    }
