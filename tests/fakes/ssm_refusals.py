"""What AWS refuses although the service model lets it pass, as its documentation says."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

# "Replace: if True, then all fields that are required by the Create (or Register) operation are also required for this
# API request."  Source: the service model, members Replace.
_REQUIRED_WITH_REPLACE: Final[Mapping[str, tuple[str, ...]]] = {
    "UpdatePatchBaseline": ("Name",),
    "UpdateMaintenanceWindow": ("Name", "Schedule", "Duration", "Cutoff", "AllowUnassociatedTargets"),
    "UpdateMaintenanceWindowTarget": ("Targets",),
    "UpdateMaintenanceWindowTask": ("Targets", "TaskArn", "MaxConcurrency", "MaxErrors"),
}
_TARGETS_OF_A_TASK_MAX: Final = 10
_TAG_PAIRS_OF_A_TARGET_MAX: Final = 5


def refusals(operation: str, members: Mapping[str, Any]) -> Iterator[str]:
    """Yield the reasons for which AWS answers *operation* with a ValidationException."""
    if members.get("Replace"):
        missing = [name for name in _REQUIRED_WITH_REPLACE[operation] if name not in members]
        yield from (f"{name} is required with Replace" for name in missing)
    yield from (f"{name} is empty" for name in ("Description", "StartDate", "EndDate") if members.get(name) == "")
    if members.get("Cutoff", 0) >= members.get("Duration", 24):
        yield f"Cuttoff was {members['Cutoff']} but must be smaller than {members['Duration']} (Duration - 1 )"
    targets = members.get("Targets", ())
    if operation.endswith(("Task", "TaskWithMaintenanceWindow")):
        if any(len(target["Values"]) > _TARGETS_OF_A_TASK_MAX for target in targets):
            yield "The maximum number of window targets is 10"
    elif len(targets) > _TAG_PAIRS_OF_A_TARGET_MAX:
        yield "too many tag pairs"
    if any(not target["Values"] for target in targets):
        yield "Please specify at least one target. Filter values can't be null"
