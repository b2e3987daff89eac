"""Install override lists and baseline overrides: what one operation is told to do instead of what its baseline says."""

import re
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patchwindow.domain.errors import Invalid
from patchwindow.domain.operating_system import Family, OperatingSystem
from patchwindow.domain.override import (
    LISTED_MAX,
    Candidate,
    Listed,
    check_pair,
    chosen,
    entry_for,
    install_list_of,
)
from patchwindow.domain.patch import Patch

RPM, APT, WINDOWS, MACOS = Family.RPM, Family.APT, Family.WINDOWS, Family.MACOS
KERNEL = Patch(name="kernel", arch="x86_64", epoch="0", version="6.1.2", release="1.amzn2023")
BIND = Patch(name="bind-libs", arch="x86_64", epoch="32", version="9.16.1", release="5.el9")
CURL = Patch(name="curl", arch="amd64", version="7.88.1-10+deb12u5")
MONTHLY = Patch(name="2026-03 Cumulative Update", kb_number="KB4284833", advisory_ids=("MS26-012",))
BREW = Patch(name="wget", version="1.24")


def listing(*entries: tuple[str, str] | str) -> tuple[Listed, ...]:
    return tuple(Listed(entry) if isinstance(entry, str) else Listed(*entry) for entry in entries)


def names(
    entries: Sequence[Listed], *patches: Patch, family: Family = RPM, approved: bool = False
) -> tuple[Patch, ...]:
    return chosen(tuple(entries), [Candidate(patch, approved) for patch in patches], family)


def test_a_list_is_read_with_its_ids_and_titles_and_each_entry_once() -> None:
    data = {"patches": [{"id": "kernel.x86_64"}, {"id": "bind*", "title": "9*"}, {"id": "kernel.x86_64", "note": 1}]}
    assert install_list_of(data) == listing("kernel.x86_64", ("bind*", "9*"))


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (None, "has no list 'patches'"),
        ([{"id": "x"}], "has no list 'patches'"),
        ({"patches": {"id": "x"}}, "has no list 'patches'"),
        ({"patches": ["kernel"]}, "patches[0]: 'kernel' is no mapping with an id"),
        (
            {"patches": [{"id": "a"}, {"title": "b"}]},
            "patches[1].id: None is no text of 1 to 1024 characters; quote it",
        ),
        ({"patches": [{"id": 4284833}]}, "patches[0].id: 4284833 is no text"),
        ({"patches": [{"id": "x" * 1025}]}, "patches[0].id: "),
        ({"patches": [{"id": "a", "title": ["b"]}]}, "patches[0].title: ['b'] is no text"),
        ({"patches": [{"id": "a"}] * (LISTED_MAX + 1)}, f"has {LISTED_MAX + 1} patches; give at most {LISTED_MAX}"),
    ],
)
def test_what_is_no_list_of_patches_is_refused(data: Any, problem: str) -> None:
    with pytest.raises(Invalid, match=re.escape(problem)):
        install_list_of(data)


@pytest.mark.parametrize(
    ("entry", "patch", "family"),
    [
        ("kernel.x86_64", KERNEL, RPM),
        ("kernel*", KERNEL, RPM),
        ("*", KERNEL, RPM),
        ("k*l.x86*", KERNEL, RPM),
        (("bind*.x86_64", "9.16.1-5.el9"), BIND, RPM),
        (("bind*.x86_64", "32:9.16.1-5.el9"), BIND, RPM),
        (("bind*.x86_64", "bind-libs.x86_64:32:9.16.*"), BIND, Family.ZYPPER),
        (("*", "*:32:*-5.el9"), BIND, RPM),
        ("curl.amd64", CURL, APT),
        (("curl.amd64", "curl.amd64:7.88.1-10+deb12u5"), CURL, APT),
        (("curl.amd64", "7.88*"), CURL, APT),
        (("KB4284833", "anything"), MONTHLY, WINDOWS),
        ("4284833", MONTHLY, WINDOWS),
        ("MS26-012", MONTHLY, WINDOWS),
        ("wget", BREW, MACOS),
        ("wget.1.24", BREW, MACOS),
    ],
)
def test_an_entry_names_a_patch(entry: tuple[str, str] | str, patch: Patch, family: Family) -> None:
    assert names(listing(entry), patch, family=family, approved=True) == (patch,)


