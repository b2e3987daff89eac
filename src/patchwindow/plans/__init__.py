"""Plans: one file that says how a fleet is patched, applied through the public API alone.

plan file → desired state → difference → ordered calls.
"""

from patchwindow.plans.apply import Comparison, apply, compare
from patchwindow.plans.approvals import Approval, approvals, touches_approvals
from patchwindow.plans.check import as_findings, check
from patchwindow.plans.codes import PlanCode
from patchwindow.plans.coming import coming
from patchwindow.plans.definitions import Plan
from patchwindow.plans.difference import Action, Change, Difference, difference
from patchwindow.plans.export import Export, adopt, export
from patchwindow.plans.finding import Finding, Severity, Where, are_as_bad
from patchwindow.plans.fleet import Fleet, read_fleet
from patchwindow.plans.junit import junit
from patchwindow.plans.perform import Applied, perform
from patchwindow.plans.problems import Mark, PlanProblems, Problem
from patchwindow.plans.reach import Reach, reaches
from patchwindow.plans.reached import Nodes
from patchwindow.plans.read import parse_plan, read_plan
from patchwindow.plans.sarif import sarif
from patchwindow.plans.schema import schema_text
from patchwindow.plans.state import Address, Kind

__all__ = [
    "Action",
    "Address",
    "Applied",
    "Approval",
    "Change",
    "Comparison",
    "Difference",
    "Export",
    "Finding",
    "Fleet",
    "Kind",
    "Mark",
    "Nodes",
    "Plan",
    "PlanCode",
    "PlanProblems",
    "Problem",
    "Reach",
    "Severity",
    "Where",
    "adopt",
    "apply",
    "approvals",
    "are_as_bad",
    "as_findings",
    "check",
    "coming",
    "compare",
    "difference",
    "export",
    "junit",
    "parse_plan",
    "perform",
    "reaches",
    "read_fleet",
    "read_plan",
    "sarif",
    "schema_text",
    "touches_approvals",
]
