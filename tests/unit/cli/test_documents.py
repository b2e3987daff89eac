"""`patchwindow documents`."""

import json
from pathlib import Path

from tests.fakes.calendars import calendar
from tests.unit.cli.fake import Answers, run

IDENTIFIER = {
    "Name": "AWS-RunPatchBaseline",
    "DocumentType": "Command",
    "DocumentVersion": "1",
    "Owner": "Amazon",
    "PlatformTypes": ["Windows", "Linux", "MacOS"],
}
PARAMETERS = [{"Name": "Operation", "Type": "String", "Description": "Scan or Install"}]
ANSWERS: Answers = {
    "ListDocuments": {"DocumentIdentifiers": [IDENTIFIER]},
    "DescribeDocument": {"Document": {**IDENTIFIER, "Parameters": PARAMETERS}},
    "GetDocument": {"Content": '{"schemaVersion": "2.2"}'},
}


def test_list_prints_a_line_per_document() -> None:
    assert run("documents", "list", answers=ANSWERS).stdout.splitlines() == [
        "NAME                  TYPE     VERSION  OWNER   PLATFORMS",
        "AWS-RunPatchBaseline  Command  1        Amazon  Windows, Linux, MacOS",
    ]


def test_list_asks_for_ones_own() -> None:
    asked = run("documents", "list", "--own").asked
    assert asked == [("ListDocuments", {"Filters": [{"Key": "Owner", "Values": ["Self"]}]})]


def test_show_prints_parameters_and_content_of_a_version() -> None:
    outcome = run("documents", "show", "AWS-RunPatchBaseline", "--version", "1", answers=ANSWERS)
    assert "Operation  String  -        Scan or Install" in outcome.stdout
    assert outcome.stdout.endswith('\n{"schemaVersion": "2.2"}\n')
    assert {members["DocumentVersion"] for _, members in outcome.asked} == {"1"}


def test_show_as_json_keeps_the_parameters() -> None:
    found = json.loads(run("documents", "show", "AWS-RunPatchBaseline", "--json", answers=ANSWERS).stdout)
    assert found["Document"]["Parameters"] == PARAMETERS


def test_an_ics_file_is_a_change_calendar(tmp_path: Path) -> None:
    path = tmp_path / "year-end.ics"
    path.write_bytes(calendar().encode())
    described = {"Name": "year-end", "DocumentType": "ChangeCalendar", "DocumentFormat": "TEXT"}
    outcome = run(
        "documents", "create", "year-end", str(path), answers={"CreateDocument": {"DocumentDescription": described}}
    )
    ((operation, members),) = outcome.asked
    assert operation == "CreateDocument"
    assert (members["DocumentType"], members["DocumentFormat"]) == ("ChangeCalendar", "TEXT")
    assert members["Content"].splitlines() == calendar().splitlines()
