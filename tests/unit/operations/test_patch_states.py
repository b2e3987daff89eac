"""Patch states through the operations of the API."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.fakes.scans import SECURITY, facts_of, package, scan, update
from tests.fakes.site import Installation

from patchwindow.domain.errors import InvalidFilter, UnknownNode

FACTS = facts_of(
    [package("bash", priority="required"), package("openssl", origin=SECURITY), package("zlib", origin=SECURITY)],
    [update("openssl"), update("zlib", priority="important")],
)
CLEAN = facts_of([package("bash")])


def states_of_group(here: Installation, group: str = "web", **request: Any) -> list[str]:
    pages = here.pages("DescribeInstancePatchStatesForPatchGroup", "InstancePatchStates", PatchGroup=group, **request)
    return [state["InstanceId"] for page in pages for state in page]


def patches(here: Installation, node: str, **request: Any) -> list[dict[str, Any]]:
    pages = here.pages("DescribeInstancePatches", "Patches", InstanceId=node, **request)
    return [patch for page in pages for patch in page]


def filtered(here: Installation, node: str, *filters: tuple[str, list[str]]) -> list[str]:
    given = [{"Key": key, "Values": values} for key, values in filters]
    return [patch["Title"] for patch in patches(here, node, Filters=given)]


def test_a_node_that_was_never_scanned_has_no_state(here: Installation) -> None:
    never, scanned = here.node(), here.node()
    scan(here, scanned, FACTS)
    answer = here.perform("DescribeInstancePatchStates", InstanceIds=[never, scanned, "mi-fffffffffffffffff"])
    assert [state["InstanceId"] for state in answer["InstancePatchStates"]] == [scanned]
    assert "NextToken" not in answer
    assert patches(here, never) == []


def test_states_come_in_pages(here: Installation) -> None:
    nodes = [here.node(tags={"Patch Group": "web"}) for _ in range(12)]
    for node in nodes:
        scan(here, node, FACTS)
    pages = list(here.pages("DescribeInstancePatchStates", "InstancePatchStates", InstanceIds=nodes, MaxResults=10))
    assert [len(page) for page in pages] == [10, 2]
    assert [state["InstanceId"] for page in pages for state in page] == sorted(nodes)
    assert states_of_group(here, MaxResults=10) == sorted(nodes)


def test_the_states_of_a_group_are_those_of_its_nodes_of_now(here: Installation) -> None:
    web, moved = here.node(tags={"Patch Group": "web"}), here.node(tags={"Patch Group": "web"})
    for node in (web, moved):
        scan(here, node, FACTS)
    here.perform(
        "AddTagsToResource",
        ResourceType="ManagedInstance",
        ResourceId=moved,
        Tags=[{"Key": "Patch Group", "Value": "db"}],
    )
    assert states_of_group(here, "web") == [web]
    assert states_of_group(here, "db") == [moved]
    (state,) = here.perform("DescribeInstancePatchStates", InstanceIds=[moved])["InstancePatchStates"]
    assert state["PatchGroup"] == "web", "the group at the time of the operation"


@pytest.mark.parametrize(
    ("type_", "value", "expected"),
    [
        ("Equal", "2", ["bad"]),
        ("NotEqual", "2", ["clean"]),
        ("LessThan", "1", ["clean"]),
        ("GreaterThan", "0", ["bad"]),
        ("GreaterThan", "2", []),
    ],
)
def test_counts_can_be_compared(here: Installation, type_: str, value: str, expected: list[str]) -> None:
    nodes = {name: here.node(tags={"Patch Group": "web"}) for name in ("bad", "clean")}
    scan(here, nodes["bad"], FACTS)
    scan(here, nodes["clean"], CLEAN)
    filters = [{"Key": "MissingCount", "Values": [value], "Type": type_}]
    assert states_of_group(here, Filters=filters) == [nodes[name] for name in expected]


def test_filters_on_counts_are_anded(here: Installation) -> None:
    node = here.node(tags={"Patch Group": "web"})
    scan(here, node, FACTS)
    missing = {"Key": "MissingCount", "Values": ["0"], "Type": "GreaterThan"}
    failed = {"Key": "FailedCount", "Values": ["0"], "Type": "GreaterThan"}
    assert states_of_group(here, Filters=[missing]) == [node]
    assert states_of_group(here, Filters=[missing, failed]) == []


@pytest.mark.parametrize(
    ("key", "values", "problem"),
    [
        ("Missing", ["1"], "filter key 'Missing' is not known here"),
        ("MissingCount", ["-1"], "give one whole number"),
        ("MissingCount", ["many"], "give one whole number"),
        ("MissingCount", ["٣"], "give one whole number"),
        ("MissingCount", ["1", "2"], "give one whole number"),
    ],
)
def test_a_count_filter_that_means_nothing_is_refused(
    here: Installation, key: str, values: list[str], problem: str
) -> None:
    with pytest.raises(InvalidFilter, match=problem):
        states_of_group(here, Filters=[{"Key": key, "Values": values, "Type": "Equal"}])


def test_the_state_of_a_group_counts_its_nodes(here: Installation) -> None:
    for facts in (FACTS, CLEAN):
        scan(here, here.node(tags={"Patch Group": "web"}), facts)
    here.node(tags={"Patch Group": "web"})
    scan(here, here.node(tags={"Patch Group": "db"}), FACTS)
    assert here.perform("DescribePatchGroupState", PatchGroup="web") == {
        "Instances": 3,
        "InstancesWithInstalledPatches": 1,
        "InstancesWithInstalledOtherPatches": 2,
        "InstancesWithInstalledPendingRebootPatches": 0,
        "InstancesWithInstalledRejectedPatches": 0,
        "InstancesWithMissingPatches": 1,
        "InstancesWithFailedPatches": 0,
        "InstancesWithNotApplicablePatches": 0,
        "InstancesWithUnreportedNotApplicablePatches": 0,
        "InstancesWithCriticalNonCompliantPatches": 0,
        "InstancesWithSecurityNonCompliantPatches": 1,
        "InstancesWithOtherNonCompliantPatches": 0,
        "InstancesWithAvailableSecurityUpdates": 0,
    }


def test_the_patches_of_a_node_are_listed_by_title(here: Installation) -> None:
    node = here.node()
    scan(here, node, FACTS, installedAt=[1700000000, 0, 1800000000])
    assert patches(here, node)[:3] == [
        {
            "Title": "bash.amd64:1",
            "KBId": "bash.amd64",
            "Classification": "",
            "Severity": "required",
            "State": "InstalledOther",
            "InstalledTime": datetime.fromtimestamp(1700000000, UTC),
            "CVEIds": None,
        },
        {
            "Title": "openssl.amd64:1",
            "KBId": "openssl.amd64",
            "Classification": "Security",
            "Severity": "optional",
            "State": "Installed",
            "InstalledTime": datetime.fromtimestamp(0, UTC),
            "CVEIds": None,
        },
        {
            "Title": "openssl.amd64:2",
            "KBId": "openssl.amd64",
            "Classification": "Security",
            "Severity": "optional",
            "State": "Missing",
            "InstalledTime": datetime.fromtimestamp(0, UTC),
            "CVEIds": None,
        },
    ]
    assert [patch["InstalledTime"].timestamp() for patch in patches(here, node)] == [1700000000, 0, 0, 1800000000, 0]


def test_filters_on_patches_are_anded_and_their_values_ored(here: Installation) -> None:
    node = here.node()
    scan(here, node, FACTS)
    assert filtered(here, node, ("State", ["Missing"])) == ["openssl.amd64:2", "zlib.amd64:2"]
    assert filtered(here, node, ("State", ["INSTALLED_OTHER", "missing"])) == [
        "bash.amd64:1",
        "openssl.amd64:2",
        "zlib.amd64:2",
    ]
    assert filtered(here, node, ("State", ["Missing"]), ("Severity", ["important"])) == ["zlib.amd64:2"]
    assert filtered(here, node, ("KBId", ["bash.amd64"])) == ["bash.amd64:1"]
    assert filtered(here, node, ("Classification", ["Security"]), ("State", ["Installed"])) == [
        "openssl.amd64:1",
        "zlib.amd64:1",
    ]


@pytest.mark.parametrize(
    ("filter_", "problem"),
    [
        ({"Key": "Title", "Values": ["x"]}, "filter key 'Title' is not known here"),
        ({"Key": "State", "Values": ["Broken"]}, "filter State has the value 'Broken'"),
        ({"Key": "State"}, "lacks its Key or its Values"),
        ({"Values": ["x"]}, "lacks its Key or its Values"),
    ],
)
def test_a_patch_filter_that_means_nothing_is_refused(
    here: Installation, filter_: dict[str, Any], problem: str
) -> None:
    node = here.node()
    with pytest.raises(InvalidFilter, match=problem):
        patches(here, node, Filters=[filter_])


def test_an_unknown_node_is_named(here: Installation) -> None:
    with pytest.raises(UnknownNode, match="mi-00000000000000000 does not exist"):
        patches(here, "mi-00000000000000000")


def test_a_scan_between_two_pages_neither_repeats_nor_skips_a_patch(here: Installation) -> None:
    node = here.node()
    names = [f"package-{number:02}" for number in range(20)]
    scan(here, node, facts_of([package(name) for name in names]))
    pages = here.pages("DescribeInstancePatches", "Patches", InstanceId=node, MaxResults=10)
    first = next(pages)
    # One package that was shown is gone.
    scan(here, node, facts_of([package(name) for name in names[1:]]))
    shown = [patch["Title"] for page in (first, *pages) for patch in page]
    assert shown == [f"{name}.amd64:1" for name in names]


def test_patches_stay_as_they_were_found_when_the_baseline_changes(here: Installation) -> None:
    rule = {"PatchFilterGroup": {"PatchFilters": [{"Key": "PRIORITY", "Values": ["*"]}]}, "ApproveAfterDays": 0}
    own = here.perform(
        "CreatePatchBaseline", Name="own", OperatingSystem="DEBIAN", ApprovalRules={"PatchRules": [rule]}
    )["BaselineId"]
    here.perform("RegisterDefaultPatchBaseline", BaselineId=own)
    node = here.node()
    scan(here, node, FACTS)
    before = patches(here, node)
    here.clock.advance(timedelta(days=1))
    here.perform("UpdatePatchBaseline", BaselineId=own, RejectedPatches=["openssl"])
    assert patches(here, node) == before
    scan(here, node, FACTS)
    assert patches(here, node) != before


def test_the_counts_are_those_of_the_entries(here: Installation) -> None:
    node = here.node()
    scan(here, node, FACTS)
    (state,) = here.perform("DescribeInstancePatchStates", InstanceIds=[node])["InstancePatchStates"]
    states = [patch["State"] for patch in patches(here, node)]
    for name in ("Installed", "InstalledOther", "InstalledPendingReboot", "InstalledRejected", "Missing", "Failed"):
        assert state[f"{name}Count"] == states.count(name)
