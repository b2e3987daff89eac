"""A plan held against the nodes that it is for."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.unit.plans.test_read import WHOLE

from patchwindow.domain.forecast_facts import FleetFacts, ForecastCohort, ForecastNode
from patchwindow.domain.operating_system import OperatingSystem
from patchwindow.plans import Finding, Fleet, PlanProblems, check, parse_plan, read_fleet
from patchwindow.protocol.forecast_file import head_lines

NOW = datetime(2026, 1, 1, tzinfo=UTC)
WEB = {"Patch Group": "Web Server"}
BOTH = """\
  Friday:
    schedule: cron(0 2 ? * FRI *)
    duration: 2
    cutoff: 1
    targets:
      test: {tags: {Environment: Test}}
    tasks:
      patch: {}
"""


HEAD = '{"kind": "fleet", "value": {"schema": 1, "asOfMs": 0, "nodeCount": 2}}\n'


def findings(tags: dict[str, dict[str, str]], text: str = WHOLE) -> list[Finding]:
    return list(check(parse_plan(text, "plan.yaml"), now=NOW, fleet=Fleet("nodes.json", tags)))


def test_nodes_that_are_all_in_a_window_are_no_finding() -> None:
    assert findings({"mi-1": WEB, "mi-2": WEB | {"Environment": "Test"}}) == []


def test_nodes_in_no_window_are_counted_and_named() -> None:
    (finding,) = findings({"mi-1": WEB} | {f"mi-{number}": {} for number in range(2, 7)})
    assert str(finding) == (
        "nodes.json: error: 5 nodes are in no enabled window, so nothing patches them: mi-2, mi-3, mi-4 and 2 more; "
        "give them a tag that a window asks for [node-in-no-window]"
    )


def test_a_disabled_window_patches_nobody() -> None:
    disabled = WHOLE.replace("cutoff: 1", "cutoff: 1\n    enabled: false")
    assert [finding.code for finding in findings({"mi-1": WEB}, disabled)] == ["node-in-no-window"]


def test_a_group_that_the_plan_does_not_have_is_told_with_its_nodes() -> None:
    found = findings({"mi-1": WEB, "mi-2": {"PatchGroup": "Web Servers"}})
    assert [finding.code for finding in found] == ["node-in-no-window", "node-in-unknown-group"]
    assert "1 node is in patch group 'Web Servers'" in found[1].sentence


def test_a_node_whose_group_has_no_baseline_for_its_system_is_told() -> None:
    systems = {"mi-1": "WINDOWS", "mi-2": "DEBIAN"}
    fleet = Fleet("fleet.jsonl", {"mi-1": WEB, "mi-2": WEB, "mi-3": WEB}, systems)
    (finding,) = check(parse_plan(WHOLE, "plan.yaml"), now=NOW, fleet=fleet)
    assert str(finding) == (
        "fleet.jsonl: warning: 1 node is in patch group 'Web Server', which has no baseline for DEBIAN, so the default of "
        "that system decides: mi-2; correct the tag, or give the group a baseline for DEBIAN [node-in-unknown-group]"
    )


def test_a_node_that_two_windows_reach_by_different_tags_is_seen_to_overlap() -> None:
    apart = {"mi-1": WEB, "mi-2": {"Environment": "Test"}}
    assert findings(apart, WHOLE + BOTH) == []
    (finding,) = findings(apart | {"mi-3": WEB | {"Environment": "Test"}}, WHOLE + BOTH)
    assert finding.code == "windows-overlap"
    assert finding.sentence == "window 'Friday' and window 'Web-Server' are both open for mi-3 at 2026-01-02T02:00Z"


def test_a_target_that_means_nobody_is_told_at_its_place() -> None:
    found = findings({"mi-1": WEB}, WHOLE + BOTH)
    assert [(finding.code, finding.where.line) for finding in found] == [("target-without-nodes", 26)]


@pytest.mark.parametrize(
    ("limits", "node_count", "codes"),
    [
        ("maxConcurrency: 3, maxErrors: 3", 3, ["all-at-once", "errors-never-stop"]),
        ("maxConcurrency: 2, maxErrors: 2", 3, []),
        ("maxConcurrency: 2, maxErrors: 2", 2, []),
        ("maxConcurrency: 50%, maxErrors: 4", 4, ["errors-never-stop"]),
    ],
)
def test_a_number_that_the_nodes_never_reach_holds_nothing_back(limits: str, node_count: int, codes: list[str]) -> None:
    text = WHOLE.replace("operation: Scan, maxConcurrency: 10%, maxErrors: 1", f"operation: Install, {limits}")
    text = text.replace("operation: Install", "operation: Install, rebootOption: NoReboot")
    found = findings({f"mi-{number}": WEB for number in range(node_count)}, text)
    assert [finding.code for finding in found] == codes
    assert findings({f"mi-{number}": WEB for number in range(node_count)}, text.replace("Install", "Scan")) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "1:2: is not JSON: Expecting property name"),
        (
            "[]",
            '1:1: has another form; expected what "patchwindow forecast --export" writes, or a JSON object of nodes',
        ),
        ('{"mi-1": {"Role": 1}}', "1:1: has another form"),
        (
            HEAD + '{"kind": "node", "value": {"NodeId": "mi-1", "CohortId": "", "Tags": {}}}',
            "1:1: has 1 nodes and says that it has 2; ",
        ),
        ('{"kind": "fleet", "value": {}}', "1:1: is no line of an export of facts"),
        (HEAD.replace('"schema": 1', '"schema": 2'), "1:1: is an export of schema 2; this version reads 1"),
        (HEAD + "{", "2:1: is no line of an export of facts; export it again"),
        (HEAD + '{"kind": "node", "value": []}', "2:1: is no line of an export of facts"),
        (HEAD + '{"kind": "node", "value": {"NodeId": "mi-1"}}', "2:1: tells no tags of node mi-1; export it again"),
    ],
)
def test_a_file_that_has_no_nodes_is_refused_at_its_place(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "nodes.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(PlanProblems) as caught:
        read_fleet(path)
    assert str(caught.value).startswith(f"{path}:{message}")


def test_a_file_of_nodes_is_read(tmp_path: Path) -> None:
    path = tmp_path / "nodes.json"
    path.write_text(json.dumps({"mi-1": WEB}), encoding="utf-8")
    assert read_fleet(path).nodes == {"mi-1"}
    with pytest.raises(PlanProblems, match=r"none\.json:1:1: cannot be read: No such file"):
        read_fleet(tmp_path / "none.json")


def test_an_export_of_facts_is_read_as_nodes_with_their_tags(tmp_path: Path) -> None:
    known = (ForecastNode(node_id="mi-1", cohort_id="one", tags=WEB), ForecastNode(node_id="mi-2", tags={}))
    cohort = ForecastCohort(
        cohort_id="one",
        facts_digest="digest",
        operating_system=OperatingSystem.DEBIAN,
        patch_group="Web Server",
        baseline_id="pb-1",
    )
    path = tmp_path / "fleet.jsonl"
    # Facts are most of a file, and are not even looked at here.
    facts = '{"kind": "facts", "value": any'
    path.write_text(
        "\n".join([*head_lines(FleetFacts(as_of=NOW, cohorts=(cohort,), nodes=known)), facts]), encoding="utf-8"
    )
    fleet = read_fleet(path)
    assert fleet.nodes == {"mi-1", "mi-2"}
    assert fleet.groups == {"Web Server": ["mi-1"]}
    assert fleet.systems == {"mi-1": "DEBIAN"}
