"""What imported notices add to the patches that nodes report."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patchwindow.domain.debian_version import sort_key
from patchwindow.domain.feeds.known_patch import NOTHING, KnownPatch, Named, settled
from patchwindow.domain.feeds.notice import Extent, Fix, Notice
from patchwindow.domain.operating_system import OperatingSystem
from patchwindow.domain.patch import Patch

AT: Final = datetime(2026, 3, 14, tzinfo=UTC)
DEBIAN: Final = OperatingSystem.DEBIAN
ROCKY: Final = OperatingSystem.ROCKY_LINUX
NOTICE: Final = Notice(
    id="DSA-1",
    kind="security",
    severity="high",
    issued="2026-01-05",
    cve_ids=("CVE-2026-0001",),
    bugzilla_ids=("7",),
)


def deb(version: str, *, product: str = "Debian12", repository: str = "main", **more: Any) -> KnownPatch:
    patch = Patch(name="openssl", arch="amd64", version=version, product=product, repository=repository, **more)
    return KnownPatch(operating_system=DEBIAN, readings=(patch,), first_seen_at=AT, first_seen_in="d")


def rpm(version: str = "3.0.7", release: str = "27.el9", *, product: str = "RockyLinux9.5", **more: Any) -> KnownPatch:
    patch = Patch(
        name="openssl", arch="x86_64", epoch="1", version=version, release=release, product=product, repository="baseos"
    )
    return KnownPatch(operating_system=ROCKY, readings=(replace(patch, **more),), first_seen_at=AT, first_seen_in="d")


def since(version: str, *, product: str = "Debian12", notice: Notice = NOTICE) -> Named:
    fix = Fix(operating_system=DEBIAN, product=product, name="openssl", version=version, extent=Extent.SINCE)
    return Named(notice=notice, fix=fix)


def exactly(
    version: str = "1:3.0.7-27.el9", *, product: str = "RockyLinux9", arch: str = "x86_64", notice: Notice = NOTICE
) -> Named:
    return Named(
        notice=notice,
        fix=Fix(operating_system=ROCKY, product=product, name="openssl", arch=arch, version=version),
    )


def advised(reported: list[KnownPatch], *named: Named) -> dict[str, tuple[str, ...]]:
    """Return the advisories of each version that a node has reported."""
    return {
        patch.readings[0].version: patch.shown.advisory_ids
        for patch in settled(reported, named)
        if patch.first_seen_at is not None
    }


def test_a_fix_is_of_the_first_known_version_that_has_it() -> None:
    versions = [deb("3.0.13"), deb("3.0.16"), deb("3.0.17")]
    assert advised(versions, since("3.0.15")) == {"3.0.13": (), "3.0.16": ("DSA-1",), "3.0.17": ()}
    assert advised(versions, since("3.0.16")) == {"3.0.13": (), "3.0.16": ("DSA-1",), "3.0.17": ()}
    assert advised(versions, since("3.0.18")) == {"3.0.13": (), "3.0.16": (), "3.0.17": ()}


def test_of_the_oldest_known_version_it_is_only_if_it_is_that_one() -> None:
    versions = [deb("3.0.13"), deb("3.0.16")]
    assert advised(versions, since("1.0")) == {"3.0.13": (), "3.0.16": ()}
    assert advised(versions, since("3.0.13")) == {"3.0.13": ("DSA-1",), "3.0.16": ()}


def test_a_version_in_two_repositories_has_it_in_both() -> None:
    found = settled([deb("1"), deb("2"), deb("2", repository="security")], [since("2")])
    assert [(patch.readings[0].version, patch.shown.advisory_ids) for patch in found] == [
        ("1", ()),
        ("2", ("DSA-1",)),
        ("2", ("DSA-1",)),
    ]


def test_products_are_apart() -> None:
    versions = [deb("1"), deb("2"), deb("1", product="Debian13"), deb("3", product="Debian13")]
    assert advised(versions, since("2", product="Debian12"))["3"] == ()
    assert advised(versions, since("2", product="Debian13")) == {"1": (), "2": (), "3": ("DSA-1",)}
    assert advised(versions, since("2", product="")) == {"1": (), "2": ("DSA-1",), "3": ("DSA-1",)}


@pytest.mark.parametrize(
    ("product", "of", "is_for"),
    [
        ("RockyLinux9", "RockyLinux9.5", True),
        ("RockyLinux9.5", "RockyLinux9.5", True),
        ("RockyLinux9", "RockyLinux95", False),
        ("RockyLinux9.5", "RockyLinux9", False),
        ("", "RockyLinux9", True),
        ("RockyLinux9", "", True),
    ],
)
def test_a_product_stands_for_its_minor_releases(product: str, of: str, is_for: bool) -> None:  # noqa: FBT001  (a table)
    assert Fix(operating_system=ROCKY, product=product, name="x").is_for(of) is is_for


@pytest.mark.parametrize("version", ["1:3.0.7-27.el9", "1:3.00.7-27.el9"])
def test_an_exact_version_is_that_one_however_it_is_written(version: str) -> None:
    assert advised([rpm()], exactly(version)) == {"3.0.7": ("DSA-1",)}


@pytest.mark.parametrize(
    "named",
    [
        exactly("3.0.7-27.el9"),
        exactly("1:3.0.7-28.el9"),
        exactly(arch="aarch64"),
        exactly(product="RockyLinux8"),
    ],
)
def test_another_version_architecture_or_product_is_another_patch(named: Named) -> None:
    assert advised([rpm()], named) == {"3.0.7": ()}


def test_what_the_publisher_did_not_say_is_added() -> None:
    (patch,) = settled([rpm()], [exactly()])
    shown = patch.shown
    assert shown.advisory_ids == ("DSA-1",)
    assert (shown.cve_ids, shown.bugzilla_ids) == (("CVE-2026-0001",), ("7",))
    assert (shown.classification, shown.severity) == ("Security", "high")
    assert shown.released_on == date(2026, 1, 5)
    assert not shown.is_security


def test_what_the_publisher_said_stands() -> None:
    said = rpm(
        advisory_ids=("RLSA-1",),
        cve_ids=("CVE-2025-1",),
        bugzilla_ids=("1",),
        classification="Bugfix",
        severity="Low",
        updated_on=date(2025, 1, 1),
    )
    (patch,) = settled([said], [exactly()])
    assert patch.shown == said.readings[0]


def test_the_classification_of_apt_says_where_it_came_from_and_stands() -> None:
    found = list(settled([deb("1"), deb("2", severity="optional")], [since("2")]))
    assert found[1].shown.classification == ""
    assert found[1].shown.severity == "optional"
    assert found[1].shown.cve_ids == ("CVE-2026-0001",)


def test_of_several_notices_the_gravest_gives_severity_and_class() -> None:
    bugfix = Notice(id="B", kind="bugfix", severity="Critical", issued="2026-02-01", cve_ids=("CVE-2026-0009",))
    low = replace(NOTICE, id="L", severity="low")
    (patch,) = settled([rpm()], [exactly(notice=bugfix), exactly(notice=low), exactly()])
    assert patch.shown.advisory_ids == ("DSA-1", "L", "B")
    assert (patch.shown.classification, patch.shown.severity) == ("Security", "high")
    assert patch.shown.cve_ids == ("CVE-2026-0001", "CVE-2026-0009")
    assert patch.shown.released_on == date(2026, 2, 1)


def test_a_cve_is_no_advisory() -> None:
    (patch,) = settled([rpm()], [exactly(notice=replace(NOTICE, id="CVE-2026-0001"))])
    assert patch.shown.advisory_ids == ()
    assert patch.shown.cve_ids == ("CVE-2026-0001",)


def test_what_no_node_has_reported_is_known_from_what_names_it() -> None:
    (patch,) = settled([], [exactly(), exactly(notice=replace(NOTICE, id="B", kind="bugfix", severity=""))])
    assert patch.first_seen_at is None
    assert patch.key == ("ROCKY_LINUX", "openssl.x86_64:1:3.0.7-27.el9", "RockyLinux9", "")
    assert [(one.classification, one.severity) for one in patch.readings] == [("Security", "high"), ("Bugfix", "")]
    assert all(one.advisory_ids == ("DSA-1", "B") and one.is_security for one in patch.readings)


def test_what_a_node_has_reported_takes_its_place() -> None:
    (patch,) = settled([rpm()], [exactly()])
    assert patch.first_seen_at == AT
    assert len(list(settled([rpm(product="RockyLinux8.10")], [exactly()]))) == 2


def test_versions_since_and_packages_without_an_architecture_name_no_patch() -> None:
    assert list(settled([], [since("3.0.15"), exactly(arch="")])) == []


def test_a_kb_is_known_by_product_and_joined_by_number() -> None:
    def kb(product: str) -> Named:
        fix = Fix(operating_system=OperatingSystem.WINDOWS, product=product, name="KB5034123")
        return Named(notice=replace(NOTICE, id="CVE-2026-0001", kind="SecurityUpdates", severity="Critical"), fix=fix)

    update = Patch(name="2026-03 Update", kb_number="KB5034123", product="WindowsServer2022", severity="Critical")
    reported = KnownPatch(
        operating_system=OperatingSystem.WINDOWS, readings=(update,), first_seen_at=AT, first_seen_in="d"
    )
    found = list(settled([reported], [kb("WindowsServer2022"), kb("Windows10"), kb("")]))
    assert [(patch.name, patch.shown.product, patch.shown.classification) for patch in found] == [
        ("KB5034123", "WindowsServer2022", "SecurityUpdates"),
        ("KB5034123", "Windows10", "SecurityUpdates"),
    ]
    assert found[0].shown.cve_ids == ("CVE-2026-0001",)
    assert found[1].shown.title == "Update for Windows10 (KB5034123)"


_VERSIONS: Final = st.lists(st.integers(1, 30), min_size=1, max_size=6, unique=True)


@given(known=_VERSIONS, fixed=st.integers(0, 31))
def test_a_fix_since_a_version_is_of_one_version_at_most_and_never_of_an_older_one(
    known: list[int], fixed: int
) -> None:
    found = advised([deb(str(version)) for version in known], since(str(fixed)))
    having = [version for version, ids in found.items() if ids]
    assert len(having) <= 1
    assert all(sort_key(version) >= sort_key(str(fixed)) for version in having)


@given(known=_VERSIONS, order=st.randoms(use_true_random=False))
def test_the_order_in_which_things_came_does_not_matter(known: list[int], order: Any) -> None:
    reported = [deb(str(version)) for version in known]
    named = [since("5"), since("10", notice=replace(NOTICE, id="DSA-2", severity="low"))]
    expected = set(settled(reported, named))
    order.shuffle(reported)
    order.shuffle(named)
    assert set(settled(reported, named)) == expected


@given(known=_VERSIONS)
def test_settling_what_is_settled_changes_nothing(known: list[int]) -> None:
    once = list(settled([deb(str(version)) for version in known], [since("5")]))
    assert list(settled(once, [since("5")])) == once
    assert all(patch.added == NOTHING for patch in settled(once, []))
