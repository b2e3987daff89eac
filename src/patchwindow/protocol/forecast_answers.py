"""Forecasts as answers have them: what a server says, and what the command line makes of a file of facts.

Lists of nodes and patches are cut, and counted whole: a fleet has more of both than anybody reads.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from itertools import islice
from typing import Any, Final

from patchwindow.domain import forecast_views
from patchwindow.domain.errors import NotFound, UnknownNode
from patchwindow.domain.forecast import Forecast, NodesForecast, OpeningForecast, TaskForecast
from patchwindow.domain.forecast_facts import FleetFacts
from patchwindow.domain.forecast_patches import Left, Step
from patchwindow.domain.forecast_run import forecast
from patchwindow.domain.list_scheduling import Spread

WEEKS: Final = 8
WEEKS_MAX: Final = 26
IDS_MAX: Final = 50
"""So many nodes of a group are named."""
TITLES_MAX: Final = 500
"""So many patches are listed in one place."""

Members = dict[str, Any]


def answer(
    fleet: FleetFacts, until: datetime, *, window_id: str | None, node_id: str | None, patch: str | None
) -> Members:
    """Return the forecast until *until*, of all windows or one, for all nodes or one, and what becomes of a patch.

    Raises:
        UnknownNode, NotFound: what is asked for is not in *fleet*.
    """
    _check(fleet, window_id, node_id)
    told = forecast(fleet, until)
    members: Members = {"AsOf": told.as_of, "Until": told.until}
    if patch is not None:
        found = forecast_views.of_patch(fleet, told, patch)
        if not found.titles:
            raise NotFound(
                f"patch {patch!r} is offered to no node that was scanned: no title, KBId, name, CVE or advisory is that"
            )
        return members | {"Patch": _patch(found)}
    seen = told if window_id is None else forecast_views.of_window(told, window_id)
    seen = seen if node_id is None else forecast_views.of_node(seen, node_id)
    is_near = window_id is not None or node_id is not None
    left = list(_left(seen))
    return members | {
        "Openings": [_opening(one, is_near=is_near) for one in seen.openings],
        "Left": left[:TITLES_MAX],
        "LeftCount": len(left),
        "NeverScanned": _ids(seen.never_scanned),
        "Silent": _ids(seen.silent),
    }


def until_after(as_of: datetime, weeks: int) -> datetime:
    """Return the end of a forecast of so many weeks."""
    return as_of + timedelta(weeks=weeks)


def _check(fleet: FleetFacts, window_id: str | None, node_id: str | None) -> None:
    if window_id is not None and not any(each.window.window_id == window_id for each in fleet.windows):
        raise NotFound(f"window {window_id} does not open any more, or does not exist; name one that is enabled")
    if node_id is not None and not any(node.node_id == node_id for node in fleet.nodes):
        raise UnknownNode(f"node {node_id} is not registered; DescribeInstanceInformation lists those that are")


def _opening(one: OpeningForecast, *, is_near: bool) -> Members:
    groups = [group for task in one.tasks for group in task.nodes]
    steps = [(group.step, len(group.node_ids)) for group in groups if group.step is not None]
    members: Members = {
        "WindowId": one.window.window_id,
        "WindowName": one.window.name,
        "OpensAt": one.opens_at,
        "CutoffAt": one.cutoff_at,
        "EndsAt": one.ends_at,
        **_takes(one.takes),
        "Fits": one.fits,
        "NodeCount": len({id for group in groups for id in group.node_ids}),
        "InstallCount": sum(len(step.installed) * count for step, count in steps),
        "RebootCount": sum(count for step, count in steps if step.reboots),
        "RebootNeededCount": sum(count for step, count in steps if step.after.waiting),
        "NoTurnCount": sum(len(group.node_ids) for group in groups if group.reason),
        "MissingCount": len({id for group in groups if _is_missing(group.left) for id in group.node_ids}),
    }
    if one.given_up:
        members["GivenUp"] = one.given_up
    return members | {"Tasks": [_task(task) for task in one.tasks]} if is_near else members


def _is_missing(left: Sequence[Left]) -> bool:
    return any(each.approved_on is None for each in left)


def _task(one: TaskForecast) -> Members:
    return {
        "WindowTaskId": one.task.task_id,
        "Name": one.task.name,
        "Priority": one.task.priority,
        "DocumentName": one.task.document,
        "Operation": str(one.task.work),
        "BeginsAt": one.begins_at,
        **_takes(one.takes),
        **({"Problem": one.problem} if one.problem else {}),
        "Nodes": [_nodes(group) for group in one.nodes],
    }


def _nodes(one: NodesForecast) -> Members:
    return {
        **_ids(one.node_ids),
        "Fate": str(one.fate),
        "BeginsAt": one.begins_at,
        "EndsAt": one.ends_at,
        **({"Reason": one.reason} if one.reason else {}),
        **({} if one.step is None else _step(one.step)),
        "Left": [_left_members(each) for each in one.left[:TITLES_MAX]],
    }


def _step(step: Step) -> Members:
    return {
        "Installed": list(step.installed[:TITLES_MAX]),
        "InstalledCount": len(step.installed),
        "ComingAlong": list(step.brought[:TITLES_MAX]),
        "Failed": [{"Title": title, "Reason": reason} for title, reason in islice(step.failed.items(), TITLES_MAX)],
        "Reboots": step.reboots,
        "WaitsForReboot": bool(step.after.waiting),
    }


def _left(seen: Forecast) -> Iterator[Members]:
    """Yield what is left at the end, each patch with each reason once; what is on most nodes comes first."""
    found: defaultdict[Left, list[str]] = defaultdict(list)
    for one in seen.left:
        for each in one.left:
            found[each] += one.node_ids
    for left, node_ids in sorted(found.items(), key=lambda pair: (-len(pair[1]), pair[0].title, pair[0].reason)):
        yield {**_left_members(left), **_ids(node_ids)}


def _left_members(left: Left) -> Members:
    members = {"Title": left.title, "Reason": left.reason}
    return members if left.approved_on is None else {**members, "ApprovedOn": _day(left.approved_on)}


def _patch(found: forecast_views.PatchForecast) -> Members:
    members: Members = {
        "Titles": list(found.titles[:TITLES_MAX]),
        "NodeCount": found.node_count,
        "InstalledCount": sum(len(one.node_ids) for one in found.installed),
        "Installed": [
            {"WindowName": one.window_name, "OpensAt": one.opens_at, "By": one.by, **_ids(one.node_ids)}
            for one in found.installed
        ],
        "Excepted": [
            {"Title": one.title, "Reason": one.reason, **_ids(one.node_ids)} for one in found.excepted[:TITLES_MAX]
        ],
    }
    return members if found.by is None else {**members, "By": found.by}


def _takes(takes: Spread) -> Members:
    return {"P50Seconds": int(takes.p50.total_seconds()), "P95Seconds": int(takes.p95.total_seconds())}


def _ids(node_ids: Sequence[str]) -> Members:
    return {"NodeCount": len(node_ids), "InstanceIds": list(node_ids[:IDS_MAX])}


def _day(day: date) -> str:
    return day.isoformat()
