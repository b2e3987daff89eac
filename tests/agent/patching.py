"""A machine that patches are installed on, its server and its disk, all in memory, which can be killed at any point."""

import contextlib
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from patchwindow_agent.capability import Plan, Task
from patchwindow_agent.errors import CommandOver, InstallFailed, ScanFailed
from patchwindow_agent.installation import Ended, Installation
from patchwindow_agent.operation_journal import OperationJournal
from patchwindow_agent.package_manager import Lists, Order, Outcome, Over, Phase, Source, Tell, Wanted, never_over
from patchwindow_agent.pending import Pending

OLD, NEW = "1.0", "2.0"


class KilledError(BaseException):
    """The process, or the whole machine, ends here."""


def title(name: str, version: str = NEW) -> str:
    return f"{name}.amd64:{version}"


class Machine:
    """Packages with their versions; *offers* says which can be had in the new one."""

    def __init__(self, folder: Path, *, names: Sequence[str] = ("bash", "curl", "zlib")) -> None:
        self.folder = folder
        self.versions = dict.fromkeys(names, OLD)
        self.installs: list[str] = []
        self.boot_count = 1
        # The boot in which each package was unpacked, and in which it was finished.
        self.unpacked_in: dict[str, str] = {}
        self.finished_in: dict[str, str] = {}
        self.half_done: list[str] = []
        self.problems: dict[str, str] = {}
        self.comes_along: list[str] = []
        self.cannot_begin: str = ""
        self.cannot_repair: str = ""
        self.mirror_fails = 0
        self.sources: list[Source] = []
        self.used_sources: list[Sequence[Source]] = []
        self.slept_s = 0.0
        self.cannot_reboot = ""
        # Called at each point at which a process can be killed, with the name of the point.
        self.point: Callable[[str], None] = lambda _: None

    @property
    def boot_id(self) -> str:
        return f"boot-{self.boot_count}"

    def repair(self) -> Sequence[str]:
        self.point("before the repair")
        if self.cannot_repair:
            raise InstallFailed(self.cannot_repair)
        done = list(self.half_done)
        for name in done:
            self._finish(name)
        self.point("after the repair")
        return [f"{name} was half installed" for name in done]

    @contextlib.contextmanager
    def using(self, sources: Sequence[Source]) -> Iterator[None]:
        self.used_sources.append(sources)
        yield

    def refresh(self) -> Lists:
        if self.mirror_fails:
            self.mirror_fails -= 1
            raise ScanFailed("no mirror answers")
        return Lists(is_refreshed=True, as_of=1_795_390_000)

    def facts(self) -> tuple[dict[str, Any], list[int]]:
        packages = [{"name": name, "arch": "amd64", "version": version} for name, version in self.versions.items()]
        facts = {"schema": 2, "manager": "apt", "packages": packages, "reboot": {"required": False}}
        return facts, [0] * len(packages)

    def install(self, order: Order, tell: Tell, over: Over = never_over) -> Outcome:
        assert not self.half_done, "nothing is installed on top of what is half done"
        if self.cannot_begin:
            raise InstallFailed(self.cannot_begin)
        installed: list[str] = []
        left: list[str] = []
        for number, patch in enumerate(order.wanted):
            if left or over():
                left.append(patch.title)
                continue
            tell(Phase.INSTALLING, number, len(order.wanted), patch.name)
            if patch.title in self.problems:
                continue
            self.unpacked_in[patch.name] = self.boot_id
            self.half_done.append(patch.name)
            self.point(f"{patch.name} half done")
            self._finish(patch.name)
            self.point(f"{patch.name} done")
            installed.append(patch.title)
        for name in self.comes_along if installed else ():
            self.half_done.append(name)
            self._finish(name)
        failed = {
            one.title: self.problems[one.title]
            for one in order.wanted
            if one.title in self.problems and one.title not in left
        }
        came_along = [title(name) for name in self.comes_along if installed]
        return Outcome(installed, failed, came_along, left=left)

    def needs_reboot(self) -> Sequence[str]:
        return []

    def reboot(self) -> None:
        self.boot_count += 1

    def sleep(self, seconds: float) -> None:
        self.slept_s += seconds

    def _finish(self, name: str) -> None:
        self.half_done.remove(name)
        self.versions[name] = NEW
        self.finished_in[name] = self.boot_id
        self.installs.append(name)


