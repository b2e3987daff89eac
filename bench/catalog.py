"""The catalogue: how long a feed of 10,000 advisories takes to import, how large it makes the database, and what then
new facts and pages cost.

Operations and the database in a file are the real ones; HTTP and signatures are left out, which `bench api` measures.
The processor's time is counted, so that neither the disk nor what else the machine does is.
"""

import gzip
import sqlite3
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from bench.children import scratch
from bench.report import median, milliseconds, table, verdict

from patchwindow.bootstrap import ACCOUNT_ID, REGION
from patchwindow.cli.catalog import parts
from patchwindow.domain import facts as facts_form
from patchwindow.domain.facts import Facts
from patchwindow.domain.facts_reading import parse
from patchwindow.domain.feeds.reading import FeedKind, read
from patchwindow.domain.feeds.scope import Scope
from patchwindow.domain.operating_system import OperatingSystem
from patchwindow.domain.predefined import PREDEFINED, default_for
from patchwindow.operations import catalog
from patchwindow.operations.call import Caller, Site
from patchwindow.operations.service import Service
from patchwindow.store.baselines import OWNER_AWS
from patchwindow.store.database import Database
from patchwindow.store.settings import Role
from patchwindow.system import SystemClock, SystemIds

_ADVISORIES: Final = 10_000
_PACKAGES: Final = 6
_NAMES: Final = 3_000
_SCORES: Final = 250_000
_INSTALLED: Final = 500
_UPDATES: Final = 60
_ROUNDS: Final = 20
_GOAL_S: Final = 30.0
_SCOPE: Final = Scope(operating_system=OperatingSystem.ROCKY_LINUX, product="RockyLinux9")
_ADMIN: Final = Caller(id="AKIABENCH", role=Role.ADMIN)


def run() -> None:
    """Measure, and print."""
    with scratch() as folder:
        database = Database(f"sqlite:///{folder / 'patchwindow.db'}")
        database.migrate()
        try:
            _run(database, folder / "patchwindow.db")
        finally:
            database.close()


def _run(database: Database, file: Path) -> None:
    service = _service(database)
    feed = gzip.compress(_updateinfo().encode())
    scores = gzip.compress(_epss().encode())
    rows = []
    before = _size(file)
    read_s, import_s, notices = _imported(service, FeedKind.UPDATEINFO, feed)
    after = _size(file)
    rows.append(_row("updateinfo, first", notices, read_s, import_s, after - before))
    again = _imported(service, FeedKind.UPDATEINFO, feed)
    rows.append(_row("updateinfo, again", again[2], again[0], again[1], _size(file) - after))
    after = _size(file)
    scored = _imported(service, FeedKind.EPSS, scores)
    rows.append(_row("EPSS", scored[2], scored[0], scored[1], _size(file) - after))
    print(table(["feed", "entries", "read s", "import s", "entries per s", "MiB in the database"], rows))
    print()
    _facts(database)
    _pages(service)
    print(verdict(goal=f"10,000 advisories in under {_GOAL_S:.0f} s", is_met=read_s + import_s < _GOAL_S))


def _row(name: str, count: int, read_s: float, import_s: float, size: int) -> list[str]:
    per_s = count / (read_s + import_s)
    return [name, f"{count:,}", f"{read_s:.1f}", f"{import_s:.1f}", f"{per_s:,.0f}", f"{size / 2**20:.1f}"]


def _imported(service: Service, kind: FeedKind, data: bytes) -> tuple[float, float, int]:
    began_s = time.process_time()
    feed = read(kind, data, _SCOPE)
    read_s = time.process_time()
    for part in parts(feed):
        service.perform("ImportAdvisories", {"Source": str(kind), **part}, _ADMIN)
    return read_s - began_s, time.process_time() - read_s, len(feed.notices) + len(feed.cves)


def _facts(database: Database) -> None:
    """Print what it costs to bring facts into a catalogue in which all, some or none of their patches are."""
    unlike = [_timed_learn(database, _facts_of(str(number), number)) for number in range(_ROUNDS)]
    alike = [_timed_learn(database, _facts_of("0", 100 + number, changed=1)) for number in range(_ROUNDS)]
    known = [_timed_learn(database, _facts_of("0", 100)) for _ in range(_ROUNDS)]
    rows = [
        ["no patch is known", *map(milliseconds, (median(unlike), max(unlike)))],
        ["one patch is not known", *map(milliseconds, (median(alike), max(alike)))],
        ["the facts are known", *map(milliseconds, (median(known), max(known)))],
    ]
    print(table([f"facts of {_INSTALLED} packages, {_UPDATES} updates", "median ms", "most ms"], rows))
    print()


