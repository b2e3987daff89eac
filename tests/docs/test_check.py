"""The pages of the checks have every code with its severity."""

import re
from pathlib import Path
from typing import Final

from patchwindow.checks import CHECKS
from patchwindow.checks.codes import CheckCode, PrerequisiteCode, severity_of
from patchwindow.domain.lint_finding import LintCode
from patchwindow.plans import PlanCode

DOCS: Final = Path(__file__).parents[2] / "docs"
ALSO_PREREQUISITES: Final = (CheckCode.NOT_TOLD, CheckCode.NODE_LOST, CheckCode.NODE_WITHOUT_GROUP)


def rows(text: str) -> list[tuple[str, str]]:
    """Return code and severity of each row of a table."""
    return re.findall(r"^\| `([a-z0-9-]+)` \| (error|warning|notice) \| \S", text, re.MULTILINE)


def test_the_table_of_findings_is_that_of_the_code() -> None:
    told = rows((DOCS / "check.md").read_text(encoding="utf-8"))
    codes = [CheckCode.NOT_TOLD, *(code for check in CHECKS for code in check.codes if not isinstance(code, LintCode))]
    assert dict(told) == {str(code): str(severity_of(code)) for code in codes}
    assert len(told) == len(codes)


def test_every_code_is_told_by_a_check() -> None:
    told = {code for check in CHECKS for code in check.codes}
    assert set(CheckCode) - told == {CheckCode.NOT_TOLD}
    assert {PlanCode.NO_TARGETS, PlanCode.NO_TASKS, PlanCode.NO_REBOOT_POLICY, PlanCode.WINDOWS_OVERLAP} <= told
    assert set(LintCode) - told == {LintCode.NEVER_OPENS}


def test_the_table_of_prerequisites_is_that_of_the_code() -> None:
    _, _, page = (DOCS / "plans.md").read_text(encoding="utf-8").partition("\n## Prerequisites\n")
    told = rows(page.partition("\n## ")[0])
    assert dict(told) == {str(code): str(severity_of(code)) for code in (*ALSO_PREREQUISITES, *PrerequisiteCode)}
