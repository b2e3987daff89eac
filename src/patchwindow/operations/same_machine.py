"""One machine under two ids: it was registered again, or it is a copy of another.

A registration always makes a new node. The fingerprint that it brings says which nodes may be one machine, and is no proof:
a copied machine brings that of the original. So nothing goes from one node to another by itself; an operator is shown
the nodes, and says which takes the place of which.
"""

import dataclasses
from typing import Any, Final

from patchwindow.domain.errors import Conflict, Invalid
from patchwindow.domain.node import Node, PingStatus
from patchwindow.domain.window import WindowTarget, WindowTask, names, renamed
from patchwindow.operations import associations, nodes, tags, windows
from patchwindow.operations.call import Answer, Call, Request, after_text
from patchwindow.store.tags import NODE_TAGS

_PAGE: Final = 50
_SHOWN_MAX: Final = 20
"""Of more nodes with one fingerprint, a template of machines was copied after it was registered."""


def list_instances(call: Call, request: Request) -> Answer:
    """ListSameMachineInstances: every node whose fingerprint another has too."""
    return call.pages(
        request,
        "Instances",
        default=_PAGE,
        fetch=lambda after, limit: call.work.nodes.page_of_shared_fingerprints(after=after_text(after), limit=limit),
        key=lambda node: (node.instance_id,),
        shape=lambda node: _shape(call, node),
    )


def replace(call: Call, request: Request) -> Answer:
    """ReplaceInstance: a node goes, and another takes over its tags and stands wherever it was named."""
    former_id, new_id = request["InstanceId"], request["ReplacementId"]
    if former_id == new_id:
        raise Invalid(f"InstanceId and ReplacementId are both {new_id}; name two nodes")
    # In order of id, so that no two who replace the other way round wait for each other.
    found = {node_id: nodes.locked(call, node_id) for node_id in sorted((former_id, new_id))}
    former, new = found[former_id], found[new_id]
    _check_gone(call, former, new)
    kept = call.work.tags.of(NODE_TAGS, former_id)
    if kept:
        tags.add(call, {"ResourceType": NODE_TAGS, "ResourceId": new_id, "Tags": tags.tag_list(kept)})
    if former.name and not new.name:
        nodes.keep(call, dataclasses.replace(new, name=former.name))
    answer = {
        "TagCount": len(kept),
        "WindowCount": _put_into_windows(call, former_id, new_id),
        "AssociationCount": _put_into_associations(call, former_id, new_id),
    }
    nodes.deregister(call, {"InstanceId": former_id})
    return answer


def _check_gone(call: Call, former: Node, new: Node) -> None:
    """Check that the machine of *former* is not there any more, or is that of *new*.

    Raises:
        Conflict: it was heard of since, so there are two machines.
    """
    is_same = bool(former.fingerprint) and former.fingerprint == new.fingerprint
    is_heard_since = former.last_ping_date_time > new.registration_date
    if former.ping_status(call.now) is PingStatus.ONLINE and (is_heard_since or not is_same):
        raise Conflict(
            f"node {former.instance_id} was heard of at {former.last_ping_date_time.isoformat()}, so there are two machines; "
            f"stop its agent and wait until it is {PingStatus.CONNECTION_LOST}, or give {new.instance_id} tags of its own"
        )


def _put_into_windows(call: Call, former_id: str, new_id: str) -> int:
    """Let targets and tasks of windows name the new node in place of the former; return how many windows did."""
    parts: list[WindowTarget | WindowTask] = [*call.work.window_targets.all(), *call.work.window_tasks.all()]
    window_ids = sorted({part.window_id for part in parts if names(part.targets, former_id)})
    for window_id in window_ids:
        windows.locked(call, window_id)
        for target in call.work.window_targets.of_window(window_id):
            renamed_target = dataclasses.replace(target, targets=renamed(target.targets, former_id, new_id))
            call.work.window_targets.put(target.window_target_id, renamed_target)
        for task in call.work.window_tasks.of_window(window_id):
            renamed_task = dataclasses.replace(task, targets=renamed(task.targets, former_id, new_id))
            call.work.window_tasks.put(task.window_task_id, renamed_task)
    return len(window_ids)


def _put_into_associations(call: Call, former_id: str, new_id: str) -> int:
    """Do the same for associations."""
    association_ids = [
        one.association_id
        for one in associations.each(call)
        if one.instance_id == former_id or names(one.targets or (), former_id)
    ]
    for association_id in association_ids:
        held = call.work.associations.lock(association_id)
        assert held is not None, "it is named in this transaction"
        value = held.association
        changed = dataclasses.replace(
            value,
            instance_id=new_id if value.instance_id == former_id else value.instance_id,
            targets=None if value.targets is None else renamed(value.targets, former_id, new_id),
        )
        call.work.associations.put(changed, is_wanted=held.is_wanted, next_run_at=held.next_run_at, wake_at=call.now)
    return len(association_ids)


def others(call: Call, node: Node) -> list[str]:
    """Return the ids of the first of the other nodes that registered with the fingerprint of this one."""
    if not node.fingerprint:
        return []
    found = call.work.nodes.of_fingerprint(node.fingerprint, limit=_SHOWN_MAX + 1)
    return [one.instance_id for one in found if one.instance_id != node.instance_id][:_SHOWN_MAX]


def _shape(call: Call, node: Node) -> dict[str, Any]:
    return {
        "InstanceId": node.instance_id,
        "Name": node.name or node.computer_name,
        "RegistrationDate": node.registration_date,
        "LastPingDateTime": node.last_ping_date_time,
        "PingStatus": node.ping_status(call.now),
        "SameMachineAs": others(call, node),
    }