class Server:
    """Wants the new version of everything that is approved, and keeps reports."""

    def __init__(self, *, approves: Sequence[str] = ("bash", "curl"), blocks: Mapping[str, str] | None = None) -> None:
        self.approves = approves
        self.blocks = blocks or {}
        self.reports: list[Mapping[str, Any]] = []
        self.told: list[tuple[Phase, int, int, str]] = []
        # Called each time the operation asks whether it may go on.
        self.over: Callable[[], str] = lambda: ""

    def why_over(self) -> str:
        return self.over()

    def plan(self, facts: Mapping[str, Any]) -> Plan:
        if reason := self.over():
            raise CommandOver(reason)
        versions = {package["name"]: package["version"] for package in facts["packages"]}
        wanted = [
            Wanted(title(name), name, "amd64", NEW)
            for name in self.approves
            if versions[name] == OLD and title(name) not in self.blocks
        ]
        return Plan(wanted, (), self.blocks)

    def report(self, report: Mapping[str, Any]) -> Mapping[str, Any]:
        self.reports.append(report)
        return {"nodeId": "mi-1", "status": "COMPLIANT", "counts": {"Installed": 3}}

    def tell(self, phase: Phase, done: int, total: int, what: str) -> None:
        self.told.append((phase, done, total, what))


class Disk(OperationJournal):
    """The real journal, with a point before and after each time something is saved."""

    def __init__(self, machine: Machine) -> None:
        super().__init__(machine.folder / "operations", "c-1", "mi-1")
        self._machine = machine

    def save(self, record: Any) -> None:
        self._machine.point(f"before {record.stage.value} is saved")
        super().save(record)
        self._machine.point(f"after {record.stage.value} is saved")


def task(*, may_reboot: bool = True, sources: Sequence[Source] = (), over: str = "") -> Task:
    return Task("Install", may_reboot=may_reboot, command_id="c-1", node_id="mi-1", sources=sources, over=over)


def once(machine: Machine, server: Server, order: Task | None = None, *, was_unheard: bool = False) -> Ended:
    """Run one process of the operation; *was_unheard*: nobody learned how the one before it ended."""
    clock = itertools.count(1_795_400_000)
    return Installation(
        order or task(),
        manager=machine,
        server=server,
        journal=Disk(machine),
        pending=Pending(machine.folder / "pending-reboot.json"),
        boot_id=machine.boot_id,
        cannot_reboot=machine.cannot_reboot,
        was_unheard=was_unheard,
        wall=lambda: float(next(clock)),
        sleep=machine.sleep,
    ).run()


def to_the_end(machine: Machine, server: Server, order: Task | None = None, *, cuts_power: bool = False) -> Ended:
    """Run the operation again until it ends, as an agent does: after each kill, and after the reboot that it asks for."""
    was_unheard = False
    for _ in range(20):
        try:
            ended = once(machine, server, order, was_unheard=was_unheard)
        except KilledError:
            was_unheard = True
            if cuts_power:
                machine.reboot()
            continue
        if ended.exit_code != 194:
            return ended
        was_unheard = False
        machine.reboot()
    raise AssertionError("the operation does not end")


def killing_at(number: int) -> tuple[Callable[[str], None], list[str]]:
    """Return what kills at the point of this number, and the points that were passed, the last of them fatal."""
    passed: list[str] = []

    def point(name: str) -> None:
        passed.append(name)
        if len(passed) == number:
            raise KilledError(name)

    return point, passed
