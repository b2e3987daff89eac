"""Where dnf and yum keep the files of a repository."""

import os
from pathlib import Path

import pytest

from patchwindow_agent import repository_cache
from patchwindow_agent.errors import ScanFailed

REPOMD = """<?xml version="1.0" encoding="UTF-8"?>
<repomd xmlns="http://linux.duke.edu/metadata/repo" xmlns:rpm="http://linux.duke.edu/metadata/rpm">
  <data type="primary"><location href="repodata/p.xml.gz"/><timestamp>1767225600</timestamp></data>
  <data type="updateinfo"><location href="repodata/u.xml.gz"/><timestamp>1767225700.5</timestamp></data>
  <data type="updateinfo_zck"><location href="repodata/u.xml.zck"/><timestamp>1767225700</timestamp></data>
</repomd>"""
KINDS = ["updateinfo", "updateinfo_zck"]


def index(folder: Path, *, looked_at: int) -> Path:
    folder.mkdir(parents=True)
    path = folder / "repomd.xml"
    path.write_text(REPOMD)
    os.utime(path, (looked_at, looked_at))
    return path


def test_the_index_that_was_looked_at_last_is_the_one_in_use(tmp_path: Path) -> None:
    index(tmp_path / "dnf/updates-0123456789abcdef/repodata", looked_at=100)
    newer = index(tmp_path / "libdnf5/updates-fedcba9876543210/repodata", looked_at=200)
    index(tmp_path / "dnf/updates-testing-0123456789abcdef/repodata", looked_at=300)
    assert repository_cache.repomd_of([tmp_path / "dnf", tmp_path / "libdnf5"], "updates") == newer


def test_an_index_that_was_found_unchanged_was_looked_at_too(tmp_path: Path) -> None:
    """dnf then touches the list of packages alone."""
    older = index(tmp_path / "updates-0123456789abcdef/repodata", looked_at=100)
    index(tmp_path / "updates-fedcba9876543210/repodata", looked_at=200)
    (older.parent / "p.xml.gz").touch()
    assert repository_cache.repomd_of([tmp_path], "updates") == older


def test_the_index_of_yum_stands_below_release_and_architecture(tmp_path: Path) -> None:
    path = index(tmp_path / "yum/x86_64/7/base", looked_at=100)
    assert repository_cache.repomd_of([tmp_path / "yum"], "base") == path
    assert repository_cache.repomd_of([tmp_path / "yum"], "bas") is None


def test_the_file_is_the_one_that_was_fetched_of_those_that_are_named(tmp_path: Path) -> None:
    repomd = index(tmp_path / "repodata", looked_at=100)
    (tmp_path / "repodata/u.xml.zck").touch()
    assert repository_cache.file_of(repomd, KINDS) == tmp_path / "repodata/u.xml.zck"
    (tmp_path / "repodata/u.xml.gz").touch()
    assert repository_cache.file_of(repomd, KINDS) == tmp_path / "repodata/u.xml.gz"


def test_a_repository_without_notices_is_not_one_whose_notices_were_not_fetched(tmp_path: Path) -> None:
    repomd = index(tmp_path / "repodata", looked_at=100)
    assert repository_cache.file_of(repomd, ["modules"]) is None
    with pytest.raises(ScanFailed, match=r"u\.xml\.gz is not there, though the index beside it names it"):
        repository_cache.file_of(repomd, KINDS)


def test_the_age_of_a_list_is_the_publishers_date(tmp_path: Path) -> None:
    assert repository_cache.made_at(index(tmp_path / "repodata", looked_at=100)) == 1767225700


def test_an_index_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    path = index(tmp_path / "repodata", looked_at=100)
    path.write_text("<repomd>")
    with pytest.raises(ScanFailed, match=r"cannot read .*repomd\.xml"):
        repository_cache.file_of(path, KINDS)
