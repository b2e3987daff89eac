"""Findings as SARIF 2.1.0, which code hosts and editors show beside the line.

Source: OASIS, "Static Analysis Results Interchange Format (SARIF) Version 2.1.0".
"""

import json
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any, Final

from patchwindow.plans.finding import Finding, Severity, Where

SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

_LEVELS: Final[Mapping[Severity, str]] = {
    Severity.ERROR: "error",
    Severity.WARNING: "warning",
    Severity.NOTICE: "note",
}


def sarif(findings: Sequence[Finding]) -> str:
    """Return *findings* as the text of one SARIF log with one run."""
    codes = sorted({str(finding.code) for finding in findings})
    driver = {
        "name": "patchwindow",
        "version": metadata.version("patchwindow"),
        "rules": [{"id": code} for code in codes],
    }
    results = [_result(finding, codes.index(finding.code)) for finding in findings]
    # Columns are those of a YAML reader, which counts characters.
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=False)


def _result(finding: Finding, rule: int) -> dict[str, Any]:
    return {
        "ruleId": str(finding.code),
        "ruleIndex": rule,
        "level": _LEVELS[finding.severity],
        "message": {"text": finding.text},
        "locations": [_location(finding.where)],
    }


def _location(where: Where) -> dict[str, Any]:
    """Return a place in a file, or the name of what is in no file."""
    if not where.line:
        return {"logicalLocations": [{"fullyQualifiedName": where.thing, "kind": "resource"}]}
    path = Path(where.thing)
    uri = path.as_uri() if path.is_absolute() else path.as_posix()
    region = {"startLine": where.line, "startColumn": where.column}
    return {"physicalLocation": {"artifactLocation": {"uri": uri}, "region": region}}
