"""Decisions per second and core: from the memory that a baseline has of a day, and cold.

A decision is one patch put to one baseline.  The patches are those of one node; the predefined baseline of its system
decides, and one of our own with two lists and three rules.  Evaluations, which put all of a node together, are timed
beside them.  Times are of the processor, since the goals are per core: others who use it do not count.
"""

import time
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from functools import partial
from typing import Any, Final

from bench.report import table, verdict

from patchwindow.domain.baseline import Baseline, PatchFilter, PatchFilterGroup, PatchRule, PatchRuleGroup
from patchwindow.domain.decision import Decide, compile_baseline, remembered
from patchwindow.domain.evaluation import evaluate
from patchwindow.domain.facts import Facts, canonical
from patchwindow.domain.facts_patches import patches_of
from patchwindow.domain.facts_reading import parse
from patchwindow.domain.filter_values import FilterKey
from patchwindow.domain.operating_system import OperatingSystem
from patchwindow.domain.patch import Patch
from patchwindow.domain.predefined import default_for

_TODAY: Final = date(2026, 3, 14)
_PACKAGES: Final = 500
_UPDATES: Final = 60
_ROUNDS: Final = 7
_CACHED_GOAL: Final = 1_000_000
_COLD_GOAL: Final = 50_000


def run() -> None:
    """Measure, and print."""
    facts = {manager: parse(data()) for manager, data in _NODES.items()}
    baselines = {
        "apt, predefined": ("apt", default_for(OperatingSystem.DEBIAN)),
        "apt, own": ("apt", _own(OperatingSystem.DEBIAN, FilterKey.PRIORITY, ("Important", "Optional"))),
        "dnf, predefined": ("dnf", default_for(OperatingSystem.AMAZON_LINUX_2023)),
        "dnf, own": ("dnf", _own(OperatingSystem.AMAZON_LINUX_2023, FilterKey.SEVERITY, ("Critical", "Low"))),
    }
    rows, cached, cold = [], [], []
    for name, (manager, baseline) in baselines.items():
        node = facts[manager]
        patches = _patches(node)
        recall, decide = remembered(compile_baseline(baseline)), compile_baseline(baseline)
        _decide_all(recall, patches)
        # Those of another node in the same state.
        others = _patches(parse(_NODES[manager]()))
        cached.append(_per_second(partial(_decide_all, recall, others), len(others)))
        cold.append(_per_second(partial(_decide_all, decide, patches), len(patches)))
        evaluated = 1 / _per_second(partial(evaluate, node, baseline, _TODAY, decide=recall), 1)
        rows.append([name, f"{cached[-1]:,.0f}", f"{cold[-1]:,.0f}", f"{evaluated * 1000:.1f}"])
    columns = [f"{_PACKAGES} packages, {_UPDATES} updates", "cached per s", "cold per s", "evaluation, ms"]
    print(table(columns, rows))
    print()
    print(verdict(goal=f"at least {_CACHED_GOAL:,} per second cached", is_met=min(cached) >= _CACHED_GOAL))
    print(verdict(goal=f"at least {_COLD_GOAL:,} per second cold", is_met=min(cold) >= _COLD_GOAL))
    for manager, data in _NODES.items():
        read_s = 1 / _per_second(partial(parse, data()), 1)
        written_s = 1 / _per_second(partial(canonical, facts[manager]), 1)
        print(f"facts of {manager}: read in {read_s * 1000:.1f} ms, written in {written_s * 1000:.1f} ms")


def _decide_all(decide: Decide, patches: Sequence[Patch]) -> None:
    for patch in patches:
        decide(patch, _TODAY)


def _per_second(work: Callable[[], object], count: int) -> float:
    """Return how many of *count* things *work* does per second, in the best of several rounds of 0.1 s or more.

    Neighbours on the processor only ever slow a round down, by a factor of two from one minute to the next.
    """
    repeats = 1
    while (took_s := _timed(work, repeats)) < 0.1:
        repeats *= 2
    rounds = [took_s, *(_timed(work, repeats) for _ in range(_ROUNDS - 1))]
    return count * repeats / min(rounds)


def _timed(work: Callable[[], object], repeats: int) -> float:
    began_at = time.process_time()
    for _ in range(repeats):
        work()
    return time.process_time() - began_at


def _patches(facts: Facts) -> list[Patch]:
    patches = patches_of(facts)
    return [patch for readings in (*patches.installed, *patches.offered) for patch in readings]


def _own(system: OperatingSystem, key: FilterKey, values: tuple[str, ...]) -> Baseline:
    def rule(chosen: tuple[str, ...], days: int) -> PatchRule:
        filters = (PatchFilter(key=key, values=chosen), PatchFilter(key=FilterKey.PRODUCT, values=("*",)))
        return PatchRule(patch_filter_group=PatchFilterGroup(patch_filters=filters), approve_after_days=days)

    return Baseline(
        name="own",
        operating_system=system,
        approval_rules=PatchRuleGroup(patch_rules=(rule(values[:1], 3), rule(values[1:], 30), rule(values, 360))),
        approved_patches=tuple(f"lib{number}package" for number in range(0, 50, 7)),
        rejected_patches=tuple(f"lib{number}package" for number in range(3, 50, 7)),
    )


def _apt() -> Any:
    origin = {"origin": "Debian", "suite": "oldstable", "codename": "bookworm", "component": "main"}
    return {
        "schema": 2,
        "manager": "apt",
        "os": {"id": "debian", "name": "Debian GNU/Linux", "versionId": "12", "arch": "amd64"},
        "origins": [{**origin, "label": "Debian"}, {**origin, "label": "Debian-Security"}],
        "packages": [_package(number, "amd64") | {"priority": "optional"} for number in range(_PACKAGES)],
        "updates": [_update(number, "amd64") | {"priority": "important"} for number in range(_UPDATES)],
        "reboot": {"required": False},
    }


def _dnf() -> Any:
    def notice(number: int) -> dict[str, Any]:
        issued = _TODAY - timedelta(days=number)
        severity = ("Critical", "Important", "Medium", "Low")[number % 4]
        cves = [f"CVE-2026-{number:04}", f"CVE-2026-{number + 1:04}"]
        kind = "security" if number % 3 else "bugfix"
        return {
            "id": f"ALAS2023-2026-{number:03}",
            "kind": kind,
            "severity": severity,
            "issued": str(issued),
            "cves": cves,
        }

    return {
        "schema": 2,
        "manager": "dnf",
        "os": {"id": "amzn", "name": "Amazon Linux", "versionId": "2023", "arch": "x86_64"},
        "origins": [{"id": "amazonlinux"}, {"id": "local"}],
        "advisories": [notice(number) for number in range(40)],
        "packages": [
            _package(number, "x86_64") | {"advisories": [number % 40] if number % 4 == 0 else []}
            for number in range(_PACKAGES)
        ],
        "updates": [_update(number, "x86_64") | {"advisories": [number % 40]} for number in range(_UPDATES)],
        "reboot": {"required": False},
    }


def _package(number: int, arch: str) -> dict[str, Any]:
    return {"name": f"lib{number}package", "arch": arch, "version": f"1.{number}-1", "origins": [number % 2]}


def _update(number: int, arch: str) -> dict[str, Any]:
    item = _package(number, arch)
    installed = item.pop("version")
    return item | {"installed": installed, "candidate": f"1.{number}-2", "size": 1000, "security": number % 2 == 1}


_NODES: Final = {"apt": _apt, "dnf": _dnf}
