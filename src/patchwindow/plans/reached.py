"""Which nodes windows of a plan reach before and after its changes, and when they open next."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from patchwindow.client import SsmClient, pages
from patchwindow.domain.operating_system import OperatingSystem, from_platform
from patchwindow.domain.patch_group import TAG_KEYS
from patchwindow.plans.apply import Comparison
from patchwindow.plans.check_windows import installs
from patchwindow.plans.closing import openings_of, skipped
from patchwindow.plans.difference import Action, Change
from patchwindow.plans.state import Address, Kind

_NODE_IDS: Final = "InstanceIds"


def next_opening(comparison: Comparison, name: str, now: datetime) -> datetime | None:
    """Return the next opening of a window after the changes that no freeze gives up, None where a year has none."""
    window = comparison.plan.windows.get(name)
    if window is None or not window.enabled:
        return None
    openings = list(openings_of(window, now))
    given_up = {at for at, _ in skipped(comparison.plan, window, openings)}
    return next((at.astimezone(UTC) for at in openings if at.astimezone(UTC) not in given_up), None)


class Nodes:
    """Nodes by what targets ask for; what was asked once is not asked again."""

    def __init__(self, client: SsmClient) -> None:
        self._client = client
        self._known: dict[str, frozenset[str]] = {}
        self._systems: dict[str, OperatingSystem | None] = {}

    def reached(self, comparison: Comparison, window: str, *, is_after: bool) -> frozenset[str]:
        """Return the nodes for which an enabled *window* opens, before the changes or after them."""
        targets = (each.address.path[1] for each in comparison.changes if each.address.kind is Kind.TARGET)
        return self._of(comparison, window, targets, is_after=is_after)

    def patched(self, comparison: Comparison, window: str) -> frozenset[str]:
        """Return the nodes on which an enabled *window* of the plan installs after the changes."""
        planned = comparison.plan.windows[window]
        tasks = (task for task in planned.tasks.values() if installs(task))
        targets = {name for task in tasks for name in task.targets or planned.targets}
        return self._of(comparison, window, targets, is_after=True)

    def of_group(self, group: str, system: str) -> frozenset[str]:
        """Return the nodes of an operating system in a patch group, or in none where *group* is empty."""
        if group:
            found = frozenset().union(*(self._matching([_filter(f"tag:{key}", group)]) for key in TAG_KEYS))
        else:
            found = self._matching([]).difference(*(self._matching([_filter("tag-key", key)]) for key in TAG_KEYS))
        # Of which system a node is that never said so, nobody knows.
        return frozenset(id for id in found if self._systems[id] in {None, system})

    def _of(self, comparison: Comparison, window: str, targets: Iterable[str], *, is_after: bool) -> frozenset[str]:
        changes = {change.address: change for change in comparison.changes}
        own = changes.get(Address(Kind.WINDOW, (window,)))
        if own is None or not _state(own, is_after=is_after).get("Enabled", False):
            return frozenset()
        addresses = (Address(Kind.TARGET, (window, target)) for target in set(targets))
        told = (_state(changes[address], is_after=is_after) for address in addresses if address in changes)
        return frozenset().union(*(self._matching(target["Targets"]) for target in told if target))

    def _matching(self, targets: Sequence[Mapping[str, Any]]) -> frozenset[str]:
        """Return the managed nodes that a target means; those that it names by id need no question."""
        keys = {target["Key"] for target in targets}
        if keys == {_NODE_IDS}:
            return frozenset(id for target in targets for id in target["Values"])
        if not all(_is_filter(target) for target in targets):
            # A target that was registered by hand, in a way that plans do not have.
            return frozenset()
        key = str(targets)
        if key not in self._known:
            filters = [{"Key": target["Key"], "Values": list(target["Values"])} for target in targets]
            entries = pages(self._client, "DescribeInstanceInformation", "InstanceInformationList", Filters=filters)
            systems = {entry["InstanceId"]: _system(entry) for entry in entries}
            self._systems |= systems
            self._known[key] = frozenset(systems)
        return self._known[key]


def _is_filter(target: Mapping[str, Any]) -> bool:
    """Say whether *target* asks the same as a filter does; of several keys of tags a target wants all, and a filter any."""
    return str(target["Key"]).startswith("tag:") or (target["Key"] == "tag-key" and len(target["Values"]) == 1)


def _filter(key: str, value: str) -> dict[str, Any]:
    return {"Key": key, "Values": [value]}


def _system(entry: Mapping[str, Any]) -> OperatingSystem | None:
    return from_platform(str(entry.get("PlatformName", "")), str(entry.get("PlatformVersion", "")))


def _state(change: Change, *, is_after: bool) -> Mapping[str, Any]:
    """Return the members of a resource before or after a change; empty where it is not there."""
    if not is_after:
        return change.before
    return {} if change.action is Action.DELETE else change.members
