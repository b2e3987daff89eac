"""Which commands this node has taken, and how far each has come: kept on disk, saved before each step begins."""

import re
import shutil
from enum import Enum
from pathlib import Path
from typing import Any, Mapping, NamedTuple

from patchwindow_agent import files
from patchwindow_agent.errors import StateProblem, Unusable
from patchwindow_agent.results import Result, Status

# The server sends no command again after this long, so its id need not be known any longer.
_REMEMBER_S = 48 * 3600
# So many are known whatever the clock says, which may jump: more than a server has under way on one node.
_REMEMBERED_MIN = 100
_COMMAND_ID = re.compile(r"[A-Za-z0-9-]{1,64}")


class State(str, Enum):
    """How far a command has come."""

    ACCEPTED = "Accepted"
    RUNNING = "Running"
    REBOOTING = "Rebooting"
    FINISHED = "Finished"


TRANSITIONS: Mapping[State, frozenset[State]] = {
    State.ACCEPTED: frozenset({State.RUNNING, State.FINISHED}),
    # From one step to the next it stays as it is.
    State.RUNNING: frozenset({State.RUNNING, State.REBOOTING, State.FINISHED}),
    State.REBOOTING: frozenset({State.RUNNING, State.FINISHED}),
    State.FINISHED: frozenset(),
}


class Record(NamedTuple):
    """What is known of one command."""

    message_id: str
    payload: str
    state: State = State.ACCEPTED
    # The step that runs or that is next.
    step_index: int = 0
    results: Mapping[str, Result] = {}
    # A step has ended the document: the rest is skipped.
    is_exiting: bool = False
    reboot_count: int = 0
    # How often a step was run again that had been cut off.
    resume_count: int = 0
    # The step runs again, and how it ended before nobody here knows.
    is_cut_off: bool = False
    # An earlier run of the agent left it, and nobody has looked since whether it may still begin.
    is_left: bool = False
    # Of one that waits for a reboot: the boot in which that was, and whether the machine was told to.
    boot_id: str = ""
    is_reboot_asked: bool = False

    def moved(self, state: State, **changes: Any) -> "Record":
        """Return this record in *state*, with *changes*."""
        assert state in TRANSITIONS[self.state], f"{self.state} cannot become {state}"
        return self._replace(state=state, **changes)


def command_id_of(message_id: str) -> str:
    """Return the command that the message *message_id* is about: `aws.ssm.<command>.<node>`.

    Raises:
        Unusable: it has another form.
    """
    # The id becomes the name of a folder, so nothing passes that could lead elsewhere.
    command_id = message_id.rpartition(".")[0].rpartition(".")[2]
    if not _COMMAND_ID.fullmatch(command_id):
        raise Unusable(f"message id {message_id!r} is not of the form aws.ssm.<command id>.<node id>")
    return command_id


class Journal:
    """The records, one folder for each command."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        files.make_private(folder)

    def folder_of(self, command_id: str) -> Path:
        """Return the folder that holds what belongs to the command."""
        return self._folder / command_id

    def knows(self, command_id: str) -> bool:
        """Return whether this node has taken the command before."""
        return self._path(command_id).exists()

    def save(self, command_id: str, record: Record) -> None:
        """Keep *record*.

        Raises:
            StateProblem: it cannot be written.
        """
        if record.state is State.FINISHED:
            # Scripts and their output may hold secrets, and nothing needs them any more.
            record = record._replace(payload="", results={})
            for folder in self.folder_of(command_id).glob("step-*"):
                shutil.rmtree(folder, ignore_errors=True)
        files.make_private(self.folder_of(command_id))
        files.write_json(self._path(command_id), record._asdict())

    def note_reboot_asked(self) -> None:
        """Note of all commands that wait for a reboot that the machine was told to.

        Raises:
            StateProblem: a record cannot be read or written.
        """
        for command_id, record in self.unfinished().items():
            if record.state is State.REBOOTING:
                self.save(command_id, record._replace(is_reboot_asked=True))

    def unfinished(self) -> dict[str, Record]:
        """Return the commands that are not finished, the oldest first.

        Raises:
            StateProblem: a record cannot be read.
        """
        found = {}
        for path in sorted(self._folder.glob("*/record.json"), key=lambda path: path.stat().st_mtime):
            told = files.read_json(path)
            if told["state"] != State.FINISHED.value:
                found[path.parent.name] = _record(told, path)
        return found

    def is_old(self, command_id: str, now: float) -> bool:
        """Return whether the command has not changed for so long that its server has ended it."""
        return self._path(command_id).stat().st_mtime < now - _REMEMBER_S

    def forget_old(self, now: float) -> None:
        """Forget the commands that ended so long ago that they cannot come again; one that has not ended stays.

        Raises:
            StateProblem: a record cannot be read.
        """
        unfinished = self.unfinished()
        ended = [(folder.stat().st_mtime, folder) for folder in self._folder.iterdir() if folder.name not in unfinished]
        ended.sort(reverse=True)
        for changed_at, folder in ended[_REMEMBERED_MIN:]:
            if changed_at < now - _REMEMBER_S:
                shutil.rmtree(folder, ignore_errors=True)

    def _path(self, command_id: str) -> Path:
        return self.folder_of(command_id) / "record.json"


def _record(told: Mapping[str, Any], path: Path) -> Record:
    try:
        results = {name: _result(values) for name, values in told["results"].items()}
        return Record(**{**told, "state": State(told["state"]), "results": results})
    except (KeyError, TypeError, ValueError) as problem:
        raise StateProblem(f"{path} is no record of a command: {problem}") from problem


def _result(values: Any) -> Result:
    # A named tuple becomes a list in JSON.
    return Result(Status(values[0]), *values[1:])
