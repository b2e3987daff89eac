"""What the API has answered, to be found again by the API, whatever came in between."""

from collections.abc import Callable
from typing import Any

from tests.simulation.rules import Checks, Rule

from patchwindow.domain.errors import NotFound
from patchwindow.operations.call import Answer

_CHANGES_BY_ITSELF = ("NextExecutionTime", "ModifiedDate", "CreatedDate")


class Ledger:
    """Keeps answers. Of what was asked without an answer nothing is known; it is read again before it is kept."""

    def __init__(self, checks: Checks) -> None:
        self._checks = checks
        self._windows: dict[str, dict[str, Any] | None] = {}
        self._parts: dict[tuple[str, str], dict[str, bool]] = {}
        self._commands: set[str] = set()

    def window(self, answer: Answer) -> None:
        """Keep a window as it was answered."""
        self._windows[answer["WindowId"]] = {
            name: value for name, value in answer.items() if name not in _CHANGES_BY_ITSELF
        }

    def no_window(self, window_id: str) -> None:
        """Keep that the window is deleted, and all that was registered with it."""
        self._windows[window_id] = None
        for kind in ("Target", "Task"):
            self._parts.pop((window_id, kind), None)

    def part(self, window_id: str, kind: str, part_id: str, *, is_there: bool) -> None:
        """Keep that a target or a task is registered, or is not."""
        self._parts.setdefault((window_id, kind), {})[part_id] = is_there

    def command(self, command_id: str) -> None:
        """Keep that there is a command."""
        self._commands.add(command_id)

    def forget(self, window_id: str) -> None:
        """Take the window for unknown."""
        self._windows.pop(window_id, None)
        for kind in ("Target", "Task"):
            self._parts.pop((window_id, kind), None)

    def check(self, perform: Callable[..., Answer]) -> None:
        """Ask for everything that was answered once."""
        for window_id, kept in self._windows.items():
            self._check_window(perform, window_id, kept)
        for (window_id, kind), parts in self._parts.items():
            if self._windows.get(window_id):
                answer = perform(f"DescribeMaintenanceWindow{kind}s", WindowId=window_id)
                there = {one[f"Window{kind}Id"] for one in answer[f"{kind}s"]}
                wrong = [id for id, is_there in parts.items() if (id in there) is not is_there]
                self._hold(not wrong, f"{kind}s {wrong} of {window_id} are otherwise")
        for command_id in self._commands:
            found = perform("ListCommands", CommandId=command_id)["Commands"]
            self._hold(found, f"command {command_id} is gone")
        self._commands.clear()

    def _check_window(self, perform: Callable[..., Answer], window_id: str, kept: dict[str, Any] | None) -> None:
        try:
            found: Answer | None = perform("GetMaintenanceWindow", WindowId=window_id)
        except NotFound:
            found = None
        if kept is None or found is None:
            self._hold(kept is found, f"{window_id} was {kept}, now {found}")
        else:
            wrong = {name: found.get(name) for name, value in kept.items() if found.get(name) != value}
            self._hold(not wrong, f"{window_id} was {kept}, now {wrong}")

    def _hold(self, condition: object, detail: str) -> None:
        self._checks.hold(Rule.ANSWERED_IS_KEPT, condition, detail)
