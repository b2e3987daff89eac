"""Windows that are too short for their nodes: list scheduling over what former runs took.

Tasks of one priority run side by side, and those of the next begin when all of them have ended; a task works through its
targets one after another, each under its MaxConcurrency.  The p95 of a window is the sum of those of its parts, so rather
too long than too short.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby
from operator import attrgetter
from typing import Final

from patchwindow.checks.codes import CheckCode, found
from patchwindow.checks.snapshot import Snapshot, Window, WindowTask
from patchwindow.domain.limit import Concurrency
from patchwindow.domain.list_scheduling import DEFAULT_DURATIONS, Spread, spread
from patchwindow.plans.check_windows import is_patch_document
from patchwindow.plans.finding import Finding

_NO_TIME: Final = timedelta(0)

# Durations by document and operation.
_History = Mapping[tuple[str, str | None], tuple[timedelta, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fit:
    """How long a window needs, and when its last priority begins, both against the times it has."""

    begins: Spread
    ends: Spread
    is_recorded: bool


def too_short(snapshot: Snapshot) -> Iterator[Finding]:
    """Yield windows whose nodes are not done in time, in every second run or in one of twenty."""
    everywhere = _history(snapshot.windows)
    for window in snapshot.windows:
        fit = _fit(window, _history([window]), everywhere)
        if fit is None or not window.is_enabled:
            continue
        starts_until = timedelta(hours=window.duration_hours - window.cutoff_hours)
        is_cancelled = any(task.is_cancelled_at_cutoff for task in window.tasks)
        until = starts_until if is_cancelled else timedelta(hours=window.duration_hours)
        is_late, is_mostly_late = (begins >= starts_until for begins in (fit.begins.p95, fit.begins.p50))
        basis = "as former runs took" if fit.is_recorded else "by the defaults, as former runs are missing"
        sentence = (
            f"it needs {_hours(fit.ends.p50)} in one run of two and {_hours(fit.ends.p95)} in nineteen of twenty, {basis}, "
            f"and has {_hours(until)} until its {'cutoff' if is_cancelled else 'end'}"
        )
        if is_late:
            sentence += f"; its last tasks begin after up to {_hours(fit.begins.p95)}, past the cutoff"
        remedy = "make it longer, raise MaxConcurrency of its tasks, or share its nodes with another window"
        if fit.ends.p50 > until or is_mostly_late:
            yield found(CheckCode.WINDOW_TOO_SHORT, window, sentence, remedy)
        elif fit.ends.p95 > until or is_late:
            yield found(CheckCode.WINDOW_TIGHT, window, sentence, remedy)


def _history(windows: Iterable[Window]) -> _History:
    recorded: dict[tuple[str, str | None], list[timedelta]] = defaultdict(list)
    for window in windows:
        for run in window.runs:
            for each in run.ran:
                recorded[each.document, each.operation].append(each.duration)
    return {key: tuple(durations) for key, durations in recorded.items()}


def _fit(window: Window, own: _History, everywhere: _History) -> _Fit | None:
    """Return what *window* needs, None where it has no task whose time can be told."""
    begins = ends = Spread(p50=_NO_TIME, p95=_NO_TIME)
    is_told, is_recorded = False, True
    for _, tasks in groupby(sorted(window.tasks, key=attrgetter("priority")), key=attrgetter("priority")):
        needs = []
        for task in tasks:
            key = (task.document, task.operation)
            recorded = own.get(key) or everywhere.get(key)
            durations = recorded or _default(task)
            if durations is not None and any(task.parts):
                is_recorded = is_recorded and recorded is not None
                needs.append(_needs(task, durations))
        if needs:
            is_told, begins = True, ends
            ends = Spread(
                p50=begins.p50 + max(need.p50 for need in needs), p95=begins.p95 + max(need.p95 for need in needs)
            )
    return _Fit(begins=begins, ends=ends, is_recorded=is_recorded) if is_told else None


def _default(task: WindowTask) -> tuple[timedelta, ...] | None:
    """Return the default of a patch operation; what any other document takes is not known without history."""
    if not is_patch_document(task.document) or task.operation not in DEFAULT_DURATIONS:
        return None
    return (DEFAULT_DURATIONS[task.operation],)


def _needs(task: WindowTask, durations: tuple[timedelta, ...]) -> Spread:
    limit = Concurrency.parse(task.max_concurrency)
    parts = [spread(durations, len(nodes), limit.of(len(nodes))) for nodes in task.parts if nodes]
    return Spread(p50=sum((part.p50 for part in parts), _NO_TIME), p95=sum((part.p95 for part in parts), _NO_TIME))


def _hours(span: timedelta) -> str:
    minutes = round(span.total_seconds() / 60)
    return f"{minutes // 60} h {minutes % 60:02} min"
