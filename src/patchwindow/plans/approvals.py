"""What changes of baselines mean for patches: which become approved on nodes, and which are approved no longer."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from patchwindow.client import SsmClient, call
from patchwindow.plans.apply import Comparison
from patchwindow.plans.calls_baselines import predefined_default
from patchwindow.plans.difference import Action, Change
from patchwindow.plans.reached import Nodes, next_opening
from patchwindow.plans.state import BASELINE, Address, Kind

# The members of a baseline that decide; a preview takes these and no others.
_DECIDING: Final = (
    "OperatingSystem",
    "GlobalFilters",
    "ApprovalRules",
    "ApprovedPatches",
    "ApprovedPatchesComplianceLevel",
    "ApprovedPatchesEnableNonSecurity",
    "RejectedPatches",
    "RejectedPatchesAction",
    "AvailableSecurityUpdatesComplianceStatus",
)


@dataclass(frozen=True, slots=True)
class Approval:
    """What a baseline means for the nodes of a group, empty for those without one; titles with their nodes' number.

    The titles are those of the most nodes; the counts are of all.  *opens_at* is the first opening at which a window of the
    plan installs on one of the nodes, None where none does within a year.
    """

    baseline: str
    group: str
    node_count: int
    newly_approved_count: int
    newly_approved: Mapping[str, int]
    no_longer_approved_count: int
    no_longer_approved: Mapping[str, int]
    opens_at: datetime | None


# A baseline's name, or the default of a system that no baseline of the plan is.
_Following = str | Address


@dataclass(slots=True)
class _Question:
    """Who would follow a baseline that decides otherwise than what they follow now."""

    replaced_id: str | None = None
    groups: list[str] = field(default_factory=list)
    is_default: bool = False


def touches_approvals(comparison: Comparison) -> bool:
    """Say whether a change could approve other patches than before on some node."""
    return bool(_questions(comparison))


def approvals(
    client: SsmClient, own: SsmClient, comparison: Comparison, nodes: Nodes, now: datetime
) -> Iterator[Approval]:
    """Yield, for each group of nodes, what the changes approve that is not approved now, and the other way round.

    *own* is a client of our own operations at the server that *client* talks to.

    Raises:
        ClientProblem: the API could not be asked, or it has no such operation.
    """
    for following, question in _questions(comparison).items():
        name, members = _baseline(client, comparison, following)
        request: dict[str, Any] = {"Baseline": members, "IsDefault": question.is_default}
        if question.replaced_id is not None:
            request["BaselineId"] = question.replaced_id
        if question.groups:
            request["PatchGroups"] = question.groups
        system = members["OperatingSystem"]
        for group in call(own, "PreviewBaseline", **request)["Groups"]:
            yield Approval(
                baseline=name,
                group=group["PatchGroup"],
                node_count=group["InstanceCount"],
                newly_approved_count=group["NewlyApprovedCount"],
                newly_approved=_titles(group["NewlyApproved"]),
                no_longer_approved_count=group["NoLongerApprovedCount"],
                no_longer_approved=_titles(group["NoLongerApproved"]),
                opens_at=_first_opening(comparison, nodes, nodes.of_group(group["PatchGroup"], system), now),
            )


def _questions(comparison: Comparison) -> dict[_Following, _Question]:
    """Return the baselines that decide otherwise, or for others, after the changes."""
    questions: dict[_Following, _Question] = {}
    for change in comparison.coming:
        kind, path = change.address.kind, change.address.path
        if change.action is Action.DELETE:
            # Whose baseline goes with its registration is left to the default of its system.
            if kind is Kind.GROUP:
                questions.setdefault(_default(comparison, path[1]), _Question()).groups.append(path[0])
            elif kind is Kind.DEFAULT:
                questions.setdefault(change.address, _Question()).is_default = True
        elif kind is Kind.BASELINE and change.action is Action.UPDATE and not set(_DECIDING).isdisjoint(change.changed):
            questions.setdefault(path[0], _Question()).replaced_id = change.id
        elif kind is Kind.GROUP:
            questions.setdefault(change.members[BASELINE], _Question()).groups.append(path[0])
        elif kind is Kind.DEFAULT:
            questions.setdefault(change.members[BASELINE], _Question()).is_default = True
    return questions


def _default(comparison: Comparison, system: str) -> _Following:
    """Return the default of *system* after the changes."""
    address = Address(Kind.DEFAULT, (system,))
    own = _change(comparison, address)
    return address if own is None or own.action is Action.DELETE else str(own.members[BASELINE])


def _baseline(client: SsmClient, comparison: Comparison, following: _Following) -> tuple[str, dict[str, Any]]:
    """Return the name of a baseline, and what it decides by."""
    if isinstance(following, str):
        own = _change(comparison, Address(Kind.BASELINE, (following,)))
        id = None if own else comparison.current.predefined_ids[following]
    else:
        own, id = None, _default_id(client, comparison, following)
    told = own.members if own else call(client, "GetPatchBaseline", BaselineId=id)
    name = following if isinstance(following, str) else str(told["Name"])
    return name, {member: told[member] for member in _DECIDING if told.get(member) is not None}


def _default_id(client: SsmClient, comparison: Comparison, default: Address) -> str:
    (system,) = default.path
    if _change(comparison, default):
        return predefined_default(client, system)
    return str(call(client, "GetDefaultPatchBaseline", OperatingSystem=system)["BaselineId"])


def _change(comparison: Comparison, address: Address) -> Change | None:
    return next((change for change in comparison.changes if change.address == address), None)


def _first_opening(comparison: Comparison, nodes: Nodes, following: frozenset[str], now: datetime) -> datetime | None:
    windows = (name for name in comparison.plan.windows if not following.isdisjoint(nodes.patched(comparison, name)))
    openings = (next_opening(comparison, name, now) for name in windows)
    return min((at for at in openings if at is not None), default=None)


def _titles(patches: list[Mapping[str, Any]]) -> dict[str, int]:
    return {patch["Title"]: patch["InstanceCount"] for patch in patches}