@pytest.mark.parametrize(
    ("entry", "patch", "family"),
    [
        ("kernel", KERNEL, RPM),
        ("Kernel.x86_64", KERNEL, RPM),
        ("kernel.x86_64*1", KERNEL, RPM),
        (("kernel.x86_64", "kernel.x86_64:0:6.1.1-*"), KERNEL, RPM),
        (("bind*", "33:*"), BIND, RPM),
        ("bind.libs*", BIND, RPM),
        ("curl", CURL, APT),
        (("curl.amd64", "7.88"), CURL, APT),
        ("KB4284*", MONTHLY, WINDOWS),
        ("w*", BREW, MACOS),
        ("wget.1.25", BREW, MACOS),
    ],
)
def test_an_entry_names_no_other_patch(entry: tuple[str, str] | str, patch: Patch, family: Family) -> None:
    assert names(listing(entry), patch, family=family, approved=True) == ()


@pytest.mark.parametrize("family", [RPM, Family.ZYPPER, APT, MACOS])
def test_elsewhere_than_on_windows_a_listed_patch_is_installed_whether_approved_or_not(family: Family) -> None:
    patch = BREW if family is MACOS else CURL
    entries = listing("wget" if family is MACOS else "curl.amd64")
    assert names(entries, patch, family=family, approved=False) == (patch,)
    assert names(entries, patch, family=family, approved=True) == (patch,)


def test_on_windows_a_listed_patch_is_installed_if_it_is_also_approved() -> None:
    assert names(listing("KB4284833"), MONTHLY, family=WINDOWS, approved=False) == ()
    assert names(listing("KB4284833"), MONTHLY, family=WINDOWS, approved=True) == (MONTHLY,)


def test_an_approved_patch_that_is_not_listed_is_not_installed() -> None:
    assert names(listing("kernel.x86_64"), KERNEL, BIND, approved=True) == (KERNEL,)
    assert names((), KERNEL, approved=True) == ()


def test_entries_that_name_nothing_and_those_that_name_one_patch_twice_do_no_harm() -> None:
    assert names(listing("gone.x86_64", "kernel.x86_64", "kern*"), KERNEL) == (KERNEL,)


def test_of_several_versions_that_are_named_the_newest_is_installed() -> None:
    older = Patch(name="kernel", arch="x86_64", epoch="0", version="6.1.2", release="0.9")
    newer = Patch(name="kernel", arch="x86_64", epoch="1", version="5.10", release="1")
    assert names(listing("kernel.x86_64"), older, newer, KERNEL) == (newer,)
    assert names(listing(("kernel.x86_64", "0:*")), older, newer, KERNEL) == (KERNEL,)
    on_apt = [Patch(name="curl", arch="amd64", version=version) for version in ("7.9", "7.10", "7.10~rc1")]
    assert names(listing("curl*"), *on_apt, family=APT) == (on_apt[1],)


@given(st.text("ab*", max_size=12), st.text("ab", max_size=12))
def test_a_star_stands_for_anything(pattern: str, text: str) -> None:
    """ "id: name.arch, wildcards allowed; title: …, wildcards anywhere"."""
    expected = re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), text) is not None
    found = names(listing(pattern), Patch(name=text))
    assert bool(found) is expected


def test_the_entry_of_the_operating_system_is_the_one_that_is_used() -> None:
    debian, windows = {"OperatingSystem": "DEBIAN", "Name": "a"}, {"Name": "b"}
    assert entry_for([debian, windows], OperatingSystem.DEBIAN) == debian
    assert entry_for([debian, windows], OperatingSystem.WINDOWS) == windows


@pytest.mark.parametrize(
    ("entries", "problem"),
    [
        ({"OperatingSystem": "DEBIAN"}, "the baseline override is no list of objects"),
        (["DEBIAN"], "the baseline override is no list of objects"),
        ([], "the baseline override has no entries for DEBIAN; give exactly one"),
        ([{}], "the baseline override has no entries for DEBIAN; give exactly one"),
        ([{"OperatingSystem": "DEBIAN"}] * 2, "the baseline override has 2 entries for DEBIAN; give exactly one"),
    ],
)
def test_what_has_not_one_entry_for_the_operating_system_is_refused(entries: Any, problem: str) -> None:
    with pytest.raises(Invalid, match=re.escape(problem)):
        entry_for(entries, OperatingSystem.DEBIAN)


def test_an_operation_has_one_override_at_most() -> None:
    url = "https://mirror.example/x"
    for pair in (("", ""), (url, ""), ("", url)):
        check_pair(*pair)
    with pytest.raises(Invalid, match="InstallOverrideList and BaselineOverride are both given; give only one of them"):
        check_pair(url, url)
