"""Associations: making, changing and listing them. What came of their runs is told in `association_results.py`."""

import dataclasses
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, Final

from patchwindow.domain.association import INSTANCE_IDS, Association, AssociationStatus
from patchwindow.domain.errors import (
    AlreadyExists,
    DuplicateNode,
    Invalid,
    InvalidAssociation,
    InvalidAssociationVersion,
    InvalidTarget,
    NotFound,
    PatchwindowError,
    Unchanged,
    UnknownNode,
)
from patchwindow.domain.own_document import DEFAULT
from patchwindow.domain.window import Target
from patchwindow.operations.association_check import check
from patchwindow.operations.association_filters import Wanted
from patchwindow.operations.association_items import forget_item
from patchwindow.operations.association_overview import description, listed
from patchwindow.operations.call import Answer, Call, Request, after_number, after_text, bare_id
from patchwindow.operations.documents_found import find
from patchwindow.operations.freezes import freeze_command, from_now
from patchwindow.operations.tags import ASSOCIATION, add_new_tags
from patchwindow.ports import ENGINE
from patchwindow.protocol.pages import Key
from patchwindow.protocol.records import from_members, to_members
from patchwindow.store.associations import StoredAssociation

_PAGE: Final = 50
_BATCH: Final = 100
_LATEST: Final = "$LATEST"
_SCHEDULE: Final = ("schedule_expression", "schedule_offset", "apply_only_at_cron_interval")
_NOT_IN_VERSIONS: Final = ("Date", "InstanceId", "AlarmConfiguration", "Status", "ScheduledAt")


def create(call: Call, request: Request) -> Answer:
    """CreateAssociation: it runs at once, unless ApplyOnlyAtCronInterval has it wait for its schedule."""
    association = _make(call, request)
    add_new_tags(call, ASSOCIATION, association.association_id, request)
    return {"AssociationDescription": description(call, association)}


def create_batch(call: Call, request: Request) -> Answer:
    """CreateAssociationBatch: entries that cannot be made are told with the reason, and the others are made.

    Raises:
        DuplicateNode: two entries name one node by InstanceId; then none is made.
    """
    named = Counter(entry["InstanceId"] for entry in request["Entries"] if "InstanceId" in entry)
    for node_id, count in named.items():
        if count > 1:
            raise DuplicateNode(f"{count} entries name node {node_id} by InstanceId; name it in one, or by Targets")
    made: list[Association] = []
    failed: list[dict[str, Any]] = []
    role = {name: request[name] for name in ("AssociationDispatchAssumeRole",) if name in request}
    for entry in request["Entries"]:
        try:
            made.append(_make(call, {**role, **entry}))
        except PatchwindowError as problem:
            failed.append({"Entry": entry, "Message": str(problem), "Fault": "Client"})
    return {"Successful": [description(call, one) for one in made], "Failed": failed}


def describe(call: Call, request: Request) -> Answer:
    """DescribeAssociation: by its id, in any version; or by the document and the one node that it was made for."""
    association = _found(call, request)
    version = request.get("AssociationVersion", _LATEST)
    if version not in (_LATEST, association.association_version):
        known = call.work.associations.version(association.association_id, int(version))
        if known is None:
            raise InvalidAssociationVersion(
                f"association {association.association_id} has no version {version}; "
                f"its latest is {association.association_version}"
            )
        association = known
    return {"AssociationDescription": description(call, association)}


def update(call: Call, request: Request) -> Answer:
    """UpdateAssociation: a new version of what is given; every member that is left out, Name included, becomes absent."""
    stored = _locked(call, request["AssociationId"])
    before = stored.association
    version = int(before.association_version)
    if request.get("AssociationVersion", _LATEST) not in (_LATEST, before.association_version):
        raise InvalidAssociationVersion(
            f"AssociationVersion is {request['AssociationVersion']}, and the latest is {version}: somebody else changed "
            f"association {before.association_id}; look at it again, or leave AssociationVersion out"
        )
    call.site.quotas.check("versions-per-association", version + 1)
    after = from_members(
        Association,
        _others(request),
        targets=_read_targets(request) or None,
        association_version=str(version + 1),
        instance_id=before.instance_id,
        date=before.date,
        last_update_association_date=call.now,
        scheduled_at=call.now,
        status=before.status,
    )
    keeps_schedule = all(getattr(before, name) == getattr(after, name) for name in _SCHEDULE)
    if keeps_schedule:
        after = dataclasses.replace(after, scheduled_at=before.scheduled_at)
    check(call, after, request)
    # The engine may be about to run it for an instant that has come; no change of another member makes that vanish.
    is_due = keeps_schedule and stored.next_run_at is not None and stored.next_run_at <= call.now
    next_run_at = stored.next_run_at if is_due else _next_run(call, after)
    _keep(call, after, is_wanted=stored.is_wanted or after.runs_at_once, next_run_at=next_run_at)
    return {"AssociationDescription": description(call, after)}


