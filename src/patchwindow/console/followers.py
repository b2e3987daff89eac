"""Which baseline the nodes of each patch group follow, and how many nodes these are."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from patchwindow.console.view import View


@dataclass(frozen=True, slots=True, kw_only=True)
class Following:
    """Who follows what: pairs are of a patch group and an operating system."""

    registered: Mapping[tuple[str, str], str]
    """The baseline that is registered for each pair."""
    defaults: Mapping[str, str]
    """The default of each operating system."""
    node_counts: Mapping[tuple[str, str], int]
    """How many nodes each pair has; the empty group has those without one."""
    names: Mapping[str, str]
    """The name of each baseline."""

    def baseline_of(self, group: str, system: str) -> str:
        """Return the baseline that nodes of a pair follow; empty where their system is not known."""
        return self.registered.get((group, system)) or self.defaults.get(system, "")

    def counts(self) -> Counter[str]:
        """Return how many nodes follow each baseline."""
        found: Counter[str] = Counter()
        for (group, system), count in self.node_counts.items():
            found[self.baseline_of(group, system)] += count
        return found

    def groups_of(self, baseline_id: str) -> list[str]:
        """Return the groups that have nodes which follow a baseline."""
        return sorted({group for group, system in self.node_counts if self.baseline_of(group, system) == baseline_id})


def bare(baseline_id: str) -> str:
    """Return the id of a baseline without the ARN that predefined ones have: as URLs have it."""
    return baseline_id.rpartition("/")[2]


def following(view: View) -> Following:
    """Return who follows what now."""
    mappings = view.each("DescribePatchGroups", "Mappings", MaxResults=100)
    baselines = list(view.each("DescribePatchBaselines", "BaselineIdentities", MaxResults=100))
    groups = view.ask("GetFleetCompliance", GroupBy=["PatchGroup", "OperatingSystem"], MaxResults=1)["Groups"]
    return Following(
        registered={
            (one["PatchGroup"], str(one["BaselineIdentity"]["OperatingSystem"])): bare(
                one["BaselineIdentity"]["BaselineId"]
            )
            for one in mappings
        },
        defaults={str(one["OperatingSystem"]): bare(one["BaselineId"]) for one in baselines if one["DefaultBaseline"]},
        node_counts={
            (one["PatchGroup"], one["OperatingSystem"]): one["Counts"]["Total"]
            for one in groups
            if one["Counts"]["Total"]
        },
        names={bare(one["BaselineId"]): one["BaselineName"] for one in baselines},
    )
