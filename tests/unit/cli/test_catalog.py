"""`patchwindow catalog`."""

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest
from tests.fakes.web import answering, serving
from tests.unit.cli.fake import refusal, run

from patchwindow.cli.catalog import parts
from patchwindow.cli.exits import Exit
from patchwindow.cli.feed_files import content_of
from patchwindow.domain.errors import Invalid
from patchwindow.domain.feeds.notice import Cve, Feed, Fix, Notice
from patchwindow.domain.operating_system import OperatingSystem

KEV: Final = json.dumps(
    {"vulnerabilities": [{"cveID": "CVE-2026-0001", "dateAdded": "2026-03-01", "dueDate": "2026-03-22"}]}
)
UPDATEINFO: Final = """<updates><update type="security"><id>{id}</id><pkglist><collection>
<package name="{name}" epoch="0" version="1" release="2.el9" arch="x86_64"/></collection></pkglist></update></updates>"""
FIX: Final = {
    "OperatingSystem": "ROCKY_LINUX",
    "Product": "RockyLinux9",
    "Arch": "x86_64",
    "Version": "1-2.el9",
    "Extent": "EXACT",
}
IMPORTED: Final = {"ImportAdvisories": {"Source": "x", "AdvisoryCount": 1, "CveCount": 0}}
ROCKY: Final = ("--kind", "updateinfo", "--operating-system", "ROCKY_LINUX", "--product", "RockyLinux9")


def written(folder: Path, name: str, content: str) -> str:
    path = folder / name
    path.write_bytes(gzip.compress(content.encode()) if name.endswith(".gz") else content.encode())
    return str(path)


def test_a_list_of_exploited_cves_is_imported(tmp_path: Path) -> None:
    outcome = run("catalog", "import", written(tmp_path, "kev.json", KEV), "--kind", "kev", answers=IMPORTED)
    assert outcome.asked == [
        (
            "ImportAdvisories",
            {
                "Source": "kev",
                "Cves": [
                    {
                        "CVEId": "CVE-2026-0001",
                        "IsKnownExploited": True,
                        "ExploitedSince": "2026-03-01",
                        "DueOn": "2026-03-22",
                    }
                ],
            },
        )
    ]
    assert outcome.stdout.splitlines() == ["Source         kev", "AdvisoryCount  0", "CveCount       1"]
    assert outcome.connected[0]["service"] == "patchwindow"


def test_files_of_one_source_are_one_import(tmp_path: Path) -> None:
    files = [
        written(tmp_path, "a.xml.gz", UPDATEINFO.format(id="RLSA-1", name="curl")),
        written(tmp_path, "b.xml", UPDATEINFO.format(id="RLSA-1", name="libcurl")),
    ]
    outcome = run("catalog", "import", *files, *ROCKY, "--json", answers=IMPORTED)
    assert outcome.asked == [
        (
            "ImportAdvisories",
            {
                "Source": "updateinfo RockyLinux9",
                "Advisories": [
                    {
                        "Id": "RLSA-1",
                        "Kind": "security",
                        "Fixes": [{**FIX, "Name": "curl"}, {**FIX, "Name": "libcurl"}],
                    }
                ],
            },
        )
    ]
    assert json.loads(outcome.stdout) == {"Source": "updateinfo RockyLinux9", "AdvisoryCount": 1, "CveCount": 0}


def test_nothing_is_sent_when_one_of_the_files_is_wrong(tmp_path: Path) -> None:
    good, bad = written(tmp_path, "good.json", KEV), written(tmp_path, "bad.json", "{}")
    outcome = run("catalog", "import", good, bad, "--kind", "kev")
    assert outcome.exit_code == Exit.FAILED
    assert outcome.asked == []
    assert f"{bad}: it is not the list of known exploited vulnerabilities" in outcome.stderr


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    outcome = run("catalog", "import", str(tmp_path / "none.json"), "--kind", "kev")
    assert "none.json: it cannot be read: No such file or directory" in outcome.stderr


