"""Where the patch operation for Windows can be killed, how, and what must come of it: the table of docs/windows.md.

The machine is made up, and so is what runs again: the amazon-ssm-agent fails a step that was cut off.  Here it runs again at
once, as the worst that could be done with what is left behind.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Final

from tests.fakes.edge import Edge
from tests.powershell.machine import Killed
from tests.powershell.node import REBOOT, WindowsNode
from tests.powershell.some_updates import CUMULATIVE, TOY, cumulative, toy

TITLES: Final = frozenset({CUMULATIVE, TOY})
_RUNS_MAX: Final = 12


class Way(Enum):
    """What is killed."""

    OPERATION = "the operation"
    POWER = "the power"


class Waits(Enum):
    """What waits for a restart in the end, where none was asked for."""

    ALL = "all of it waits for a restart"
    SOME = "what was installed after the cut waits for a restart"
    NONE = "nothing waits for a restart"


class Restarts(Enum):
    """Which restarts are asked for, where they may be."""

    ONE = "one restart is asked for"
    CUT = "no restart is asked for: the cut was one"
    UNHEARD = "none comes, since nobody heard of it: the step fails and says so"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One case, and what must come of it besides that every update is there, installed once, and reported so."""

    point: str
    way: Way
    may_restart: bool
    restarts: Restarts
    waits: Waits

    @property
    def verdict(self) -> str:
        """What the page says of it."""
        return self.restarts.value if self.may_restart else self.waits.value

    def __str__(self) -> str:
        return f"{self.point}, {self.way.value}, {'RebootIfNeeded' if self.may_restart else 'NoReboot'}"


def _saves(*stages: str) -> list[str]:
    return [f"{when} `{stage}` is saved" for stage in stages for when in ("before", "after")]


_INSTALLS: Final = [
    f"{when} the {which} update is installed" for which in ("first", "second") for when in ("before", "after")
]
_ONLY_WITH_A_RESTART: Final = [*_saves("Rebooting"), *(f"{point} after the restart" for point in _saves("Started"))]
_POINTS: Final = [
    *_saves("Started", "Installing"),
    "before the first update is downloaded",
    "after the second update is downloaded",
    *_INSTALLS,
    *_saves("Installed"),
    *_ONLY_WITH_A_RESTART,
    *_saves("Verifying", "Reported"),
]
_ALL_IS_INSTALLED: Final = _POINTS.index("after the second update is installed")
_ONE_IS_INSTALLED: Final = _POINTS.index("after the first update is installed")
_RESTART_IS_NOTED: Final = _POINTS.index("after `Rebooting` is saved")


def _cells() -> Iterator[Cell]:
    for at, point in enumerate(_POINTS):
        for way in Way:
            restarts, waits = Restarts.ONE, Waits.ALL
            if way is Way.OPERATION and at == _RESTART_IS_NOTED:
                restarts = Restarts.UNHEARD
            elif way is Way.POWER and _ALL_IS_INSTALLED <= at <= _RESTART_IS_NOTED:
                restarts = Restarts.CUT
            if way is Way.POWER and at >= _ALL_IS_INSTALLED and point != "after `Reported` is saved":
                # What is reported before the cut was so then, and is not said anew.
                waits = Waits.NONE
            elif way is Way.POWER and _ONE_IS_INSTALLED <= at < _ALL_IS_INSTALLED:
                waits = Waits.SOME
            yield Cell(point=point, way=way, may_restart=True, restarts=restarts, waits=Waits.NONE)
            if point not in _ONLY_WITH_A_RESTART:
                yield Cell(point=point, way=way, may_restart=False, restarts=restarts, waits=waits)


CELLS: Final = tuple(_cells())

REPRESENTATIVE: Final = tuple(
    cell
    for cell in CELLS
    if (cell.point, cell.way, cell.may_restart)
    in {
        ("before `Installing` is saved", Way.POWER, True),
        ("after the first update is installed", Way.OPERATION, True),
        ("after the first update is installed", Way.POWER, False),
        ("before `Installed` is saved", Way.POWER, True),
        ("after `Rebooting` is saved", Way.OPERATION, True),
        ("after `Started` is saved after the restart", Way.POWER, True),
    }
)
"""Those that `make test` plays too."""


