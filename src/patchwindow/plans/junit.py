"""Findings as a JUnit report, which CI servers show as tests.

There is no standard; the form is that of Ant's task, which they all read: a suite of cases, each with its failure.
"""

import xml.etree.ElementTree as ET
from collections.abc import Sequence
from typing import Final

from patchwindow.plans.finding import Finding, Severity, are_as_bad

_NO_FINDINGS: Final = "no findings"


def junit(findings: Sequence[Finding], subject: str, fail_on: Severity) -> str:
    """Return *findings* about *subject* as the text of one report.

    A finding is a case that fails where it is as bad as *fail_on*, and otherwise says its sentence and passes.  Without
    findings there is one case that passes, since some CI servers take an empty report for a broken one.
    """
    failures = sum(are_as_bad([finding], fail_on) for finding in findings)
    counts = {"tests": str(max(len(findings), 1)), "failures": str(failures), "errors": "0"}
    suites = ET.Element("testsuites", counts)
    suite = ET.SubElement(suites, "testsuite", {"name": _clean(subject), **counts})
    for finding in findings:
        named = {"classname": str(finding.code), "name": _clean(f"{finding.where}: {finding.sentence}")}
        case = ET.SubElement(suite, "testcase", named)
        if are_as_bad([finding], fail_on):
            said = {"type": str(finding.severity), "message": _clean(finding.text)}
            ET.SubElement(case, "failure", said).text = _clean(str(finding))
        else:
            ET.SubElement(case, "system-out").text = _clean(str(finding))
    if not findings:
        ET.SubElement(suite, "testcase", {"classname": "check", "name": _NO_FINDINGS})
    ET.indent(suites)
    return ET.tostring(suites, encoding="unicode", xml_declaration=True)


def _clean(text: str) -> str:
    """Return *text* without what XML has no form for: a node chooses its own name."""
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text)
