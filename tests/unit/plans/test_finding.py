"""Findings as values: what they say, and how bad several are together."""

import pytest

from patchwindow.plans import Finding, Severity, Where, are_as_bad

AT = Where("plan.yaml", 3, 5)
FOUND = Finding("no-tasks", Severity.NOTICE, AT, "window 'web' has no tasks", "say what is to be done")


def test_a_finding_is_a_line_with_its_place_severity_and_code() -> None:
    assert str(FOUND) == "plan.yaml:3:5: notice: window 'web' has no tasks; say what is to be done [no-tasks]"


def test_a_finding_about_something_that_is_there_has_no_line() -> None:
    finding = Finding("no-tasks", Severity.ERROR, Where("mw-0123456789abcdef0"), "it has no tasks")
    assert str(finding) == "mw-0123456789abcdef0: error: it has no tasks [no-tasks]"
    assert "Line" not in finding.record()


def test_the_record_of_a_finding_has_its_members() -> None:
    assert FOUND.record() == {
        "Code": "no-tasks",
        "Severity": "notice",
        "Where": "plan.yaml",
        "Line": 3,
        "Column": 5,
        "Sentence": "window 'web' has no tasks",
        "Remedy": "say what is to be done",
    }


@pytest.mark.parametrize(
    ("found", "as_bad_as", "expected"),
    [
        ([], Severity.NOTICE, False),
        ([Severity.NOTICE], Severity.NOTICE, True),
        ([Severity.NOTICE], Severity.WARNING, False),
        ([Severity.NOTICE, Severity.ERROR], Severity.WARNING, True),
    ],
)
def test_findings_are_as_bad_as_the_worst_of_them(
    found: list[Severity], as_bad_as: Severity, *, expected: bool
) -> None:
    findings = [Finding("code", severity, AT, "sentence") for severity in found]
    assert are_as_bad(findings, as_bad_as) is expected
