"""Counts over a whole fleet, and lists of its nodes."""

from typing import Any

from tests.store.compliance import cohort, evaluated, question, scanned, unscanned
from tests.store.samples import NOW, counts, later, operation

from patchwindow.domain.baseline import ComplianceStatus
from patchwindow.domain.fleet_state import FleetState
from patchwindow.store.fleet import CohortCount, UnscannedCount
from patchwindow.store.work import Work

KEY = "Environment"
COMPLIANT = counts(status=ComplianceStatus.COMPLIANT)


def fleet(work: Work) -> dict[str, str]:
    """Keep nodes of two cohorts, one of them with an old scan, one that is lost, two without a scan.

    Return the ids of the cohorts, by group.
    """
    web = cohort(work, evaluated(work, found=COMPLIANT), group="web")
    db = cohort(work, evaluated(work, question(baseline_revision=4)), group="db")
    scanned(work, "mi-1", "mi-2", into=web, operation_end_time=later(50))
    scanned(work, "mi-3", into=web, operation_end_time=later(1))
    scanned(work, "mi-4", into=db, patch_group="db", operation_end_time=later(50), pinged_at=later(-9))
    unscanned(work, "mi-5")
    unscanned(work, "mi-6", patch_group="", pinged_at=later(-9))
    for node in ("mi-1", "mi-4", "mi-5"):
        work.tags.add("ManagedInstance", node, {KEY: "live"})
    work.tags.add("ManagedInstance", "mi-2", {"Other": "live"})
    return {"web": web.cohort_id, "db": db.cohort_id}


def test_scanned_nodes_are_counted_by_cohort(work: Work) -> None:
    ids = fleet(work)
    found = work.fleet.scanned(stale_before=later(10))
    assert set(found) == {CohortCount(ids["web"], "", 3, 1), CohortCount(ids["db"], "", 1, 0)}


def test_a_tag_tells_nodes_of_a_cohort_apart(work: Work) -> None:
    ids = fleet(work)
    found = work.fleet.scanned(stale_before=later(10), tag_key=KEY)
    assert set(found) == {
        CohortCount(ids["web"], "live", 1, 0),
        CohortCount(ids["web"], "", 2, 1),
        CohortCount(ids["db"], "live", 1, 0),
    }


def test_nodes_are_told_apart_alike_by_the_tag_that_is_kept_beside_them_and_by_any_other(work: Work) -> None:
    fleet(work)
    for node in ("mi-1", "mi-4", "mi-5"):
        work.tags.add("ManagedInstance", node, {"Stage": "live"})
    by_environment, by_stage = (work.fleet.scanned(stale_before=later(10), tag_key=key) for key in (KEY, "Stage"))
    assert set(by_environment) == set(by_stage)


def test_a_node_is_in_the_environment_that_its_tag_says_whenever_that_is_set(work: Work) -> None:
    unscanned(work, "mi-1")
    work.tags.add("ManagedInstance", "mi-1", {KEY: "test", "Other": "x"})
    id = scanned(work, "mi-1").cohort_id

    def environments() -> list[CohortCount]:
        return work.fleet.scanned(stale_before=NOW, tag_key=KEY)

    assert environments() == [CohortCount(id, "test", 1, 0)]
    work.tags.add("ManagedInstance", "mi-1", {KEY: "live"})
    work.tags.add("PatchBaseline", "mi-1", {KEY: "none of a node"})
    work.tags.remove("ManagedInstance", "mi-1", ["Other"])
    assert environments() == [CohortCount(id, "live", 1, 0)]
    work.tags.remove("ManagedInstance", "mi-1", [KEY])
    assert environments() == [CohortCount(id, "", 1, 0)]


def test_nodes_that_are_not_heard_of_are_counted_apart(work: Work) -> None:
    ids = fleet(work)
    for key, value in ((None, ""), (KEY, "live")):
        found = work.fleet.scanned_but_lost(stale_before=later(99), lost_before=NOW, tag_key=key)
        assert found == [CohortCount(ids["db"], value, 1, 1)]
    assert work.fleet.scanned_but_lost(stale_before=later(10), lost_before=later(-9)) == []


