"""Whole installations with a real package manager of rpm, dnf if no other is given; the server decides as the real one."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from tests.rig.toy_rpm import Root

from patchwindow.domain import facts_reading
from patchwindow.domain.baseline import Baseline
from patchwindow.domain.evaluation import Evaluation, evaluate
from patchwindow.domain.install_order import install_order
from patchwindow.domain.operating_system import OperatingSystem
from patchwindow.domain.predefined import default_for
from patchwindow_agent import programs, reboot
from patchwindow_agent.capability import Plan, Task
from patchwindow_agent.dnf import Dnf
from patchwindow_agent.installation import Ended, Installation
from patchwindow_agent.operation_journal import OperationJournal
from patchwindow_agent.package_manager import Blocked, PackageManager, Phase, Wanted
from patchwindow_agent.pending import Pending

BASELINE = default_for(OperatingSystem.ROCKY_LINUX)
TODAY = date(2026, 3, 1)


def dnf(root: Root) -> Dnf:
    kernel = reboot.Kernel("6.1.1-1.noarch", "#1")
    run = programs.runner(root.environ)
    return Dnf(run, root=root.path, cache=None, kernel=kernel, stale=list)


@dataclass(slots=True)
class Server:
    """Decides by a baseline, and keeps what it decided and what is reported."""

    baseline: Baseline = BASELINE
    plans: list[Plan] = field(default_factory=list)
    reports: list[Mapping[str, Any]] = field(default_factory=list)

    def why_over(self) -> str:
        return ""

    def plan(self, facts: Mapping[str, Any]) -> Plan:
        decided = install_order(facts_reading.parse(facts), self.baseline, TODAY)
        wanted = [Wanted(one.title, one.name, one.arch, one.version) for one in decided.wanted]
        blocked = [Blocked(one.name, one.arch, one.version) for one in decided.blocked]
        self.plans.append(Plan(wanted, blocked, dict(decided.failed)))
        return self.plans[-1]

    def report(self, report: Mapping[str, Any]) -> Mapping[str, Any]:
        self.reports.append(report)
        return {"nodeId": "mi-1", "status": "COMPLIANT", "counts": {}}

    def tell(self, phase: Phase, done: int, total: int, what: str) -> None:
        """Hear how far the operation is."""

    def verdict(self) -> Evaluation:
        """Return what the server makes of the last report."""
        told = self.reports[-1]
        return evaluate(
            facts_reading.parse(told["facts"]),
            self.baseline,
            TODAY,
            pending_reboot=told["pendingReboot"],
            failed=told["failed"],
            after_install=True,
        )


def install(
    root: Root,
    state: Path,
    server: Server,
    *,
    manager: PackageManager | None = None,
    boot_id: str = "boot-1",
    may_reboot: bool = False,
) -> Ended:
    """Run one process of the operation, whose journal is in *state*."""
    return Installation(
        Task(operation="Install", may_reboot=may_reboot, command_id="c-1", node_id="mi-1"),
        manager=manager or dnf(root),
        server=server,
        journal=OperationJournal(state / "operations", "c-1", "mi-1"),
        pending=Pending(state / "pending-reboot.json"),
        boot_id=boot_id,
    ).run()


if __name__ == "__main__":
    install(Root(Path(sys.argv[1])), Path(sys.argv[2]), Server())
