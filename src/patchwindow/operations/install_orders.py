"""What patch operations on nodes are to do: their orders, and what is to be installed on a node with certain facts."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, date
from typing import Any, Final

from patchwindow.domain import command_end
from patchwindow.domain.baseline import Baseline
from patchwindow.domain.errors import CommandOver, Invalid
from patchwindow.domain.install_order import MAY_REMOVE_TAG, install_order
from patchwindow.domain.node import Node
from patchwindow.domain.operating_system import OperatingSystem, from_platform, product
from patchwindow.domain.override import InstallList
from patchwindow.domain.patch_group import group_of
from patchwindow.domain.patch_parts import is_idle, part_of
from patchwindow.domain.run import Command
from patchwindow.operations import association_reports, catalog, cohorts, snapshots
from patchwindow.operations.association_items import REPORTING
from patchwindow.operations.call import Answer, Call
from patchwindow.operations.evaluations import decider
from patchwindow.operations.first_sight import first_seen, goes_by_first_sight
from patchwindow.operations.report_reading import INSTALL, SCHEMA, KnownFacts
from patchwindow.operations.reports import given_to, parameters_of, sent_to, system_in
from patchwindow.operations.tags import NODE, WINDOW
from patchwindow.store.patch_operations import PatchOrder

_ANY_PRODUCT: Final = "*"


@dataclass(frozen=True, slots=True)
class _Basis:
    """The baseline that an operation goes by, its revision if it has one, and the day that counts."""

    baseline: Baseline
    revision: int | None
    day: date


def order(call: Call, command_id: str, node_id: str, part: str = "") -> Answer:
    """Return what the patch operation of this command, or of this part of it, is to do on this node.

    Where the command is over, what it did is still to be reported, and nothing more is to be done.

    Raises:
        Denied: the command has ended on the node, too long ago for a report.
        Invalid: what it goes by is not frozen.
    """
    command, node, one = sent_to(call, command_id, node_id)
    over = command_end.why_over(command, one, call.now)
    parameters = parameters_of(command, part)
    is_nothing = is_idle(part_of(command.document_name, part), parameters)
    return {
        "schema": SCHEMA,
        "operation": "Nothing" if is_nothing else parameters["Operation"],
        "rebootOption": parameters["RebootOption"],
        "commandId": command_id,
        "nodeId": node_id,
        "part": part,
        "sources": _sources(call, command, node),
        "mayRemove": _may_remove(call, command_id),
        "over": over,
        "secondsLeft": 0.0 if over else (command_end.ends_at(command) - call.now).total_seconds(),
    }


def plan(call: Call, command_id: str, node_id: str, known: KnownFacts, *, part: str = "") -> Answer:
    """Return what is to be installed on the node, whose facts are *known*, and keep by what that was decided.

    Raises:
        Denied: the command has ended on the node, too long ago for a report.
        CommandOver: it may install nothing more there.
        Invalid: the command installs nothing, or what it goes by is not frozen.
        UnsupportedOperatingSystem: no baseline can be for the node's operating system.
    """
    command, node, one = sent_to(call, command_id, node_id)
    over = command_end.why_over(command, one, call.now)
    if over:
        raise CommandOver(f"{over}; nothing more may be installed by it, so report what is there")
    parameters = parameters_of(command, part)
    if parameters["Operation"] != INSTALL:
        raise Invalid(
            f"command {command_id} is to {parameters['Operation']}, for which there is no plan; report instead"
        )
    basis = _basis(call, command, node, system_in(known.facts, node))
    if goes_by_first_sight(basis.baseline):
        call.work.facts.put(known.digest, known.canonical, call.now)
        catalog.learn(call.work, basis.baseline.operating_system, known.facts, known.digest, call.now)
    decided = install_order(
        known.facts,
        basis.baseline,
        basis.day,
        install_list=_install_list(call, command_id, parameters),
        first_seen=first_seen(call.work, basis.baseline, known.facts),
        decide=decider(basis.baseline),
    )
    call.work.patch_operations.put_order(
        command_id,
        PatchOrder(
            node_id=node_id,
            baseline_id=basis.baseline.baseline_id,
            baseline_revision=basis.revision,
            made_at=call.now,
        ),
    )
    return {
        "schema": SCHEMA,
        "wanted": [asdict(patch) for patch in decided.wanted],
        "blocked": [asdict(patch) for patch in decided.blocked],
        "failed": dict(decided.failed),
    }


def _may_remove(call: Call, command_id: str) -> bool:
    """Return whether the window that sent the command allows removals; AWS's documents have no parameter for it."""
    execution_id = call.work.executions.of_command(command_id)
    execution = None if execution_id is None else call.work.executions.get(execution_id)
    return execution is not None and call.work.tags.of(WINDOW, execution.window_id).get(MAY_REMOVE_TAG) == "true"


def _install_list(call: Call, command_id: str, parameters: Mapping[str, Any]) -> InstallList | None:
    if not parameters["InstallOverrideList"]:
        return None
    found = call.work.patch_operations.list_of(command_id)
    if found is None:
        raise Invalid("the install override list has not been fetched; ask for the order first")
    return found


def _sources(call: Call, command: Command, node: Node) -> list[dict[str, str]]:
    """Return the repositories that take the place of the node's own: those of its baseline that are for its product."""
    system = from_platform(node.platform_name or "", node.platform_version or "")
    if system is None:
        return []
    here = product(system, node.platform_version or "")
    return [
        {"name": source.name, "configuration": source.configuration}
        for source in _basis(call, command, node, system).baseline.sources
        if here in source.products or _ANY_PRODUCT in source.products
    ]


def _basis(call: Call, command: Command, node: Node, system: OperatingSystem) -> _Basis:
    """Return what the command goes by on the node: what is frozen for it, else the baseline as it is now."""
    parameters = given_to(command)
    today = call.now.astimezone(UTC).date()
    group = group_of(call.work.tags.of(NODE, node.instance_id)) or ""
    if command.document_name == REPORTING:
        baseline = association_reports.baseline_for(call.work, parameters["BaselineTags"], system, group)
        stored = call.work.baselines.get(baseline.baseline_id)
        assert stored is not None, "it has just been found"
        return _Basis(baseline, stored.revision, today)
    basis = snapshots.basis_of(call, command.command_id, parameters, system, group)
    if basis is None:
        stored = cohorts.baseline_of(call.work, system, group)
        return _Basis(stored.baseline, stored.revision, today)
    # An override is there since the order was asked for; a snapshot of a system that only the facts name is made now.
    work, now = call.work, call.now
    frozen = snapshots.held(work, basis, now) if basis.url else snapshots.freeze(work, basis.key, now)
    # A scan and an installation by one snapshot work on one list, also where midnight is between them.
    return _Basis(frozen.baseline, frozen.revision, frozen.made_at.astimezone(UTC).date())
