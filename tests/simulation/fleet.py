"""Simulated nodes: they answer, or are silent, late, confused, cut off, or gone."""

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

from tests.engine.agent import STEP, Agent, step

from patchwindow.domain.invocation import State

Action = Callable[[], None]


class Stage(Protocol):
    """Where nodes act."""

    random: random.Random

    def come(self, after_s: float, what: Action) -> None:
        """Let *what* happen after so many seconds."""
        ...


_ENDS = {"Success": State.SUCCESS, "Failed": State.FAILED, "TimedOut": State.EXECUTION_TIMED_OUT}


@dataclass(slots=True)
class SimulatedNode:
    """One node and its temper."""

    agent: Agent
    stage: Stage
    tags: dict[str, str]
    is_silent: bool
    """It is switched off, and never asks."""
    is_slow: bool
    """It asks minutes or hours later than others."""
    is_gone: bool = False
    said: dict[str, set[str]] = field(default_factory=dict)
    """What it told of each command, as the state of an invocation."""
    _known: set[str] = field(default_factory=set)
    _is_asking: bool = False

    @property
    def id(self) -> str:
        """The node's id."""
        return self.agent.id

    def hear_bell(self) -> None:
        """Ask for messages, sooner or later."""
        if not self._is_asking and not self.is_silent:
            self._is_asking = True
            self.stage.come(self._latency_s(), self._ask)

    def _latency_s(self) -> float:
        slow_s = self.stage.random.choice([60, 900, 5000])
        return self.stage.random.uniform(0, slow_s if self.is_slow else 3)

    def _ask(self) -> None:
        self._is_asking = False
        if self.is_gone:
            return
        messages = self.agent.poll()
        if messages:
            # What it does not accept now comes again.
            self.stage.come(10.001, self.hear_bell)
        for message in messages:
            if "cancelCommand" in message["Topic"]:
                self._hear_cancel(message)
            else:
                self._hear_command(message)

    def _hear_command(self, message: dict[str, Any]) -> None:
        command_id = json.loads(message["Payload"])["CommandId"]
        if self.stage.random.random() < 0.05:
            return  # It is killed before it has understood.
        if command_id not in self._known:
            self._known.add(command_id)
            self._plan(command_id, message["MessageId"])
        elif self.stage.random.random() < 0.9:
            # An agent answers what it knows as if it were new, even if it has long finished.
            self._say(command_id, "InProgress")
            self.agent.acknowledge(message["MessageId"])

    def _plan(self, command_id: str, message_id: str) -> None:
        """Draw what the node will do with a command; what it says may come in any order, twice, late, or not at all."""
        draw = self.stage.random
        if draw.random() < 0.03:
            self._later(1, partial(self._refuse, command_id))
            return
        if draw.random() < 0.95:
            self._later(2, partial(self.agent.acknowledge, message_id))
        self._later(2, partial(self._say, command_id, "InProgress"))
        takes_s = draw.choice([1, 5, 60, 600, 4000])
        if draw.random() < 0.05:
            self._later(takes_s, partial(self._say, command_id, "SuccessAndReboot"))
            takes_s += draw.choice([30, 600])
        if draw.random() < 0.92:
            status = draw.choice(["Success"] * 8 + ["Failed", "TimedOut"])
            self._later(takes_s, partial(self._finish, command_id, status))

    def _later(self, within_s: float, what: Action) -> None:
        draw = self.stage.random
        for _ in range(2 if draw.random() < 0.05 else 1):
            self.stage.come(draw.uniform(0, within_s), partial(self._unless_gone, what))

    def _unless_gone(self, what: Action) -> None:
        if not self.is_gone:
            what()

    def _hear_cancel(self, message: dict[str, Any]) -> None:
        self.agent.acknowledge(message["MessageId"])
        # "aws.ssm.<command id>.<node id>"
        command_id = json.loads(message["Payload"])["CancelMessageId"].split(".")[2]
        if command_id in self._known and self.stage.random.random() < 0.7:
            self._later(400, partial(self._finish, command_id, "Cancelled"))

    def _refuse(self, command_id: str) -> None:
        self.said.setdefault(command_id, set()).add(State.FAILED)
        self.agent.refuse(command_id)

    def _say(self, command_id: str, status: str) -> None:
        self.agent.say(command_id, status)

    def _finish(self, command_id: str, status: str) -> None:
        if status in _ENDS:
            self.said.setdefault(command_id, set()).add(_ENDS[status])
        self.agent.say(command_id, status, {STEP: step("Success" if status == "Success" else "Failed")})
        # It has room for what had to wait.
        self.hear_bell()
