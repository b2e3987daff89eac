"""A forecast as lines: its openings, what they do to nodes, what becomes of a patch, what is left."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from typing import Any, Final

from patchwindow.cli import show

Members = Mapping[str, Any]

_NAMED_MAX: Final = 5
"""So many nodes or patches are named in a line."""
_FATES: Final = {
    "Installed": "install",
    "Scanned": "are scanned",
    "Ran": "run it",
    "NoTurn": "get no turn",
    "CutOff": "are cut off",
    "NeverScanned": "were never scanned",
    "ListUnknown": "install what a list names",
}


def lines(answer: Members, zone: tzinfo, *, patch: str | None) -> Iterator[str]:
    """Yield what *answer* says, with times in *zone*; *patch* is the name that was asked for, if one was."""
    if patch is not None:
        yield from _of_patch(answer, answer["Patch"], patch, zone)
        return
    openings = answer["Openings"]
    if not openings:
        yield f"no window opens until {_at(answer['Until'], zone)}"
    elif "Tasks" in openings[0]:
        for opening in openings:
            yield from _near(opening, zone)
    else:
        yield from _table(openings, zone)
    yield from _left(answer, zone)
    yield from _unknown(answer)


def _table(openings: Sequence[Members], zone: tzinfo) -> Iterator[str]:
    rows = [
        [
            _at(one["OpensAt"], zone),
            one["NodeCount"],
            one["InstallCount"],
            one["RebootCount"],
            one["RebootNeededCount"],
            one["NoTurnCount"],
            one["MissingCount"],
            _takes(one),
            _length(one["EndsAt"] - one["OpensAt"]),
            one["WindowName"],
            _remark(one),
        ]
        for one in openings
    ]
    headers = [
        "OPENS",
        "NODES",
        "PATCHES",
        "REBOOTS",
        "WAIT FOR ONE",
        "NO TURN",
        "MISSING",
        "TAKES",
        "OF",
        "WINDOW",
        "REMARK",
    ]
    yield from show.aligned(headers, rows, width=None)


def _near(one: Members, zone: tzinfo) -> Iterator[str]:
    remark = _remark(one)
    yield f"{_at(one['OpensAt'], zone)}  {show.text(one['WindowName'])} ({one['WindowId']})" + (
        f": {remark}" if one.get("GivenUp") else f", takes {_takes(one)} of {_length(one['EndsAt'] - one['OpensAt'])}"
    )
    if one.get("GivenUp"):
        return
    if remark:
        yield f"  {remark}"
    for task in one["Tasks"]:
        name = task["Name"] or task["DocumentName"]
        problem = f": {task['Problem']}" if "Problem" in task else ""
        yield f"  {_at(task['BeginsAt'], zone)}  {show.text(name)} ({task['Operation']}){show.text(problem) if problem else ''}"
        for group in task["Nodes"]:
            yield from (f"    {line}" for line in _group(group, zone))


def _group(group: Members, zone: tzinfo) -> Iterator[str]:
    fate = _FATES.get(group["Fate"], group["Fate"])
    until = "" if group["Fate"] == "NoTurn" else f", until {_at(group['EndsAt'], zone)}"
    reboots = (
        "; they reboot" if group.get("Reboots") else "; they wait for a reboot" if group.get("WaitsForReboot") else ""
    )
    count = f" {_patches(group['InstalledCount'])}" if "InstalledCount" in group else ""
    yield f"{_nodes(group)} {fate}{count}{until}{reboots}"
    if "Reason" in group:
        yield f"  {show.text(group['Reason'])}"
    for title in group.get("Installed", ()):
        yield f"  + {show.text(title)}"
    for title in group.get("ComingAlong", ()):
        yield f"  + {show.text(title)}, which comes along"
    for left in group["Left"]:
        yield f"  - {_told(left)}"


def _of_patch(answer: Members, found: Members, patch: str, zone: tzinfo) -> Iterator[str]:
    excepted = found["Excepted"]
    if "By" in found:
        end = ", except:" if excepted else ""
        yield f"{show.text(patch)}: installed everywhere by {_at(found['By'], zone)}{end}"
    else:
        yield f"{show.text(patch)}: installed nowhere by {_at(answer['Until'], zone)}"
    for one in excepted:
        yield f"  {_nodes(one)}: {_told(one)}"
    yield f"It is offered to {_count(found['NodeCount'], 'node')} as {_named(found['Titles'], len(found['Titles']))}"
    for one in found["Installed"]:
        opens_at = _at(one["OpensAt"], zone)
        yield f"  {_nodes(one)}: by {_at(one['By'], zone)}, when window {show.text(one['WindowName'])} opens at {opens_at}"


def _left(answer: Members, zone: tzinfo) -> Iterator[str]:
    if not answer["Left"]:
        return
    yield ""
    yield f"Not installed at the end, {_at(answer['Until'], zone)}:"
    for one in answer["Left"]:
        yield f"  {_nodes(one)}: {_told(one)}"
    rest = answer["LeftCount"] - len(answer["Left"])
    if rest:
        yield f"  and {rest} more"


def _unknown(answer: Members) -> Iterator[str]:
    never, silent = answer["NeverScanned"], answer["Silent"]
    if never["NodeCount"]:
        yield f"Nothing is known of {_nodes(never)}: never scanned"
    if silent["NodeCount"]:
        yield f"Nothing is heard of {_nodes(silent)}: taken to be back in time"


def _told(left: Members) -> str:
    when = f" (approved on {left['ApprovedOn']})" if "ApprovedOn" in left else ""
    return f"{show.text(left['Title'])}{when}: {show.text(left['Reason'])}"


def _remark(one: Members) -> str:
    if one.get("GivenUp"):
        return f"does not open: {show.text(one['GivenUp'])}"
    if not one["Fits"]:
        return "takes longer than the window is open"
    if one["CutoffAt"] == one["OpensAt"]:
        return "nothing may start"
    return ""


def _takes(one: Members) -> str:
    p50, p95 = (_length(timedelta(seconds=one[name])) for name in ("P50Seconds", "P95Seconds"))
    return p50 if p50 == p95 else f"{p50} to {p95}"


def _length(length: timedelta) -> str:
    """Return a length in hours and minutes, the last begun one counted."""
    minutes = -(-int(length.total_seconds()) // 60)
    return f"{minutes // 60}h{minutes % 60:02}"


def _nodes(one: Members) -> str:
    return f"{_count(one['NodeCount'], 'node')} ({_named(one['InstanceIds'], one['NodeCount'])})"


def _named(names: Sequence[str], count: int) -> str:
    rest = count - min(len(names), _NAMED_MAX)
    return ", ".join([*map(show.text, names[:_NAMED_MAX]), *([f"{rest} more"] if rest else [])])


def _patches(count: int) -> str:
    return "1 patch" if count == 1 else f"{count} patches"


def _count(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _at(at: datetime, zone: tzinfo) -> str:
    return at.astimezone(zone).strftime("%a %d %b %Y %H:%M %Z")
