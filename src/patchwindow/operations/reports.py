"""Patch operations on nodes: what they are to do, and what they found (docs/facts.md)."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, Final

from patchwindow.documents import library
from patchwindow.documents.parameters import typed_parameters
from patchwindow.domain import facts as facts_form
from patchwindow.domain import facts_reading, invocation, patch_state
from patchwindow.domain.errors import Denied, Invalid, UnsupportedOperatingSystem
from patchwindow.domain.evaluation import Evaluation
from patchwindow.domain.facts import Facts
from patchwindow.domain.node import Node
from patchwindow.domain.operating_system import OperatingSystem, from_platform
from patchwindow.domain.patch_group import group_of
from patchwindow.domain.patch_state import PatchSummary, summarize
from patchwindow.domain.run import Command
from patchwindow.operations.baselines import baseline_for
from patchwindow.operations.call import Answer, Call
from patchwindow.operations.evaluations import evaluation_by
from patchwindow.operations.tags import NODE
from patchwindow.store.baselines import StoredBaseline
from patchwindow.store.patch_states import PatchState

SCHEMA: Final = 1

_CLOCK_SLACK: Final = timedelta(minutes=5)
_SECONDS_MAX: Final = 2**35
_MISSING_MAX: Final = 20


def order(call: Call, command_id: str, node_id: str) -> Answer:
    """Return what the patch operation of this command is to do on this node.

    Raises:
        Denied: the command is not open on the node any more.
    """
    command, _ = _open(call, command_id, node_id)
    parameters = _parameters(command)
    return {
        "schema": SCHEMA,
        "operation": parameters["Operation"],
        "rebootOption": parameters["RebootOption"],
        "commandId": command_id,
        "nodeId": node_id,
    }


def receive(call: Call, command_id: str, node_id: str, report: Mapping[str, Any]) -> Answer:
    """Keep what the operation found, as the node's patch state, and return the verdict.

    Raises:
        Denied: the command is not open on the node any more.
        Invalid: the report is not of this schema, or of another operation.
        UnsupportedOperatingSystem: no baseline can be for the node's operating system.
    """
    command, node = _open(call, command_id, node_id)
    parameters = _parameters(command)
    _check(report, parameters["Operation"])
    started_at, ended_at = _times(report, call.now)
    facts = facts_reading.parse(report.get("facts"))
    installed_at = facts_reading.aligned(report["facts"], report.get("installedAt"))
    group = group_of(call.work.tags.of(NODE, node_id)) or ""
    stored = baseline_for(call, group, _operating_system(facts, node))
    digest = facts_form.digest(facts)
    evaluation = evaluation_by(facts, digest, stored.baseline, ended_at.date())
    sender = call.work.executions.invocation_of_command(command_id)
    summary = summarize(
        evaluation.counts,
        instance_id=node_id,
        baseline_id=stored.baseline.baseline_id,
        operation=parameters["Operation"],
        operation_start_time=started_at,
        operation_end_time=ended_at,
        patch_group=group,
        snapshot_id=parameters["SnapshotId"] or None,
        owner_information="" if sender is None else sender.owner_information,
        reboot_option=parameters["RebootOption"],
    )
    call.work.facts.put(digest, facts_form.canonical(facts), call.now)
    call.work.patch_states.put(
        PatchState(
            summary=summary,
            baseline_revision=stored.revision,
            facts_digest=digest,
            installed_at=tuple(int(instant) for instant in installed_at),
            command_id=command_id,
            status=evaluation.counts.status,
            overall_severity=evaluation.counts.overall_severity,
        )
    )
    return _verdict(summary, stored, evaluation)


def _open(call: Call, command_id: str, node_id: str) -> tuple[Command, Node]:
    """Return the command and the node, while the command is open on the node."""
    node = call.work.nodes.get(node_id)
    if node is None:
        raise Denied(f"node {node_id} was deregistered; register the machine anew")
    found = call.work.invocations.get(command_id, node_id)
    if found is None or invocation.State(found.details) in invocation.TERMINAL:
        raise Denied(f"command {command_id} has ended on node {node_id}, or never was sent to it; send a new one")
    command = call.work.commands.get(command_id)
    assert command is not None, "an invocation goes with its command"
    return command, node


def _parameters(command: Command) -> dict[str, Any]:
    return typed_parameters(library.get(command.document_name, command.document_version), command.parameters)


def _check(report: Mapping[str, Any], operation: str) -> None:
    if report.get("schema") != SCHEMA:
        raise Invalid(f"schema: {report.get('schema')!r} is not known; this server reads schema {SCHEMA}")
    if report.get("operation") != operation:
        raise Invalid(f"operation: the report is of {report.get('operation')!r}, and the command is {operation}")


def _times(report: Mapping[str, Any], now: datetime) -> tuple[datetime, datetime]:
    """Return when the operation started and ended.

    A report is sent at the end of its operation. Where the node says that this was long ago, or is still to come, its
    clock is wrong: then the end is now, for baselines approve by the day.
    """
    started_s, ended_s = _seconds(report, "startedAt"), _seconds(report, "endedAt")
    if ended_s < started_s:
        raise Invalid(f"endedAt: {ended_s} is before startedAt, {started_s}")
    started_at, ended_at = (_instant(seconds) for seconds in (started_s, ended_s))
    skew = now - ended_at
    return (started_at, ended_at) if abs(skew) <= _CLOCK_SLACK else (started_at + skew, now)


def _instant(seconds: float) -> datetime:
    # To the millisecond, as it is stored: the same day must come back.
    return datetime.fromtimestamp(int(seconds * 1000) / 1000, UTC)


def _seconds(report: Mapping[str, Any], name: str) -> float:
    found = report.get(name)
    # The bounds also keep out what JSON calls Infinity and NaN.
    if isinstance(found, bool) or not isinstance(found, int | float) or not 0 <= found < _SECONDS_MAX:
        raise Invalid(f"{name}: {found!r} is no time; write seconds since 1970")
    return float(found)


def _operating_system(facts: Facts, node: Node) -> OperatingSystem:
    system = facts.operating_system or from_platform(node.platform_name or "", node.platform_version or "")
    if system is None:
        raise UnsupportedOperatingSystem(
            f"facts.os: {facts.os.name!r} {facts.os.version_id} is no operating system that patch baselines are for"
        )
    return system


def _verdict(summary: PatchSummary, stored: StoredBaseline, evaluation: Evaluation) -> Answer:
    counts = evaluation.counts
    missing = (entry for entry in evaluation.entries if entry.state is patch_state.PatchState.MISSING)
    return {
        "nodeId": summary.instance_id,
        "status": str(counts.status),
        "baselineId": summary.baseline_id,
        "baselineName": stored.baseline.name,
        "patchGroup": summary.patch_group,
        "counts": {
            "Installed": counts.installed_count,
            "InstalledOther": counts.installed_other_count,
            "InstalledPendingReboot": counts.installed_pending_reboot_count,
            "InstalledRejected": counts.installed_rejected_count,
            "Missing": counts.missing_count,
            "Failed": counts.failed_count,
            "NotApplicable": counts.not_applicable_count,
        },
        "missing": [
            {
                "title": entry.title,
                "classification": entry.classification,
                "severity": entry.severity,
                "source": entry.source,
            }
            for entry in islice(missing, _MISSING_MAX)
        ],
    }
