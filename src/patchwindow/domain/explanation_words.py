"""What ExplainPatch tells, in the words that the command line and the console share."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

Members = Mapping[str, Any]

REASONS: Final = {
    "PATCH_GROUP": "registered for the patch group {group!r}",
    "DEFAULT": "the default of {system}",
    "FORMER": "followed when this was decided, and not any more",
}
"""Why a baseline is the one of a node."""

# What is compared beside the members of filters, in words.
_DIFFERENCES: Final = {
    "DATE": "it were dated {wanted} or before",
    "DAY": "it were {wanted} or later",
    "SECURITY": "it were a security patch",
    "APPROVED_PATCHES": "ApprovedPatches named it: {wanted}",
    "REJECTED_PATCHES": "RejectedPatches did not have {value}",
}


def baseline_reason(answer: Members) -> str:
    """Return why the baseline of an answer is the one that the node follows."""
    reason: str = answer["Baseline"]["Reason"]
    form = REASONS.get(reason, reason)
    return form.format(group=answer.get("PatchGroup") or "", system=answer["OperatingSystem"])


def differences(told: Sequence[Members]) -> str:
    """Return what would have to differ, as a condition."""
    return ", and ".join(map(_difference, told))


def _difference(one: Members) -> str:
    wanted = " or ".join(value or "nothing" for value in one["Wanted"])
    form = _DIFFERENCES.get(one["Key"], "its {key} were {wanted}, not {value}")
    return form.format(key=one["Key"], wanted=wanted, value=one["Value"] or "nothing")
