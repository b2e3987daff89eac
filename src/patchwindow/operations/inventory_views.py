"""What is known of nodes by type of inventory: reported content, and content that is drawn.

What is drawn comes from where all other answers come from: the node itself, its tags, and the evaluation of its last
scan. So no two answers can disagree.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

from patchwindow.domain import inventory
from patchwindow.domain.facts import RPM_MANAGERS, Facts
from patchwindow.domain.inventory import TYPES, Entry
from patchwindow.domain.inventory_filters import Known
from patchwindow.domain.node import Node, PingStatus
from patchwindow.domain.rpm_version import split
from patchwindow.operations import compliance
from patchwindow.operations.call import Call
from patchwindow.operations.evaluations import evaluation_of, facts_of
from patchwindow.operations.patch_states import installed_time
from patchwindow.operations.tags import NODE
from patchwindow.protocol.records import to_members
from patchwindow.store.patch_states import PatchState


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """The entries of one type of a node, when they were true, and what they were reported with."""

    version: str
    captured_at: str = ""
    content_hash: str = ""
    entries: Sequence[Entry] = ()


class Views:
    """What is known of some nodes; each kind of it is read once for all of them, when it is first asked for."""

    def __init__(self, call: Call, nodes: Iterable[Node]) -> None:
        self._call = call
        self._nodes = {node.instance_id: node for node in nodes}
        self._tags: Mapping[str, Mapping[str, str]] | None = None
        self._states: Mapping[str, PatchState] | None = None
        self._reported: dict[str, Mapping[str, Content]] = {}
        self._drawn: dict[tuple[str, str], Content | None] = {}
        self._applications: dict[str, Sequence[Entry]] = {}
        self._draw: Final[Mapping[str, Callable[[Node], Content | None]]] = {
            inventory.INSTANCE_INFORMATION: self._information,
            inventory.TAG: self._tag_view,
            inventory.APPLICATION: self._applications_of,
            inventory.PATCH_SUMMARY: self._patch_summary,
            inventory.PATCH_COMPLIANCE: self._patches,
            inventory.COMPLIANCE_ITEM: self._items,
            inventory.COMPLIANCE_SUMMARY: self._summaries,
        }

    def known(self, node_id: str) -> Known:
        """Return what tells the entries of a node by type."""
        return partial(self._entries, node_id)

    def content(self, node_id: str, type_name: str) -> Content | None:
        """Return what is known of a node by a type; None where nothing is."""
        key = (node_id, type_name)
        if key not in self._drawn:
            draw = self._draw.get(type_name)
            drawn = None if draw is None else draw(self._nodes[node_id])
            self._drawn[key] = drawn or self._report(node_id, type_name)
        return self._drawn[key]

    def _entries(self, node_id: str, type_name: str) -> Sequence[Entry]:
        found = self.content(node_id, type_name)
        return () if found is None else found.entries

    def _report(self, node_id: str, type_name: str) -> Content | None:
        if type_name not in self._reported:
            self._reported[type_name] = {
                id: Content(
                    version=item.schema_version,
                    captured_at=item.captured_at,
                    content_hash=item.content_hash,
                    entries=item.entries,
                )
                for id, item in self._call.work.inventory.many(self._nodes, type_name).items()
            }
        return self._reported[type_name].get(node_id)

    def _state(self, node: Node) -> PatchState | None:
        if self._states is None:
            states = self._call.work.patch_states.many(self._nodes)
            self._states = {state.summary.instance_id: state for state in states}
        return self._states.get(node.instance_id)

    def _information(self, node: Node) -> Content:
        is_online = node.ping_status(self._call.now) is PingStatus.ONLINE
        return _content(
            inventory.INSTANCE_INFORMATION,
            node.last_ping_date_time,
            [
                {
                    "AgentType": node.agent_name,
                    "AgentVersion": node.agent_version,
                    "ComputerName": node.computer_name,
                    "InstanceId": node.instance_id,
                    "IpAddress": node.ip_address,
                    "PlatformName": node.platform_name,
                    "PlatformType": node.platform_type,
                    "PlatformVersion": node.platform_version,
                    "ResourceType": NODE,
                    "InstanceStatus": "Active" if is_online else "ConnectionLost",
                }
            ],
        )

    def _tag_view(self, node: Node) -> Content:
        if self._tags is None:
            self._tags = self._call.work.tags.of_many(NODE, self._nodes)
        tags = self._tags.get(node.instance_id, {})
        return _content(inventory.TAG, self._call.now, [{"Key": key, "Value": value} for key, value in tags.items()])

    def _applications_of(self, node: Node) -> Content | None:
        """Return the packages of the last scan; where that told of none, what was reported counts."""
        state = self._state(node)
        if state is None:
            return None
        digest = state.facts_digest
        if digest not in self._applications:
            self._applications[digest] = list(_applications(facts_of(self._call.work, digest)))
        entries = [
            {**entry, "InstalledTime": _time(datetime.fromtimestamp(seconds, UTC))} if seconds else entry
            for entry, seconds in zip(self._applications[digest], state.installed_at, strict=True)
        ]
        return _content(inventory.APPLICATION, state.summary.operation_end_time, entries) if entries else None

    def _patch_summary(self, node: Node) -> Content | None:
        state = self._state(node)
        if state is None:
            return None
        members = to_members(state.summary)
        entry = {
            **members,
            "OperationType": members["Operation"],
            "ExecutionId": state.command_id,
            "NonCompliantSeverity": state.overall_severity,
        }
        return _content(inventory.PATCH_SUMMARY, state.summary.operation_end_time, [entry])

    def _patches(self, node: Node) -> Content | None:
        state = self._state(node)
        if state is None:
            return None
        entries = [
            {
                "Title": entry.title,
                "KBId": entry.kb_id,
                "Classification": entry.classification,
                "Severity": entry.severity,
                "State": entry.state,
                "InstalledTime": _since_1970(installed_time(entry, state.installed_at)),
            }
            for entry in evaluation_of(self._call.work, state).entries
        ]
        return _content(inventory.PATCH_COMPLIANCE, state.summary.operation_end_time, entries)

    def _items(self, node: Node) -> Content | None:
        items = [item for _, item in compliance.items_of(self._call, node.instance_id)]
        entries = [{**item["Details"], **item["ExecutionSummary"], **item} for item in items]
        return _latest(inventory.COMPLIANCE_ITEM, entries)

    def _summaries(self, node: Node) -> Content | None:
        entries = []
        for summary in compliance.resource_summaries_of(self._call, node.instance_id, self._state(node)):
            counts = {
                f"{kind}{name}": count
                for kind in ("Compliant", "NonCompliant")
                for name, count in summary[f"{kind}Summary"]["SeveritySummary"].items()
            }
            entries.append({**summary["ExecutionSummary"], **summary, **counts})
        state = self._state(node)
        if state is not None:
            entries[0] |= {"PatchGroup": state.summary.patch_group, "PatchBaselineId": state.summary.baseline_id}
        return _latest(inventory.COMPLIANCE_SUMMARY, entries)


def _applications(facts: Facts) -> Iterable[Entry]:
    """Yield the packages of *facts* as the agents of the API report them."""
    for package in facts.packages:
        parts = split(package.version) if facts.manager in RPM_MANAGERS else None
        yield {
            "Name": package.name,
            "ApplicationType": package.section,
            "Version": package.version if parts is None else parts.version,
            "Release": "" if parts is None else parts.release,
            "Epoch": "" if parts is None else parts.epoch,
            "Architecture": package.arch,
        }


def _content(type_name: str, at: datetime, entries: Iterable[Mapping[str, Any]]) -> Content:
    """Return entries with the attributes of their type alone, all of them text, and none that is not known."""
    type_ = TYPES[type_name]
    shown = [
        {name: _text(entry[name]) for name in type_.attributes if entry.get(name) is not None} for entry in entries
    ]
    return Content(version=type_.version, captured_at=_time(at), entries=shown)


def _latest(type_name: str, entries: Sequence[Mapping[str, Any]]) -> Content | None:
    """Return the content of *entries*, as of the last of their executions; None where there are none."""
    if not entries:
        return None
    return _content(type_name, max(entry["ExecutionTime"] for entry in entries), entries)


def _text(value: object) -> str:
    return _time(value) if isinstance(value, datetime) else str(value)


def _time(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _since_1970(at: datetime) -> str:
    """Return the time of an installation; nothing for the beginning of 1970, which stands for none."""
    return _time(at) if at.timestamp() else ""
