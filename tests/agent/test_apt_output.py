"""Parsers of what apt and dpkg print; the texts are files in data/apt."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patchwindow_agent.apt_output import (
    Installed,
    Offer,
    Origin,
    is_security,
    parse_dpkg,
    parse_offers,
    parse_policies,
    parse_sources,
    update_problem,
)
from patchwindow_agent.errors import NoRights, ScanFailed
from patchwindow_agent.machine import System

DATA = Path(__file__).parent / "data/apt"

DEBIAN = System("debian", "Debian GNU/Linux", "12", "bookworm")
UBUNTU = System("ubuntu", "Ubuntu", "24.04", "noble", ("debian",))


def read(name: str) -> str:
    return (DATA / name).read_text()


def test_every_package_that_works_or_did_before_its_update_failed_is_installed() -> None:
    assert parse_dpkg(read("dpkg-query.txt")) == [
        Installed("bare", "amd64", "1", "", "", is_held=False),
        Installed("broken", "all", "1.0", "misc", "extra", is_held=False, unpacked="1.1"),
        Installed("libc6", "i386", "2.36-9", "libs", "optional", is_held=False, source="glibc"),
        Installed(
            "linux-image-amd64", "amd64", "6.1.137-1", "kernel", "optional", True, "linux-signed-amd64", "6.1.137+1"
        ),
        Installed("openssl", "amd64", "3.0.15-1~deb12u1", "utils", "optional", is_held=False),
    ]


def test_sources_carry_what_their_release_files_say() -> None:
    sources = parse_sources(read("policy-sources.txt"))
    assert sources["https://packages.example.com/apt stable/main amd64 Packages"] == Origin(
        "Example, Inc", "Example Packages", "stable", "stable", "main", "packages.example.com"
    )
    assert sources["http://security.example.net/debian-security bookworm-security/main amd64 Packages"] == Origin(
        "Debian", "Debian-Security", "oldstable-security", "bookworm-security", "main", "security.example.net"
    )
    # One for each architecture, and none for what is installed.
    assert len(sources) == 5
    assert len(set(sources.values())) == 4


@pytest.mark.parametrize(
    ("name", "update"),
    [
        ("openssl", "3.0.16-1~deb12u1"),
        ("libc6:i386", "2.36-9+deb12u10"),
        ("by-hand", None),
        ("pinned-away", None),
        ("pinned-back", None),
        ("phased-elsewhere", "1:2.3-2"),
        ("rebuilt", None),
    ],
)
def test_an_update_is_what_stands_above_the_installed_version(name: str, update: str | None) -> None:
    assert parse_policies(read("policy-names.txt"))[name].update == update


def test_a_version_is_offered_by_the_indexes_under_it() -> None:
    policies = parse_policies(read("policy-names.txt"))
    main = "http://mirror.example.net/debian bookworm/main amd64 Packages"
    assert policies["openssl"].offers["3.0.15-1~deb12u1"] == {main}
    assert policies["libc6:i386"].offers["2.36-9"] == frozenset()
    # Built anew under the same version: the mirror offers exactly that version all the same.
    assert policies["rebuilt"].offers["5.0"] == {main}


def test_a_description_is_not_taken_for_fields() -> None:
    assert parse_offers(read("show.txt")) == {
        ("openssl", "3.0.16-1~deb12u1"): Offer("utils", "optional", 1430000),
        ("libc6", "2.36-9+deb12u10"): Offer("libs", "required", 2450000, "glibc", "2.36-9+deb12u9"),
    }


@pytest.mark.parametrize(
    ("origin", "system", "expected"),
    [
        (Origin("Debian", "Debian-Security", "stable-security", "bookworm-security", "main", ""), DEBIAN, True),
        (Origin("Debian", "Debian-Security", "oldstable", "x", "main", ""), DEBIAN, True),
        (Origin("Debian", "Debian", "stable-updates", "bookworm-updates", "main", ""), DEBIAN, False),
        (Origin("Ubuntu", "Ubuntu", "noble-security", "noble", "main", ""), UBUNTU, True),
        (Origin("Ubuntu", "Ubuntu", "noble-updates", "noble", "main", ""), UBUNTU, False),
        # On Debian the suite's name does not say it: it moves with each release.
        (Origin("Vendor", "Vendor", "stable-security", "x", "main", ""), DEBIAN, False),
    ],
)
def test_security_is_told_as_the_publisher_tells_it(origin: Origin, system: System, *, expected: bool) -> None:
    assert is_security(origin, system) is expected


UNREACHABLE = (
    "E: Failed to fetch http://mirror.example.net/debian/dists/bookworm/InRelease  Could not resolve 'mirror.example.net'\n"
    "E: Failed to fetch http://other.example.net/x/InRelease  Could not resolve 'other.example.net'\n"
    "E: Some index files failed to download. They have been ignored, or old ones used instead.\n"
)


@pytest.mark.parametrize(
    ("exit_code", "stderr", "kind", "message"),
    [
        (100, UNREACHABLE, ScanFailed, "mirror.example.net/debian/dists/bookworm/InRelease: Could not resolve"),
        # An older apt ends with 0 although it could not reach a source.
        (0, UNREACHABLE.replace("E:", "W:"), ScanFailed, "(and 1 more)"),
        (100, "E: Failed to fetch https://p.example.net/x  401  Unauthorized [IP: 10.0.0.1 443]", NoRights, "401"),
        (
            100,
            "E: List directory /var/lib/apt/lists/partial is missing. - Acquire (13: Permission denied)",
            NoRights,
            "Permission denied",
        ),
        (100, "W: odd\nE: The repository 'x' is not signed.", ScanFailed, "The repository 'x' is not signed."),
        (100, "", ScanFailed, "exit status 100"),
    ],
)
def test_a_failed_refresh_is_told_as_what_it_is(
    exit_code: int, stderr: str, kind: type[ScanFailed], message: str
) -> None:
    problem = update_problem(exit_code, stderr)
    assert type(problem) is kind
    assert message in str(problem)


def test_a_refresh_with_mere_warnings_is_one() -> None:
    assert update_problem(0, "W: Target Packages is configured multiple times\n") is None


@given(st.text())
def test_no_text_breaks_a_parser(text: str) -> None:
    assert isinstance(parse_dpkg(text), list)
    assert isinstance(parse_sources(text), dict)
    assert isinstance(parse_policies(text), dict)
    assert isinstance(parse_offers(text), dict)
    assert update_problem(1, text) is not None
