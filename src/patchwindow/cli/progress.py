"""How far a command is, while it runs: one line that is rewritten on a terminal, a line per change elsewhere."""

import shutil
import sys
from collections.abc import Callable
from types import TracebackType
from typing import Self

import click

from patchwindow.client import Progress


class Watch:
    """Writes each progress that it is called with to standard error, and behind it what *note* says at that time."""

    def __init__(self, *, rewrites: bool | None = None, note: Callable[[Progress], str] = lambda _: "") -> None:
        self._note = note
        self._rewrites = sys.stderr.isatty() if rewrites is None else rewrites
        self._shown = 0
        self._last = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # What follows, an error message perhaps, begins on its own line.
        if self._shown:
            click.echo(err=True)

    def __call__(self, progress: Progress) -> None:
        """Write *progress*, unless it reads like the last one."""
        note = self._note(progress)
        line = f"{describe(progress)}; {note}" if note else describe(progress)
        if line == self._last:
            return
        self._last = line
        if self._rewrites:
            line = line[: shutil.get_terminal_size().columns - 1]
            # Spaces, and no escape sequence, wipe out what a longer line before this one left.
            click.echo(f"\r{line.ljust(self._shown)}", nl=False, err=True)
            self._shown = len(line)
        else:
            click.echo(line, err=True)


def describe(progress: Progress) -> str:
    """Return *progress* as one line: the command's state, and how many nodes are in which."""
    nodes = ", ".join(f"{count} {status}" for status, count in sorted(progress.counts.items()))
    total = f"{progress.target_count} node{'' if progress.target_count == 1 else 's'}"
    return f"{progress.details}: {total}{f', {nodes}' if nodes else ''}"