def _timed_learn(database: Database, facts: Facts) -> float:
    canonical, digest = facts_form.canonical(facts), facts_form.digest(facts)
    with database.write() as work:
        work.facts.put(digest, canonical, datetime.now(UTC))
        began_s = time.process_time()
        catalog.learn(work, OperatingSystem.ROCKY_LINUX, facts, digest, datetime.now(UTC))
        return time.process_time() - began_s


def _pages(service: Service) -> None:
    baseline_id = default_for(OperatingSystem.ROCKY_LINUX).baseline_id
    asked: dict[str, tuple[str, dict[str, Any]]] = {
        "the first 100 patches": ("DescribeAvailablePatches", {}),
        "of one CVE": ("DescribeAvailablePatches", _filters("CVE_ID", "CVE-2026-05000")),
        "of one name": ("DescribeAvailablePatches", _filters("NAME", "package-0042")),
        "of a severity that none has": ("DescribeAvailablePatches", _filters("SEVERITY", "Unheard")),
        "effective, the first 100": ("DescribeEffectivePatchesForPatchBaseline", {"BaselineId": baseline_id}),
        "the products": ("DescribePatchProperties", {"OperatingSystem": "ROCKY_LINUX", "Property": "PRODUCT"}),
        "the status": ("GetCatalogStatus", {}),
    }
    rows = []
    for name, (operation, request) in asked.items():
        took = _took(service, operation, request)
        rows.append([name, *map(milliseconds, (median(took), max(took)))])
    print(table(["page", "median ms", "most ms"], rows))
    print()


def _took(service: Service, operation: str, request: dict[str, Any]) -> list[float]:
    found = []
    for _ in range(_ROUNDS):
        began_s = time.process_time()
        service.perform(operation, request, _ADMIN)
        found.append(time.process_time() - began_s)
    return found


def _filters(key: str, value: str) -> dict[str, Any]:
    return {"Filters": [{"Key": key, "Values": [value]}]}


def _service(database: Database) -> Service:
    with database.write() as work:
        for baseline in PREDEFINED:
            work.baselines.put(baseline, owner=OWNER_AWS)
    site = Site(account_id=ACCOUNT_ID, region=REGION, public_url="", seal_key=bytes(32), program_digest="0" * 64)
    return Service(database=database, clock=SystemClock(), ids=SystemIds(), site=site)


def _size(file: Path) -> int:
    """Return the size of the database, with what waits in its journal."""
    with closing(sqlite3.connect(file)) as connection:
        (pages,), (size,) = (connection.execute(f"PRAGMA {name}").fetchone() for name in ("page_count", "page_size"))
    return int(pages) * int(size)


def _updateinfo() -> str:
    return f"<updates>{''.join(map(_update, range(_ADVISORIES)))}</updates>"


def _update(number: int) -> str:
    kind, severity = ("security", "Important") if number % 3 else ("bugfix", "None")
    references = "".join(
        f'<reference id="CVE-2026-{number + i:05}" type="cve"/>' for i in range(3 if number % 3 else 0)
    )
    packages = "".join(
        f'<package name="package-{(number * 7 + i) % _NAMES:04}" epoch="0" version="1.{number}" release="2.el9" arch="x86_64"/>'
        for i in range(_PACKAGES)
    )
    return (
        f'<update type="{kind}"><id>RLSA-2026:{number:05}</id><title>Update {number} of some packages</title>'
        f'<issued date="2026-01-{number % 28 + 1:02}"/><severity>{severity}</severity>'
        f"<references>{references}</references><pkglist><collection>{packages}</collection></pkglist></update>"
    )


def _epss() -> str:
    lines = (f"CVE-2026-{number:06},0.{number:06},0.{number:06}\n" for number in range(_SCORES))
    return f"#model_version:bench\ncve,epss,percentile\n{''.join(lines)}"


def _facts_of(release: str, number: int, *, changed: int = 0) -> Facts:
    """Return facts in whose versions is *release*, but in the *changed* first, in which is *number*."""

    def version(index: int) -> str:
        return f"1.{number if index < changed else release}-{index}.el9"

    packages = [
        {"name": f"package-{index:04}", "arch": "x86_64", "version": version(index), "origins": [0]}
        for index in range(_INSTALLED)
    ]
    updates = [
        {
            "name": f"package-{index:04}",
            "arch": "x86_64",
            "installed": version(index),
            "candidate": f"2.{release}-{index}.el9",
            "origins": [0],
        }
        for index in range(_UPDATES)
    ]
    system = {"id": "rocky", "name": "Rocky Linux", "versionId": "9.5", "arch": "x86_64"}
    data = {
        "schema": 2,
        "manager": "dnf",
        "os": system,
        "origins": [{"id": "baseos"}],
        "packages": packages,
        "updates": updates,
        "reboot": {"required": False, "reasons": [f"bench {number}"]},
    }
    return parse(data)