def delete(call: Call, request: Request) -> Answer:
    """DeleteAssociation: with its versions, its runs and what they said of nodes; what was sent runs to its end."""
    id = _found(call, request).association_id
    _locked(call, id)
    for node_id in sorted(call.work.association_runs.nodes_of(id)):
        forget_item(call.work, id, node_id)
    call.work.associations.delete(id)
    call.work.tags.remove_all(ASSOCIATION, id)
    return {}


def list_associations(call: Call, request: Request) -> Answer:
    """ListAssociations: all filters together; LastExecutedBefore and LastExecutedAfter are instants.

    Agents of old ask so for what they are to carry out, which is nothing: see `agents.list_associations`.
    """
    if call.caller.node_id is not None:
        return {"Associations": []}
    wanted = Wanted.of(call, request.get("AssociationFilterList") or ())

    def fetch(after: Key | None, limit: int) -> Sequence[Association]:
        return list(islice(filter(wanted.includes, each(call, after_text(after))), limit))

    return call.pages(
        request,
        "Associations",
        default=_PAGE,
        fetch=fetch,
        key=lambda one: (one.association_id,),
        shape=lambda one: listed(call, one),
    )


def list_versions(call: Call, request: Request) -> Answer:
    """ListAssociationVersions: the first first."""
    id = request["AssociationId"]
    existing(call, id)
    return call.pages(
        request,
        "AssociationVersions",
        default=_PAGE,
        fetch=lambda after, limit: call.work.associations.versions(id, after=after_number(after), limit=limit),
        key=lambda one: (int(one.association_version),),
        shape=_version,
    )


def start_once(call: Call, request: Request) -> Answer:
    """StartAssociationsOnce: all of them, or none where one does not exist, or names no document.

    Raises:
        NotFound: an association does not exist.
        InvalidAssociation: its last update left its document out.
    """
    for id in request["AssociationIds"]:
        if not call.work.associations.want(id, call.now):
            raise _unknown(id)
        if existing(call, id).name is None:
            raise InvalidAssociation(f"association {id} names no document since its last update; update it with Name")
    call.work.wake(ENGINE)
    return {}


def update_status(call: Call, request: Request) -> Answer:
    """UpdateAssociationStatus: what somebody says of an association that was made for one node."""
    association = _of_node(call, request["InstanceId"], request["Name"])
    _locked(call, association.association_id)
    status = from_members(AssociationStatus, request["AssociationStatus"])
    if (
        association.status is not None
        and dataclasses.replace(status, date=association.status.date) == association.status
    ):
        raise Unchanged(
            f"the status of association {association.association_id} is {status.name} already, as told here"
        )
    association = dataclasses.replace(association, status=status)
    call.work.associations.rewrite(association)
    return {"AssociationDescription": description(call, association)}


def existing(call: Call, association_id: str) -> Association:
    """Return the association in its latest version.

    Raises:
        NotFound: there is none of this id.
    """
    stored = call.work.associations.get(association_id)
    if stored is None:
        raise _unknown(association_id)
    return stored.association


def each(call: Call, after: str = "") -> Iterator[Association]:
    """Yield the associations whose ids come after *after*, in order of id."""
    while batch := call.work.associations.page(after=after, limit=_BATCH):
        yield from batch
        after = batch[-1].association_id


def using(call: Call, document_name: str) -> Iterator[Association]:
    """Yield the associations that run the document, in order of id."""
    return (one for one in each(call) if one.name is not None and bare_id(one.name) == document_name)


