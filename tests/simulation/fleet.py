"""Simulated nodes: they answer, or are silent, late, confused, switched off, cut off, or gone."""

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, Protocol

from tests.engine.agent import step
from tests.fakes.site import as_node

from patchwindow.domain.invocation import State
from patchwindow.operations.call import Answer
from patchwindow.protocol.messages import message_id

Action = Callable[[], object]


class Stage(Protocol):
    """Where nodes act."""

    random: random.Random

    @property
    def is_reachable(self) -> bool:
        """Whether any server is up."""
        ...

    def come(self, after_s: float, what: Action) -> None:
        """Let *what* happen after so many seconds."""
        ...

    def ask(self, operation: str, /, *caller: Any, **request: Any) -> Answer | None:
        """Return a server's answer; None where there was none, whatever was done."""
        ...

    def handed(self, command_id: str, node_id: str) -> None:
        """Hear that the node was given the command."""
        ...

    def told_end(self, command_id: str, node_id: str) -> None:
        """Hear that a server took the node's last word on the command."""
        ...

    def note(self, words: str) -> None:
        """Add to the trace."""
        ...


_ENDS: Final = {"Success": State.SUCCESS, "Failed": State.FAILED, "TimedOut": State.EXECUTION_TIMED_OUT}
_LAST_WORDS: Final = (*_ENDS, "Cancelled")
_TRIES: Final = 5
"""So often a node sends what no server takes; then it gives up."""


