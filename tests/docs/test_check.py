"""The page of the check has every code with its severity."""

import re
from pathlib import Path
from typing import Final

from patchwindow.checks import CHECKS
from patchwindow.checks.codes import CheckCode, severity_of
from patchwindow.domain.lint_finding import LintCode
from patchwindow.plans import PlanCode

PAGE: Final = Path(__file__).parents[2] / "docs" / "check.md"


def test_the_table_of_findings_is_that_of_the_code() -> None:
    rows = re.findall(
        r"^\| `([a-z-]+)` \| (error|warning|notice) \| \S", PAGE.read_text(encoding="utf-8"), re.MULTILINE
    )
    codes = [CheckCode.NOT_TOLD, *(code for check in CHECKS for code in check.codes if not isinstance(code, LintCode))]
    assert dict(rows) == {str(code): str(severity_of(code)) for code in codes}
    assert len(rows) == len(codes)


def test_every_code_is_told_by_a_check() -> None:
    told = {code for check in CHECKS for code in check.codes}
    assert set(CheckCode) - told == {CheckCode.NOT_TOLD}
    assert {PlanCode.NO_TARGETS, PlanCode.NO_TASKS, PlanCode.NO_REBOOT_POLICY, PlanCode.WINDOWS_OVERLAP} <= told
    assert set(LintCode) - told == {LintCode.NEVER_OPENS}