def under(call: Call, calendar: str) -> Iterator[Association]:
    """Yield the associations that run only while the calendar is open, in order of id."""
    return (one for one in each(call) if calendar in map(bare_id, one.calendar_names or ()))


def heed_change(call: Call, calendar: str) -> None:
    """Let what associations run stop where the calendar, which has changed, is closed now."""
    for association in under(call, calendar):
        found = from_now(call.work, association.calendar_names or (), call.now)
        for run in call.work.association_runs.lock_open(association.association_id):
            if found.freeze is not None and run.command_id is not None:
                freeze_command(call, run.command_id, max(found.freeze.starts_at, call.now))


def run_with_new_default(call: Call, document_name: str) -> None:
    """Let associations run that take the default version of the document, which is another now.

    Those that run only by their schedule wait for it.  Source: State Manager, "when are associations applied".
    """
    for association in using(call, document_name):
        if association.document_version in (None, DEFAULT) and association.runs_at_once:
            call.work.associations.want(association.association_id, call.now)
    call.work.wake(ENGINE)


def _make(call: Call, request: Request) -> Association:
    association = from_members(
        Association,
        _others(request),
        association_id=call.ids.uuid(),
        targets=_targets(request),
        date=call.now,
        last_update_association_date=call.now,
        scheduled_at=call.now,
    )
    check(call, association, request)
    node_id, name = association.instance_id, request["Name"]
    if node_id is not None and call.work.associations.of_node(node_id, name) is not None:
        raise AlreadyExists(f"node {node_id} has an association with {name} already; update that, or delete it first")
    call.site.quotas.check("associations", call.work.associations.count() + 1)
    _keep(call, association, is_wanted=association.runs_at_once, next_run_at=_next_run(call, association))
    return association


def _targets(request: Request) -> tuple[Target, ...]:
    """Return the targets of a new association; the legacy member that names one node is a target, too."""
    node_id, targets = request.get("InstanceId"), _read_targets(request)
    if (node_id is None) == (not targets):
        raise InvalidTarget("name the nodes by Targets, or one of them by InstanceId: one of the two, and not both")
    return targets if node_id is None else (Target(key=INSTANCE_IDS, values=(node_id,)),)


def _read_targets(request: Request) -> tuple[Target, ...]:
    """Return the targets of a request; the model demands neither of their members."""
    targets = request.get("Targets") or ()
    for place, member in enumerate(targets):
        if "Key" not in member:
            raise InvalidTarget(f"Targets[{place}] has no Key; give it one such as InstanceIds or tag:<key>")
    return tuple(from_members(Target, {"Values": (), **member}) for member in targets)


def _others(request: Request) -> Request:
    return {name: value for name, value in request.items() if name != "Targets"}


def _keep(call: Call, association: Association, *, is_wanted: bool, next_run_at: datetime | None) -> None:
    call.work.associations.put(association, is_wanted=is_wanted, next_run_at=next_run_at, wake_at=call.now)
    call.work.wake(ENGINE)


def _next_run(call: Call, association: Association) -> datetime | None:
    timing = association.timing()
    return None if timing is None else timing.next_opening(call.now)


def _found(call: Call, request: Request) -> Association:
    if "AssociationId" in request:
        return existing(call, request["AssociationId"])
    if "InstanceId" not in request or "Name" not in request:
        raise Invalid("name the association by AssociationId, or by Name and InstanceId together")
    return _of_node(call, request["InstanceId"], request["Name"])


def _of_node(call: Call, node_id: str, name: str) -> Association:
    found = call.work.associations.of_node(node_id, name)
    if found is None:
        find(call.work, name)
        if call.work.nodes.get(node_id) is None:
            raise UnknownNode(f"there is no managed node {node_id}; check its id")
        raise NotFound(f"node {node_id} has no association with {name}")
    return found


def _locked(call: Call, association_id: str) -> StoredAssociation:
    stored = call.work.associations.lock(association_id)
    if stored is None:
        raise _unknown(association_id)
    return stored


def _unknown(association_id: str) -> NotFound:
    return NotFound(f"association {association_id} does not exist")


def _version(association: Association) -> Mapping[str, Any]:
    members = to_members(association)
    members["CreatedDate"] = members.pop("LastUpdateAssociationDate")
    return {name: value for name, value in members.items() if name not in _NOT_IN_VERSIONS}
