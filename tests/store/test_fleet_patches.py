"""Evaluations by their nodes."""

from tests.store.compliance import LISTED, TODAY, cohort, evaluated, question, scanned
from tests.store.samples import NOW, later

from patchwindow.domain.feeds.known_patch import KnownPatch
from patchwindow.domain.feeds.notice import Cve
from patchwindow.domain.operating_system import OperatingSystem
from patchwindow.domain.overlay import NOTHING, Overlay
from patchwindow.domain.patch import Patch
from patchwindow.protocol.records import to_ms
from patchwindow.store.fleet_patches import EvaluatedNodes
from patchwindow.store.work import Work


def test_nodes_are_counted_by_evaluation_whatever_their_cohort(work: Work) -> None:
    found = evaluated(work)
    scanned(work, "mi-1", "mi-2", into=cohort(work, found, group="web"))
    scanned(work, "mi-3", into=cohort(work, found, group="db"))
    (nodes,) = work.fleet_patches.evaluated()
    assert nodes.listing_digest is not None
    assert work.fleet_patches.listed(nodes.listing_digest) == LISTED.patches
    assert nodes == EvaluatedNodes(
        evaluation_id=found.evaluation_id,
        facts_digest="d-1",
        baseline_id="pb-1",
        baseline_revision=3,
        overlay=NOTHING,
        evaluated_on=TODAY,
        listing_digest=nodes.listing_digest,
        places=LISTED.places,
        first_seen_ms=to_ms(NOW),
        node_count=3,
    )


def test_an_evaluation_without_nodes_is_none_of_a_fleet(work: Work) -> None:
    cohort(work, evaluated(work))
    assert work.fleet_patches.evaluated() == []


def test_evaluations_of_the_same_facts_come_together_each_with_its_overlay(work: Work) -> None:
    waiting = Overlay(pending_reboot=("openssl.amd64:2",))
    for number, asked in enumerate((question(), question(overlay=waiting), question(facts_digest="d-2"))):
        scanned(work, f"mi-{number}", into=cohort(work, evaluated(work, asked)))
    found = work.fleet_patches.evaluated()
    assert [one.facts_digest for one in found] == ["d-1", "d-1", "d-2"]
    assert {(one.facts_digest, one.overlay) for one in found} == {("d-1", NOTHING), ("d-1", waiting), ("d-2", NOTHING)}


def test_the_nodes_of_evaluations_come_in_order_of_id_from_a_place_on(work: Work) -> None:
    first, second = evaluated(work), evaluated(work, question(facts_digest="d-2"))
    scanned(work, "mi-1", "mi-4", into=cohort(work, first))
    scanned(work, "mi-2", into=cohort(work, second))
    scanned(work, "mi-3", into=cohort(work, evaluated(work, question(facts_digest="d-3"))))
    asked = [first.evaluation_id, second.evaluation_id]
    ones, twos = (first.evaluation_id, second.evaluation_id)
    assert work.fleet_patches.nodes(asked, after="", limit=10) == [("mi-1", ones), ("mi-2", twos), ("mi-4", ones)]
    assert work.fleet_patches.nodes(asked, after="mi-1", limit=1) == [("mi-2", twos)]
    assert work.fleet_patches.nodes([twos], after="mi-2", limit=10) == []


def test_first_sights_are_the_earliest_of_all_repositories(work: Work) -> None:
    scanned(work, "mi-1")
    for at, repository in ((later(5), "main"), (later(3), "security"), (later(9), "main")):
        patch = Patch(name="openssl", arch="amd64", version="2", product="Debian12", repository=repository)
        known = KnownPatch(operating_system=OperatingSystem.DEBIAN, readings=(patch,))
        work.catalog.report([known], "d-1", at)
    assert work.fleet_patches.first_sights() == {("DEBIAN", "openssl.amd64:2", "Debian12"): to_ms(later(3))}


def test_names_of_exploited_cves_are_those_of_the_patches_that_close_them(work: Work) -> None:
    scanned(work, "mi-1")
    for name, cve_id in (("openssl", "CVE-2026-1001"), ("bash", "CVE-2026-2002"), ("zlib", "CVE-2026-3003")):
        patch = Patch(name=name, arch="x86_64", version="2", release="1", cve_ids=(cve_id,))
        work.catalog.report(
            [KnownPatch(operating_system=OperatingSystem.ROCKY_LINUX, readings=(patch,))], "d-1", later(0)
        )
    work.notices.put_cves(
        "kev",
        [
            Cve(cve_id="CVE-2026-1001", is_known_exploited=True),
            Cve(cve_id="CVE-2026-2002", is_known_exploited=False),
            Cve(cve_id="CVE-2026-3003"),
        ],
        later(0),
    )
    assert work.fleet_patches.exploited_names() == {"openssl"}
