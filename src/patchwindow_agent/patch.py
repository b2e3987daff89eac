"""The patch operation: fetch the order, collect facts, report them, print the server's verdict."""

import contextlib
import gzip
import json
import os
import shutil
import time
from pathlib import Path
from typing import Any, Iterator, Mapping, Optional

from patchwindow_agent import files, machine, reboot
from patchwindow_agent.apt import Apt
from patchwindow_agent.connection import Answer, Connection, parse_endpoint
from patchwindow_agent.errors import Locked, StateProblem, Unreachable, Unsupported, Unusable
from patchwindow_agent.programs import runner

_TIMEOUT_S = 60.0
_LOCK_WAIT_S = 600
_LOCK_PAUSE_S = 1


def run(url: str, *, environ: Mapping[str, str]) -> str:
    """Carry out the operation that *url* stands for and return the server's verdict for people to read.

    Raises:
        AgentError: it could not be carried out or reported.
    """
    with contextlib.closing(Connection(parse_endpoint(url), timeout_s=_TIMEOUT_S)) as connection:
        order = _fetch(connection, "GET", "order")
        operation = order.get("operation")
        if order.get("schema") != 1:
            raise Unusable(f"the order has schema {order.get('schema')}; this patch operation reads schema 1")
        if operation != "Scan":
            raise Unusable(f"{operation} is not served yet by this patch operation; it can do Scan")
        report = scan(environ)
        return verdict_text(_fetch(connection, "POST", "report", report), report)


def back_end(environ: Mapping[str, str]) -> Apt:
    """Return the machine's package manager.

    Raises:
        Unsupported: there is none that is known here.
    """
    # What dpkg itself obeys: the root that its packages are in.
    root = Path(environ.get("DPKG_ROOT") or "/")
    missing = [name for name in ("apt-get", "dpkg-query") if shutil.which(name, path=environ.get("PATH")) is None]
    if missing:
        name = machine.read_system(root).name
        raise Unsupported(f"{name} has no {missing[0]}: only machines with apt can be scanned")
    return Apt(runner(environ), root=root, cache=_cache(environ), kernel=reboot.running_kernel())


def scan(environ: Mapping[str, str]) -> dict[str, Any]:
    """Return the report of a scan (docs/facts.md).

    Raises:
        AgentError: there are no facts to report.
    """
    started_at = time.time()
    manager = back_end(environ)
    with _alone(_cache(environ)):
        lists = manager.refresh()
        facts, installed_at = manager.facts()
    return {
        "schema": 1,
        "operation": "Scan",
        "startedAt": started_at,
        "endedAt": time.time(),
        "bootId": machine.boot_id(),
        "lists": {"refreshed": lists.is_refreshed, "asOf": lists.as_of, "problem": lists.problem},
        "facts": facts,
        "installedAt": installed_at,
    }


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
    lines += [f"reboot: {reason}" for reason in report["facts"]["reboot"]["reasons"]]
    if report["lists"]["problem"]:
        as_of = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(report["lists"]["asOf"]))
        lines.append(f"package lists: as of {as_of}, not refreshed: {report['lists']['problem']}")
    return "\n".join(lines)


def _fetch(
    connection: Connection, method: str, name: str, body: Optional[Mapping[str, Any]] = None
) -> Mapping[str, Any]:
    """Return what the capability URL answers below itself."""
    headers = {"Accept": "application/json"}
    content = None
    if body is not None:
        headers |= {"Content-Type": "application/json", "Content-Encoding": "gzip"}
        content = gzip.compress(json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode(), 6)
    path = f"{connection.endpoint.path.rstrip('/')}/{name}"
    answer = connection.request(method, path, headers=headers, body=content)
    try:
        told = json.loads(answer.body)
    except ValueError:
        told = None
    if answer.status == 200 and isinstance(told, dict):
        return told
    raise Unreachable(f"{connection.endpoint.host_header} refused the {name}: {_reason(answer, told)}")


def _reason(answer: Answer, told: Any) -> str:
    said = told.get("error") if isinstance(told, dict) else None
    return f"{said} (HTTP {answer.status})" if said else f"HTTP {answer.status}"


def _cache(environ: Mapping[str, str]) -> Optional[Path]:
    """Return a folder of our own that can be written, None where this user has none."""
    if environ.get("XDG_CACHE_HOME"):
        base = Path(environ["XDG_CACHE_HOME"])
    elif os.geteuid() == 0:
        base = Path("/var/cache")
    else:
        base = Path("~").expanduser() / ".cache"
    folder = base / "patchwindow"
    try:
        files.make_private(folder)
    except StateProblem:
        return None
    return folder if os.access(folder, os.W_OK) else None


@contextlib.contextmanager
def _alone(cache: Optional[Path]) -> Iterator[None]:
    """Wait until no other patch operation runs, and let none begin meanwhile."""
    if cache is None:
        # Such a user can only read, which disturbs nobody.
        yield
        return
    path = cache / "patch.lock"
    for _ in range(_LOCK_WAIT_S // _LOCK_PAUSE_S):
        descriptor = files.lock(path)
        if descriptor is not None:
            break
        time.sleep(_LOCK_PAUSE_S)
    else:
        raise Locked(f"another patch operation has held {path} for {_LOCK_WAIT_S} s: try again when it has ended")
    try:
        yield
    finally:
        os.close(descriptor)
