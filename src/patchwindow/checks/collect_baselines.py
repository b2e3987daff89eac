"""Baselines, the groups that they are registered with, and what came out when for those that wait some days."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC
from itertools import islice
from typing import Any, Final

from patchwindow.checks.asking import Asking
from patchwindow.checks.snapshot import Baseline, Group, Node, Release, Rule, Topic
from patchwindow.domain.operating_system import FAMILIES, Family, OperatingSystem

_FIRST_SEEN: Final = "patchwindow:ApproveByFirstSeen"
# Of Windows and macOS a newer update has another name, so that nothing can be told of its forerunner.
_VERSIONED: Final = frozenset({Family.RPM, Family.ZYPPER})
_SYSTEMS: Final = frozenset(map(str, OperatingSystem))
_RELEASES_MAX: Final = 20_000


def read_groups(ask: Asking) -> tuple[Group, ...]:
    """Return the patch groups that are registered; of an operating system that came later nothing is known here."""
    return tuple(
        Group(
            name=str(mapping["PatchGroup"]),
            system=OperatingSystem(mapping["BaselineIdentity"]["OperatingSystem"]),
            baseline_id=str(mapping["BaselineIdentity"]["BaselineId"]),
        )
        for mapping in ask.pages(Topic.GROUPS, "DescribePatchGroups", "Mappings")
        if mapping["BaselineIdentity"]["OperatingSystem"] in _SYSTEMS
    )


def read_baselines(ask: Asking, groups: Iterable[Group]) -> tuple[Baseline, ...]:
    """Return the own baselines, and of AWS's those that are a default or are registered."""
    registered = {group.baseline_id for group in groups}
    own = {"Key": "OWNER", "Values": ["Self"]}
    own_ids = {
        str(each["BaselineId"])
        for each in ask.pages(Topic.BASELINES, "DescribePatchBaselines", "BaselineIdentities", Filters=[own])
    }
    listed = ask.pages(Topic.BASELINES, "DescribePatchBaselines", "BaselineIdentities")
    return tuple(
        _baseline(ask, identity, is_own=identity["BaselineId"] in own_ids)
        for identity in {str(each["BaselineId"]): each for each in listed}.values()
        if identity["OperatingSystem"] in _SYSTEMS
        and (identity["BaselineId"] in own_ids | registered or identity.get("DefaultBaseline"))
    )


def _baseline(ask: Asking, identity: Mapping[str, Any], *, is_own: bool) -> Baseline:
    id, system = str(identity["BaselineId"]), OperatingSystem(identity["OperatingSystem"])
    told = ask.call(Topic.BASELINES, "GetPatchBaseline", BaselineId=id)
    rules = tuple(
        Rule(
            days=rule["ApproveAfterDays"],
            filters={each["Key"]: tuple(each["Values"]) for each in rule["PatchFilterGroup"]["PatchFilters"]},
        )
        for rule in (told.get("ApprovalRules") or {}).get("PatchRules", ())
        if rule.get("ApproveAfterDays")
    )
    return Baseline(
        id=id,
        name=str(identity.get("BaselineName", "")),
        system=system,
        is_own=is_own,
        is_default=bool(identity.get("DefaultBaseline")),
        has_dates=FAMILIES[system] is not Family.APT or bool(is_own and rules and _is_by_first_sight(ask, id)),
        rules=rules,
    )


def _is_by_first_sight(ask: Asking, id: str) -> bool:
    """Say whether a baseline for apt, whose lists have no dates, counts from when a node first reported a patch."""
    tags = ask.pages(Topic.BASELINES, "ListTagsForResource", "TagList", ResourceType="PatchBaseline", ResourceId=id)
    return any(tag["Key"] == _FIRST_SEEN for tag in tags)


def read_releases(ask: Asking, nodes: Iterable[Node], baselines: Iterable[Baseline]) -> Iterator[Release]:
    """Yield the releases for the products of *nodes* whose baselines wait some days."""
    waiting = {each.system for each in baselines if each.rules and FAMILIES[each.system] in _VERSIONED}
    for product in sorted({node.product for node in nodes if node.system in waiting}):
        filters = [{"Key": "PRODUCT", "Values": [product]}]
        told = ask.pages(Topic.RELEASES, "DescribeAvailablePatches", "Patches", Filters=filters)
        for patch in islice(told, _RELEASES_MAX):
            if patch.get("Name") and patch.get("ReleaseDate"):
                yield Release(
                    product=product,
                    name=str(patch["Name"]),
                    classification=str(patch.get("Classification", "")),
                    severity=str(patch.get("Severity", "")),
                    on=patch["ReleaseDate"].astimezone(UTC).date(),
                )
