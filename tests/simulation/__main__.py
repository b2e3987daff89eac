"""Worlds by the thousand: `make simulate`; SEED=123 repeats one, SEEDS=300 runs that many, FROM=5000 begins there."""

import os
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

import click
from tests.simulation import seeds
from tests.simulation.processes import Ending, ending, endings

SEEDS: Final = 3000
_LINE_EVERY_S: Final = 10
_INTERRUPTED: Final = 130
"""The exit code that shells know for what Ctrl-C ended."""


def main() -> int:
    """Run the worlds that the environment asks for, and return the exit code."""
    try:
        asked = seeds.wanted(os.environ, count=SEEDS)
    except ValueError as error:
        click.echo(f"Error: {error}", err=True)
        return 2
    with seeds.template() as template:
        if len(asked) == 1:
            return _run_one(asked[0], template)
        return _run(asked, template)


def _run_one(seed: int, template: Path) -> int:
    one = ending(seed, template)
    click.echo(f"{one.story}\n{_block(one)}" if one.broken else f"seed {seed}: the law holds")
    return _conclude(passed_count=int(not one.broken), failed_count=int(bool(one.broken)))


def _block(one: Ending) -> str:
    return f"seed {one.seed}: {one.broken}\n  the same world again: make simulate SEED={one.seed}"


def _run(asked: range, template: Path) -> int:
    core_count = _core_count()
    passed_count = failed_count = 0
    is_interrupted = False
    began_at_s = time.monotonic()
    try:
        with closing(endings(asked, template, process_count=min(core_count, len(asked)))) as coming:
            for one in _shown(coming, len(asked)):
                if one.broken:
                    failed_count += 1
                    click.echo(f"\n{_block(one)}")
                else:
                    passed_count += 1
    except KeyboardInterrupt:
        is_interrupted = True
    took_s = time.monotonic() - began_at_s
    done_count = passed_count + failed_count
    click.echo(
        f"{'stopped; ' if is_interrupted else ''}seeds {asked.start} to {asked.stop - 1}: {done_count} in {took_s:.0f} s, "
        f"{done_count / took_s:.1f} seeds/s in {core_count} processes"
    )
    code = _conclude(passed_count=passed_count, failed_count=failed_count)
    return _INTERRUPTED if is_interrupted else code


def _core_count() -> int:
    # Where it can be told, what this process may use is fewer than what the machine has.
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _shown(coming: Iterable[Ending | None], count: int) -> Iterator[Ending]:
    """Yield what has ended, and show how far all is: a bar on a terminal, elsewhere a line now and then."""
    if sys.stderr.isatty():
        with click.progressbar(length=count, label="worlds", show_pos=True, file=sys.stderr) as bar:
            for one in filter(None, coming):
                bar.update(1)
                yield one
        return
    done_count, shown_at_s = 0, time.monotonic()
    for each in coming:
        if each is not None:
            done_count += 1
            yield each
        if time.monotonic() - shown_at_s >= _LINE_EVERY_S:
            shown_at_s = time.monotonic()
            click.echo(f"{done_count} of {count} worlds", err=True)


def _conclude(*, passed_count: int, failed_count: int) -> int:
    click.echo(f"{passed_count} passed, {failed_count} failed")
    return int(failed_count > 0)


if __name__ == "__main__":
    sys.exit(main())
