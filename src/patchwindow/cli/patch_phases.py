"""How far the patch operations of a command are on its nodes, in a few words."""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Final

from patchwindow.client import ClientProblem, Progress, SsmClient, pages

_OVER: Final = "Reported"
_SHOWN_MAX: Final = 3
"""So many nodes are told one by one; more are counted by phase."""


class Phases:
    """What nodes say of a command; a server that tells nothing of it, as that of AWS, is asked once."""

    def __init__(self, own: Callable[[], SsmClient], command_id: str) -> None:
        self._own = own
        self._command_id = command_id
        self._client: SsmClient | None = None
        self._is_silent = False

    def note(self, progress: Progress) -> str:
        """Return how far the nodes are; empty where none has said anything, or the command is over."""
        if self._is_silent or progress.is_over:
            return ""
        try:
            self._client = self._client or self._own()
            found = pages(self._client, "GetPatchProgress", "Instances", CommandId=self._command_id)
            told = [one for one in found if one["Phase"] != _OVER]
        except ClientProblem:
            self._is_silent = True
            return ""
        if len(told) <= _SHOWN_MAX:
            return ", ".join(map(_shown, told))
        return ", ".join(f"{count} {phase}" for phase, count in sorted(Counter(one["Phase"] for one in told).items()))


def _shown(one: Mapping[str, Any]) -> str:
    counted = f" {one['Done']} of {one['Total']}" if one.get("Total") else ""
    what = f" {one['What']}" if one.get("What") else ""
    return f"{one['InstanceId']} {one['Phase']}{counted}{what}"
