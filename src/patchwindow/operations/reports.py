"""Reports of patch operations on nodes: what they found, and the verdict (docs/facts.md)."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, Final

from patchwindow.documents import library
from patchwindow.documents.parameters import typed_parameters
from patchwindow.domain import command_end
from patchwindow.domain.baseline import Baseline
from patchwindow.domain.errors import Denied, Invalid, UnsupportedOperatingSystem
from patchwindow.domain.facts import Facts
from patchwindow.domain.node import Node
from patchwindow.domain.operating_system import OperatingSystem, from_platform
from patchwindow.domain.patch_group import group_of
from patchwindow.domain.patch_parts import Part, ends_after_scan, parameters_in, part_of
from patchwindow.domain.patch_state import Counts, PatchEntry, PatchState
from patchwindow.domain.run import Command, Invocation
from patchwindow.operations import association_reports, catalog, cohorts, snapshots
from patchwindow.operations.association_items import REPORTING
from patchwindow.operations.call import Answer, Call
from patchwindow.operations.evaluations import evaluation_by
from patchwindow.operations.report_reading import INSTALL, Report
from patchwindow.operations.tags import NODE
from patchwindow.store.cohorts import CohortKey
from patchwindow.store.evaluations import StoredEvaluation
from patchwindow.store.patch_states import Operation
from patchwindow.store.snapshots import Snapshot

_CLOCK_SLACK: Final = timedelta(minutes=5)
_MISSING_MAX: Final = 20
_NO_REBOOT: Final = "NoReboot"
REPORTED: Final = "Reported"
"""The phase of an operation that has reported, beside those that nodes tell."""


def receive(call: Call, command_id: str, node_id: str, report: Report, *, part: str = "") -> Answer:
    """Keep what the operation found, as the node's patch state, and return the verdict.

    *part* is that of the command, where it has several.

    Raises:
        Denied: the command has ended on the node, too long ago for a report.
        Invalid: the report is of another operation.
        UnsupportedOperatingSystem: no baseline can be for the node's operating system.
    """
    command, node, _ = sent_to(call, command_id, node_id, is_reporting=True)
    parameters = parameters_of(command, part)
    operation = parameters["Operation"]
    if report.operation != operation:
        raise Invalid(f"operation: the report is of {report.operation!r}, and the command is {operation}")
    call.work.patch_operations.end_progress(command_id, node_id, phase=REPORTED, now=call.now)
    started_at, ended_at = _times(report, call.now)
    group = group_of(call.work.tags.of(NODE, node_id)) or ""
    system = system_in(report.known.facts, node)
    if command.document_name == REPORTING:
        return _verdict_for_association(call, command, node_id, report, (system, group))
    basis = snapshots.basis_of(call, command_id, parameters, system, group)
    if basis is not None and basis.url:
        return _verdict_by(call, node_id, report, snapshots.held(call.work, basis, call.now))
    key = CohortKey(
        facts_digest=report.known.digest,
        operating_system=system,
        patch_group=group,
        overlay=report.overlay,
    )
    call.work.facts.put(report.known.digest, report.known.canonical, call.now)
    catalog.learn(call.work, key.operating_system, report.known.facts, report.known.digest, call.now)
    cohort = cohorts.join(call.work, key, call.now, lambda: report.known.facts)
    call.work.evaluations.use(cohort.evaluation_id, call.now)
    sender = call.work.executions.invocation_of_command(command_id)
    call.work.patch_states.put(
        node_id,
        Operation(
            patch_group=group,
            snapshot_id=None if basis is None else basis.key.snapshot_id,
            # A scan ignores it.
            install_override_list=(parameters["InstallOverrideList"] or None) if operation == INSTALL else None,
            owner_information="" if sender is None else sender.owner_information,
            operation=operation,
            operation_start_time=started_at,
            operation_end_time=ended_at,
            last_no_reboot_install_operation_time=_last_without_reboot(call, node_id, parameters, ended_at),
            reboot_option=parameters["RebootOption"],
        ),
        cohort_id=cohort.cohort_id,
        evaluation_id=cohort.evaluation_id,
        installed_at=report.installed_at,
        command_id=command_id,
    )
    evaluation = call.work.evaluations.get(cohort.evaluation_id)
    answer = _verdict(call, node_id, group, evaluation)
    if part == Part.SCAN:
        counts = evaluation.counts
        answer["isOver"] = ends_after_scan(
            given_to(command),
            missing_count=counts.missing_count,
            pending_count=counts.installed_pending_reboot_count,
        )
    return answer


def _last_without_reboot(
    call: Call, node_id: str, parameters: Mapping[str, Any], ended_at: datetime
) -> datetime | None:
    """Return when the last installation without a reboot ended, be it this one."""
    if parameters["Operation"] == INSTALL and parameters["RebootOption"] == _NO_REBOOT:
        return ended_at
    return call.work.patch_states.last_no_reboot_install(node_id)


def sent_to(
    call: Call, command_id: str, node_id: str, *, is_reporting: bool = False
) -> tuple[Command, Node, Invocation]:
    """Return the command, the node and the one on the other, for as long as reports are taken.

    Raises:
        Denied: it never was sent there, or has ended there too long ago, or the node is gone.
    """
    # Locked, so that nobody moves the node to another group while it is put where its tags say.
    node = call.work.nodes.lock(node_id) if is_reporting else call.work.nodes.get(node_id)
    if node is None:
        raise Denied(f"node {node_id} was deregistered; register the machine anew")
    found = call.work.invocations.get(command_id, node_id)
    if found is None or not command_end.takes_report(found, call.now):
        raise Denied(f"command {command_id} has ended on node {node_id}, or never was sent to it; send a new one")
    command = call.work.commands.get(command_id)
    assert command is not None, "an invocation goes with its command"
    return command, node, found


def parameters_of(command: Command, part: str = "") -> dict[str, Any]:
    """Return the parameters that a part of a patch command goes by, typed, with their defaults.

    Raises:
        Invalid: the command has no such part.
    """
    return parameters_in(part_of(command.document_name, part), given_to(command))


def given_to(command: Command) -> dict[str, Any]:
    """Return the parameters of a whole patch command, typed, with their defaults."""
    return typed_parameters(library.get(command.document_name, command.document_version), command.parameters)


def _times(report: Report, now: datetime) -> tuple[datetime, datetime]:
    """Return when the operation started and ended.

    A report is sent at the end of its operation. Where the node says that this was long ago, or is still to come, its
    clock is wrong: then the end is now, for what is old is stale.
    """
    skew = now - report.ended_at
    if abs(skew) <= _CLOCK_SLACK:
        return report.started_at, report.ended_at
    return report.started_at + skew, now


def system_in(facts: Facts, node: Node) -> OperatingSystem:
    """Return the operating system that *facts* name, else that of the node's agent.

    Raises:
        UnsupportedOperatingSystem: no baseline can be for it.
    """
    system = facts.operating_system or from_platform(node.platform_name or "", node.platform_version or "")
    if system is None:
        raise UnsupportedOperatingSystem(
            f"facts.os: {facts.os.name!r} {facts.os.version_id} is no operating system that patch baselines are for"
        )
    return system


def _verdict(call: Call, node_id: str, group: str, evaluation: StoredEvaluation) -> Answer:
    counts, question = evaluation.counts, evaluation.question
    baseline = call.work.baselines.revision(question.baseline_id, question.baseline_revision)
    assert baseline is not None, "revisions are never deleted"
    bad = call.work.evaluations.patches(evaluation.evaluation_id) or ()
    return _told(node_id, group, baseline, counts, bad)


def _verdict_by(call: Call, node_id: str, report: Report, frozen: Snapshot) -> Answer:
    """Return the verdict of a baseline override, of which nothing is kept: the node's compliance is by its own baseline."""
    day = frozen.made_at.astimezone(UTC).date()
    known, baseline = report.known, frozen.baseline
    found = evaluation_by(call.work, known.facts, known.digest, baseline, day, overlay=report.overlay)
    return _told(node_id, frozen.key.patch_group, baseline, found.counts, found.entries)


def _verdict_for_association(
    call: Call, command: Command, node_id: str, report: Report, place: tuple[OperatingSystem, str]
) -> Answer:
    """Return the verdict of a scan for an association, whose compliance alone is kept: the patch state stays."""
    parameters, known, group = parameters_of(command), report.known, place[1]
    baseline = association_reports.baseline_for(call.work, parameters["BaselineTags"], *place)
    day = call.now.astimezone(UTC).date()
    found = evaluation_by(call.work, known.facts, known.digest, baseline, day, overlay=report.overlay)
    association_reports.keep(
        call.work,
        parameters["AssociationId"],
        node_id,
        command_id=command.command_id,
        baseline=baseline,
        counts=found.counts,
        at=_times(report, call.now)[1],
    )
    return _told(node_id, group, baseline, found.counts, found.entries)


def _told(node_id: str, group: str, baseline: Baseline, counts: Counts, patches: Iterable[PatchEntry]) -> Answer:
    return {
        "nodeId": node_id,
        "status": str(counts.status),
        "baselineId": baseline.baseline_id,
        "baselineName": baseline.name,
        "patchGroup": group,
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
            for entry in islice((entry for entry in patches if entry.state is PatchState.MISSING), _MISSING_MAX)
        ],
    }
