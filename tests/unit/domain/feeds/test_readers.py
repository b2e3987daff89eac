"""Lists of exploited CVEs and of scores; and whatever comes, it is read or refused."""

import json
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patchwindow.domain.errors import Invalid
from patchwindow.domain.feeds.notice import Cve, Feed, Fix, Notice
from patchwindow.domain.feeds.reading import FeedKind, merged, read
from patchwindow.domain.feeds.scope import Scope
from patchwindow.domain.operating_system import OperatingSystem

ROCKY: Final = Scope(operating_system=OperatingSystem.ROCKY_LINUX, product="RockyLinux9")
ANY: Final = Scope()


def test_the_list_of_exploited_cves() -> None:
    listed = {"vulnerabilities": [{"cveID": "CVE-2026-0001", "dateAdded": "2026-03-01", "dueDate": "2026-03-22"}]}
    assert read(FeedKind.KEV, json.dumps(listed).encode(), ANY).cves == (
        Cve(
            cve_id="CVE-2026-0001",
            is_known_exploited=True,
            exploited_since="2026-03-01",
            due_on="2026-03-22",
        ),
    )
    with pytest.raises(Invalid, match=r"vulnerabilities\[0\]\.cveID: 'KEV-1' is no CVE"):
        read(FeedKind.KEV, b'{"vulnerabilities": [{"cveID": "KEV-1"}]}', ANY)


EPSS: Final = b"#model_version:v2026.01.01,score_date:2026-03-14T00:00:00+0000\ncve,epss,percentile\n"


def test_scores_are_exact() -> None:
    found = read(FeedKind.EPSS, EPSS + b"CVE-2026-0001,0.97559,0.99999\nCVE-2026-0002,0.000430000,1\n", ANY)
    assert [(one.epss_score_billionths, one.epss_percentile_billionths) for one in found.cves] == [
        (975_590_000, 999_990_000),
        (430_000, 1_000_000_000),
    ]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"cve,score\n", "its columns are cve,score"),
        (EPSS + b"CVE-2026-0001,0.5\n", "row 1: it has 2 columns"),
        (EPSS + b"CVE-2026-0001,high,0\n", "row 1: 'high' is no number"),
        (EPSS + b"CVE-2026-0001,0,0\nCVE-2026-0002,1.5,0\n", "row 2: 1.5 is not from 0 to 1"),
        (EPSS + b"CVE-2026-0001,NaN,0\n", "row 1: NaN is not from 0 to 1"),
        (b"\xff\xff", "it is no text in UTF-8"),
    ],
)
def test_scores_that_are_none_are_refused(data: bytes, words: str) -> None:
    with pytest.raises(Invalid, match=words):
        read(FeedKind.EPSS, data, ANY)


def test_a_notice_in_several_files_has_the_packages_of_all() -> None:
    def one(name: str) -> Feed:
        return Feed(
            notices=(Notice(id="A", fixes=(Fix(operating_system=OperatingSystem.DEBIAN, name=name, version="1"),)),)
        )

    (notice,) = merged([one("a"), one("b"), one("a")]).notices
    assert [fix.name for fix in notice.fixes] == ["a", "b"]


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda below: (
        st.lists(below, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "id",
                    "affected",
                    "package",
                    "ranges",
                    "events",
                    "releases",
                    "vulnerabilities",
                    "cve",
                    "cveID",
                    "document",
                    "ProductTree",
                ]
            )
            | st.text(max_size=3),
            below,
            max_size=4,
        )
    ),
    max_leaves=15,
)


def outcome(kind: FeedKind, data: bytes) -> Feed | str:
    """Return what is read, or why it is refused; anything else that is raised is a fault."""
    try:
        return read(kind, data, ROCKY)
    except Invalid as refused:
        return str(refused)


@given(kind=st.sampled_from(FeedKind), content=_JSON)
def test_whatever_json_comes_is_read_or_refused(kind: FeedKind, content: object) -> None:
    assert outcome(kind, json.dumps(content).encode())


@given(kind=st.sampled_from(FeedKind), data=st.binary(max_size=200))
def test_whatever_bytes_come_are_read_or_refused(kind: FeedKind, data: bytes) -> None:
    assert outcome(kind, data)
