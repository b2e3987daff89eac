"""Overrides: what a patch operation is told to go by instead of its baseline, fetched before it gets its order.

A baseline override is fetched once for all nodes of a snapshot, outside of any transaction, and frozen with it: later edits
of the file are not seen.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import yaml

from patchwindow.domain.baseline import Baseline
from patchwindow.domain.errors import Invalid
from patchwindow.domain.node import Node
from patchwindow.domain.operating_system import OperatingSystem, from_platform
from patchwindow.domain.override import InstallList, entry_for, install_list_of
from patchwindow.domain.patch_group import group_of
from patchwindow.operations import install_orders, reports, snapshots
from patchwindow.operations.call import Answer, Call
from patchwindow.operations.report_reading import INSTALL
from patchwindow.operations.service import Service
from patchwindow.operations.tags import NODE
from patchwindow.protocol.service import load_operations

Fetch = Callable[[str, int], bytes]
"""Returns what a URL names, if that is no larger than so many bytes; raises `Invalid` otherwise."""

BASELINES_MAX: Final = 1024 * 1024
LIST_MAX: Final = 128 * 1024
"""Bytes of a file of baselines, and of one of patches to install."""

_OPERATION: Final = "AmazonSSM.GetDeployablePatchSnapshotForInstance"
_SOME_NODE: Final = "mi-00000000000000000"
_SOME_ID: Final = "00000000-0000-0000-0000-000000000000"
_NAMES: Final = {"Name": re.compile(r"[a-zA-Z0-9_.-]{3,128}"), "BaselineId": re.compile(r"[a-zA-Z0-9_:/-]{3,128}")}
_PROBLEM_LIFE: Final = timedelta(seconds=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lacking:
    """What an order waits for: a snapshot to be made, or a list to be fetched."""

    basis: snapshots.Basis | None = None
    list_url: str = ""


class Overrides:
    """What stands between a node that asks for its order and the order: what it goes by is fetched and frozen first.

    One thread at a time may freeze; who comes after finds what is frozen.
    """

    def __init__(self, service: Service, fetch: Fetch) -> None:
        self._service = service
        self._fetch = fetch
        self._problem: tuple[str, datetime, str] | None = None

    def look(self, command_id: str, node_id: str, part: str = "") -> Answer | Lacking:
        """Return the order of this command, or of this part of it, for this node, or what it waits for.

        Raises:
            Denied: the command has ended on the node, too long ago for a report.
            Invalid: it has overrides that no operation can have.
        """
        with self._service.call_of_node(node_id, writes=False) as call:
            lacking = _lacking(call, command_id, node_id, part)
            return lacking or install_orders.order(call, command_id, node_id, part)

    def freeze(self, command_id: str, node_id: str, part: str = "") -> Answer:
        """Freeze what the order waits for, unless somebody has done so meanwhile, and return the order.

        Raises:
            Denied: the command has ended on the node, too long ago for a report.
            Invalid: an override cannot be fetched, or is none for this node.
        """
        found = self.look(command_id, node_id, part)
        # A snapshot first, and then perhaps a list.
        while isinstance(found, Lacking):
            self._supply(found, command_id, node_id)
            found = self.look(command_id, node_id, part)
        return found

    def _supply(self, lacking: Lacking, command_id: str, node_id: str) -> None:
        if lacking.basis is None:
            patches = install_list_in(self._fetched(lacking.list_url, LIST_MAX))
            with self._service.call_of_node(node_id, writes=True) as call:
                call.work.patch_operations.put_list(command_id, patches)
            return
        basis = lacking.basis
        override = None
        if basis.url:
            override = baseline_of(self._fetched(basis.url, BASELINES_MAX), basis.key.operating_system)
        with self._service.call_of_node(node_id, writes=True) as call:
            snapshots.freeze(call.work, basis.key, call.now, override)

    def _fetched(self, url: str, bytes_max: int) -> bytes:
        """Return what *url* names; where it could not be had just now, many nodes are told so without a new attempt."""
        now = self._service.clock.now()
        if self._problem is not None and self._problem[0] == url and now < self._problem[1]:
            raise Invalid(self._problem[2])
        try:
            return self._fetch(url, bytes_max)
        except Invalid as problem:
            self._problem = (url, now + _PROBLEM_LIFE, str(problem))
            raise


def _lacking(call: Call, command_id: str, node_id: str, part: str) -> Lacking | None:
    """Return what the order of a command on a node waits for, if for anything."""
    command, node, _ = reports.sent_to(call, command_id, node_id)
    parameters = reports.parameters_of(command, part)
    basis = _basis(call, command_id, node, parameters)
    if basis is not None and snapshots.find(call.work, basis.key, call.now) is None:
        return Lacking(basis=basis)
    url = parameters["InstallOverrideList"]
    # A scan ignores the list.
    if url and parameters["Operation"] == INSTALL and call.work.patch_operations.list_of(command_id) is None:
        return Lacking(list_url=url)
    return None


def _basis(call: Call, command_id: str, node: Node, parameters: Mapping[str, Any]) -> snapshots.Basis | None:
    """Return by which snapshot a command with these *parameters* goes on the node, if by any."""
    system = from_platform(node.platform_name or "", node.platform_version or "")
    if system is None and not parameters.get("BaselineOverride"):
        # Its report may tell.
        return None
    group = group_of(call.work.tags.of(NODE, node.instance_id)) or ""
    return snapshots.basis_of(call, command_id, parameters, system or snapshots.system_of(node), group)


def baseline_of(content: bytes, system: OperatingSystem) -> Baseline:
    """Return the baseline for nodes of *system* in a file of baselines, which are written as GetPatchBaseline answers.

    Raises:
        Invalid: it is no such file, or none of them, or several, are for the system, or the one may not stand so.
    """
    try:
        entries = json.loads(content)
    except (ValueError, RecursionError) as problem:
        raise Invalid(f"the baseline override is no JSON: {problem}") from None
    entry = entry_for(entries, system)
    # The same checks as where the API takes an override as a member.
    checked = load_operations()[_OPERATION].read(
        {"InstanceId": _SOME_NODE, "SnapshotId": _SOME_ID, "BaselineOverride": entry}
    )
    named = {name: entry.get(name) for name in _NAMES}
    names = {name: text for name, text in named.items() if isinstance(text, str) and _NAMES[name].fullmatch(text)}
    return snapshots.override_of({**names, **checked["BaselineOverride"]}, system)


def install_list_in(content: bytes) -> InstallList:
    """Return the patches that a file names as those to install.

    Raises:
        Invalid: it is no such file.
    """
    try:
        data: Any = yaml.load(content, Loader=_Loader)  # noqa: S506  (the loader is a safe one)
    except (yaml.YAMLError, ValueError, RecursionError) as problem:
        raise Invalid(f"the install override list is no YAML: {' '.join(str(problem).split())}") from None
    return install_list_of(data)


class _Loader(yaml.SafeLoader):
    """The safe loader, for texts without aliases, by which a short one can stand for one that fits in no memory.

    Not the loader in C, which deep nesting brings down, and the process with it.
    """

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise yaml.MarkedYAMLError(problem="found an alias; write it out")
        return super().compose_node(parent, index)
