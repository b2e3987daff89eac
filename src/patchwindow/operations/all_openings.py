"""The openings of all windows on one axis of time: what came of those that were, how far those are that run, and those to come."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Final

from patchwindow.domain.errors import Invalid, InvalidDocumentType, NotFound
from patchwindow.domain.run import WindowExecution
from patchwindow.domain.window import Target, Window
from patchwindow.operations import targeting
from patchwindow.operations.call import Answer, Call, Request
from patchwindow.operations.freezes import heeded_by
from patchwindow.operations.openings import all_windows, coming
from patchwindow.operations.windows import existing
from patchwindow.protocol.pages import Key
from patchwindow.protocol.records import to_ms
from patchwindow.store.work import Work

SCHEDULED: Final = "SCHEDULED"
FROZEN: Final = "FROZEN"
_SPAN_MAX: Final = timedelta(days=366)
_TICK: Final = timedelta(milliseconds=1)
_PAGE: Final = 100

_Opening = tuple[datetime, str, WindowExecution | Window]


def list_openings(call: Call, request: Request) -> Answer:
    """ListOpenings: those in a range of time, by instant and window.

    Raises:
        Invalid: the range is empty, or longer than a year.
    """
    after, before = request["After"], request["Before"]
    if not timedelta() < before - after <= _SPAN_MAX:
        raise Invalid(
            f"After, {after:%Y-%m-%dT%H:%M:%SZ}, and Before, {before:%Y-%m-%dT%H:%M:%SZ}, are not a range of at most "
            f"{_SPAN_MAX.days} days; name an earlier After, or ask part by part"
        )
    counts = _NodeCounts(call.work)

    def fetch(key: Key | None, limit: int) -> list[_Opening]:
        at, window_id = (to_ms(after), "") if key is None else (int(key[0]), str(key[1]))
        return list(islice(_all(call, request.get("WindowId"), (at, window_id), before, limit), limit))

    return call.pages(
        request,
        "Openings",
        default=_PAGE,
        fetch=fetch,
        key=lambda one: (to_ms(one[0]), one[1]),
        shape=lambda one: _shown(call.work, one, counts),
    )


def _all(
    call: Call, window_id: str | None, beyond: tuple[int, str], before: datetime, limit: int
) -> Iterator[_Opening]:
    """Yield the openings beyond a key: first those that are recorded, whatever came of them, then those to come."""
    recorded = call.work.executions.by_opening(beyond=beyond, before=before, limit=limit, window_id=window_id)
    yield from ((one.opens_at, one.window_id, one) for one in recorded)
    if len(recorded) == limit:
        return
    since = datetime.fromtimestamp(beyond[0] / 1000, call.now.tzinfo) - _TICK
    for opens_at, id, window in coming(_windows(call, window_id), since, before):
        if (to_ms(opens_at), id) > beyond:
            yield opens_at, id, window


def _windows(call: Call, window_id: str | None) -> Iterable[tuple[datetime, Window]]:
    if window_id is None:
        return all_windows(call)
    window = existing(call, window_id)
    next_at = call.work.windows.opening_of(window_id)
    return [] if next_at is None else [(next_at, window)]


def _shown(work: Work, one: _Opening, counts: "_NodeCounts") -> dict[str, Any]:
    opens_at, window_id, what = one
    return (
        _recorded(work, what)
        if isinstance(what, WindowExecution)
        else _planned(work, opens_at, window_id, what, counts)
    )


def _recorded(work: Work, execution: WindowExecution) -> dict[str, Any]:
    window = work.windows.get(execution.window_id)
    commands = [work.commands.get(id) for id in work.executions.commands_of(execution.window_execution_id)]
    known = [command for command in commands if command is not None]
    # Every opening knows the freeze that comes next; most are over long before it.
    is_cut_short = execution.frozen_at is not None and execution.frozen_at < execution.ends_at
    return {
        "WindowId": execution.window_id,
        "Name": "" if window is None else window.name,
        "ScheduleTimezone": "" if window is None else window.schedule_timezone or "UTC",
        "OpensTime": execution.opens_at,
        "CutoffTime": execution.cutoff_at,
        "EndsTime": execution.ends_at,
        "Status": execution.status,
        "StatusDetails": execution.status_details,
        "WindowExecutionId": execution.window_execution_id,
        "StartTime": execution.start_time,
        "EndTime": execution.end_time,
        "TargetCount": sum(command.target_count for command in known),
        "CompletedCount": sum(command.completed_count for command in known),
        "ErrorCount": sum(command.error_count + command.delivery_timed_out_count for command in known),
        "Calendar": execution.frozen_by if is_cut_short else None,
    }


def _planned(work: Work, opens_at: datetime, window_id: str, window: Window, counts: "_NodeCounts") -> dict[str, Any]:
    shown: dict[str, Any] = {
        "WindowId": window_id,
        "Name": window.name,
        "ScheduleTimezone": window.schedule_timezone or "UTC",
        "OpensTime": opens_at,
        "CutoffTime": window.cutoff_at(opens_at),
        "EndsTime": window.ends_at(opens_at),
        "Status": SCHEDULED,
        "TargetCount": counts.of(window_id),
    }
    try:
        heeded = heeded_by(work, window, opens_at)
    except (NotFound, InvalidDocumentType) as problem:
        # The engine will not open it either, as nobody can say whether it may.
        return {**shown, "Status": FROZEN, "StatusDetails": str(problem)}
    if heeded.freeze is not None and not heeded.opens:
        return {**shown, "Status": FROZEN, "StatusDetails": heeded.freeze.reason, "Calendar": heeded.freeze.calendar}
    return {**shown, "CutoffTime": heeded.cutoff_at}


class _NodeCounts:
    """How many nodes the targets of windows select at present; what many windows ask for is counted once."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._by_window: dict[str, int] = {}
        self._by_targets: dict[tuple[Target, ...], int] = {}

    def of(self, window_id: str) -> int:
        """Return how many nodes the window has."""
        if window_id not in self._by_window:
            self._by_window[window_id] = self._count(
                [one.targets for one in self._work.window_targets.of_window(window_id)]
            )
        return self._by_window[window_id]

    def _count(self, registered: list[tuple[Target, ...]]) -> int:
        if len(registered) != 1:
            # A node may be selected by several.
            wanted = filter(None, map(self._wanted, registered))
            return len({id for one in wanted for id in self._work.nodes.selected_ids(ids=one.ids, tags=one.tags)})
        (targets,) = registered
        if targets not in self._by_targets:
            one = self._wanted(targets)
            count = 0 if one is None else self._work.nodes.selected_count(ids=one.ids, tags=one.tags)
            self._by_targets[targets] = count
        return self._by_targets[targets]

    def _wanted(self, targets: tuple[Target, ...]) -> targeting.Selection | None:
        try:
            return targeting.selection(self._work, targets)
        except NotFound:
            # A resource group that is gone selects nobody; the task's part will fail and say so.
            return None
