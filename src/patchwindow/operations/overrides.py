"""Overrides: what a patch operation is told to go by instead of its baseline, fetched before it gets its order.

A baseline override is fetched once for all nodes of a snapshot, outside of any transaction, and frozen with it: later edits
of the file are not seen.
"""

import json
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

import yaml

from patchwindow.documents import library
from patchwindow.documents.parameters import typed_parameters
from patchwindow.domain.baseline import Baseline
from patchwindow.domain.errors import Invalid
from patchwindow.domain.operating_system import OperatingSystem, from_platform
from patchwindow.domain.override import InstallList, entry_for, install_list_of
from patchwindow.domain.patch_group import group_of
from patchwindow.operations import reports, snapshots
from patchwindow.operations.call import Answer, Call
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


class Overrides:
    """What stands between a node that asks for its order and the order: its snapshot is made first.

    One thread at a time may freeze; who comes after finds what is frozen.
    """

    def __init__(self, service: Service, fetch: Fetch) -> None:
        self._service = service
        self._fetch = fetch
        self._problem: tuple[str, datetime, str] | None = None

    def look(self, command_id: str, node_id: str) -> tuple[Answer, snapshots.Basis | None]:
        """Return the order of this command for this node, and what is to be frozen before it may be given.

        Raises:
            Denied: the command is not open on the node any more.
            Invalid: it has overrides that no operation can have.
        """
        with self._service.call_of_node(node_id, writes=False) as call:
            answer = reports.order(call, command_id, node_id)
            basis = _basis(call, command_id, node_id)
            is_frozen = basis is None or snapshots.find(call.work, basis.key, call.now) is not None
            return answer, None if is_frozen else basis

    def freeze(self, command_id: str, node_id: str) -> None:
        """Freeze what `look` says is to be frozen, unless somebody has done so meanwhile.

        Raises:
            Denied: the command is not open on the node any more.
            Invalid: the override cannot be fetched, or is none for this node.
        """
        _, lacking = self.look(command_id, node_id)
        if lacking is None:
            return
        override = None
        if lacking.url:
            override = baseline_of(self._fetched(lacking.url), lacking.key.operating_system)
        with self._service.call_of_node(node_id, writes=True) as call:
            snapshots.freeze(call.work, lacking.key, call.now, override)

    def _fetched(self, url: str) -> bytes:
        """Return what *url* names; where it could not be had just now, many nodes are told so without a new attempt."""
        now = self._service.clock.now()
        if self._problem is not None and self._problem[0] == url and now < self._problem[1]:
            raise Invalid(self._problem[2])
        try:
            return self._fetch(url, BASELINES_MAX)
        except Invalid as problem:
            self._problem = (url, now + _PROBLEM_LIFE, str(problem))
            raise


def _basis(call: Call, command_id: str, node_id: str) -> snapshots.Basis | None:
    """Return by which snapshot an open command goes on a node, if by any."""
    command, node = call.work.commands.get(command_id), call.work.nodes.get(node_id)
    assert command is not None, "it has just been looked at"
    assert node is not None, "it has just been looked at"
    parameters = typed_parameters(library.get(command.document_name, command.document_version), command.parameters)
    system = from_platform(node.platform_name or "", node.platform_version or "")
    if system is None and not parameters.get("BaselineOverride"):
        # Its report may tell.
        return None
    group = group_of(call.work.tags.of(NODE, node_id)) or ""
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
