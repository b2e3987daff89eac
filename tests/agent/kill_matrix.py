"""Where an installation can be killed, how, and what must come of it: the table of docs/patch-operation.md, and what plays it.

The operation is a process of its own that works with a real package manager on a toy root.  At its point it is stopped and
killed with SIGKILL, alone or with all that it has started, and run again as an agent does.  The boot is made up: it changes
where the installation asks for it, and where the power is cut.
"""

import contextlib
import json
import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import Enum
from pathlib import Path
from typing import Any, Final, Protocol

from patchwindow.domain import facts_reading
from patchwindow.domain.baseline import Baseline
from patchwindow.domain.evaluation import evaluate
from patchwindow.domain.install_order import install_order
from patchwindow.domain.operating_system import OperatingSystem
from patchwindow.domain.patch_state import PatchState
from patchwindow_agent.capability import Plan, Task
from patchwindow_agent.installation import Installation
from patchwindow_agent.operation import Record, Stage
from patchwindow_agent.operation_journal import OperationJournal
from patchwindow_agent.package_manager import Blocked, PackageManager, Phase, Wanted
from patchwindow_agent.pending import Pending

__all__ = ["CELLS", "REPRESENTATIVE", "Cell", "Machine", "Way", "check", "page"]

_LOOK_S: Final = 0.01
_RUN_S: Final = 180.0
_BROKEN: Final = 99
_REBOOT: Final = 194
_TODAY: Final = date(2026, 3, 1)


class Way(Enum):
    """What is killed."""

    OPERATION = "the operation alone"
    ALL = "it and all it started"
    POWER = "the power"


class Waits(Enum):
    """What waits for a reboot in the end, where none was to be asked for."""

    ALL = "all of it waits for a reboot"
    SOME = "what was finished after the cut waits for a reboot"
    NONE = "nothing waits for a reboot"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One case, and what must come of it besides that every patch is there, once, and reported so."""

    point: str
    way: Way
    may_reboot: bool
    reboot_count: int
    waits: Waits

    @property
    def verdict(self) -> str:
        """What the page says of it."""
        asked = "one reboot is asked for" if self.reboot_count else "no reboot is asked for: the cut was one"
        return asked if self.may_reboot else self.waits.value

    def __str__(self) -> str:
        return f"{self.point}, {self.way.value}, {'RebootIfNeeded' if self.may_reboot else 'NoReboot'}"


# A stage is saved before what follows it is done, so a kill is before it is on the disk, or after.
_SAVES: Final = tuple(f"{when} {stage.value}" for stage in Stage for when in ("before", "after"))
_AT_WORK: Final = ("simulating", "downloading", "unpacking", "configuring", "repairing")
# In their order in time: the package manager works between these two.
_POINTS: Final = (*_SAVES[: _SAVES.index("before Installed")], *_AT_WORK, *_SAVES[_SAVES.index("before Installed") :])
_MET_IN_PHASE: Final = {"simulating": Phase.SIMULATING, "downloading": Phase.DOWNLOADING}
_IN_THE_MIDDLE: Final = ("unpacking", "configuring", "repairing")
_ONLY_WITH_A_REBOOT: Final = ("before Rebooting", "after Rebooting")
# All is installed, and no reboot was asked for yet that was heard: then a power cut is the reboot.
_BETWEEN_INSTALLATION_AND_REBOOT: Final = ("before Installed", "after Installed", *_ONLY_WITH_A_REBOOT)


def _cells() -> Iterator[Cell]:
    for point in _POINTS:
        for way in Way:
            if way is Way.ALL and point not in _AT_WORK:
                # Nothing runs besides.
                continue
            is_cut = way is Way.POWER
            is_reboot = is_cut and point in _BETWEEN_INSTALLATION_AND_REBOOT
            yield Cell(point=point, way=way, may_reboot=True, reboot_count=int(not is_reboot), waits=Waits.NONE)
            if point in _ONLY_WITH_A_REBOOT:
                continue
            waits = Waits.ALL
            # What is reported before the cut was so then, and is not said anew.
            if is_cut and _POINTS.index("before Installed") <= _POINTS.index(point) < _POINTS.index("after Reported"):
                waits = Waits.NONE
            elif is_cut and point in _IN_THE_MIDDLE:
                waits = Waits.SOME
            yield Cell(point=point, way=way, may_reboot=False, reboot_count=0, waits=waits)


CELLS: Final = tuple(_cells())

REPRESENTATIVE: Final = tuple(
    cell
    for cell in CELLS
    if (cell.point, cell.way, cell.may_reboot)
    in {
        ("after Installing", Way.OPERATION, True),
        ("unpacking", Way.POWER, False),
        ("configuring", Way.ALL, True),
        ("after Rebooting", Way.OPERATION, True),
        ("before Installed", Way.POWER, True),
    }
)
"""Those that `make test` plays too."""


def page() -> str:
    """Return the table as Markdown."""
    lines = ["| killed | what is killed | RebootIfNeeded | NoReboot |", "|---|---|---|---|"]
    found = {(cell.point, cell.way, cell.may_reboot): cell.verdict for cell in CELLS}
    for point, way in dict.fromkeys((cell.point, cell.way) for cell in CELLS):
        verdicts = (found.get((point, way, may_reboot), "is not reached") for may_reboot in (True, False))
        # The stage is written as the journal has it.
        when, _, stage = point.partition(" ")
        shown = f"{when} `{stage}` is saved" if stage else f"while {point}"
        lines.append(f"| {shown} | {way.value} | {' | '.join(verdicts)} |")
    return "\n".join(lines) + "\n"


class Machine(Protocol):
    """A toy root with old packages, and the package manager that works on it."""

    system: OperatingSystem
    folder: Path

    def manager(self) -> PackageManager:
        """Return the package manager."""

    def wanted(self) -> Mapping[str, str]:
        """Return what is to be installed: title by name."""

    def whole(self) -> Mapping[str, str]:
        """Return the titles that are installed whole, with what changes when one is installed again."""

    def is_in_the_middle(self) -> bool:
        """Return whether the package manager waits in the middle of its work."""

    def go_on(self) -> None:
        """Let the package manager go on that waits, and wait no more."""

    def rest(self) -> str:
        """Return what the package manager's own check finds wrong; empty where there is nothing."""


