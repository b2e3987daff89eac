"""The fields of a baseline's form: what they say as members of the API, and which of them a refusal is about."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from patchwindow.console import edits, refusals
from patchwindow.console.view import Act
from patchwindow.domain.errors import PatchwindowError
from patchwindow.domain.filter_values import FILTERS
from patchwindow.domain.operating_system import OperatingSystem

RULES_MAX: Final = 10
"""The API takes no more."""
_RULE: Final = re.compile(
    r"ApprovalRules\.PatchRules\[(\d+)\](?:\.PatchFilterGroup\.PatchFilters\[(\d+)\])?\.?(\w*): (.*)", re.DOTALL
)
_GLOBAL: Final = re.compile(r"GlobalFilters\.PatchFilters\[(\d+)\]\.?\w*: (.*)", re.DOTALL)
_MEMBER: Final = re.compile(r"(\w+)(?:\[\d+\])?: (.*)", re.DOTALL)
_NEXT: Final = re.compile(
    r"; (?=(?:ApprovalRules|GlobalFilters|ApprovedPatches\w*|RejectedPatches\w*|Sources|AvailableSecurity\w+)[.\[:])"
)
_ENDS: Final = {"ApproveUntilDate": "Until", "EnableNonSecurity": "NonSecurity"}


@dataclass(frozen=True, slots=True)
class Places:
    """Where the parts of the members stood in the form."""

    rules: Sequence[int]
    """The number in the form of each rule."""
    filters: Sequence[Sequence[str]]
    """The keys of each rule's filters, in their order."""
    scope: Sequence[str]
    """The keys of the global filters."""


def read_members(act: Act, base: Mapping[str, Any]) -> tuple[dict[str, Any], Places]:
    """Return the members that the form asks for, and where they stood; what the form has no field for is that of *base*."""
    system = base["OperatingSystem"]
    numbers = [number for number in range(rule_count(act)) if not act.first(f"Rule.{number}.Remove")]
    rules = [_rule(act, number, system) for number in numbers]
    scope = _filters(act, "Global", system)
    members: dict[str, Any] = {
        "Name": act.first("Name"),
        "OperatingSystem": system,
        "Description": act.first("Description"),
        "GlobalFilters": {"PatchFilters": scope},
        "ApprovalRules": {"PatchRules": rules},
        "ApprovedPatches": edits.lines(act, "ApprovedPatches"),
        "ApprovedPatchesComplianceLevel": act.first("ApprovedPatchesComplianceLevel"),
        "ApprovedPatchesEnableNonSecurity": bool(act.first("ApprovedPatchesEnableNonSecurity")),
        "RejectedPatches": edits.lines(act, "RejectedPatches"),
        "RejectedPatchesAction": act.first("RejectedPatchesAction"),
        "Sources": base.get("Sources", []),
        "AvailableSecurityUpdatesComplianceStatus": act.first("AvailableSecurityUpdatesComplianceStatus"),
    }
    # An empty choice leaves a member to its default; a name must be refused if it is empty.
    kept = {name: value for name, value in members.items() if value != "" or name == "Name"}
    places = Places(
        numbers,
        [[one["Key"] for one in rule["PatchFilterGroup"]["PatchFilters"]] for rule in rules],
        [one["Key"] for one in scope],
    )
    return kept, places


def rule_count(act: Act) -> int:
    """Return how many rules the form has, also those to be removed."""
    text = act.first("RuleCount")
    return min(int(text), RULES_MAX) if text.isdecimal() and text.isascii() else 0


def by_field(problem: PatchwindowError, act: Act, places: Places) -> dict[str, str]:
    """Return what is wrong with a baseline, all of it, by field."""
    if isinstance(problem, refusals.FormProblem):
        return problem.problems
    found: dict[str, str] = {}
    for part in _NEXT.split(str(problem)):
        field, message = _place(part, act, places)
        found[field] = f"{found[field]}; {message}" if field in found else message
    if list(found) == [""]:
        return refusals.by_field(problem, act.form)
    return found


def _place(part: str, act: Act, places: Places) -> tuple[str, str]:
    if (rule := _RULE.fullmatch(part)) and int(rule[1]) < len(places.rules):
        at = int(rule[1])
        end = places.filters[at][int(rule[2])] if rule[2] else _ENDS.get(rule[3], "Days")
        return f"Rule.{places.rules[at]}.{end}", rule[4]
    if scope := _GLOBAL.fullmatch(part):
        return f"Global.{places.scope[int(scope[1])]}", scope[2]
    if (member := _MEMBER.fullmatch(part)) and member[1] in act.form:
        return member[1], member[2]
    return "", part


def _rule(act: Act, number: int, system: str) -> dict[str, Any]:
    at = f"Rule.{number}"
    rule: dict[str, Any] = {
        "PatchFilterGroup": {"PatchFilters": _filters(act, at, system)},
        "ComplianceLevel": act.first(f"{at}.Level"),
        "ApproveAfterDays": edits.whole(act, f"{at}.Days"),
        "ApproveUntilDate": act.first(f"{at}.Until"),
        "EnableNonSecurity": bool(act.first(f"{at}.NonSecurity")),
    }
    return {name: value for name, value in rule.items() if value not in ("", None)}


def _filters(act: Act, at: str, system: str) -> list[dict[str, Any]]:
    asked = {str(key): edits.lines(act, f"{at}.{key}") for key in FILTERS[OperatingSystem(system)]}
    return [{"Key": key, "Values": values} for key, values in asked.items() if values]
