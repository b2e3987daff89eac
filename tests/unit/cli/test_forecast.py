"""`patchwindow forecast`."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from tests.unit.cli.fake import refusal, run

from patchwindow.cli.exits import Exit

NODE: Final = "mi-0123456789abcdef0"
WINDOW: Final = "mw-0123456789abcdef0"
AT: Final = datetime(2026, 12, 17, 2, tzinfo=UTC)
NOBODY: Final = {"NodeCount": 0, "InstanceIds": []}
OPENING: Final[dict[str, Any]] = {
    "WindowId": WINDOW,
    "WindowName": "night",
    "OpensAt": AT,
    "CutoffAt": AT + timedelta(hours=1),
    "EndsAt": AT + timedelta(hours=2),
    "P50Seconds": 1200,
    "P95Seconds": 4321,
    "Fits": True,
    "NodeCount": 3,
    "InstallCount": 7,
    "RebootCount": 2,
    "RebootNeededCount": 0,
    "NoTurnCount": 1,
    "MissingCount": 0,
}
LEFT: Final = {
    "Title": "bash.amd64:2",
    "Reason": "rule 1 will approve it",
    "ApprovedOn": "2026-12-20",
    "NodeCount": 1,
    "InstanceIds": [NODE],
}
ANSWER: Final[dict[str, Any]] = {
    "AsOf": AT - timedelta(days=1),
    "Until": AT + timedelta(days=7),
    "Openings": [OPENING],
    "Left": [LEFT],
    "LeftCount": 1,
    "NeverScanned": {"NodeCount": 1, "InstanceIds": [NODE]},
    "Silent": NOBODY,
}
GROUP: Final[dict[str, Any]] = {
    "NodeCount": 1,
    "InstanceIds": [NODE],
    "Fate": "Installed",
    "BeginsAt": AT,
    "EndsAt": AT + timedelta(minutes=20),
    "Installed": ["openssl.amd64:2"],
    "InstalledCount": 1,
    "ComingAlong": ["libssl.amd64:2"],
    "Failed": [],
    "Reboots": True,
    "WaitsForReboot": False,
    "Left": [{"Title": "bash.amd64:2", "Reason": "held on the node"}],
}
TASK: Final[dict[str, Any]] = {
    "WindowTaskId": "t",
    "Name": "install",
    "Priority": 1,
    "DocumentName": "AWS-RunPatchBaseline",
    "Operation": "Install",
    "BeginsAt": AT,
    "P50Seconds": 1200,
    "P95Seconds": 1200,
    "Nodes": [GROUP],
}
PATCH: Final[dict[str, Any]] = {
    "Titles": ["openssl.amd64:2"],
    "NodeCount": 2,
    "InstalledCount": 1,
    "By": AT + timedelta(minutes=20),
    "Installed": [{"WindowName": "night", "OpensAt": AT, "By": AT + timedelta(minutes=20), **NOBODY}],
    "Excepted": [{"Title": "openssl.amd64:2", "Reason": "no window", "NodeCount": 1, "InstanceIds": [NODE]}],
}


def said(answer: dict[str, Any], *arguments: str) -> list[str]:
    return run("forecast", *arguments, answers={"ForecastPatches": answer}).stdout.splitlines()


def test_the_openings_are_a_table_in_the_zone_that_is_asked_for() -> None:
    lines = said(ANSWER, "--zone", "Europe/Berlin")
    assert lines[1].split("  ")[0] == "Thu 17 Dec 2026 03:00 CET"
    assert "0h20 to 1h13" in lines[1]
    assert "2h00" in lines[1]


def test_what_is_left_and_of_whom_nothing_is_known_is_told_below() -> None:
    lines = said(ANSWER)
    assert f"  1 node ({NODE}): bash.amd64:2 (approved on 2026-12-20): rule 1 will approve it" in lines
    assert lines[-1] == f"Nothing is known of 1 node ({NODE}): never scanned"


@pytest.mark.parametrize(
    ("changes", "remark"),
    [
        ({"GivenUp": "frozen by calendar year-end"}, "does not open: frozen by calendar year-end"),
        ({"Fits": False}, "takes longer than the window is open"),
        ({}, "night   -"),
    ],
)
def test_an_opening_that_is_not_as_it_should_be_has_a_remark(changes: dict[str, Any], remark: str) -> None:
    assert said({**ANSWER, "Openings": [{**OPENING, **changes}]})[1].endswith(remark)


def test_of_one_node_each_opening_is_told_with_its_tasks_and_patches() -> None:
    answer = {**ANSWER, "Openings": [{**OPENING, "Tasks": [TASK]}], "Left": []}
    assert said(answer, "--node", NODE)[:6] == [
        f"Thu 17 Dec 2026 02:00 UTC  night ({WINDOW}), takes 0h20 to 1h13 of 2h00",
        "  Thu 17 Dec 2026 02:00 UTC  install (Install)",
        f"    1 node ({NODE}) install 1 patch, until Thu 17 Dec 2026 02:20 UTC; they reboot",
        "      + openssl.amd64:2",
        "      + libssl.amd64:2, which comes along",
        "      - bash.amd64:2: held on the node",
    ]


def test_a_patch_is_told_in_one_sentence_with_the_exceptions_below() -> None:
    lines = said({"AsOf": AT, "Until": AT, "Patch": PATCH}, "--patch", "openssl")
    assert lines[:2] == [
        "openssl: installed everywhere by Thu 17 Dec 2026 02:20 UTC, except:",
        f"  1 node ({NODE}): openssl.amd64:2: no window",
    ]


def test_a_patch_that_no_window_installs_is_told_so() -> None:
    without = {name: value for name, value in PATCH.items() if name != "By"}
    lines = said({"AsOf": AT, "Until": AT, "Patch": {**without, "Installed": []}}, "--patch", "openssl")
    assert lines[0] == "openssl: installed nowhere by Thu 17 Dec 2026 02:00 UTC"


def test_that_no_window_opens_is_told() -> None:
    assert said({**ANSWER, "Openings": []})[0] == "no window opens until Thu 24 Dec 2026 02:00 UTC"


def test_what_is_asked_for_is_handed_on_and_json_is_the_answer() -> None:
    found = run("forecast", "--weeks", "2", "--window", WINDOW, "--json", answers={"ForecastPatches": ANSWER})
    assert found.asked == [("ForecastPatches", {"Weeks": 2, "WindowId": WINDOW})]
    assert json.loads(found.stdout)["LeftCount"] == 1


def test_an_export_has_every_part_and_gives_the_same_forecast_without_a_server(tmp_path: Path) -> None:
    path = tmp_path / "fleet.jsonl"
    head = '{"kind": "fleet", "value": {"schema": 1, "asOfMs": 1797386400000, "nodeCount": 1}}'
    node = f'{{"kind": "node", "value": {{"NodeId": "{NODE}"}}}}'
    parts: Iterator[dict[str, Any]] = iter([{"Parts": [head], "NextToken": "x"}, {"Parts": [node]}])
    found = run("forecast", "--export", str(path), answers={"ExportForecastFacts": lambda _: next(parts)})
    assert found.stderr == "2 lines written\n"
    assert path.read_text() == f"{head}\n{node}\n"
    told = run("forecast", "--facts", str(path), "--weeks", "1", answers={})
    assert told.asked == []
    assert told.stdout.splitlines() == [
        "no window opens until Wed 23 Dec 2026 02:00 UTC",
        f"Nothing is known of 1 node ({NODE}): never scanned",
    ]


def test_a_file_that_is_no_export_is_refused_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "fleet.jsonl"
    path.write_text("{}\n")
    found = run("forecast", "--facts", str(path), answers={})
    assert found.exit_code == Exit.FAILED
    assert f"{path}, line 1: this is no line of a fleet's facts" in found.stderr


@pytest.mark.parametrize(
    "arguments",
    [("--patch", "a", "--node", NODE), ("--patch", "a", "--window", WINDOW), ("--facts", "-", "--export", "-")],
)
def test_what_does_not_go_together_is_misused(arguments: tuple[str, ...]) -> None:
    assert run("forecast", *arguments, answers={}).exit_code == Exit.MISUSED


def test_a_refusal_of_the_server_is_one_line() -> None:
    refused = refusal("DoesNotExistException", "window mw-0123456789abcdef0 does not open any more")
    found = run("forecast", "--window", WINDOW, answers={"ForecastPatches": refused})
    assert found.exit_code == Exit.FAILED
    assert "does not open any more" in found.stderr