def page() -> str:
    """Return the table as Markdown."""
    lines = ["| killed | what is killed | RebootIfNeeded | NoReboot |", "|---|---|---|---|"]
    found = {(cell.point, cell.way, cell.may_restart): cell.verdict for cell in CELLS}
    for point, way in dict.fromkeys((cell.point, cell.way) for cell in CELLS):
        verdicts = (found.get((point, way, may_restart), "is not reached") for may_restart in (True, False))
        lines.append(f"| {point} | {way.value} | {' | '.join(verdicts)} |")
    return "\n".join(lines) + "\n"


@dataclass(frozen=True, slots=True)
class Played:
    """What came of an operation that was killed once."""

    node: WindowsNode
    code: int
    restart_count: int
    was_killed: bool

    @property
    def waiting(self) -> frozenset[str]:
        """The titles that the last report says to wait for a restart."""
        return frozenset(self.node.report()["pendingReboot"])


def play(edge: Edge, kills: Callable[[WindowsNode, str], bool], way: Way, *, may_restart: bool) -> Played:
    """Run an installation of two updates to its end, killed where *kills* says so for the first time."""
    node = WindowsNode(edge, cumulative(), toy())
    node.approve("KB5034001", "KB5034002")
    script = node.script(reboots=may_restart)
    restart_count, was_killed = 0, False

    def kills_now(point: str) -> bool:
        return not was_killed and kills(node, point)

    for _ in range(_RUNS_MAX):
        try:
            code = node.machine.run(script, kills=kills_now)
        except Killed:
            was_killed = True
            if way is Way.POWER:
                node.machine.lose_power()
            continue
        if code != REBOOT:
            return Played(node, code, restart_count, was_killed)
        restart_count += 1
        node.machine.restart()
    raise AssertionError(f"the operation did not end within {_RUNS_MAX} runs")


def check(edge: Edge, cell: Cell) -> None:
    """Play *cell*, and fail where anything of it is not as it must be."""
    played = play(edge, lambda node, point: _shown(node, point) == cell.point, cell.way, may_restart=cell.may_restart)
    assert played.was_killed, f"the operation never came to {cell.point}"
    check_law(played, may_restart=cell.may_restart)
    if cell.may_restart:
        assert played.restart_count == int(cell.restarts is Restarts.ONE)
        assert played.code == int(cell.restarts is Restarts.UNHEARD)
    else:
        assert played.code == 0
        expected = {Waits.ALL: 2, Waits.SOME: 1, Waits.NONE: 0}[cell.waits]
        assert len(played.waiting) == expected


def check_law(played: Played, *, may_restart: bool) -> None:
    """Fail where anything is not as it must be wherever an operation is killed, and however."""
    updates = played.node.machine.updates
    assert {update.title: update.install_count for update in updates.updates} == dict.fromkeys(TITLES, 1)
    assert played.node.report()["failed"] == {}
    assert played.restart_count <= int(may_restart)
    # One that waits is never left out, and one that does not is not named.
    reported_in_boot = played.node.report()["bootId"]
    assert played.waiting <= TITLES
    if reported_in_boot == played.node.boot_id():
        assert played.waiting == {
            update.title for update in updates.updates if update.installed_in_boot == updates.boot_count
        }
    states = played.node.states()
    assert {title for title in TITLES if states[title] == "InstalledPendingReboot"} == played.waiting
    assert {states[title] for title in TITLES - played.waiting} <= {"Installed"}
    # What an attempt that was cut off has installed is told as installed too.
    assert {line.strip() for line in played.node.machine.output} >= TITLES
    # A failure is said.
    assert (played.code == 0) is not any(line.startswith("failed: ") for line in played.node.machine.output)
    assert not may_restart or played.code or not played.waiting


def _shown(node: WindowsNode, point: str) -> str:
    """Return a point as the table has it: what is saved by its stage, updates by their turn."""
    when, what, *rest = point.split(" ", 2)
    if what == "move" and "operations" in rest[0]:
        record = json.loads(node.machine.disk.read(f"{rest[0]}.new" if when == "before" else rest[0]))
        is_after_restart = record["reboots"] and record["stage"] == "Started"
        return f"{when} `{record['stage']}` is saved{' after the restart' if is_after_restart else ''}"
    if what not in ("install", "download"):
        return point
    updates = node.machine.updates.updates
    done = sum(update.install_count if what == "install" else update.is_downloaded for update in updates)
    which = ("first", "second")[done - (when == "after")]
    return f"{when} the {which} update is {what}ed"
