"""Compliance of a large fleet: recomputed after a change, counted, and what a node takes in the database."""

import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from bench.installation import Installation
from bench.report import median, table, verdict

from patchwindow.domain import facts as facts_form
from patchwindow.domain.facts_reading import parse
from patchwindow.domain.node import Node
from patchwindow.operations import cohorts, fleet
from patchwindow.operations.tags import NODE
from patchwindow.store.cohorts import CohortKey
from patchwindow.store.patch_states import Operation
from patchwindow.store.work import Work

_AT: Final = datetime(2026, 3, 14, 9, 0, tzinfo=UTC)
_SIZES: Final = (1_000, 10_000, 100_000)
_FACT_SETS: Final = 200
_BASELINES: Final = 5
_PACKAGES: Final = 500
_UPDATES: Final = 60
_VERSIONS: Final = 20
_ENVIRONMENTS: Final = ("production", "staging", "development")
_BATCH: Final = 2_000
_ROUNDS: Final = 5
_RECOMPUTE_GOAL_S: Final = 5.0
_ANSWER_GOAL_S: Final = 0.2
_PLATFORM: Final = "AWS:InstanceInformation.PlatformName"
_COMPUTER: Final = "AWS:InstanceInformation.ComputerName"
_ANOTHER_TAG: Final = "… by group, another tag and system"


@dataclass(frozen=True, slots=True)
class Figures:
    """What a fleet of one size took."""

    node_count: int
    bytes_per_node: float
    recompute_s: float
    recompute_processor_s: float
    moved_count: int
    answers_s: dict[str, float]


def facts_of(number: int) -> Any:
    """Return facts of a Debian node, in JSON; those of each *number* differ from all others, in versions of few packages."""
    origin = {"origin": "Debian", "suite": "oldstable", "component": "main", "site": "mirror.example.net"}
    security = {**origin, "label": "Debian-Security", "codename": "bookworm-security"}
    main = {**origin, "label": "Debian", "codename": "bookworm"}
    names = [f"package-{at:04}" for at in range(_PACKAGES)]
    installed = {name: f"1.0-{number // _VERSIONS**at % _VERSIONS if at < 5 else 1}" for at, name in enumerate(names)}
    same = {"arch": "amd64", "section": "utils", "priority": "optional"}
    return {
        "schema": 1,
        "manager": "apt",
        "os": {"id": "debian", "name": "Debian GNU/Linux", "versionId": "12", "codename": "bookworm", "arch": "amd64"},
        "origins": [main, security],
        "packages": [
            {"name": name, "version": installed[name], "origins": [at % 2], **same} for at, name in enumerate(names)
        ],
        "updates": [
            {
                "name": name,
                "installed": installed[name],
                "candidate": "1.1-1",
                "size": 100_000,
                "origins": [1],
                "security": True,
                "held": False,
                **same,
            }
            for name in names[:_UPDATES]
        ],
        "held": [],
        "reboot": {"required": False, "reasons": []},
    }


