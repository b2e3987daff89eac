"""The patches of a large fleet: listed the first time, listed again, listed after a change; their nodes; one explained."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from bench.compliance import Fleet
from bench.report import median, table, verdict

_SIZES: Final = (1_000, 100_000)
_ROUNDS: Final = 5
_PAGE_GOAL_S: Final = 0.2
_TITLE: Final = "package-0100.amd64:1.0-1"
_MISSING: Final = {"Filters": [{"Key": "State", "Values": ["Missing"]}, {"Key": "Name", "Values": ["package-0003"]}]}


@dataclass(frozen=True, slots=True)
class Figures:
    """What a fleet of one size took."""

    node_count: int
    first_s: float
    changed_s: float
    answers_s: dict[str, float]


def _measured(nodes: Fleet) -> Figures:
    def ask(operation: str, members: dict[str, Any]) -> dict[str, Any]:
        return nodes.installation.perform(operation, members)

    first_s = _took(lambda: ask("ListPatches", {}))
    nodes.change()
    changed_s = _took(lambda: ask("ListPatches", {}))
    node_id = ask("ListPatchInstances", {"Title": _TITLE})["Instances"][0]["InstanceId"]
    questions: dict[str, Callable[[], object]] = {
        "ListPatches": lambda: ask("ListPatches", {}),
        "… with filters": lambda: ask("ListPatches", _MISSING),
        "ListPatchInstances": lambda: ask("ListPatchInstances", {"Title": _TITLE}),
        "ExplainPatch": lambda: ask("ExplainPatch", {"InstanceId": node_id, "Patch": "package-0003"}),
    }
    answers_s = {name: median([_took(question) for _ in range(_ROUNDS)]) for name, question in questions.items()}
    moved_s = []
    for number in range(_ROUNDS):
        tags = [{"Key": "Patch Group", "Value": f"group-{number}"}]
        ask("AddTagsToResource", {"ResourceType": "ManagedInstance", "ResourceId": node_id, "Tags": tags})
        nodes.installation.engine.turn()
        moved_s.append(_took(questions["ListPatches"]))
    answers_s["… when a node has moved"] = median(moved_s)
    return Figures(nodes.node_count, first_s, changed_s, answers_s)


def _took(ask: Callable[[], object]) -> float:
    """Return how much of the processor *ask* takes: other work makes that hardly more."""
    began_at_s = time.process_time()
    ask()
    return time.process_time() - began_at_s


def run() -> None:
    """Measure, and print."""
    found = []
    with TemporaryDirectory(prefix="patchwindow-bench-") as folder:
        for size in _SIZES:
            nodes = Fleet(Path(folder) / f"{size}.db", size)
            found.append(_measured(nodes))
            nodes.installation.close()
    _tell(found)


def _tell(found: Sequence[Figures]) -> None:
    questions = list(found[0].answers_s)
    rows = [
        [
            f"{one.node_count:,}",
            f"{one.first_s:.1f}",
            f"{one.changed_s:.1f}",
            *(f"{one.answers_s[question] * 1000:.0f}" for question in questions),
        ]
        for one in found
    ]
    columns = ["nodes", "first list s", "after a change s", *(f"{question} ms" for question in questions)]
    print(table(columns, rows))
    print(
        "\nup to 1,000 evaluations of 560 patches, whose states are kept with them: the first list reads all, and the first "
        "after a\nchange of a baseline those that are new. Where a node has moved to another group, all are counted anew\n"
    )
    largest = found[-1]
    for question in questions:
        goal = f"{largest.node_count:,} nodes: {question} within {_PAGE_GOAL_S * 1000:.0f} ms"
        print(verdict(goal=goal, is_met=largest.answers_s[question] < _PAGE_GOAL_S))