class _Server:
    """Decides as the server does, and keeps the last report in a file, since who reports is a process of its own."""

    def __init__(self, folder: Path, baseline: Baseline, point: Callable[[str], None]) -> None:
        self._folder = folder
        self._baseline = baseline
        self._point = point

    def why_over(self) -> str:
        return ""

    def plan(self, facts: Mapping[str, Any]) -> Plan:
        order = install_order(facts_reading.parse(facts), self._baseline, _TODAY)
        wanted = [Wanted(one.title, one.name, one.arch, one.version) for one in order.wanted]
        blocked = [Blocked(one.name, one.arch, one.version) for one in order.blocked]
        return Plan(wanted, blocked, dict(order.failed))

    def report(self, report: Mapping[str, Any]) -> Mapping[str, Any]:
        (self._folder / "report.json").write_text(json.dumps(report))
        return {"status": "COMPLIANT"}

    def tell(self, phase: Phase, done: int, total: int, what: str) -> None:  # noqa: ARG002  (as the protocol has it)
        self._point(phase.value)


class _Journal(OperationJournal):
    """The real one, with a point before and after each save."""

    def __init__(self, folder: Path, point: Callable[[str], None]) -> None:
        super().__init__(folder / "operations", "c-1", "mi-1")
        self._point = point

    def save(self, record: Record) -> None:
        self._point(f"before {record.stage.value}")
        super().save(record)
        self._point(f"after {record.stage.value}")


