"""GetExposure: how long nodes have lacked security patches."""

from datetime import timedelta
from typing import Any

from tests.fakes.api import Api
from tests.fakes.scans import SECURITY, facts_of, package, scan, update
from tests.fakes.site import VIEWER, Installation, as_node

LACKING = facts_of(
    [package("bash"), package("openssl", origin=SECURITY)],
    [update("openssl"), update("bash", origin=0, priority="optional")],
)
CLEAN = facts_of([package("bash"), package("openssl", "2", origin=SECURITY)])
TITLE = "openssl.amd64:2"


def ages(told: dict[str, Any]) -> dict[int, int]:
    return {one["FromDays"]: one["InstanceCount"] for one in told["Ages"] if one["InstanceCount"]}


def ping(here: Installation, *nodes: str) -> None:
    for node in nodes:
        here.perform("UpdateInstanceInformation", as_node(node), InstanceId=node)


def advise(here: Installation, *, issued: str = "", due: str = "") -> None:
    """Import an advisory about the patch that is lacked; with a day by which it is due, as exploited."""
    fix = {"OperatingSystem": "DEBIAN", "Name": "openssl", "Version": "2", "Extent": "EXACT"}
    advisory = {"Id": "DSA-1", "Kind": "security", "Issued": issued, "CVEIds": ["CVE-2026-1001"], "Fixes": [fix]}
    cves = [{"CVEId": "CVE-2026-1001", "IsKnownExploited": True, "DueOn": due}] if due else []
    here.perform("ImportAdvisories", Source="tracker", Advisories=[advisory], Cves=cves)


def test_without_nodes_all_counts_are_none(here: Installation) -> None:
    told = here.perform("GetExposure")
    assert (told["InstanceCount"], told["UnknownCount"], told["NoneMissingCount"], told["PatchCount"]) == (0, 0, 0, 0)
    assert [one["FromDays"] for one in told["Ages"]] == [0, 7, 14, 30, 90]


def test_the_age_counts_from_when_a_node_first_reported_the_patch(here: Installation) -> None:
    first = here.node()
    scan(here, first, LACKING)
    here.clock.advance(timedelta(days=10))
    late = here.node()
    for node in (first, late):
        ping(here, node)
        scan(here, node, LACKING)
    told = here.perform("GetExposure")
    assert ages(told) == {7: 2}
    (patch,) = told["Patches"]
    assert (patch["Title"], patch["InstanceCount"], patch["SinceIsPublished"]) == (TITLE, 2, False)
    assert patch["Since"] == (here.clock.now() - timedelta(days=10)).date().isoformat()


def test_an_advisory_knows_better_when_it_was_published(here: Installation) -> None:
    scan(here, here.node(), LACKING)
    advise(here, issued="2025-11-01")
    told = here.perform("GetExposure")
    assert ages(told) == {90: 1}
    (patch,) = told["Patches"]
    assert (patch["Since"], patch["SinceIsPublished"], patch["CVEIds"]) == ("2025-11-01", True, ["CVE-2026-1001"])


def test_a_node_without_the_patch_and_one_of_which_nothing_is_known_are_told_apart(here: Installation) -> None:
    lacking, clean, never, lost, stale = (here.node() for _ in range(5))
    scan(here, stale, LACKING)
    here.clock.advance(timedelta(days=8))
    scan(here, lost, LACKING)
    here.clock.advance(timedelta(minutes=30))
    scan(here, lacking, LACKING)
    scan(here, clean, CLEAN)
    ping(here, lacking, clean, never, stale)
    told = here.perform("GetExposure")
    assert (told["InstanceCount"], told["UnknownCount"], told["NoneMissingCount"]) == (5, 3, 1)
    assert sum(ages(told).values()) == 1
    assert told["Patches"][0]["InstanceCount"] == 1


def test_what_is_exploited_counts_as_overdue_after_its_day(here: Installation) -> None:
    node = here.node()
    scan(here, node, LACKING)
    tomorrow = here.clock.now() + timedelta(days=1)
    advise(here, due=tomorrow.date().isoformat())
    for days, overdue in ((0, 0), (1, 0), (1, 1)):
        here.clock.advance(timedelta(days=days))
        ping(here, node)
        told = here.perform("GetExposure")
        assert (told["ExploitedInstanceCount"], told["OverdueInstanceCount"]) == (1, overdue)
        assert told["Patches"][0]["ExploitedCVEIds"] == ["CVE-2026-1001"]


def test_what_failed_is_lacked_as_well(here: Installation) -> None:
    scan(here, here.node(), LACKING, failed={TITLE: "no space"})
    assert here.perform("GetExposure")["Patches"][0]["InstanceCount"] == 1


def test_a_viewer_may_ask_by_the_model_for_a_few(here: Installation) -> None:
    more = facts_of([package("a", origin=SECURITY), package("b", origin=SECURITY)], [update("a"), update("b")])
    scan(here, here.node(), more)
    told = Api(here, VIEWER)("GetExposure", MaxResults=1)
    assert (told["PatchCount"], len(told["Patches"])) == (2, 1)
