"""What changes of baselines mean for patches: which become approved on nodes, and which are approved no longer."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from patchwindow.client import SsmClient, call
from patchwindow.plans.apply import Comparison
from patchwindow.plans.difference import Action
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

    The titles are those of the most nodes; the counts are of all.
    """

    baseline: str
    group: str
    node_count: int
    newly_approved_count: int
    newly_approved: Mapping[str, int]
    no_longer_approved_count: int
    no_longer_approved: Mapping[str, int]


@dataclass(slots=True)
class _Question:
    """Who would follow a baseline that decides otherwise than what they follow now."""

    replaced_id: str | None = None
    groups: list[str] = field(default_factory=list)
    is_default: bool = False


def touches_approvals(comparison: Comparison) -> bool:
    """Say whether a change could approve other patches than before on some node."""
    return bool(_questions(comparison))


def approvals(client: SsmClient, own: SsmClient, comparison: Comparison) -> Iterator[Approval]:
    """Yield, for each group of nodes, what the changes approve that is not approved now, and the other way round.

    *own* is a client of our own operations at the server that *client* talks to.  What a pruned registration leaves to
    the default is not looked at.

    Raises:
        ClientProblem: the API could not be asked, or it has no such operation.
    """
    for name, question in _questions(comparison).items():
        request: dict[str, Any] = {"Baseline": _members(client, comparison, name), "IsDefault": question.is_default}
        if question.replaced_id is not None:
            request["BaselineId"] = question.replaced_id
        if question.groups:
            request["PatchGroups"] = question.groups
        for group in call(own, "PreviewBaseline", **request)["Groups"]:
            yield Approval(
                baseline=name,
                group=group["PatchGroup"],
                node_count=group["InstanceCount"],
                newly_approved_count=group["NewlyApprovedCount"],
                newly_approved=_titles(group["NewlyApproved"]),
                no_longer_approved_count=group["NoLongerApprovedCount"],
                no_longer_approved=_titles(group["NoLongerApproved"]),
            )


def _questions(comparison: Comparison) -> dict[str, _Question]:
    """Return the baselines that decide otherwise, or for others, after the changes."""
    questions: dict[str, _Question] = {}
    for change in comparison.coming:
        if change.action is Action.DELETE:
            continue
        kind, path = change.address.kind, change.address.path
        if kind is Kind.BASELINE and change.action is Action.UPDATE and not set(_DECIDING).isdisjoint(change.changed):
            questions.setdefault(path[0], _Question()).replaced_id = change.id
        elif kind is Kind.GROUP:
            questions.setdefault(change.members[BASELINE], _Question()).groups.append(path[0])
        elif kind is Kind.DEFAULT:
            questions.setdefault(change.members[BASELINE], _Question()).is_default = True
    return questions


def _members(client: SsmClient, comparison: Comparison, name: str) -> dict[str, Any]:
    address = Address(Kind.BASELINE, (name,))
    wanted = next((change.members for change in comparison.changes if change.address == address), None)
    if wanted is None:
        wanted = call(client, "GetPatchBaseline", BaselineId=comparison.current.predefined_ids[name])
    return {member: wanted[member] for member in _DECIDING if wanted.get(member) is not None}


def _titles(patches: list[Mapping[str, Any]]) -> dict[str, int]:
    return {patch["Title"]: patch["InstanceCount"] for patch in patches}
