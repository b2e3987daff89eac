"""Nodes that are forgotten: in no window, in no group, not heard of, not scanned."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final

from patchwindow.checks.codes import CheckCode, found
from patchwindow.checks.openings import minute, opens_again
from patchwindow.checks.snapshot import Node, Run, Snapshot, Window
from patchwindow.domain.patch_group import TAG_KEYS
from patchwindow.plans.codes import PlanCode
from patchwindow.plans.finding import Finding

INSTALL: Final = "Install"
_MISSED_MAX: Final = 2


def in_no_window(snapshot: Snapshot) -> Iterator[Finding]:
    """Yield nodes on which no task of an enabled window runs that opens again, and no association installs."""
    windows = [window for window in snapshot.windows if opens_again(window, snapshot.taken_at)]
    reached = frozenset[str]().union(*(window.nodes for window in windows))
    patched = frozenset[str]().union(*(each.nodes for each in snapshot.associations if each.operation == INSTALL))
    for id, node in snapshot.nodes.items():
        if id in reached or id in patched:
            continue
        scanning = [str(each) for each in snapshot.associations if id in each.nodes]
        alone = f"; {scanning[0]} scans it, and installs nothing" if scanning else ""
        formerly = [str(window) for window in snapshot.windows if id in window.nodes]
        but = f", but for {formerly[0]}, which is disabled or never opens again" if formerly else ""
        sentence = f"no task of any window runs on it{but}, so it is never patched by one{alone}"
        remedy = "give it the tags that a target of a window asks for, or deregister it"
        yield found(CheckCode.NODE_IN_NO_WINDOW, node, sentence, remedy)


def patched_outside_windows(snapshot: Snapshot) -> Iterator[Finding]:
    """Yield associations that install: they know no window, so no end and no cutoff."""
    for each in snapshot.associations:
        if each.operation == INSTALL:
            count = len(each.nodes)
            whom = f"{count} node{'' if count == 1 else 's'}"
            sentence = f"it installs on {whom} outside of windows, so it knows no end and no cutoff"
            remedy = "make it a task of a window, or let it scan"
            yield found(PlanCode.INSTALLS_OUTSIDE_WINDOWS, each, sentence, remedy)


def in_no_group(nodes: Iterable[Node]) -> Iterator[Finding]:
    """Yield nodes without the tag that says the patch group."""
    for node in nodes:
        if node.group is None:
            sentence = f"it has no tag {TAG_KEYS[0]!r}, so its operating system's default baseline decides"
            remedy = f"tag it with the group that it belongs to: patchwindow nodes tag {node.id} '{TAG_KEYS[0]}=NAME'"
            yield found(CheckCode.NODE_WITHOUT_GROUP, node, sentence, remedy)


def in_unknown_group(snapshot: Snapshot) -> Iterator[Finding]:
    """Yield nodes whose group has no baseline for their operating system."""
    systems = defaultdict(set)
    for group in snapshot.groups:
        systems[group.name].add(group.system)
    for node in snapshot.nodes.values():
        if node.group is None or (node.group in systems and node.system in {None, *systems[node.group]}):
            continue
        named = f"Patch Group {node.group!r}" if node.group else "patch group"
        known = f"for {node.system} " if node.group in systems else ""
        sentence = (
            f"no baseline {known}is registered with its {named}, so its operating system's default baseline decides"
        )
        remedy = "correct the tag, or register the group: patchwindow groups register GROUP BASELINE"
        yield found(CheckCode.NODE_IN_UNKNOWN_GROUP, node, sentence, remedy)


def missed_windows(snapshot: Snapshot) -> Iterator[Finding]:
    """Yield nodes that took part in neither of the last two runs that were to reach them."""
    runs: dict[str, list[tuple[datetime, Window, bool]]] = defaultdict(list)
    for window in snapshot.windows:
        for run in window.runs:
            for id in _meant(snapshot, window, run):
                is_missed = id in run.missed or id not in run.took_part
                runs[id].append((run.started_at, window, is_missed))
    for id, node in snapshot.nodes.items():
        last = sorted(runs[id], key=lambda each: each[0], reverse=True)[:_MISSED_MAX]
        if len(last) == _MISSED_MAX and all(is_missed for _, _, is_missed in last):
            told = " and ".join(f"{window} at {minute(at)}" for at, window, _ in last)
            sentence = f"it missed its last two windows: {told}"
            remedy = f"see why: patchwindow windows missed {last[0][1].id}"
            yield found(CheckCode.NODE_MISSED_WINDOWS, node, sentence, remedy)


def _meant(snapshot: Snapshot, window: Window, run: Run) -> frozenset[str]:
    """Return the nodes that *run* was to reach; where a task did not begin, those that it would reach today."""
    asked = run.took_part | run.missed
    if not run.has_idle_tasks:
        return asked
    there = (snapshot.nodes[id] for id in window.nodes if id in snapshot.nodes)
    return asked | {node.id for node in there if _was_there(node, run.started_at)}


def _was_there(node: Node, at: datetime) -> bool:
    return node.registered_at is not None and node.registered_at < at


def not_scanned(snapshot: Snapshot) -> Iterator[Finding]:
    """Yield nodes whose last scan is old, or that were never scanned."""
    for node in snapshot.nodes.values():
        remedy = f"scan it: patchwindow scan --node {node.id}"
        if node.scanned_at is None:
            sentence = "it was never scanned, so nobody knows what it misses"
        elif snapshot.taken_at - node.scanned_at >= snapshot.stale_after:
            days = (snapshot.taken_at - node.scanned_at).days
            sentence = f"it was scanned {days} days ago, at {minute(node.scanned_at)}"
        else:
            continue
        yield found(CheckCode.NODE_NOT_SCANNED, node, sentence, remedy)


def lost(nodes: Iterable[Node]) -> Iterator[Finding]:
    """Yield nodes whose agent is not heard of."""
    for node in nodes:
        if node.ping_status != "Online":
            since = f" since {minute(node.last_ping_at)}" if node.last_ping_at else ""
            sentence = f"its agent is {node.ping_status or 'not heard of'}{since}, so no window reaches it"
            remedy = "start the machine or its agent, or deregister a machine that is gone"
            yield found(CheckCode.NODE_LOST, node, sentence, remedy)
