"""Files that are whole or not there: written aside, flushed, renamed. And locks."""

import fcntl
import json
import os
from pathlib import Path
from typing import Any, Optional

from patchwindow_agent.errors import StateProblem


def make_private(folder: Path) -> None:
    """Make *folder*, open to its owner alone.

    Raises:
        StateProblem: it cannot be made.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if folder.stat().st_mode & 0o077:
            folder.chmod(0o700)
    except OSError as problem:
        raise StateProblem(f"cannot use the folder {folder}: {problem.strerror}") from problem


def write(path: Path, text: str) -> None:
    """Make *text* the content of *path*, as `write_bytes` does."""
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path: Path, content: bytes) -> None:
    """Make *content* the content of *path*, mode 0600: after a crash it holds the old content or the new one.

    Raises:
        StateProblem: it cannot be written.
    """
    aside = path.with_name(f".{path.name}.new")
    try:
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
        _sync_folder(path.parent)
    except OSError as problem:
        raise StateProblem(f"cannot write {path}: {problem.strerror}") from problem


def replace(source: Path, target: Path) -> None:
    """Put *source* in the place of *target*, for good.

    Raises:
        StateProblem: it cannot be done.
    """
    try:
        source.replace(target)
        _sync_folder(target.parent)
    except OSError as problem:
        raise StateProblem(f"cannot put {source} in the place of {target}: {problem.strerror}") from problem


def write_json(path: Path, value: Any) -> None:
    """Make *value* the content of *path*, as `write` does."""
    write(path, json.dumps(value, ensure_ascii=False))


def read_json(path: Path) -> Any:
    """Return what *path* holds.

    Raises:
        FileNotFoundError: there is no such file.
        StateProblem: it cannot be read, or is no JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise
    except (OSError, ValueError) as problem:
        raise StateProblem(f"cannot read {path}: {problem}") from problem


def lock(path: Path) -> Optional[int]:
    """Lock *path* for the life of this process; return its descriptor, or None where another process holds it.

    Raises:
        StateProblem: the file cannot be opened.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as problem:
        raise StateProblem(f"cannot open the lock {path}: {problem.strerror}") from problem
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def _sync_folder(folder: Path) -> None:
    # The rename itself is only durable once the folder is.
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
