"""Explanations in the form of answers."""

from collections.abc import Sequence
from typing import Any

from patchwindow.domain.decision import Decision
from patchwindow.domain.explanation import Comparison, Dates, Explanation


def decision_members(decision: Decision, explanation: Explanation) -> dict[str, Any]:
    """Return *decision*, with the parts of its *explanation*."""
    is_approved = decision.is_approved
    return {
        "Status": str(decision.status),
        "Reason": decision.reason,
        "ComplianceLevel": str(decision.compliance_level),
        "RuleNumber": None if explanation.rule_index is None else explanation.rule_index + 1,
        "ApprovalDate": None if decision.approval_date is None else str(decision.approval_date),
        "Compared": _comparisons(explanation.compared),
        "Dates": None if explanation.dates is None else _dates(explanation.dates),
        "ApprovedEntries": list(explanation.approved_entries),
        "RejectedEntries": list(explanation.rejected_entries),
        "NearestMiss": None
        if is_approved or explanation.differences is None
        else _comparisons(explanation.differences),
    }


def _comparisons(comparisons: Sequence[Comparison]) -> list[dict[str, Any]]:
    return [{"Key": str(one.field), "Value": one.value, "Wanted": list(one.wanted)} for one in comparisons]


def _dates(dates: Dates) -> dict[str, Any]:
    days = {"Date": dates.dated and dates.dated.on, "Until": dates.until, "ApprovalDate": dates.approval_on}
    return {
        "Kind": None if dates.dated is None else str(dates.dated.kind),
        "DelayDays": dates.delay_days,
        "DaysLeft": dates.days_left,
        **{name: None if day is None else str(day) for name, day in days.items()},
    }
