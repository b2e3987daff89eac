"""Carrying out what was decided about an association, or a run of it: one step is one transaction. No rule is in here."""

import dataclasses
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final

from patchwindow.domain import command, invocation
from patchwindow.domain.association import Association, SyncCompliance
from patchwindow.domain.association_execution import (
    NODE_STATUS_OF,
    SUPERSEDED,
    Event,
    NodeStatus,
    advance,
)
from patchwindow.domain.association_run import Run
from patchwindow.domain.baseline import ComplianceStatus
from patchwindow.domain.errors import Invalid, NotFound
from patchwindow.domain.node import Node
from patchwindow.domain.run import Command
from patchwindow.engine.decide_association import (
    LOOK_EVERY,
    AssociationSnapshot,
    EndRun,
    Hold,
    LookAgain,
    Plan,
    RunSnapshot,
    StartRun,
    TellNodes,
    decide_association,
    decide_run,
)
from patchwindow.operations.association_check import parameters_of
from patchwindow.operations.association_items import REPORTING, Finding, forget_item, put_item
from patchwindow.operations.association_nodes import lacking, nodes_of
from patchwindow.operations.call import bare_id
from patchwindow.operations.documents_found import find
from patchwindow.operations.freezes import from_now
from patchwindow.operations.sending import Order, create_command, request_cancel
from patchwindow.ports import Ids
from patchwindow.store.associations import StoredAssociation
from patchwindow.store.work import Work

_UNLIMITED: Final = "100%"
_DETAILS_MAX: Final = 512


def step_association(work: Work, ids: Ids, association_id: str, now: datetime) -> None:
    """Let the association run if it is to, and say when to look at it again."""
    stored = work.associations.lock(association_id)
    if stored is None:
        return
    for effect in decide_association(_snapshot(work, stored, now), now):
        match effect:
            case Hold(wake_at):
                work.associations.look_again(association_id, wake_at)
            case StartRun():
                _start(work, ids, stored.association, effect, now)
            case Plan(next_run_at, wake_at):
                work.associations.plan(association_id, next_run_at=next_run_at, wake_at=wake_at)


def step_run(work: Work, _: Ids, execution_id: str, now: datetime) -> None:
    """Bring the run as far as its command is, and say when to look at it again."""
    run = work.association_runs.lock(execution_id)
    sent = None if run is None or run.command_id is None else work.commands.get(run.command_id)
    if run is None or sent is None:
        return
    association = work.associations.version(run.association_id, int(run.association_version))
    assert association is not None, "a run goes with the version of its association"
    wake_at: datetime | None = None
    for effect in decide_run(_run_snapshot(work, run, sent), now):
        match effect:
            case TellNodes():
                _tell(work, association, run)
            case EndRun(state, details):
                run = dataclasses.replace(run, status=state, details=details, ended_at=now)
            case LookAgain(instant):
                wake_at = instant
    work.association_runs.put(run, wake_at=wake_at)


def _snapshot(work: Work, stored: StoredAssociation, now: datetime) -> AssociationSnapshot:
    association = stored.association
    return AssociationSnapshot(
        timing=association.timing(),
        next_run_at=stored.next_run_at,
        is_wanted=stored.is_wanted,
        runs_at_once=association.runs_at_once,
        has_run=work.association_runs.latest(association.association_id) is not None,
        closed_until=_closed_until(work, association, now),
        lacking=_lacking(work, association),
    )


def _closed_until(work: Work, association: Association, now: datetime) -> datetime | None:
    try:
        found = from_now(work, association.calendar_names or (), now)
    except (Invalid, NotFound):
        # Whether it may run is not known, so it must not; the calendar may be made again.
        return now + LOOK_EVERY
    return None if found.opens or found.freeze is None else found.freeze.ends_at


def _lacking(work: Work, association: Association) -> tuple[str, ...]:
    try:
        return lacking(work, association) if association.runs_at_once else ()
    except NotFound:
        # The run that comes by the schedule fails and says so; until then the group may be made again.
        return ()


def _run_snapshot(work: Work, run: Run, sent: Command) -> RunSnapshot:
    return RunSnapshot(
        state=run.status,
        created_at=run.created_at,
        status=command.Status(sent.status),
        details=sent.status_details,
        has_news=work.association_runs.open_count(run.execution_id) + sent.completed_count > sent.target_count,
    )


