"""What the last patch operation found on a node, for people: counts by state, and whether the node is compliant."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from patchwindow.cli import show
from patchwindow.client import SsmClient, pages

PatchState = Mapping[str, Any]

NODES_PER_REQUEST = 50
"""`DescribeInstancePatchStates` takes no more."""

NON_COMPLIANT = (
    "MissingCount",
    "FailedCount",
    "InstalledRejectedCount",
    "InstalledPendingRebootCount",
    # These say the same of three kinds of patches, and of security updates that a baseline wants reported.
    "CriticalNonCompliantCount",
    "SecurityNonCompliantCount",
    "OtherNonCompliantCount",
)


def is_compliant(state: PatchState) -> bool:
    """Tell whether no patch of the node stands in a state that is not compliant."""
    return not any(state.get(count) for count in NON_COMPLIANT)


COUNTS: show.Columns = {
    "INSTALLED": "InstalledCount",
    "OTHER": "InstalledOtherCount",
    "REBOOT": "InstalledPendingRebootCount",
    "REJECTED": "InstalledRejectedCount",
    "MISSING": "MissingCount",
    "FAILED": "FailedCount",
    "COMPLIANT": lambda state: is_compliant(state) if "MissingCount" in state else None,
}


def patch_states(client: SsmClient, nodes: Iterable[str]) -> Iterator[PatchState]:
    """Yield the patch state of each of *nodes* that was ever scanned."""
    left = iter(nodes)
    while some := list(islice(left, NODES_PER_REQUEST)):
        yield from pages(client, "DescribeInstancePatchStates", "InstancePatchStates", InstanceIds=some)
