"""Whatever changes between scans: what the engine makes of known facts is what a scan would say."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tests.engine.scanning import BAD, CLEAN, GROUP, NODE, grouped, patches, prepare, scan, state, tag
from tests.engine.test_recompute import REDHAT
from tests.engine.world import Members, World
from tests.fakes.databases import migrated_url

Change = Callable[[World, list[str], list[str]], None]

SYSTEMS = ("DEBIAN", "REDHAT_ENTERPRISE_LINUX")
GROUPS = ("web", "db", "")
# Of the operation, and not of what the baseline makes of what it found.
OWN = ("OperationStartTime", "OperationEndTime", "PatchGroup", "InstanceId", "OwnerInformation")

rules = st.builds(
    lambda days, level: {
        "PatchFilterGroup": {"PatchFilters": [{"Key": "PRODUCT", "Values": ["*"]}]},
        "ApproveAfterDays": days,
        "ComplianceLevel": level,
    },
    st.integers(0, 12),
    st.sampled_from(["CRITICAL", "LOW"]),
)
contents = st.fixed_dictionaries(
    {},
    optional={
        "ApprovalRules": st.lists(rules, max_size=2).map(lambda several: {"PatchRules": several}),
        "ApprovedPatches": st.sampled_from([[], ["openssl"], ["bash"]]),
        "RejectedPatches": st.sampled_from([[], ["openssl"]]),
        "RejectedPatchesAction": st.sampled_from(["ALLOW_AS_DEPENDENCY", "BLOCK"]),
        "ApprovedPatchesEnableNonSecurity": st.booleans(),
    },
)


def updated(at: int, members: Members) -> Change:
    return lambda world, _, baselines: _ignore(
        world.perform("UpdatePatchBaseline", BaselineId=baselines[at], **members)
    )


def made_default(at: int) -> Change:
    return lambda world, _, baselines: _ignore(world.perform("RegisterDefaultPatchBaseline", BaselineId=baselines[at]))


def registered(at: int, group: str) -> Change:
    """Return what registers the group with that baseline in place of the one that it has."""

    def change(world: World, _: list[str], baselines: list[str]) -> None:
        others = baselines[at % 2 :: 2]
        for id in others:
            told = world.perform("GetPatchBaseline", BaselineId=id)["PatchGroups"]
            if group in told:
                world.perform("DeregisterPatchBaselineForPatchGroup", BaselineId=id, PatchGroup=group)
        world.perform("RegisterPatchBaselineForPatchGroup", BaselineId=baselines[at], PatchGroup=group)

    return change


def moved(at: int, group: str) -> Change:
    def change(world: World, nodes: list[str], _: list[str]) -> None:
        if group:
            tag(world, nodes[at], group)
        else:
            world.perform("RemoveTagsFromResource", ResourceType=NODE, ResourceId=nodes[at], TagKeys=[GROUP])

    return change


def waited(days: int) -> Change:
    def change(world: World, _nodes: list[str], _baselines: list[str]) -> None:
        world.clock.advance(timedelta(days=days))

    return change


def turned(world: World, _nodes: list[str], _baselines: list[str]) -> None:
    world.turn()


def _ignore(_: object) -> None:
    """Take what nobody asks for."""


changes = st.one_of(
    st.builds(updated, st.integers(0, 3), contents),
    # One that matters: those that nodes follow from the beginning.
    st.builds(updated, st.sampled_from([0, 2]), st.sampled_from([{"ApprovedPatches": ["openssl"]}, {"Name": "other"}])),
    st.builds(made_default, st.integers(0, 3)),
    st.builds(registered, st.integers(0, 3), st.sampled_from(GROUPS[:2])),
    st.builds(moved, st.integers(0, 3), st.sampled_from(GROUPS)),
    st.builds(waited, st.integers(1, 9)),
    st.just(turned),
)


def seen(world: World, node: str) -> tuple[Members, Members, list[Any]]:
    """Return all that is told of a node but what is the operation's own."""
    counted = {name: value for name, value in state(world, node).items() if name not in OWN}
    items = world.perform("ListComplianceItems", ResourceIds=[node])["ComplianceItems"]
    return counted, patches(world, node), [(item["Title"], item["Status"], item["Severity"]) for item in items]


@given(st.lists(changes, max_size=8))
def test_recompute_equals_rescan(several: list[Change]) -> None:
    with TemporaryDirectory() as folder, migrated_url("sqlite", Path(folder)) as url:
        world = World(url)
        prepare(world)
        facts = [BAD, REDHAT, CLEAN, BAD]
        nodes = [grouped(world, group) for group in ("web", "web", "db", "")]
        baselines = [
            world.perform("CreatePatchBaseline", Name=f"own-{at}", OperatingSystem=SYSTEMS[at % 2])["BaselineId"]
            for at in range(4)
        ]
        world.perform("RegisterPatchBaselineForPatchGroup", BaselineId=baselines[0], PatchGroup="web")
        world.perform("RegisterDefaultPatchBaseline", BaselineId=baselines[2])
        for node, found in zip(nodes, facts, strict=True):
            scan(world, node, found)
        for change in several:
            change(world, nodes, baselines)
        world.turn()
        recomputed = [seen(world, node) for node in nodes]
        for node, found in zip(nodes, facts, strict=True):
            scan(world, node, found)
        assert recomputed == [seen(world, node) for node in nodes]
        world.close()