@dataclass(slots=True)
class SimulatedNode:
    """One node and its temper."""

    id: str
    stage: Stage
    is_silent: bool
    """It is switched off for good, and never asks."""
    is_slow: bool
    """It asks minutes or hours later than others."""
    is_gone: bool = False
    is_off: bool = False
    said: dict[str, set[str]] = field(default_factory=dict)
    """What it told of each command, as the state of an invocation."""
    _known: dict[str, str] = field(default_factory=dict)
    """The commands that it knows, with the name of the step that it tells of."""
    _lives: int = 0
    """How often it was started; what was to happen in a former life does not happen."""
    _is_asking: bool = False
    _failed_count: int = 0
    """How often in a row it was not answered."""

    # What befalls it

    def hear_bell(self) -> None:
        """Ask for messages, sooner or later."""
        if not self._is_asking and not self.is_silent:
            self._is_asking = True
            self.stage.come(self._latency_s(), self._ask)

    def switch_off(self, for_s: float, *, forgets: bool) -> None:
        """Be off for a while; what was under way is resumed then, or not known any more."""
        self.is_off = True
        if forgets:
            self._lives += 1
            self._known.clear()
        self.stage.come(for_s, self._switch_on)

    def _switch_on(self) -> None:
        self.is_off = False
        self.hear_bell()

    # What it does

    def _latency_s(self) -> float:
        draw = self.stage.random
        return draw.uniform(0, draw.choice([60, 900, 5000]) if self.is_slow else 3)

    def _ask(self) -> None:
        self._is_asking = False
        if self.is_gone or self.is_off or not self.stage.is_reachable:
            # It asks when it, or a server, is there again.
            return
        answer = self._call("GetMessages", Destination=self.id, MessagesRequestId="1", VisibilityTimeoutInSeconds=10)
        if answer is None:
            self._failed_count += 1
            self.stage.come(min(2**self._failed_count, 300), self.hear_bell)
            return
        self._failed_count = 0
        messages = answer["Messages"]
        if messages:
            # What it does not accept now comes again.
            self.stage.come(10.001, self.hear_bell)
        for message in messages:
            if "cancelCommand" in message["Topic"]:
                self._hear_cancel(message)
            else:
                self._hear_command(message)

    def _hear_command(self, message: dict[str, Any]) -> None:
        payload, draw = json.loads(message["Payload"]), self.stage.random
        command_id = payload["CommandId"]
        self.stage.handed(command_id, self.id)
        if draw.random() < 0.05:
            return  # The answer is lost on its way, or the agent is killed before it has understood.
        if command_id not in self._known:
            self._known[command_id] = _first_step(payload["DocumentContent"])
            self._plan(command_id, message["MessageId"])
        elif draw.random() < 0.9:
            # An agent answers what it knows as if it were new, even if it has long finished.
            self._say(command_id, "InProgress")
            self._call("AcknowledgeMessage", MessageId=message["MessageId"])

    def _plan(self, command_id: str, message_id: str) -> None:
        """Draw what the node will do with a command; what it says may come in any order, twice, late, or not at all."""
        draw = self.stage.random
        if draw.random() < 0.03:
            self._later(1, partial(self._refuse, command_id))
            return
        if draw.random() < 0.95:
            self._later(2, partial(self._call, "AcknowledgeMessage", MessageId=message_id))
        self._later(2, partial(self._say, command_id, "InProgress"))
        takes_s = draw.choice([1, 5, 60, 600, 4000, 4000])
        if draw.random() < 0.06:
            off_s = draw.choice([30, 600])
            self._later(takes_s, partial(self._reboot, command_id, off_s))
            takes_s += off_s
        if draw.random() < 0.92:
            status = draw.choice(["Success"] * 8 + ["Failed", "TimedOut"])
            self._later(takes_s, partial(self._finish, command_id, status))

    def _later(self, within_s: float, what: Action) -> None:
        draw = self.stage.random
        for _ in range(2 if draw.random() < 0.05 else 1):
            self.stage.come(draw.uniform(0, within_s), partial(self._in_this_life, self._lives, what))

    def _in_this_life(self, life: int, what: Action) -> None:
        if self.is_gone or life != self._lives:
            return
        if self.is_off:
            self.stage.come(60, partial(self._in_this_life, life, what))
        else:
            what()

    def _hear_cancel(self, message: dict[str, Any]) -> None:
        self._call("AcknowledgeMessage", MessageId=message["MessageId"])
        # "aws.ssm.<command id>.<node id>"
        command_id = json.loads(message["Payload"])["CancelMessageId"].split(".")[2]
        if command_id in self._known and self.stage.random.random() < 0.7:
            self._later(400, partial(self._finish, command_id, "Cancelled"))

    def _refuse(self, command_id: str) -> None:
        self.said.setdefault(command_id, set()).add(State.FAILED)
        self._call("FailMessage", MessageId=message_id(command_id, self.id), FailureType="NoHandlerExists")

    def _reboot(self, command_id: str, off_s: float) -> None:
        """Tell that it reboots, and do; what it knows survives, or seldom does not."""
        self._say(command_id, "SuccessAndReboot")
        self.stage.note(f"{self.id} reboots for {off_s} s")
        self.switch_off(off_s, forgets=self.stage.random.random() < 0.1)

    def _say(self, command_id: str, status: str, *, tries: int = _TRIES) -> None:
        steps = {}
        if status in _LAST_WORDS:
            name = self._known.get(command_id, "")
            steps = {name: step("Success" if status == "Success" else "Failed", name=name)}
        told = {"documentStatus": status, "documentTraceOutput": "", "runtimeStatus": steps or None}
        id = message_id(command_id, self.id)
        answer = self._call("SendReply", MessageId=id, ReplyId="1", Payload=json.dumps(told))
        if answer is not None and status in _LAST_WORDS:
            self.stage.told_end(command_id, self.id)
        elif answer is None and tries > 1 and self.stage.random.random() < 0.8:
            # It is kept and sent again, and may so come after what was said later.
            self._later(120, partial(self._say, command_id, status, tries=tries - 1))

    def _finish(self, command_id: str, status: str) -> None:
        self.stage.note(f"{self.id} finishes {command_id}: {status}")
        if status in _ENDS:
            self.said.setdefault(command_id, set()).add(_ENDS[status])
        self._say(command_id, status)
        # It has room for what had to wait.
        self.hear_bell()

    def _call(self, operation: str, **request: Any) -> Answer | None:
        return self.stage.ask(operation, as_node(self.id), **request)


def _first_step(document: dict[str, Any]) -> str:
    """Return the name of the first step; in schema 1.2 that is its action."""
    if "runtimeConfig" in document:
        return str(next(iter(document["runtimeConfig"])))
    return str(document["mainSteps"][0]["name"])
