"""Repositories that a baseline names, beside the machine's own: read by options alone, so that nothing is put back."""

import contextlib
import shutil
import tempfile
from pathlib import Path
from typing import Iterator, Optional, Sequence

from patchwindow_agent import files
from patchwindow_agent.errors import StateProblem
from patchwindow_agent.package_manager import Source


@contextlib.contextmanager
def folder(cache: Optional[Path], sources: Sequence[Source]) -> Iterator[Path]:
    """Yield a folder with an `apt.conf` that makes *sources* the only ones, and with lists of their own.

    It is kept below *cache* so that only what has changed is fetched the next time; without a cache it is removed.

    Raises:
        StateProblem: the folder cannot be made.
    """
    if cache is not None:
        kept = cache / "sources"
        _fill(kept, sources)
        yield kept
        return
    try:
        temporary = Path(tempfile.mkdtemp(prefix="patchwindow-"))
    except OSError as problem:
        raise StateProblem(f"cannot make a folder for the baseline's repositories: {problem.strerror}") from problem
    try:
        _fill(temporary, sources)
        yield temporary
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _fill(folder: Path, sources: Sequence[Source]) -> None:
    parts = folder / "parts"
    for path in (folder, parts, folder / "lists", folder / "lists/partial"):
        files.make_private(path)
    for path in parts.iterdir():
        path.unlink()
    for number, source in enumerate(sources):
        # Both of apt's forms: one line for each repository, or paragraphs of fields.
        is_paragraph = any(line.lower().startswith("types:") for line in source.configuration.splitlines())
        files.write(parts / f"{number:02}.{'sources' if is_paragraph else 'list'}", f"{source.configuration}\n")
    # `/dev/null` is read as an empty list.
    files.write(
        folder / "apt.conf",
        f'Dir::Etc::sourcelist "/dev/null";\nDir::Etc::sourceparts "{parts}/";\n'
        f'Dir::State::lists "{folder}/lists/";\n'
        f'Dir::Cache::pkgcache "{folder}/pkgcache.bin";\nDir::Cache::srcpkgcache "";\n',
    )