def _start(work: Work, ids: Ids, association: Association, effect: StartRun, now: datetime) -> None:
    """Start a run; where it cannot be sent it fails and says why."""
    run = Run(
        execution_id=ids.uuid(),
        association_id=association.association_id,
        association_version=association.association_version,
        scheduled_at=effect.scheduled_at,
        is_whole=effect.node_ids is None,
        created_at=now,
    )
    if not work.association_runs.start(run, wake_at=None):
        # There is a run for this instant: the clock was set back, or another engine was first.
        return
    if run.is_whole:
        for older in work.association_runs.lock_open(association.association_id):
            if older.execution_id != run.execution_id:
                _supersede(work, association, older, now)
    try:
        nodes = nodes_of(work, association) if effect.node_ids is None else work.nodes.many(effect.node_ids)
        sent = create_command(work, ids, now, _order(work, association, run, now), nodes)
    except (Invalid, NotFound) as problem:
        state = advance(run.status, Event.FAILED)
        run = dataclasses.replace(run, status=state, details=str(problem)[:_DETAILS_MAX], ended_at=now)
        work.association_runs.put(run, wake_at=None)
        return
    state = advance(run.status, Event.BEGUN)
    run = dataclasses.replace(run, status=state, details=state, command_id=sent.command_id)
    work.association_runs.put(run, wake_at=now)
    if run.is_whole:
        _leave_others(work, association, nodes)
    work.association_runs.begin_on(run, (node.instance_id for node in nodes))


def _supersede(work: Work, association: Association, run: Run, now: datetime) -> None:
    """End a run because a newer one begins; what it still has to do is taken back."""
    _tell(work, association, run)
    work.association_runs.close(run.execution_id, NodeStatus.TIMED_OUT, SUPERSEDED, now)
    state = advance(run.status, Event.SUPERSEDED)
    work.association_runs.put(dataclasses.replace(run, status=state, details=SUPERSEDED, ended_at=now), wake_at=None)
    sent = None if run.command_id is None else work.commands.lock(run.command_id)
    if sent is not None:
        request_cancel(work, sent, now)


def _leave_others(work: Work, association: Association, nodes: Iterable[Node]) -> None:
    """Say nothing more about nodes that are no longer among the targets."""
    known = work.association_runs.nodes_of(association.association_id)
    for node_id in sorted(known - {node.instance_id for node in nodes}):
        forget_item(work, association.association_id, node_id)
    work.association_runs.forget_nodes(association.association_id)


def _order(work: Work, association: Association, run: Run, now: datetime) -> Order:
    """Return what is to be sent.

    Raises:
        NotFound: the association has no document, or one that does not exist.
        Invalid: the document has no such version.
    """
    if association.name is None:
        raise NotFound("the association names no document since its last update; update it with Name")
    document = find(work, association.name, association.document_version)
    ends_in = association.duration
    freeze = from_now(work, association.calendar_names or (), now).freeze
    return Order(
        document=document,
        request=_request(work, association),
        targets=association.targets or () if run.is_whole else (),
        cutoff_at=None if ends_in is None else now + timedelta(hours=ends_in),
        frozen_at=None if freeze is None else freeze.starts_at,
    )


def _request(work: Work, association: Association) -> dict[str, Any]:
    """Return the members of SendCommand for a run; what an association does not limit has no limit."""
    request: dict[str, Any] = {
        "Parameters": parameters_of(work, association),
        "MaxConcurrency": association.max_concurrency or _UNLIMITED,
        "MaxErrors": association.max_errors or _UNLIMITED,
        **((association.output_location or {}).get("S3Location") or {}),
    }
    if association.document_version is not None:
        request["DocumentVersion"] = association.document_version
    return request


def _tell(work: Work, association: Association, run: Run) -> None:
    """Note on which nodes the command has ended, and whether they comply, unless somebody else says so."""
    assert run.command_id is not None, "a run in progress has a command"
    ended = work.association_runs.ended(run.execution_id, run.command_id)
    standings = [(one.node_id, NODE_STATUS_OF[invocation.State(one.details)], one.details, one.at) for one in ended]
    work.association_runs.stand(run, standings)
    if association.sync_compliance is SyncCompliance.MANUAL:
        return
    reports = association.name is not None and bare_id(association.name) == REPORTING
    for node_id, status, details, at in standings:
        complies = status is NodeStatus.SUCCESS
        if complies and reports:
            continue
        finding = Finding(
            status=ComplianceStatus.COMPLIANT if complies else ComplianceStatus.NON_COMPLIANT,
            command_id=run.command_id,
            at=at,
            details={"DetailedStatus": details},
        )
        put_item(work, association, node_id, finding)
