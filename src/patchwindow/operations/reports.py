"""Patch operations on nodes: what they are to do, and what they found (docs/facts.md)."""

import functools
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, Final

from patchwindow.documents import library
from patchwindow.documents.parameters import typed_parameters
from patchwindow.domain import facts as facts_form
from patchwindow.domain import facts_reading, invocation
from patchwindow.domain.errors import Denied, Invalid, UnsupportedOperatingSystem
from patchwindow.domain.facts import Facts
from patchwindow.domain.node import Node
from patchwindow.domain.operating_system import OperatingSystem, from_platform
from patchwindow.domain.overlay import Failure, Overlay
from patchwindow.domain.patch_group import group_of
from patchwindow.domain.patch_state import PatchState
from patchwindow.domain.run import Command
from patchwindow.operations import cohorts
from patchwindow.operations.call import Answer, Call
from patchwindow.operations.tags import NODE
from patchwindow.store.cohorts import CohortKey
from patchwindow.store.evaluations import StoredEvaluation
from patchwindow.store.patch_states import Operation

SCHEMA: Final = 1

_CLOCK_SLACK: Final = timedelta(minutes=5)
_SECONDS_MAX: Final = 2**35
_MISSING_MAX: Final = 20
_TITLES_MAX: Final = 10_000
_TITLE_MAX: Final = 1024
_INSTALL: Final = "Install"
_NO_REBOOT: Final = "NoReboot"


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
    command, node = _open(call, command_id, node_id, is_reporting=True)
    parameters = _parameters(command)
    _check(report, parameters["Operation"])
    started_at, ended_at = _times(report, call.now)
    read = _read(report.get("facts"))
    installed_at = facts_reading.aligned(report["facts"], report.get("installedAt"))
    group = group_of(call.work.tags.of(NODE, node_id)) or ""
    key = CohortKey(
        facts_digest=read.digest,
        operating_system=_operating_system(read.facts, node),
        patch_group=group,
        overlay=_overlay(report, parameters["Operation"]),
    )
    call.work.facts.put(read.digest, read.canonical, call.now)
    cohort = cohorts.join(call.work, key, call.now, lambda: read.facts)
    call.work.evaluations.use(cohort.evaluation_id, call.now)
    sender = call.work.executions.invocation_of_command(command_id)
    call.work.patch_states.put(
        node_id,
        Operation(
            patch_group=group,
            snapshot_id=parameters["SnapshotId"] or None,
            owner_information="" if sender is None else sender.owner_information,
            operation=parameters["Operation"],
            operation_start_time=started_at,
            operation_end_time=ended_at,
            last_no_reboot_install_operation_time=_last_without_reboot(call, node_id, parameters, ended_at),
            reboot_option=parameters["RebootOption"],
        ),
        cohort_id=cohort.cohort_id,
        evaluation_id=cohort.evaluation_id,
        installed_at=[int(instant) for instant in installed_at],
        command_id=command_id,
    )
    return _verdict(call, node_id, group, call.work.evaluations.get(cohort.evaluation_id))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """Facts that were read, and what they are kept as."""

    facts: Facts
    digest: str
    canonical: bytes


class _Raw:
    """Facts as they came, known by their digest: nodes of one image send the same, which is then read once."""

    __slots__ = ("data", "digest")

    def __init__(self, data: object) -> None:
        self.data = data
        try:
            self.digest = hashlib.sha256(json.dumps(data).encode()).digest()
        except RecursionError:
            raise Invalid("facts: they are nested too deeply") from None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Raw) and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)


def _read(data: object) -> _Read:
    return _remembered(_Raw(data))


@functools.lru_cache(maxsize=32)
def _remembered(raw: _Raw) -> _Read:
    facts = facts_reading.parse(raw.data)
    # What was sent is read, and then only in the way.
    raw.data = None
    return _Read(facts=facts, digest=facts_form.digest(facts), canonical=facts_form.canonical(facts))


def _overlay(report: Mapping[str, Any], operation: str) -> Overlay:
    """Return what the operation left on top of the facts: two members of the report that it may do without."""
    failed = report.get("failed", {})
    if not isinstance(failed, dict) or len(failed) > _TITLES_MAX:
        raise Invalid(f"failed: expected an object of at most {_TITLES_MAX} reasons by title")
    for title, reason in failed.items():
        _check_title("failed", title)
        _check_title(f"failed[{title!r}]", reason)
    waiting = report.get("pendingReboot", [])
    if not isinstance(waiting, list) or len(waiting) > _TITLES_MAX:
        raise Invalid(f"pendingReboot: expected a list of at most {_TITLES_MAX} titles")
    for title in waiting:
        _check_title("pendingReboot", title)
    return Overlay(
        pending_reboot=tuple(sorted(set(waiting))),
        failed=tuple(Failure(title=title, reason=failed[title]) for title in sorted(failed)),
        after_install=operation == _INSTALL,
    )


def _check_title(name: str, text: object) -> None:
    if not isinstance(text, str) or not text.isprintable() or not 0 < len(text) <= _TITLE_MAX:
        raise Invalid(f"{name}: {text!r:.100} is no text of 1 to {_TITLE_MAX} printable characters")


def _last_without_reboot(
    call: Call, node_id: str, parameters: Mapping[str, Any], ended_at: datetime
) -> datetime | None:
    """Return when the last installation without a reboot ended, be it this one."""
    if parameters["Operation"] == _INSTALL and parameters["RebootOption"] == _NO_REBOOT:
        return ended_at
    return call.work.patch_states.last_no_reboot_install(node_id)


def _open(call: Call, command_id: str, node_id: str, *, is_reporting: bool = False) -> tuple[Command, Node]:
    """Return the command and the node, while the command is open on the node."""
    # Locked, so that nobody moves the node to another group while it is put where its tags say.
    node = call.work.nodes.lock(node_id) if is_reporting else call.work.nodes.get(node_id)
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


def _verdict(call: Call, node_id: str, group: str, evaluation: StoredEvaluation) -> Answer:
    counts, question = evaluation.counts, evaluation.question
    baseline = call.work.baselines.revision(question.baseline_id, question.baseline_revision)
    assert baseline is not None, "revisions are never deleted"
    bad = call.work.evaluations.patches(evaluation.evaluation_id) or ()
    return {
        "nodeId": node_id,
        "status": str(counts.status),
        "baselineId": question.baseline_id,
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
            for entry in islice((entry for entry in bad if entry.state is PatchState.MISSING), _MISSING_MAX)
        ],
    }