class _Node:
    """A machine, the state of its operation, and the boot that it is in."""

    def __init__(self, machine: Machine, *, may_reboot: bool) -> None:
        self._machine = machine
        self._task = Task(operation="Install", may_reboot=may_reboot, command_id="c-1", node_id="mi-1")
        self.baseline = Baseline(
            name="what the case wants", operating_system=machine.system, approved_patches=tuple(machine.wanted())
        )
        self.boot_count = 1

    def run(self, *, kill_at: str = "", way: Way = Way.OPERATION, was_unheard: bool = False) -> int:
        """Run the operation in a process of its own; return its exit code, or less than 0 where it was killed.

        *was_unheard*: the one before it was killed, so that the agent does not know how it would have ended.
        """
        phase = _MET_IN_PHASE.get(kill_at)
        stop_at = phase.value if phase is not None else kill_at
        pid = os.fork()
        if not pid:
            os._exit(self._operate(stop_at, was_unheard=was_unheard))
        ends_at = time.monotonic() + _RUN_S
        while time.monotonic() < ends_at:
            ended, status = os.waitpid(pid, os.WNOHANG | os.WUNTRACED)
            if ended and not os.WIFSTOPPED(status):
                return os.waitstatus_to_exitcode(status)
            if ended or (kill_at in _IN_THE_MIDDLE and self._machine.is_in_the_middle()):
                return _kill(pid, way)
            time.sleep(_LOOK_S)
        _kill(pid, Way.ALL)
        raise AssertionError(f"the operation did not end within {_RUN_S} s")

    def _operate(self, stop_at: str, *, was_unheard: bool) -> int:
        def point(name: str) -> None:
            if name == stop_at:
                os.kill(os.getpid(), signal.SIGSTOP)

        folder = self._machine.folder
        try:
            installation = Installation(
                self._task,
                manager=self._machine.manager(),
                server=_Server(folder, self.baseline, point),
                journal=_Journal(folder, point),
                pending=Pending(folder / "pending-reboot.json"),
                boot_id=f"boot-{self.boot_count}",
                was_unheard=was_unheard,
                # Nothing shuts this machine down, so waiting for it takes no time.
                sleep=lambda _: None,
            )
            return installation.run().exit_code
        except BaseException as problem:  # noqa: BLE001  (the process that was forked must not come back into the test)
            (folder / "problem").write_text(repr(problem))
            return _BROKEN


def check(machine: Machine, cell: Cell) -> None:
    """Play *cell* on *machine*, and fail where anything of it is not as it must be."""
    node = _Node(machine, may_reboot=cell.may_reboot)
    kills_left = 2 if cell.point == "repairing" else 1
    whole_at_kill: Mapping[str, str] = {}
    reboot_count, code = 0, -signal.SIGKILL
    is_first = True
    while code not in (0, 1):
        assert code != _BROKEN, (machine.folder / "problem").read_text()
        kill_at = cell.point if kills_left else ""
        # Nothing is to be repaired while the package manager that was left alone goes on.
        way = Way.ALL if kills_left == 2 and cell.way is Way.OPERATION else cell.way
        code = node.run(kill_at=kill_at, way=way, was_unheard=code < 0 and not is_first)
        is_first = False
        if code == _REBOOT:
            reboot_count += 1
            node.boot_count += 1
        elif code == -signal.SIGKILL:
            assert kills_left, "it is killed no further"
            kills_left -= 1
            whole_at_kill = machine.whole()
            if not kills_left:
                machine.go_on()
            node.boot_count += cell.way is Way.POWER

    assert not kills_left, f"the operation never came to {cell.point}"
    report = json.loads((machine.folder / "report.json").read_text())
    titles = frozenset(machine.wanted().values())
    waiting = frozenset(report["pendingReboot"])
    whole = machine.whole()
    assert code == 0
    # The package database: all there, whole, and nothing that was whole when it was killed was touched again.
    assert titles <= whole.keys()
    assert machine.rest() == ""
    assert {title: whole[title] for title in whole_at_kill} == whole_at_kill
    assert reboot_count == cell.reboot_count
    # The report: what is, and what waits.
    assert report["failed"] == {}
    if cell.waits is Waits.SOME:
        # One too many may wait, and never one too few.
        assert titles - whole_at_kill.keys() <= waiting <= titles
    else:
        assert waiting == (titles if cell.waits is Waits.ALL else frozenset())
    # What the server makes of it.
    found = evaluate(
        facts_reading.parse(report["facts"]),
        node.baseline,
        _TODAY,
        pending_reboot=report["pendingReboot"],
        failed=report["failed"],
        after_install=True,
    )
    states = {entry.title: entry.state for entry in found.entries}
    assert {title for title in titles if states[title] is PatchState.INSTALLED_PENDING_REBOOT} == waiting
    assert {states[title] for title in titles - waiting} <= {PatchState.INSTALLED, PatchState.INSTALLED_OTHER}
    assert not {PatchState.MISSING, PatchState.FAILED} & set(states.values())


def _kill(pid: int, way: Way) -> int:
    """Kill *pid*, and return how it ended."""
    # Stopped first, from above: so nothing is started meanwhile that would be missed.
    pids = [pid] if way is Way.OPERATION else list(_stopped(pid))
    for each in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(each, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status)


def _stopped(pid: int) -> Iterator[int]:
    """Stop *pid* and all that it has started, and yield them."""
    try:
        os.kill(pid, signal.SIGSTOP)
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except (ProcessLookupError, FileNotFoundError):
        return
    yield pid
    for child in children:
        yield from _stopped(int(child))
