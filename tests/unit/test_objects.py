"""Objects in a directory; in an S3 service they are tried in tests/acceptance."""

import os
from pathlib import Path

import pytest

from patchwindow.objects import DirectoryStore


def test_an_object_is_a_file_below_its_bucket(tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path)
    assert store.put("logs", "live/c/mi-1/stdout", b"one") is None
    assert store.put("logs", "live/c/mi-1/stdout", b"two") is None
    path = tmp_path / "logs/live/c/mi-1/stdout"
    assert path.read_bytes() == b"two"
    assert store.url("logs", "live/c/mi-1/stdout") == path.as_uri()
    assert [file.name for file in path.parent.iterdir()] == ["stdout"]
    assert path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(("bucket", "key"), [("logs", "../../etc/x"), ("..", "x"), ("logs", "/etc/x"), ("a/b", "x")])
def test_nothing_is_written_elsewhere(tmp_path: Path, bucket: str, key: str) -> None:
    root = tmp_path / "root"
    problem = DirectoryStore(root).put(bucket, key, b"x")
    assert problem is not None
    assert "no path below the directory of outputs" in problem
    assert not root.exists()


def test_a_directory_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("a file in the way")
    problem = DirectoryStore(tmp_path).put("logs", "a/b", b"x")
    assert problem == f"the directory of outputs cannot be written: {os.strerror(20)}"
