"""Following a command until it is over."""

from types import SimpleNamespace
from typing import Any

import pytest

from patchwindow.client import ClientProblem, NodeChange, Progress, wait_for_command

# A command's status, and each node's, at one look after another; None is a command that is not known yet.
Look = tuple[str, dict[str, str]] | None


class Script(SimpleNamespace):
    """A service that answers each look with the next line of a script, and then always with the last."""

    def __init__(self, *looks: Look) -> None:
        super().__init__(
            looks=list(looks), now=None, slept_s=[], meta=SimpleNamespace(endpoint_url="https://x.example")
        )

    def sleep(self, pause_s: float) -> None:
        self.slept_s.append(pause_s)

    def list_commands(self, *, CommandId: str) -> dict[str, Any]:  # noqa: N803 -- the API's own name
        self.now = self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]
        if self.now is None:
            return {"Commands": []}
        return {"Commands": [{"CommandId": CommandId, "Status": self.now[0], "TargetCount": len(self.now[1])}]}

    def list_command_invocations(self, *, CommandId: str) -> dict[str, Any]:  # noqa: N803 -- the API's own name
        rows = [{"CommandId": CommandId, "InstanceId": node, "Status": status} for node, status in self.now[1].items()]
        return {"CommandInvocations": rows}


def follow(script: Script, *, pause_s: float = 2.0, wait_max_s: float = 86_400.0) -> list[Progress]:
    heard: list[Progress] = []
    wait_for_command(script, "command-1", heard.append, pause_s=pause_s, wait_max_s=wait_max_s, sleep=script.sleep)
    return heard


def test_each_change_is_told_once_and_the_end_ends_it() -> None:
    script = Script(
        ("Pending", {"mi-1": "Pending", "mi-2": "Pending"}),
        ("InProgress", {"mi-1": "InProgress", "mi-2": "Pending"}),
        ("InProgress", {"mi-1": "InProgress", "mi-2": "Pending"}),
        ("Success", {"mi-1": "Success", "mi-2": "Success"}),
    )
    heard = follow(script)
    assert [progress.status for progress in heard] == ["Pending", "InProgress", "Success"]
    assert heard[1].changes == (NodeChange("mi-1", "Pending", "InProgress", "InProgress"),)
    assert heard[1].counts == {"InProgress": 1, "Pending": 1}
    assert [progress.is_over for progress in heard] == [False, False, True]
    assert len(script.slept_s) == 3


def test_a_command_that_nobody_has_heard_of_yet_is_waited_for() -> None:
    assert [progress.status for progress in follow(Script(None, None, ("Success", {})))] == ["Success"]


def test_a_command_that_does_not_exist_is_named() -> None:
    with pytest.raises(ClientProblem, match="there is no command command-1"):
        follow(Script(None))


def test_waiting_has_an_end() -> None:
    script = Script(("InProgress", {"mi-1": "InProgress"}))
    with pytest.raises(ClientProblem, match="command-1 is not over after 10 s"):
        follow(script, pause_s=2.0, wait_max_s=10.0)
    assert sum(script.slept_s) == 10.0
