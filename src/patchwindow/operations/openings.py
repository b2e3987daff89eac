"""The coming openings of maintenance windows, and the windows that would reach a target."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from heapq import heappop, heappush
from itertools import islice, takewhile
from typing import Final

from patchwindow.domain.errors import Invalid
from patchwindow.domain.opening import parse_instant
from patchwindow.domain.schedule_zone import format_instant
from patchwindow.domain.window import ResourceType, Target, Window, WindowTarget
from patchwindow.operations.call import Answer, Call, Request, after_text, filter_values
from patchwindow.operations.tags import NODE
from patchwindow.operations.targeting import IDS, group_queries, includes, targets_of
from patchwindow.operations.windows import existing, zone_of
from patchwindow.protocol.pages import Key
from patchwindow.protocol.records import from_ms, to_ms

_PAGE: Final = 100
_OPENINGS_MAX: Final = 1000
"""How many coming openings a list without ScheduledBefore has, over all of its pages; AWS publishes no horizon."""
_TICK: Final = timedelta(milliseconds=1)


def describe_schedule(call: Call, request: Request) -> Answer:
    """DescribeMaintenanceWindowSchedule: the coming openings of a window, of those with a target, or of all, in order."""
    filters = filter_values(request.get("Filters"), ("ScheduledAfter", "ScheduledBefore"), refuse=Invalid)
    since = max([call.now, *_instants(filters, "ScheduledAfter")])
    until = min(_instants(filters, "ScheduledBefore"), default=None)

    def windows() -> Iterable[tuple[datetime, Window]]:
        if "WindowId" in request:
            named = [existing(call, request["WindowId"])]
        elif request.get("Targets"):
            named = _windows_of(call, _targets(request))
        else:
            return all_windows(call)
        return [(since, window) for window in named if window.enabled]

    def fetch(after: Key | None, limit: int) -> list[tuple[int, datetime, Window]]:
        at_ms, window_id, count = (0, "", 0) if after is None else (int(after[0]), str(after[1]), int(after[2]))
        following = coming(windows(), max(since, from_ms(at_ms) - _TICK), until)
        beyond = (each for each in following if (to_ms(each[0]), each[1]) > (at_ms, window_id))
        page = islice(beyond, limit if until is not None else min(limit, _OPENINGS_MAX - count))
        return [(place, opening, window) for place, (opening, _, window) in enumerate(page, count + 1)]

    return call.pages(
        # The model has no largest page, and a window may open forever.
        {**request, "MaxResults": min(request.get("MaxResults", _PAGE), _OPENINGS_MAX)},
        "ScheduledWindowExecutions",
        default=_PAGE,
        fetch=fetch,
        key=lambda each: (to_ms(each[1]), each[2].window_id, each[0]),
        shape=lambda each: {
            "WindowId": each[2].window_id,
            "Name": each[2].name,
            "ExecutionTime": format_instant(each[1], zone_of(each[2])),
        },
    )


def describe_for_target(call: Call, request: Request) -> Answer:
    """DescribeMaintenanceWindowsForTarget: windows with a registered target that would include the resource."""
    windows = _windows_of(call, _targets(request))
    return call.pages(
        request,
        "WindowIdentities",
        default=_PAGE,
        fetch=lambda after, limit: [one for one in windows if one.window_id > after_text(after)][:limit],
        key=lambda window: (window.window_id,),
        shape=lambda window: {"WindowId": window.window_id, "Name": window.name},
    )


def coming(
    windows: Iterable[tuple[datetime, Window]], since: datetime, until: datetime | None
) -> Iterator[tuple[datetime, str, Window]]:
    """Yield the openings of *windows* after *since* and before *until*, the earliest first, each when it is asked for.

    With each window comes an instant before which it does not open, and they come in the order of these instants. So
    those that open after what is asked for are not looked at: of thousands of windows, a page has to do with few.
    """
    return takewhile(lambda each: until is None or each[0] < until, _merged(windows, since))


def _merged(windows: Iterable[tuple[datetime, Window]], since: datetime) -> Iterator[tuple[datetime, str, Window]]:
    following: list[tuple[datetime, str, Window, Iterator[datetime]]] = []

    def add(window: Window, openings: Iterator[datetime]) -> None:
        opening = next(openings, None)
        if opening is not None:
            heappush(following, (opening, window.window_id, window, openings))

    def take() -> tuple[datetime, str, Window]:
        opening, window_id, window, openings = heappop(following)
        add(window, openings)
        return opening, window_id, window

    for not_before, window in windows:
        while following and following[0][0] < not_before:
            yield take()
        # A clock that was set back does not bring openings again that the engine has done with.
        add(window, window.timing().openings(max(since, not_before - _TICK)))
    while following:
        yield take()


def all_windows(call: Call) -> Iterator[tuple[datetime, Window]]:
    """Yield every window that opens again, with the instant at which the engine opens it next, in that order."""
    after = None
    while page := call.work.windows.page_by_opening(after=after, limit=_PAGE):
        yield from page
        after = (page[-1][0], page[-1][1].window_id)


def _targets(request: Request) -> tuple[Target, ...]:
    resource_type = request.get("ResourceType")
    return targets_of(request["Targets"], resource_type=None if resource_type is None else ResourceType(resource_type))


def _windows_of(call: Call, targets: tuple[Target, ...]) -> list[Window]:
    """Return the windows, by id, that have a registered target with the same definition, or one that selects a named node."""
    named = {node_id for target in targets if target.key == IDS for node_id in target.values}
    tags = call.work.tags.of_many(NODE, named)
    nodes = {node.instance_id: tags.get(node.instance_id, {}) for node in call.work.nodes.many(named)}
    queries = group_queries(call.work) if nodes else {}

    def covers(registered: WindowTarget, one: Target) -> bool:
        same = any(other.key == one.key and set(one.values) & set(other.values) for other in registered.targets)
        return same or (
            one.key == IDS
            and any(id in nodes and includes(registered.targets, id, nodes[id], queries) for id in one.values)
        )

    found = {
        registered.window_id
        for registered in call.work.window_targets.all()
        if all(covers(registered, one) for one in targets)
    }
    return [existing(call, window_id) for window_id in sorted(found)]


def _instants(filters: dict[str, tuple[str, ...]], key: str) -> list[datetime]:
    return [parse_instant(key, value) for value in filters.get(key, ())]
