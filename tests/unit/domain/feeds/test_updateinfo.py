"""Advisories of distributions with RPM packages, from a small sample of our own."""

from typing import Final

import pytest

from patchwindow.domain.errors import Invalid
from patchwindow.domain.feeds.notice import Fix, Notice
from patchwindow.domain.feeds.reading import FeedKind, read
from patchwindow.domain.feeds.scope import Scope
from patchwindow.domain.operating_system import OperatingSystem

ROCKY: Final = Scope(operating_system=OperatingSystem.ROCKY_LINUX, product="RockyLinux9")
ANY: Final = Scope()

UPDATEINFO: Final = b"""<?xml version="1.0" encoding="UTF-8"?>
<updates>
  <update from="releng@example.net" status="final" type="security" version="2">
    <id>RLSA-2026:0101</id>
    <title>Important: openssl
      security update</title>
    <issued date="2026-01-05 09:10:11"/>
    <updated date="2026-01-07"/>
    <severity>Important</severity>
    <references>
      <reference id="CVE-2026-0001" type="cve" href="https://example.net/"/>
      <reference id="CVE-2026-0001" type="cve" href="https://example.net/"/>
      <reference id="2210001" type="bugzilla"/>
      <reference id="RLSA-2026:0101" type="self"/>
    </references>
    <pkglist>
      <collection short="baseos">
        <name>baseos</name>
        <package name="openssl" epoch="1" version="3.0.7" release="27.el9" arch="x86_64"><filename>x</filename></package>
        <package name="openssl-libs" epoch="0" version="3.0.7" release="27.el9" arch="i686"/>
        <package name="openssl" epoch="1" version="3.0.7" release="27.el9" arch="src"/>
      </collection>
    </pkglist>
  </update>
  <update type="bugfix"><id>RLBA-2026:0102</id><issued date="1767571200"/><pkglist/></update>
</updates>
"""


def test_updateinfo_names_exact_packages() -> None:
    first, second = read(FeedKind.UPDATEINFO, UPDATEINFO, ROCKY).notices
    assert first == Notice(
        id="RLSA-2026:0101",
        kind="security",
        severity="Important",
        issued="2026-01-05",
        updated="2026-01-07",
        title="Important: openssl security update",
        cve_ids=("CVE-2026-0001",),
        bugzilla_ids=("2210001",),
        fixes=(
            Fix(
                operating_system=OperatingSystem.ROCKY_LINUX,
                product="RockyLinux9",
                name="openssl",
                arch="x86_64",
                version="1:3.0.7-27.el9",
            ),
            Fix(
                operating_system=OperatingSystem.ROCKY_LINUX,
                product="RockyLinux9",
                name="openssl-libs",
                arch="i686",
                version="3.0.7-27.el9",
            ),
        ),
    )
    assert second == Notice(id="RLBA-2026:0102", kind="bugfix", issued="2026-01-05")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "it is no XML: no element found"),
        (b"<updates><update>", "it is no XML"),
        (b"<repomd/>", "its root is <repomd>, not <updates>"),
        (b"<updates><update type='x'/></updates>", "an <update> has no <id>"),
        (
            b"<updates><update><id>A</id><issued date='yesterday'/></update></updates>",
            "A: <issued>: 'yesterday' is no day",
        ),
        (
            b"<updates><update><id>A</id><pkglist><package name='x'/></pkglist></update></updates>",
            "A: a <package> has no name, version or release",
        ),
        (b"<updates>" + b"<a>" * 200 + b"</a>" * 200 + b"</updates>", "nested more than 100 deep"),
    ],
)
def test_updateinfo_that_is_none_is_refused(data: bytes, words: str) -> None:
    with pytest.raises(Invalid, match=words):
        read(FeedKind.UPDATEINFO, data, ROCKY)


def test_entities_are_not_expanded() -> None:
    laughs = (
        b'<!DOCTYPE updates [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">'
        b'<!ENTITY f SYSTEM "file:///etc/passwd">]><updates><update><id>&b;&f;</id></update></updates>'
    )
    with pytest.raises(Invalid, match="declares the document type updates"):
        read(FeedKind.UPDATEINFO, laughs, ROCKY)


def test_updateinfo_without_a_system_is_refused() -> None:
    with pytest.raises(Invalid, match="does not say for which operating system"):
        read(FeedKind.UPDATEINFO, UPDATEINFO, ANY)
