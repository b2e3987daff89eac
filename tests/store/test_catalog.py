"""The catalogue of patches, and what feeds say."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import pytest
from tests.store.samples import UNICODE

from patchwindow.domain.feeds.known_patch import KnownPatch
from patchwindow.domain.feeds.notice import Cve, Extent, Fix, Notice
from patchwindow.domain.operating_system import OperatingSystem
from patchwindow.domain.patch import Patch
from patchwindow.store.catalog import PatchCount, Product, Subject
from patchwindow.store.notices import CveCounts, ImportedFeed
from patchwindow.store.work import Work

NOW: Final = datetime(2026, 3, 14, 10, 0, 0, 123000, tzinfo=UTC)
LATER: Final = NOW + timedelta(days=1)
DEBIAN: Final = OperatingSystem.DEBIAN
ROCKY: Final = OperatingSystem.ROCKY_LINUX


def deb(name: str = "openssl", version: str = "1", **more: Any) -> KnownPatch:
    patch = Patch(name=name, arch="amd64", version=version, product="Debian12", repository="main")
    return KnownPatch(operating_system=DEBIAN, readings=(replace(patch, **more),))


def fix(name: str = "curl", version: str = "1-2.el9") -> Fix:
    return Fix(operating_system=ROCKY, product="RockyLinux9", name=name, arch="x86_64", version=version)


NOTICE: Final = Notice(
    id="RLSA-1",
    kind="security",
    severity="Important",
    issued="2026-01-05",
    updated="2026-01-06",
    title=UNICODE,
    cve_ids=("CVE-2026-0001",),
    bugzilla_ids=("7",),
    fixes=(fix(), fix("libcurl")),
)


def imported(work: Work, *notices: Notice, source: str = "feed") -> None:
    for system, subjects in work.notices.put(source, notices, NOW).items():
        work.catalog.settle(system, subjects)


def page(work: Work, **wanted: Any) -> list[KnownPatch]:
    return work.catalog.page(**{"after": None, "limit": 100, **wanted})


def titles(work: Work, **wanted: Any) -> list[str]:
    return [patch.readings[0].title for patch in page(work, **wanted)]


def test_a_reported_patch_comes_back_as_it_was_reported(work: Work) -> None:
    readings = tuple(
        Patch(
            name=UNICODE,
            arch="x86_64",
            epoch="1",
            version="3.0.7",
            release="27.el9",
            classification="Security",
            severity=severity,
            section="s",
            priority="p",
            product="RockyLinux9.5",
            product_family="f",
            patch_set="APPLICATION",
            repository="baseos",
            advisory_ids=("A", "B"),
            cve_ids=("CVE-2026-0001",),
            bugzilla_ids=("1",),
            released_on=date(2026, 1, 5),
            updated_on=date(2026, 1, 6),
            built_on=date(2026, 1, 4),
            is_security=True,
        )
        for severity in ("Critical", "")
    )
    patch = KnownPatch(operating_system=ROCKY, readings=readings, update_id="u")
    work.catalog.report([patch], "digest", NOW)
    assert page(work) == [replace(patch, first_seen_at=NOW, first_seen_in="digest")]


def test_the_first_sight_stays_and_what_is_said_follows(work: Work) -> None:
    work.catalog.report([deb()], "first", NOW)
    work.catalog.report([deb()], "second", LATER)
    work.catalog.report([deb(section="net")], "third", LATER)
    (patch,) = page(work)
    assert (patch.first_seen_at, patch.first_seen_in) == (NOW, "first")
    assert patch.readings[0].section == "net"


def test_the_ledger_tells_repositories_and_versions_apart(work: Work) -> None:
    work.catalog.report([deb(), deb(product="Debian13")], "a", NOW)
    work.catalog.report([deb(repository="security"), deb(version="2")], "b", LATER)
    assert work.catalog.first_seen(DEBIAN, ["openssl.amd64:1", "openssl.amd64:2", "bash.amd64:1"]) == {
        ("main", "openssl.amd64:1"): NOW,
        ("security", "openssl.amd64:1"): LATER,
        ("main", "openssl.amd64:2"): LATER,
    }
    assert work.catalog.first_seen(OperatingSystem.UBUNTU, ["openssl.amd64:1"]) == {}


def test_facts_are_read_once_and_forgotten_with_the_facts(work: Work) -> None:
    work.facts.put("digest", b"{}", NOW)
    assert not work.catalog.is_read("digest")
    work.catalog.note_read("digest", NOW)
    work.catalog.note_read("digest", NOW)
    assert work.catalog.is_read("digest")
    assert work.facts.prune(LATER, 10) == 1
    assert not work.catalog.is_read("digest")


@pytest.mark.parametrize("limit", [1, 2, 100])
def test_pages_go_on_after_a_key(work: Work, limit: int) -> None:
    patches = [deb(name, version) for name in ("a", "B", "ä") for version in ("1", "10", "9")]
    work.catalog.report(patches, "d", NOW)
    work.catalog.report([replace(deb(), operating_system=OperatingSystem.UBUNTU)], "d", NOW)
    found: list[KnownPatch] = []
    while some := page(work, after=found[-1].key if found else None, limit=limit):
        found += some
    assert [patch.key for patch in found] == sorted(
        [*(patch.key for patch in patches), ("UBUNTU", "openssl.amd64:1", "Debian12", "main")]
    )


def test_a_page_is_of_systems_products_and_names(work: Work) -> None:
    work.catalog.report([deb(), deb("bash"), deb(product="Debian13")], "d", NOW)
    windows = Patch(name="An update", kb_number="KB1", product="WindowsServer2022", product_family="Windows")
    work.catalog.report([KnownPatch(operating_system=OperatingSystem.WINDOWS, readings=(windows,))], "d", NOW)
    assert titles(work, operating_system="WINDOWS") == ["An update"]
    assert len(titles(work, products=["Debian12"])) == 2
    assert titles(work, names=["bash", "An update"]) == ["bash.amd64:1", "An update"]
    assert titles(work, names=["KB1"]) == ["An update"]
    assert titles(work, names=[]) == []
    assert work.catalog.products("WINDOWS") == [Product(name="WindowsServer2022", family="Windows", patch_set="OS")]
    assert [one.name for one in work.catalog.products("DEBIAN")] == ["Debian12", "Debian13"]
    assert work.catalog.counts() == [
        PatchCount(operating_system="DEBIAN", patch_count=3, reported_count=3),
        PatchCount(operating_system="WINDOWS", patch_count=1, reported_count=1),
    ]
    assert [patch.name for patch in work.catalog.known("DEBIAN", ["bash.amd64:1"])] == ["bash"]


def test_a_notice_is_in_the_catalogue_with_its_packages(work: Work) -> None:
    imported(work, NOTICE)
    assert titles(work) == ["curl.x86_64:0:1-2.el9", "libcurl.x86_64:0:1-2.el9"]
    assert work.catalog.names_of(["CVE-2026-0001"]) == {"curl", "libcurl"}
    assert work.catalog.names_of(["RLSA-1", "7"]) == {"curl", "libcurl"}
    assert work.catalog.names_of(["CVE-2026-0002"]) == set()
    assert work.notices.feeds() == [ImportedFeed(source="feed", imported_at=NOW, advisory_count=1)]


def test_a_revised_notice_takes_the_place_of_the_former(work: Work) -> None:
    imported(work, NOTICE)
    imported(work, replace(NOTICE, severity="Low", fixes=(fix("libcurl"), fix("libcurl", "3-1.el9"))))
    assert [(patch.readings[0].title, patch.readings[0].severity) for patch in page(work)] == [
        ("libcurl.x86_64:0:1-2.el9", "Low"),
        ("libcurl.x86_64:0:3-1.el9", "Low"),
    ]


def test_an_unchanged_notice_needs_nothing_to_be_settled(work: Work) -> None:
    of_both = {Subject(name, f"{name}.x86_64:0:1-2.el9") for name in ("curl", "libcurl")}
    assert work.notices.put("feed", [NOTICE], NOW) == {"ROCKY_LINUX": of_both}
    assert work.notices.put("feed", [NOTICE], LATER) == {}
    assert work.notices.put("another", [NOTICE], LATER) == {"ROCKY_LINUX": of_both}


def test_of_notices_with_one_id_the_last_counts(work: Work) -> None:
    imported(work, NOTICE, replace(NOTICE, fixes=(fix("zlib"),)))
    assert titles(work) == ["zlib.x86_64:0:1-2.el9"]


def test_notices_and_reports_are_joined_whichever_comes_first(work: Work) -> None:
    closing = replace(
        NOTICE,
        fixes=(
            Fix(operating_system=DEBIAN, product="Debian12", name="openssl", version="2", extent=Extent.SINCE),
            Fix(operating_system=DEBIAN, product="Debian12", name="zlib", version="2", extent=Extent.SINCE),
        ),
    )
    work.catalog.report([deb(version="1"), deb(version="3")], "d", NOW)
    imported(work, closing)
    work.catalog.report([deb("zlib", "1"), deb("zlib", "3")], "e", NOW)
    having = {patch.readings[0].title for patch in page(work) if patch.shown.cve_ids}
    assert having == {"openssl.amd64:3", "zlib.amd64:3"}
    imported(work, replace(closing, fixes=()))
    assert {patch.readings[0].title for patch in page(work) if patch.shown.cve_ids} == set()
    assert len(page(work)) == 4


def test_what_is_reported_takes_the_place_of_what_was_imported(work: Work) -> None:
    imported(work, NOTICE)
    patch = Patch(
        name="curl", arch="x86_64", epoch="0", version="1", release="2.el9", product="RockyLinux9.5", repository="r"
    )
    work.catalog.report([KnownPatch(operating_system=ROCKY, readings=(patch,))], "d", NOW)
    found = {known.name: known for known in page(work)}
    assert found["curl"].key == ("ROCKY_LINUX", "curl.x86_64:0:1-2.el9", "RockyLinux9.5", "r")
    assert found["curl"].shown.advisory_ids == ("RLSA-1",)
    assert found["libcurl"].first_seen_at is None
    imported(work, replace(NOTICE, severity="Low"))
    assert {known.name: known.shown.severity for known in page(work)} == {"curl": "Low", "libcurl": "Low"}


def test_feeds_say_each_their_part_of_a_cve(work: Work) -> None:
    exploited = Cve(cve_id="CVE-2026-0001", is_known_exploited=True, exploited_since="2026-03-01", due_on="2026-03-22")
    scored = Cve(cve_id="CVE-2026-0001", epss_score_billionths=10**9, epss_percentile_billionths=1)
    work.notices.put_cves("kev", [exploited, Cve(cve_id="CVE-2026-0002", severity="high")], NOW)
    work.notices.put_cves("epss", [scored], NOW)
    assert work.notices.cves(["CVE-2026-0001", "CVE-2026-0003"]) == {
        "CVE-2026-0001": replace(exploited, epss_score_billionths=10**9, epss_percentile_billionths=1)
    }
    assert work.notices.cve_counts() == CveCounts(cve_count=2, exploited_count=1, scored_count=1)
    work.notices.put_cves("kev", [Cve(cve_id="CVE-2026-0001", due_on="2026-04-01")], NOW)
    assert work.notices.cves(["CVE-2026-0001"])["CVE-2026-0001"].due_on == "2026-04-01"
    assert [feed.source for feed in work.notices.feeds()] == ["epss", "kev"]


def test_many_are_kept_and_found(work: Work) -> None:
    work.catalog.report([deb(f"package-{number:04}") for number in range(1000)], "d", NOW)
    assert len(work.catalog.first_seen(DEBIAN, [f"package-{number:04}.amd64:1" for number in range(1000)])) == 1000
    assert len(page(work, limit=2000)) == 1000


def of_source(name: str, version: str, source_version: str = "") -> KnownPatch:
    return deb(name, version, source="openssl", source_version=source_version)


TRACKED: Final = Notice(
    id="CVE-2026-0002",
    kind="security",
    cve_ids=("CVE-2026-0002",),
    fixes=(Fix(operating_system=DEBIAN, product="Debian12", name="openssl", version="3.0.2", extent=Extent.SINCE),),
)


def closing(work: Work) -> set[str]:
    return {patch.readings[0].title for patch in page(work) if patch.added.cve_ids == ("CVE-2026-0002",)}


@pytest.mark.parametrize("is_first", [True, False], ids=["notice first", "report first"])
def test_what_is_said_of_a_source_is_added_to_each_package_that_is_built_from_it(work: Work, *, is_first: bool) -> None:
    """Of a package whose version is another than that of its source, the version of the source counts."""
    if is_first:
        imported(work, TRACKED)
    for at, source_version in enumerate(("3.0.1", "3.0.2", "3.0.3")):
        reported = [
            deb(version=source_version),
            of_source("libssl3", source_version),
            of_source("ssl-meta", f"4:{at}", source_version),
            deb("unrelated", source_version, source="other"),
            deb("ssl-by-name", source_version),
        ]
        work.catalog.report(reported, f"facts-{at}", NOW)
    if not is_first:
        imported(work, TRACKED)
    assert closing(work) == {"openssl.amd64:3.0.2", "libssl3.amd64:3.0.2", "ssl-meta.amd64:4:1"}
    assert work.catalog.names_of(["CVE-2026-0002"]) == {"openssl", "libssl3", "ssl-meta"}


def test_what_is_said_of_a_package_itself_stays_when_something_is_said_of_its_source(work: Work) -> None:
    own = replace(TRACKED, id="USN-1", cve_ids=("CVE-2026-0003",), fixes=(replace(TRACKED.fixes[0], name="libssl3"),))
    imported(work, own)
    work.catalog.report([of_source("libssl3", "3.0.1"), of_source("libssl3", "3.0.2")], "facts", NOW)
    imported(work, TRACKED)
    (_, patch) = page(work)
    assert set(patch.added.cve_ids) == {"CVE-2026-0002", "CVE-2026-0003"}
    imported(work, replace(TRACKED, fixes=()))
    (_, patch) = page(work)
    assert patch.added.cve_ids == ("CVE-2026-0003",)


def test_a_patch_is_old_from_when_it_was_last_reported_and_not_from_its_first_sight(work: Work) -> None:
    work.catalog.report([deb(), deb("bash")], "first", NOW)
    work.catalog.report([deb()], "second", NOW + timedelta(days=40))
    assert work.catalog_age.forget_patches(NOW, 9) == {}
    assert work.catalog_age.forget_patches(NOW + timedelta(days=40), 9) == {"DEBIAN": {Subject("bash", "bash.amd64:1")}}
    (patch,) = page(work)
    assert (patch.name, patch.first_seen_at) == ("openssl", NOW)


def test_what_is_old_is_forgotten_some_at_a_time_the_oldest_first(work: Work) -> None:
    for at in range(3):
        work.catalog.report([deb(f"name-{at}")], f"facts-{at}", NOW + timedelta(minutes=at))
    assert work.catalog_age.forget_patches(LATER, 2).keys() == {"DEBIAN"}
    assert titles(work) == ["name-2.amd64:1"]