def test_nodes_without_a_scan_are_counted_by_group_and_system(work: Work) -> None:
    fleet(work)
    assert set(work.fleet.never_scanned()) == {
        UnscannedCount("web", "DEBIAN", "", 1),
        UnscannedCount("", "DEBIAN", "", 1),
    }
    assert set(work.fleet.never_scanned(tag_key=KEY)) == {
        UnscannedCount("web", "DEBIAN", "live", 1),
        UnscannedCount("", "DEBIAN", "", 1),
    }


def test_a_cohort_tells_what_is_true_of_its_nodes(work: Work) -> None:
    ids = fleet(work)
    found = work.fleet.cohorts()
    assert found.keys() == set(ids.values())
    web, db = found[ids["web"]], found[ids["db"]]
    assert (web.patch_group, web.operating_system, web.standing) == ("web", "DEBIAN", FleetState.COMPLIANT)
    assert (db.patch_group, db.standing) == ("db", FleetState.FAILED)


def test_the_counts_of_a_group_are_those_of_its_nodes(work: Work) -> None:
    fleet(work)
    assert work.fleet.counts_of_group("web") == [(COMPLIANT, 3)]
    assert work.fleet.counts_of_group("db") == [(counts(), 1)]
    assert work.fleet.counts_of_group("none") == []


def page(work: Work, **more: Any) -> list[str]:
    given = {"after": "", "limit": 9, "filters": {}, **more}
    found = work.fleet.page(tag_key=KEY, stale_before=later(10), lost_before=NOW, **given)
    return [row.node_id for row in found]


def test_nodes_come_in_order_of_id_and_in_pages(work: Work) -> None:
    fleet(work)
    assert page(work) == [f"mi-{number}" for number in range(1, 7)]
    assert page(work, after="mi-2", limit=2) == ["mi-3", "mi-4"]


def test_nodes_are_filtered_by_what_they_are(work: Work) -> None:
    fleet(work)
    assert page(work, filters={"PatchGroup": ["db", ""]}) == ["mi-4", "mi-6"]
    assert page(work, filters={"Environment": ["live"], "PatchGroup": ["web"]}) == ["mi-1", "mi-5"]
    assert page(work, filters={"Environment": [""]}) == ["mi-2", "mi-3", "mi-6"]
    assert page(work, filters={"OperatingSystem": ["UBUNTU"]}) == []


def test_all_nodes_that_may_be_in_a_state_are_found(work: Work) -> None:
    fleet(work)
    found = {state: page(work, states=[state]) for state in FleetState}
    assert found == {
        FleetState.COMPLIANT: ["mi-1", "mi-2", "mi-3"],
        FleetState.MISSING: [],
        FleetState.FAILED: ["mi-4"],
        FleetState.PENDING_REBOOT: [],
        FleetState.STALE: ["mi-3"],
        FleetState.NEVER_SCANNED: ["mi-5", "mi-6"],
        FleetState.OFFLINE: ["mi-4", "mi-6"],
    }
    assert page(work, states=[FleetState.FAILED, FleetState.STALE]) == ["mi-3", "mi-4"]


def test_a_node_comes_with_what_its_state_follows_from(work: Work) -> None:
    fleet(work)
    (scanned_one, *_, never) = work.fleet.page(
        after="", limit=9, tag_key=KEY, stale_before=later(10), lost_before=NOW, filters={}
    )
    assert (scanned_one.value, scanned_one.scanned_at, scanned_one.computed_at) == ("live", later(50), NOW)
    assert (scanned_one.baseline_id, scanned_one.baseline_revision, scanned_one.facts_digest) == ("pb-1", 3, "d-1")
    assert (never.value, never.scanned_at, never.standing, never.status) == ("", None, None, None)
    assert operation().patch_group == scanned_one.patch_group
