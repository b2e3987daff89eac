"""Notices, as publishers write them."""

import io

import pytest

from patchwindow_agent import updateinfo
from patchwindow_agent.errors import ScanFailed

AMAZON = b"""<?xml version="1.0" encoding="UTF-8"?>
<updates><update author="linux-security@amazon.com" from="linux-security@amazon.com" status="final" type="security" version="1.4">
<id>ALAS2023-2026-123</id>
<title>Amazon Linux 2023 - ALAS2023-2026-123: important
 priority package update for openssl</title>
<issued date="2026-01-05 23:30" /><updated date="1767657600" /><severity>important</severity>
<description>Text.</description>
<references>
<reference href="http://cve.example.org/CVE-2026-0001" id="CVE-2026-0001" type="cve" />
<reference href="http://example.org/2" id="note" title="CVE-2026-00022 openssl: overflow" type="cve" />
<reference href="http://bugs.example.org/2210001" id="2210001" title="a bug" type="bugzilla" />
<reference href="http://example.org" id="self" type="self" />
</references>
<pkglist><collection short="amazon-linux-2023"><name>Amazon Linux 2023</name>
<package arch="x86_64" epoch="1" name="openssl" release="18.amzn2023" version="3.0.8"><filename>f.rpm</filename></package>
<package arch="src" epoch="0" name="openssl" release="18.amzn2023" version="3.0.8"><filename>f.src.rpm</filename></package>
</collection></pkglist></update>
<update type="bugfix"><id>FEDORA-2026-1</id><issued date="not a day"/></update>
<update type="bugfix"><title>without an id</title></update>
</updates>"""


def test_a_notice_is_read_with_its_packages() -> None:
    notices = list(updateinfo.parse(io.BytesIO(AMAZON)))
    assert [notice.id for notice, _ in notices] == ["ALAS2023-2026-123", "FEDORA-2026-1"]
    notice, packages = notices[0]
    assert notice == updateinfo.Notice(
        id="ALAS2023-2026-123",
        kind="security",
        severity="important",
        issued="2026-01-05",
        updated="2026-01-06",
        title="Amazon Linux 2023 - ALAS2023-2026-123: important priority package update for openssl",
        cves=["CVE-2026-0001", "CVE-2026-00022"],
        bugs=["2210001"],
    )
    assert packages == [
        ("openssl", "x86_64", "1:3.0.8-18.amzn2023"),
        ("openssl", "src", "3.0.8-18.amzn2023"),
    ]


def test_a_day_that_is_none_is_left_out() -> None:
    assert [notice.issued for notice, _ in updateinfo.parse(io.BytesIO(AMAZON))] == ["2026-01-05", ""]


@pytest.mark.parametrize("text", [b"", b"<updates><update>", b"<html>Not found</html", AMAZON[:-100]])
def test_what_is_cut_off_is_an_error_and_not_a_shorter_list(text: bytes) -> None:
    with pytest.raises(ScanFailed, match="cannot read the notices"):
        list(updateinfo.parse(io.BytesIO(text)))
