"""Nodes, told by DescribeInstanceInformation, whose filters also say which of them carry a tag."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from patchwindow.checks.asking import Asking, batches
from patchwindow.checks.snapshot import Group, Node, Topic
from patchwindow.domain.operating_system import from_platform, product
from patchwindow.domain.patch_group import TAG_KEYS, group_of

# The largest page, and the most ids that one request about patch states takes.
_PAGE: Final = 50


class Fleet:
    """The nodes, and which of them fit a filter; each filter is asked once."""

    def __init__(self, ask: Asking, ask_groups: Asking) -> None:
        self._ask = ask
        self._ask_groups = ask_groups
        self._known: dict[tuple[Topic, str, tuple[str, ...]], frozenset[str]] = {}
        self.entries = {str(entry["InstanceId"]): entry for entry in self._list(Topic.NODES, [])}

    def fitting(self, topic: Topic, key: str, values: Iterable[str]) -> frozenset[str]:
        """Return the nodes for which the filter *key* has one of *values*."""
        asked = (topic, key, tuple(values))
        if asked not in self._known:
            listed = self._list(topic, [{"Key": key, "Values": list(asked[2])}]) if asked[2] else ()
            self._known[asked] = frozenset(str(entry["InstanceId"]) for entry in listed)
        return self._known[asked]

    def meant(self, targets: Iterable[Mapping[str, Any]]) -> frozenset[str]:
        """Return the nodes that *targets*, in the form of the API, mean now: those that fit all of them."""
        sets = [nodes for target in targets for nodes in self._meant(target)]
        return frozenset(self.entries).intersection(*sets) if sets else frozenset()

    def _meant(self, target: Mapping[str, Any]) -> Iterator[frozenset[str]]:
        key, values = str(target["Key"]), [str(value) for value in target.get("Values", ())]
        match key:
            case "InstanceIds":
                yield frozenset(self.entries if "*" in values else values)
            case "tag-key":
                # All of them must be there; as one filter they would be alternatives.
                yield from (self.fitting(Topic.TARGETS, key, [value]) for value in values)
            case "resource-groups:Name":
                yield from (self._members(value) for value in values)
            case "resource-groups:ResourceTypeFilters":
                # It narrows the group beside it to nodes, which is all that is looked at here.
                return
            case _:
                yield self.fitting(Topic.TARGETS, key, values)

    def _members(self, group: str) -> frozenset[str]:
        told = self._ask_groups.pages(Topic.TARGETS, "ListGroupResources", "ResourceIdentifiers", Group=group)
        return frozenset(str(each["ResourceArn"]).rpartition("/")[2] for each in told)

    def _list(self, topic: Topic, filters: list[dict[str, Any]]) -> list[dict[str, Any]]:
        members = {"Filters": filters} if filters else {}
        return self._ask.pages(
            topic, "DescribeInstanceInformation", "InstanceInformationList", MaxResults=_PAGE, **members
        )


def read_nodes(ask: Asking, fleet: Fleet, groups: Iterable[Group]) -> dict[str, Node]:
    """Return the nodes with their groups and their last scans."""
    scans = {
        str(state["InstanceId"]): state
        for ids in batches(fleet.entries, _PAGE)
        for state in ask.pages(Topic.SCANS, "DescribeInstancePatchStates", "InstancePatchStates", InstanceIds=ids)
    }
    named = _groups(ask, fleet, {group.name for group in groups}, scans)
    return {
        id: replace(_node(entry, scans.get(id, {}).get("OperationEndTime")), group=named.get(id))
        for id, entry in fleet.entries.items()
    }


def _groups(
    ask: Asking, fleet: Fleet, registered: Iterable[str], scans: Mapping[str, Mapping[str, Any]]
) -> dict[str, str]:
    """Return the patch group of each node that carries a tag for it.

    The tags of nodes cannot be listed together, so each registered group is asked for; of what is left, which is in a group
    that no baseline knows, the tags are read one by one.  AWS does not tell those of its own instances here: there the
    group of the last scan stands in, empty where there was none.
    """
    found: dict[str, str] = {}
    # Of two tags the first goes before.
    for key in reversed(TAG_KEYS):
        carriers = fleet.fitting(Topic.NODE_TAGS, "tag-key", [key])
        left = set(carriers)
        for name in sorted(registered) if carriers else ():
            members = fleet.fitting(Topic.NODE_TAGS, f"tag:{key}", [name])
            found |= dict.fromkeys(members, name)
            left -= members
        for id in sorted(left):
            found[id] = _own_group(ask, id) or str(scans.get(id, {}).get("PatchGroup", ""))
    return found


def _own_group(ask: Asking, id: str) -> str | None:
    if not id.startswith("mi-"):
        return None
    told = ask.pages(Topic.NODE_TAGS, "ListTagsForResource", "TagList", ResourceType="ManagedInstance", ResourceId=id)
    return group_of({tag["Key"]: tag["Value"] for tag in told})


def _node(entry: Mapping[str, Any], scanned_at: datetime | None) -> Node:
    version = str(entry.get("PlatformVersion", ""))
    system = from_platform(str(entry.get("PlatformName", "")), version)
    return Node(
        id=str(entry["InstanceId"]),
        name=str(entry.get("Name") or entry.get("ComputerName") or ""),
        ping_status=str(entry.get("PingStatus", "")),
        last_ping_at=entry.get("LastPingDateTime"),
        system=system,
        product="" if system is None else product(system, version),
        agent_version=str(entry.get("AgentVersion", "")),
        has_latest_agent=entry.get("IsLatestVersion"),
        registered_at=entry.get("RegistrationDate"),
        scanned_at=scanned_at,
    )
