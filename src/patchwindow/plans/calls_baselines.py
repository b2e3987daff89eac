"""The calls that make, change and take away baselines, defaults and patch groups."""

from typing import Final

from patchwindow.client import ClientProblem, SsmClient, call, pages
from patchwindow.domain.predefined import PREDEFINED
from patchwindow.plans.difference import Change
from patchwindow.plans.once import answers, create_once
from patchwindow.plans.state import BASELINE
from patchwindow.plans.work import Work, changed_members, set_members

# How the name of the one ends that is the default from the start; Windows has others besides.
_DEFAULT: Final = "DefaultPatchBaseline"


def create_baseline(work: Work, change: Change) -> str:
    request = set_members(change) | {"Tags": work.tags(change.address)}
    return create_once(
        work.client,
        "CreatePatchBaseline",
        request,
        "BaselineId",
        lambda made: answers(work.client, "GetPatchBaseline", BaselineId=made),
    )


def update_baseline(work: Work, change: Change) -> None:
    call(work.client, "UpdatePatchBaseline", BaselineId=change.id, **changed_members(change))


def delete_baseline(work: Work, change: Change) -> None:
    """Delete it; the service refuses where it is a default, or where a group outside of the plan has it."""
    call(work.client, "DeletePatchBaseline", BaselineId=change.id)


def register_default(work: Work, change: Change) -> str:
    id = work.baseline_id(change.members[BASELINE])
    call(work.client, "RegisterDefaultPatchBaseline", BaselineId=id)
    return id


def reset_default(work: Work, change: Change) -> None:
    """Make the predefined baseline of an operating system the default again, as it is before anybody chooses."""
    call(
        work.client, "RegisterDefaultPatchBaseline", BaselineId=predefined_default(work.client, change.address.path[0])
    )


def predefined_default(client: SsmClient, system: str) -> str:
    """Return the id of the predefined baseline that is the default of *system* until somebody chooses another.

    Raises:
        ClientProblem: the API could not be asked, or it has no such baseline.
    """
    filters = [{"Key": "OWNER", "Values": ["AWS"]}, {"Key": "OPERATING_SYSTEM", "Values": [system]}]
    names = [each.name for each in PREDEFINED if each.operating_system == system and each.name.endswith(_DEFAULT)]
    there = pages(client, "DescribePatchBaselines", "BaselineIdentities", Filters=filters)
    id = next((entry["BaselineId"] for entry in there if entry["BaselineName"] in names), None)
    if id is None:
        raise ClientProblem(f"the service has no predefined baseline for {system}; choose a default for it in the plan")
    return str(id)


def register_group(work: Work, change: Change) -> str:
    id = work.baseline_id(change.members[BASELINE])
    group = change.address.path[0]
    call(work.client, "RegisterPatchBaselineForPatchGroup", BaselineId=id, PatchGroup=group)
    return id


def move_group(work: Work, change: Change) -> None:
    """Register another baseline; a group has one for each operating system, so the former one goes first."""
    group = change.address.path[0]
    call(work.client, "DeregisterPatchBaselineForPatchGroup", BaselineId=change.id, PatchGroup=group)
    register_group(work, change)


def deregister_group(work: Work, change: Change) -> None:
    """Take the baseline from a group, whose nodes then have the default of their system."""
    group = change.address.path[0]
    call(work.client, "DeregisterPatchBaselineForPatchGroup", BaselineId=change.id, PatchGroup=group)
