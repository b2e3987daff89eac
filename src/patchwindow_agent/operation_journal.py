"""How far the installations of this node have come: on disk, one file for each command, saved before each step."""

import re
import time
from pathlib import Path
from typing import Any, Callable, Mapping, Optional

from patchwindow_agent import files
from patchwindow_agent.errors import StateProblem, Unusable
from patchwindow_agent.operation import Record, Stage

# A command that is run again after so long is answered by its server as ended, so nothing of it is needed any more.
_REMEMBER_S = 7 * 24 * 3600
_ID = re.compile(r"[A-Za-z0-9-]{1,64}")


def is_under_way(folder: Path, command_id: str) -> bool:
    """Return whether an installation of the command has begun and is not reported; its records are in *folder*.

    Of an agent that does not name the command (it is empty then), whether any has.

    Raises:
        StateProblem: a record cannot be read.
    """
    names = f"{command_id}.*.json" if _ID.fullmatch(command_id) else "*.json"
    return any(not _is_reported(path) for path in folder.glob(names))


class OperationJournal:
    """The record of one installation, under *folder*."""

    def __init__(self, folder: Path, *ids: str, wall: Callable[[], float] = time.time) -> None:
        """Find the record by *ids*, which come from the server: command, node, and the part of the command if it has any.

        Raises:
            Unusable: they are no ids.
            StateProblem: the folder cannot be used.
        """
        # They become the name of a file, so nothing passes that could lead elsewhere.
        if not all(_ID.fullmatch(id) for id in ids):
            raise Unusable(f"the order is for {' '.join(ids)!r}, which are no ids of a command and a node")
        files.make_private(folder)
        self._folder = folder
        self._path = folder / f"{'.'.join(ids)}.json"
        self._wall = wall

    def load(self) -> Optional[Record]:
        """Return the record; None where the operation has not begun.

        Raises:
            StateProblem: it cannot be read.
        """
        try:
            told = files.read_json(self._path)
        except FileNotFoundError:
            return None
        return _record(told, self._path)

    def save(self, record: Record) -> None:
        """Keep *record*: after a crash the file holds this one or the one before.

        Raises:
            StateProblem: it cannot be written.
        """
        files.write_json(self._path, record._asdict())

    def forget_old(self) -> None:
        """Forget the operations that were reported so long ago that nobody asks for them again.

        One that was not stays, whatever the clock says: a clock that jumps must not make it begin anew, and reboot again.

        Raises:
            StateProblem: a record cannot be read.
        """
        before = self._wall() - _REMEMBER_S
        for path in self._folder.glob("*.json"):
            if path.stat().st_mtime < before and _is_reported(path):
                path.unlink()


def _is_reported(path: Path) -> bool:
    return bool(files.read_json(path).get("stage") == Stage.REPORTED.value)


def _record(told: Mapping[str, Any], path: Path) -> Record:
    try:
        return Record(**{**told, "stage": Stage(told["stage"])})
    except (KeyError, TypeError, ValueError) as problem:
        raise StateProblem(f"{path} is no record of a patch operation: {problem}; remove it") from problem
