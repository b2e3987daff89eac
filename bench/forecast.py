"""A forecast of eight weeks for 10,000 nodes with 200 patches each, by how alike the nodes are.

Windows open weekly, a hundred nodes at a time; a delay of approval ends in each of the weeks. What is timed is the
function alone, from facts in memory to every opening's nodes; then the same from a file, as without a server.
"""

import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from bench.report import table, verdict

from patchwindow.domain.baseline import Baseline, PatchFilterGroup, PatchRule, PatchRuleGroup
from patchwindow.domain.facts import Facts, digest
from patchwindow.domain.facts_reading import parse
from patchwindow.domain.forecast_facts import (
    FleetFacts,
    ForecastCohort,
    ForecastNode,
    ForecastTarget,
    ForecastTask,
    ForecastWindow,
    RecordedDurations,
    Work,
)
from patchwindow.domain.forecast_run import forecast
from patchwindow.domain.operating_system import OperatingSystem
from patchwindow.domain.window import Window
from patchwindow.protocol.forecast_answers import answer
from patchwindow.protocol.forecast_file import facts_line, head_lines, read

_NOW: Final = datetime(2026, 3, 14, 9, tzinfo=UTC)
_UNTIL: Final = _NOW + timedelta(weeks=8)
_NODES: Final = 10_000
_UPDATES: Final = 200
_PACKAGES: Final = 500
_WINDOWS: Final = 20
_GOAL_S: Final = 5.0
_BASELINE: Final = Baseline(
    baseline_id="pb-0123456789abcdef0",
    name="own",
    operating_system=OperatingSystem.REDHAT_ENTERPRISE_LINUX,
    approval_rules=PatchRuleGroup(
        patch_rules=(PatchRule(patch_filter_group=PatchFilterGroup(), approve_after_days=14, enable_non_security=True),)
    ),
)


def run() -> None:
    """Measure, and print."""
    rows, worst_s = [], 0.0
    for cohort_count in (10, 100, 1000):
        fleet = fleet_of(cohort_count)
        began_at = time.process_time()
        told = forecast(fleet, _UNTIL)
        took_s = time.process_time() - began_at
        worst_s = max(worst_s, took_s) if cohort_count <= 100 else worst_s
        installed = sum(
            len(group.step.installed) * len(group.node_ids)
            for opening in told.openings
            for task in opening.tasks
            for group in task.nodes
            if group.step is not None
        )
        assert installed == _NODES * _UPDATES, "within the eight weeks everything is approved and installed"
        rows.append([f"{cohort_count:,}", f"{installed:,}", f"{took_s:.2f}", f"{_from_file(fleet):.2f}"])
    print(table(["different nodes", "patches installed", "forecast s", "from a file s"], rows))
    print()
    goal = f"{_NODES:,} nodes, {_UPDATES} patches, 8 weeks, 100 different nodes: within {_GOAL_S:.0f} s"
    print(verdict(goal=goal, is_met=worst_s <= _GOAL_S))


def _from_file(fleet: FleetFacts) -> float:
    """Return how many seconds it takes to read a file of *fleet*, and to answer from it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "fleet.jsonl"
        write(fleet, path)
        began_at = time.process_time()
        with path.open(encoding="utf-8") as file:
            answer(read(file, name=path.name), _UNTIL, window_id=None, node_id=None, patch=None)
        return time.process_time() - began_at


def write(fleet: FleetFacts, path: Path) -> None:
    """Write *fleet* into a file as an export is."""
    facts = (facts_line(id, known, {}, {}) for id, known in fleet.facts.items())
    path.write_text("\n".join([*head_lines(fleet), *facts]), encoding="utf-8")


def fleet_of(cohort_count: int) -> FleetFacts:
    """Return 10,000 nodes with so many different facts."""
    facts = [_facts(number) for number in range(cohort_count)]
    digests = [digest(each) for each in facts]
    cohorts = [
        ForecastCohort(
            cohort_id=f"cohort-{number}",
            facts_digest=id,
            operating_system=OperatingSystem.REDHAT_ENTERPRISE_LINUX,
            patch_group="",
            baseline_id=_BASELINE.baseline_id,
        )
        for number, id in enumerate(digests)
    ]
    nodes = [
        ForecastNode(node_id=f"mi-{number:017x}", cohort_id=f"cohort-{number % cohort_count}")
        for number in range(_NODES)
    ]
    return FleetFacts(
        as_of=_NOW,
        cohorts=tuple(cohorts),
        nodes=tuple(nodes),
        windows=tuple(
            _window(number, [node.node_id for node in nodes[number::_WINDOWS]]) for number in range(_WINDOWS)
        ),
        durations=(RecordedDurations(work=Work.INSTALL, seconds=tuple(range(300, 1500, 6))),),
        baselines={_BASELINE.baseline_id: _BASELINE},
        facts=dict(zip(digests, facts, strict=True)),
    )


def _window(number: int, node_ids: Sequence[str]) -> ForecastWindow:
    return ForecastWindow(
        window=Window(
            window_id=f"mw-{number:017x}",
            name=f"window-{number}",
            schedule=f"cron({number} 2 ? * WED *)",
            duration=4,
            cutoff=1,
            allow_unassociated_targets=True,
            created_date=_NOW,
            modified_date=_NOW,
            scheduled_at=_NOW,
        ),
        tasks=(
            ForecastTask(
                task_id=f"task-{number}",
                document="AWS-RunPatchBaseline",
                work=Work.INSTALL,
                may_reboot=True,
                lasts_s=24 * 3600,
                max_concurrency="100",
                targets=(ForecastTarget(node_ids=tuple(node_ids)),),
            ),
        ),
    )


def _facts(number: int) -> Facts:
    """Return the facts of nodes that differ from others in one package, whose updates are of the last six weeks."""
    names = [f"package-{at}" for at in range(_PACKAGES - 1)] + [f"own-{number}"]
    first = date(2026, 3, 14)
    advisories: list[dict[str, Any]] = [
        {
            "id": f"RHSA-2026:{at}",
            "kind": "security",
            "severity": "Important",
            "issued": f"{first + timedelta(days=at % 30)}",
        }
        for at in range(_UPDATES)
    ]
    return parse(
        {
            "schema": 2,
            "manager": "dnf",
            "os": {"id": "rhel", "name": "Red Hat Enterprise Linux", "versionId": "9.3", "arch": "x86_64"},
            "origins": [{"id": "baseos"}],
            "advisories": advisories,
            "packages": [{"name": name, "arch": "x86_64", "version": "1-1", "origins": [0]} for name in names],
            "updates": [
                {
                    "name": name,
                    "arch": "x86_64",
                    "installed": "1-1",
                    "candidate": "2-1",
                    "origins": [0],
                    "advisories": [at],
                }
                for at, name in enumerate(names[-_UPDATES:])
            ],
            "reboot": {"required": False},
        }
    )