def test_updateinfo_needs_to_know_for_which_system_it_is(tmp_path: Path) -> None:
    file = written(tmp_path, "a.xml", UPDATEINFO.format(id="RLSA-1", name="curl"))
    outcome = run("catalog", "import", file, "--kind", "updateinfo")
    assert "does not say for which operating system it is" in outcome.stderr


def test_the_refusal_of_the_server_is_told(tmp_path: Path) -> None:
    file = written(tmp_path, "kev.json", KEV)
    answers = {"ImportAdvisories": refusal("AccessDeniedException", "viewers may not")}
    outcome = run("catalog", "import", file, "--kind", "kev", answers=answers)
    assert outcome.exit_code == Exit.FAILED
    assert "viewers may not" in outcome.stderr


def test_a_feed_is_fetched() -> None:
    with serving(answering(200, gzip.compress(KEV.encode()))) as server:
        outcome = run("catalog", "import", server.url, "--kind", "kev", "--source", "mirror", answers=IMPORTED)
    assert outcome.asked[0][1]["Source"] == "mirror"
    assert len(outcome.asked[0][1]["Cves"]) == 1


def test_what_cannot_be_fetched_is_told() -> None:
    with serving(answering(404)) as server, pytest.raises(Invalid, match="HTTP status 404"):
        content_of(server.url)
    with pytest.raises(Invalid, match="it cannot be fetched"):
        content_of("http://127.0.0.1:1/feed")


def test_what_is_too_large_is_refused(tmp_path: Path) -> None:
    file = written(tmp_path, "large", "x" * 101)
    with pytest.raises(Invalid, match="more than 0 MiB"):
        content_of(file, size_max=100)
    with serving(answering(200, b"x" * 101)) as server, pytest.raises(Invalid, match="more than 0 MiB"):
        content_of(server.url, size_max=100)


def test_a_large_import_goes_in_parts_that_the_server_takes() -> None:
    fixes = tuple(Fix(operating_system=OperatingSystem.ROCKY_LINUX, name=f"package-{n}") for n in range(50))
    notices = tuple(Notice(id=f"RLSA-2026:{n}", fixes=fixes) for n in range(500))
    cves = tuple(Cve(cve_id=f"CVE-2026-{n:05}", epss_score_billionths=n) for n in range(5000))
    found = list(parts(Feed(notices=notices, cves=cves)))
    assert len(found) > 2
    assert all(len(json.dumps(part)) < 2**20 for part in found)
    assert [one["Id"] for part in found for one in part.get("Advisories", ())] == [notice.id for notice in notices]
    assert [one["CVEId"] for part in found for one in part.get("Cves", ())] == [cve.cve_id for cve in cves]


def test_an_empty_feed_is_an_import_too() -> None:
    assert list(parts(Feed())) == [{}]


STATUS: Final[dict[str, Any]] = {
    "Patches": [{"OperatingSystem": "DEBIAN", "PatchCount": 12, "ReportedCount": 10}],
    "Sources": [{"Source": "kev", "ImportedAt": datetime(2026, 3, 14, tzinfo=UTC), "AdvisoryCount": 0}],
    "CveCount": 3,
    "ExploitedCveCount": 2,
    "ScoredCveCount": 1,
}


def test_the_status_is_shown() -> None:
    outcome = run("catalog", "status", answers={"GetCatalogStatus": STATUS})
    assert outcome.stdout.splitlines() == [
        "CVEs             3",
        "Known exploited  2",
        "With a score     1",
        "",
        "Patches",
        "OPERATING SYSTEM  PATCHES  REPORTED",
        "DEBIAN                 12        10",
        "",
        "Imports",
        "IMPORTED              ADVISORIES  SOURCE",
        "2026-03-14T00:00:00Z           0  kev",
    ]


def test_the_status_as_json_is_the_answer() -> None:
    outcome = run("catalog", "status", "--json", answers={"GetCatalogStatus": STATUS})
    assert json.loads(outcome.stdout)["Sources"][0]["ImportedAt"] == "2026-03-14T00:00:00Z"
