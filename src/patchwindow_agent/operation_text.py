"""What an operation says of itself, as lines for people: bounded, the first of each kind."""

import time
from typing import Any, Iterable, Iterator, Mapping

from patchwindow_agent.operation import Record

_LINES_MAX = 50
_LINE_MAX = 300

ABSENT = "it was installed, and the scan at the end does not find it; a restart may be what finishes it"
"""Why a patch has failed whose installation said that it was done."""


def no_reboot(reason: str) -> str:
    """Return what is wrong where a reboot is due and is not asked for, for that *reason*."""
    return f"the machine needs a reboot, which was not asked for: {reason}; reboot it, and scan it again"


def stopped(reason: str) -> str:
    """Return what is wrong where the command was over, for that *reason*, before all was installed."""
    return f"cancelled: nothing more was installed: {reason}"


def no_shutdown(waited_s: int) -> str:
    """Return what is wrong where no reboot came within *waited_s* seconds."""
    return (
        f"the machine was to reboot and has not done so within {waited_s} s: "
        "reboot it, and scan it again; the operation does not ask twice"
    )


def before_reboot(record: Record) -> str:
    """Return what is said before the machine reboots."""
    return "\n".join([*_done(record), f"rebooting: {len(record.waiting)} patches wait for it"])


def told(record: Record, report: Mapping[str, Any], verdict: Mapping[str, Any], *, has_rebooted: bool) -> str:
    """Return what is said of an installation at its end."""
    lines = list(_done(record))
    if has_rebooted:
        lines.append("rebooted: yes, the boot id has changed")
    waiting = report["pendingReboot"]
    lines += _listed("waiting for a reboot", waiting)
    if record.problem:
        lines.append(f"failed: {record.problem}")
    return "\n".join([*lines, verdict_text(verdict, report)])


def verdict_text(verdict: Mapping[str, Any], report: Mapping[str, Any]) -> str:
    """Return *verdict* as lines for people."""
    counts = verdict.get("counts") or {}
    group = f", patch group {verdict['patchGroup']}" if verdict.get("patchGroup") else ""
    lines = [
        f"{verdict.get('status')}: {verdict.get('nodeId')}",
        f"baseline: {verdict.get('baselineName')} ({verdict.get('baselineId')}){group}",
        "patches: " + ", ".join(f"{count} {state}" for state, count in counts.items()),
    ]
    missing = verdict.get("missing") or []
    if missing:
        rest = counts.get("Missing", len(missing)) - len(missing)
        lines.append("missing:" if rest <= 0 else f"missing (the first {len(missing)}):")
        lines += [
            f"  {patch['title']}  {patch['classification']}  {patch['severity']}  from {patch['source']}"
            for patch in missing
        ]
    lines += [f"reboot: {reason}" for reason in report["facts"]["reboot"].get("reasons") or ()]
    if report["lists"]["problem"]:
        as_of = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(report["lists"]["asOf"]))
        lines.append(f"package lists: as of {as_of}, not refreshed: {report['lists']['problem']}")
    return "\n".join(lines)


def _done(record: Record) -> Iterator[str]:
    if not record.installed and not record.failed:
        yield "installed: nothing"
    yield from _listed("installed", record.installed)
    yield from _listed("could not be installed", (f"{title}: {why}" for title, why in record.failed.items()))
    yield from _listed("came along", record.came_along)
    yield from _listed("removed", record.removed)
    yield from _listed("remarks", record.remarks)


def _listed(heading: str, lines: Iterable[str]) -> Iterator[str]:
    every = list(lines)
    if not every:
        return
    yield f"{heading}: {len(every)}"
    yield from (f"  {_cut(line)}" for line in every[:_LINES_MAX])
    if len(every) > _LINES_MAX:
        yield f"  and {len(every) - _LINES_MAX} more"


def _cut(line: str) -> str:
    one_line = " ".join(line.split())
    return one_line if len(one_line) <= _LINE_MAX else f"{one_line[: _LINE_MAX - 1]}…"
