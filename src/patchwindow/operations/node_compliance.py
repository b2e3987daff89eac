"""How one node stands, in the states of our own views of a fleet, and by what."""

from patchwindow.domain.fleet_state import state_of
from patchwindow.domain.node import CONNECTION_LOST_AFTER
from patchwindow.domain.operating_system import from_platform
from patchwindow.domain.patch_group import group_of
from patchwindow.operations import retention
from patchwindow.operations.call import Answer, Call, Request
from patchwindow.operations.nodes import stored
from patchwindow.operations.tags import NODE
from patchwindow.protocol.records import to_members
from patchwindow.store.tags import ENVIRONMENT


def get(call: Call, request: Request) -> Answer:
    """GetNodeCompliance: what GetFleetCompliance tells of the node, and the counts of its patches."""
    node = stored(call, request["InstanceId"])
    tags = call.work.tags.of(NODE, node.instance_id)
    state = call.work.patch_states.get(node.instance_id)
    scanned_at = None if state is None else state.summary.operation_end_time
    fleet_state = state_of(
        None if state is None else state.standing,
        is_stale=scanned_at is not None and scanned_at < call.now - retention.of(call.work).stale_after,
        is_offline=node.last_ping_date_time < call.now - CONNECTION_LOST_AFTER,
    )
    answer: Answer = {
        "InstanceId": node.instance_id,
        "State": str(fleet_state),
        "PatchGroup": group_of(tags) or "",
        "Environment": tags.get(request.get("EnvironmentTagKey") or ENVIRONMENT, ""),
        "OperatingSystem": from_platform(node.platform_name or "", node.platform_version or "") or "",
        "LastPingTime": node.last_ping_date_time,
    }
    if node.boot_id is not None:
        # Told with the time of the facts, it says whether what waits for a reboot may have had it.
        answer |= {"BootId": node.boot_id, "BootSeenTime": node.boot_seen_at}
    if state is None or scanned_at is None:
        return answer
    evaluation = call.work.evaluations.get(state.evaluation_id)
    baseline = call.work.baselines.revision(state.summary.baseline_id, state.baseline_revision)
    assert baseline is not None, "revisions are never deleted"
    return {
        **answer,
        # The facts know it better than the agent.
        "OperatingSystem": str(baseline.operating_system),
        "FactsTime": scanned_at,
        "FactsDigest": state.facts_digest,
        "BaselineId": state.summary.baseline_id,
        "BaselineRevision": state.baseline_revision,
        "ComputedTime": max(state.computed_at, scanned_at),
        **to_members(evaluation.counts),
    }