class Fleet:
    """An installation whose nodes were all scanned."""

    def __init__(self, file: Path, node_count: int) -> None:
        self.file = file
        self.installation = Installation(file, now=_AT, ring=lambda _: None)
        self.node_count = node_count
        self.baselines = [self._baseline(number) for number in range(_BASELINES)]
        before = self._bytes()
        self._scan()
        self.bytes_per_node = (self._bytes() - before) / node_count

    def _baseline(self, number: int) -> str:
        rule = {
            "PatchFilterGroup": {"PatchFilters": [{"Key": "PRODUCT", "Values": ["*"]}]},
            "ComplianceLevel": "HIGH",
        }
        made = self.installation.perform(
            "CreatePatchBaseline",
            {"Name": f"own-{number}", "OperatingSystem": "DEBIAN", "ApprovalRules": {"PatchRules": [rule]}},
        )
        id: str = made["BaselineId"]
        self.installation.perform(
            "RegisterPatchBaselineForPatchGroup", {"BaselineId": id, "PatchGroup": _group(number)}
        )
        return id

    def _scan(self) -> None:
        """Register and scan the nodes as a report does, in large transactions."""
        sets = [parse(facts_of(number)) for number in range(min(_FACT_SETS, self.node_count))]
        digests = [facts_form.digest(facts) for facts in sets]
        with self.installation.database.write() as work:
            for facts, digest in zip(sets, digests, strict=True):
                work.facts.put(digest, facts_form.canonical(facts), _AT)
        for first in range(0, self.node_count, _BATCH):
            with self.installation.database.write() as work:
                for number in range(first, min(first + _BATCH, self.node_count)):
                    at = number % len(sets)
                    key = CohortKey(
                        facts_digest=digests[at],
                        operating_system="DEBIAN",
                        patch_group=_group(number // len(sets) % _BASELINES),
                    )
                    _scan(work, number, key, lambda at=at: sets[at])  # type: ignore[misc]  # the default binds the loop's value

    def _bytes(self) -> int:
        with closing(sqlite3.connect(self.file)) as database:
            (page_count,), (page_size,) = (
                database.execute(f"PRAGMA {name}").fetchone() for name in ("page_count", "page_size")
            )
        return int(page_count * page_size)

    def change(self) -> tuple[float, float, int]:
        """Change one baseline.

        Return how long it took until all that depends on it is changed, by the clock and of the processor's time, and
        how many nodes that are.
        """
        before = self._missing()
        began_at, processor_before_s = time.perf_counter(), time.process_time()
        rejected = [f"package-{at:04}" for at in range(_UPDATES)]
        self.installation.perform("UpdatePatchBaseline", {"BaselineId": self.baselines[0], "RejectedPatches": rejected})
        self.installation.engine.turn()
        took_s, processor_s = time.perf_counter() - began_at, time.process_time() - processor_before_s
        moved_count = before - self._missing()
        assert moved_count == self._followers(), f"{moved_count} nodes have changed"
        return took_s, processor_s, moved_count

    def _followers(self) -> int:
        sets = min(_FACT_SETS, self.node_count)
        return sum(number // sets % _BASELINES == 0 for number in range(self.node_count))

    def _missing(self) -> int:
        answer = self.installation.perform("ListComplianceSummaries", {})
        count: int = answer["ComplianceSummaryItems"][0]["NonCompliantSummary"]["NonCompliantCount"]
        return count

    def ask(self) -> dict[str, float]:
        """Return how long each question takes."""
        self.installation.clock.put(_AT + timedelta(minutes=5))
        all_three = {"GroupBy": ["PatchGroup", "Environment", "OperatingSystem"]}
        page = partial(self.installation.perform, "ListResourceComplianceSummaries")
        return {
            "ListComplianceSummaries": _middle(self._summaries),
            "… of one status": _middle(lambda: self._summaries(("Status", "NON_COMPLIANT"))),
            "… of one patch group": _middle(lambda: self._summaries(("PatchGroup", _group(1)))),
            "… of a platform that all have": _middle(lambda: self._summaries((_PLATFORM, "Debian GNU/Linux"))),
            "… of one computer": _middle(lambda: self._summaries((_COMPUTER, "host-500"))),
            "ListResourceComplianceSummaries, a page": _middle(lambda: page({})),
            "… of one status, a page": _middle(lambda: page({"Filters": [_filter("Status", "NON_COMPLIANT")]})),
            "GetFleetCompliance": _middle(lambda: self._fleet({})),
            "… by group and system": _middle(lambda: self._fleet({"GroupBy": ["PatchGroup", "OperatingSystem"]})),
            "… by group, environment and system": _middle(lambda: self._fleet(all_three)),
            _ANOTHER_TAG: _middle(lambda: self._fleet({**all_three, "EnvironmentTagKey": "Patch Group"})),
        }

    def _summaries(self, *filters: tuple[str, str]) -> None:
        asked = [_filter(key, value) for key, value in filters]
        answer = self.installation.perform("ListComplianceSummaries", {"Filters": asked})
        assert answer["ComplianceSummaryItems"], f"nothing is counted with {filters}"

    def _fleet(self, request: dict[str, Any]) -> None:
        with self.installation.service.call_of_node("bench", writes=False) as call:
            answer = fleet.get_compliance(call, request)
        assert answer["Counts"]["Total"] == self.node_count, f"counted {answer['Counts']}"


def _scan(work: Work, number: int, key: CohortKey, facts: Callable[[], facts_form.Facts]) -> None:
    id = f"mi-{number * 0x9E3779B97F4A7C15 % 2**68:017x}"
    node = Node(
        instance_id=id,
        activation_id="00000000-0000-4000-8000-000000000000",
        iam_role="service",
        registration_date=_AT,
        # One of a hundred is not heard of.
        last_ping_date_time=_AT if number % 100 else _AT - timedelta(days=1),
        platform_name="Debian GNU/Linux",
        platform_version="12",
        ip_address="10.0.0.1",
        computer_name=f"host-{number}",
        fingerprint=f"{number:036}",
        public_key="k" * 44,
        public_key_type="Hmac-Sha256",
    )
    work.nodes.put(node, operating_system="DEBIAN", patch_group=key.patch_group)
    work.tags.add(NODE, id, {"Patch Group": key.patch_group, "Environment": _ENVIRONMENTS[number % 3]})
    cohort = cohorts.join(work, key, _AT, facts)
    work.patch_states.put(
        id,
        Operation(
            patch_group=key.patch_group,
            operation="Scan",
            operation_start_time=_AT - timedelta(seconds=3),
            operation_end_time=_AT - timedelta(seconds=number % 3600),
            reboot_option="RebootIfNeeded",
        ),
        cohort_id=cohort.cohort_id,
        evaluation_id=cohort.evaluation_id,
        # As on nodes of one image: most packages came with it, some later.
        installed_at=[1_760_000_000 + (at * number if at < 50 else 0) for at in range(_PACKAGES)],
        command_id=f"00000000-0000-4000-8000-{number // 1000:012}",
    )


def _filter(key: str, value: str) -> dict[str, Any]:
    return {"Key": key, "Values": [value], "Type": "EQUAL"}


def _group(number: int) -> str:
    return f"group-{number}"


def _middle(ask: Callable[[], object]) -> float:
    """Return how much of the processor *ask* takes in the middle of a few times: other work makes that hardly more."""
    took_s = []
    for _ in range(_ROUNDS):
        began_at_s = time.process_time()
        ask()
        took_s.append(time.process_time() - began_at_s)
    return median(took_s)


def run() -> None:
    """Measure, and print."""
    found = []
    with TemporaryDirectory(prefix="patchwindow-bench-") as folder:
        for size in _SIZES:
            nodes = Fleet(Path(folder) / f"{size}.db", size)
            found.append(Figures(size, nodes.bytes_per_node, *nodes.change(), nodes.ask()))
            nodes.installation.close()
    _tell(found)


def _tell(found: Sequence[Figures]) -> None:
    smallest, largest = found[0], found[-1]

    def row(what: str, figures: Sequence[float], digits: int = 0) -> list[str]:
        grown = f"{figures[-1] / figures[0]:.1f} times"
        return [what, *(f"{figure:,.{digits}f}" for figure in figures), grown]

    rows = [
        row("database, bytes per node", [one.bytes_per_node for one in found]),
        row("nodes that a changed baseline concerns", [one.moved_count for one in found]),
        row("recomputed after, s", [one.recompute_s for one in found], digits=2),
        row("of the processor's time, s", [one.recompute_processor_s for one in found], digits=2),
        *(row(f"{one}, ms", [1000 * each.answers_s[one] for each in found], digits=1) for one in smallest.answers_s),
    ]
    print(table(["nodes", *(f"{one.node_count:,}" for one in found), "growth"], rows))
    print(
        f"\n{_FACT_SETS} sets of facts with {_PACKAGES} packages and {_UPDATES} updates, {_BASELINES} baselines; one of "
        "them changes\nbytes per node: of the database, with tags, one scan in the history, and times of installation\n"
    )
    recompute = f"{largest.node_count:,} nodes: recomputed within {_RECOMPUTE_GOAL_S:.0f} s of a change"
    print(verdict(goal=recompute, is_met=largest.recompute_s < _RECOMPUTE_GOAL_S))
    for question in (one for one in largest.answers_s if one != _ANOTHER_TAG):
        goal = f"{largest.node_count:,} nodes: {question} within {_ANSWER_GOAL_S * 1000:.0f} ms"
        print(verdict(goal=goal, is_met=largest.answers_s[question] < _ANSWER_GOAL_S))
