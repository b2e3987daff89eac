"""How lists name patches."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patchwindow.domain.operating_system import Family
from patchwindow.domain.patch import Patch
from patchwindow.domain.patch_name import entry_for, finder, matcher

OPENSSL = Patch(
    name="openssl",
    arch="x86_64",
    epoch="1",
    version="3.0.8",
    release="1.amzn2023",
    advisory_ids=("ALAS2023-2025-123",),
    cve_ids=("CVE-2026-0001",),
    bugzilla_ids=("123456",),
)

PACKAGE_FORMS = [
    "openssl",
    "openssl.x86_64",
    "openssl-3.0.8",
    "openssl-3.0.8-1.amzn2023",
    "openssl-3.0.8-1.amzn2023.x86_64",
    "3.0.8",
    "3.0.8-1.amzn2023",
    "1:3.0.8-1.amzn2023",
    "openssl-1:3.0.8-1.amzn2023",
    "openssl-1:3.0.8-1.amzn2023.x86_64",
    "1:openssl-3.0.8-1.amzn2023.x86_64",
    "openssl.x86_64:1:3.0.8-1.amzn2023",
]
NOTICE_FORMS = ["ALAS2023-2025-123", "CVE-2026-0001", "123456"]


def names(patch: Patch, entry: str, family: Family, *, rejects: bool = False) -> bool:
    return matcher((entry,), family, rejects=rejects)(patch) == entry


@pytest.mark.parametrize("entry", [*PACKAGE_FORMS, "open*", "*.x86_64", "openssl-*.x86_64", "*"])
@pytest.mark.parametrize("rejects", [True, False])
def test_both_lists_know_every_form_of_a_package_and_one_wildcard(entry: str, *, rejects: bool) -> None:
    assert names(OPENSSL, entry, Family.RPM, rejects=rejects)


@pytest.mark.parametrize("entry", NOTICE_FORMS)
def test_only_approval_knows_notices(entry: str) -> None:
    assert names(OPENSSL, entry, Family.RPM)
    assert not names(OPENSSL, entry, Family.RPM, rejects=True)


@pytest.mark.parametrize("entry", ["CVE-2026-*", "OpenSSL", "openss", "openssl.x86_6", "opensslopen*", "o*x86"])
def test_names_match_whole_and_by_case_and_wildcards_only_packages(entry: str) -> None:
    assert not names(OPENSSL, entry, Family.RPM)


def test_a_wildcard_does_not_count_a_character_twice() -> None:
    assert not names(Patch(name="abc", arch="x", version="1", release="1"), "abc*c", Family.RPM)


def test_apt_knows_bare_names_only() -> None:
    patch = Patch(name="openssl", arch="amd64", version="3.0.16-1~deb12u1")
    assert names(patch, "openssl", Family.APT)
    assert not names(patch, "openssl.amd64", Family.APT)
    assert not names(patch, "open*", Family.APT)


@pytest.mark.parametrize("entry", ["KB5034123", "kb5034123", "5034123", "MS17-010"])
@pytest.mark.parametrize("number", ["KB5034123", "5034123"])
def test_windows_knows_kb_numbers_and_bulletins_in_any_case(entry: str, number: str) -> None:
    patch = Patch(name="Cumulative Update", kb_number=number, advisory_ids=("MS17-010",))
    assert names(patch, entry, Family.WINDOWS)


def test_windows_does_not_take_a_patch_without_a_number_for_an_empty_one() -> None:
    assert not names(Patch(name="Driver"), "KB", Family.WINDOWS)


@pytest.mark.parametrize("entry", ["SUSE-SLE-2026-77", "zypper", "zypper-1.14-2.1.x86_64", "zypp*"])
def test_suse_knows_patches_and_packages(entry: str) -> None:
    patch = Patch(name="zypper", arch="x86_64", version="1.14", release="2.1", advisory_ids=("SUSE-SLE-2026-77",))
    assert names(patch, entry, Family.ZYPPER)
    assert names(patch, entry, Family.ZYPPER, rejects=True)


def test_macos_knows_full_names_only() -> None:
    patch = Patch(name="Safari16.1Update", version="16.1")
    assert names(patch, "Safari16.1Update", Family.MACOS)
    assert not names(patch, "Safari*", Family.MACOS)


def test_an_empty_list_names_nothing() -> None:
    assert matcher((), Family.RPM, rejects=True)(OPENSSL) is None


words = st.from_regex(r"\A[a-z0-9][a-z0-9.+_-]{0,7}\Z")


@given(st.builds(Patch, name=words, arch=words, epoch=st.sampled_from(["", "0", "12"]), version=words, release=words))
def test_every_form_of_any_package_names_it(patch: Patch) -> None:
    name, arch, epoch, full = patch.name, patch.arch, patch.epoch or "0", f"{patch.version}-{patch.release}"
    forms = [
        name,
        f"{name}.{arch}",
        f"{name}-{patch.version}",
        f"{name}-{full}",
        f"{name}-{full}.{arch}",
        patch.version,
        full,
        f"{epoch}:{full}",
        f"{name}-{epoch}:{full}",
        f"{name}-{epoch}:{full}.{arch}",
        f"{epoch}:{name}-{full}.{arch}",
        f"{name}.{arch}:{epoch}:{full}",
    ]
    assert [form for form in forms if not names(patch, form, Family.RPM, rejects=True)] == []


@pytest.mark.parametrize(
    ("patch", "family", "entry"),
    [
        (OPENSSL, Family.RPM, "openssl"),
        (OPENSSL, Family.APT, "openssl"),
        (Patch(name="Update", kb_number="KB5034123", advisory_ids=("MS26-001",)), Family.WINDOWS, "KB5034123"),
        (Patch(name="Update", advisory_ids=("MS26-001",)), Family.WINDOWS, "MS26-001"),
        (Patch(name="Update"), Family.WINDOWS, None),
    ],
)
def test_a_patch_can_be_named_by_its_shortest_name(patch: Patch, family: Family, entry: str | None) -> None:
    assert entry_for(patch, family) == entry
    assert entry is None or names(patch, entry, family)


def test_all_entries_that_name_a_patch_are_found() -> None:
    find = finder(("open*", "KB1", "openssl", "CVE-2026-0001", "zlib"), Family.RPM, rejects=False)
    assert set(find(OPENSSL)) == {"open*", "openssl", "CVE-2026-0001"}
