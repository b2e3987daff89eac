"""Each point of an installation at which a process can be killed, with a real package manager, and the verdict.

The process is killed with SIGKILL as it saves a stage of its journal, or while the package manager is at work, and run again
as an agent does.  The machine's boot is made up: it changes where the installation asks for it, and where the power is cut.
"""

import json
import os
import shutil
import signal
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import pytest
from tests.agent.patching import task
from tests.rig.toy_apt import Root
from tests.rig.toy_troubles import build_troubles, make_troubled_root

from patchwindow_agent import managers
from patchwindow_agent.capability import Plan
from patchwindow_agent.installation import Installation
from patchwindow_agent.operation import Record, Stage
from patchwindow_agent.operation_journal import OperationJournal
from patchwindow_agent.package_manager import Phase, Wanted
from patchwindow_agent.pending import Pending, titles_of

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("apt-get") is None, reason="needs apt and dpkg, which only Debian's family has"),
]

NAMES: Final = ("good-one", "good-two", "with-conffile")
TITLES: Final = frozenset(f"{name}.all:2.0" for name in NAMES)
SAVES: Final = [f"{when} {stage.value}" for stage in Stage for when in ("before", "after")]
AT_WORK: Final = [f"at {phase.value}" for phase in (Phase.SIMULATING, Phase.DOWNLOADING, Phase.INSTALLING)]


class Server:
    """Decides as the server does, and keeps the last report in a file, since who reports is a process of its own."""

    def __init__(self, folder: Path, point: Callable[[str], None]) -> None:
        self._folder = folder
        self._point = point

    def plan(self, facts: Mapping[str, Any]) -> Plan:
        offered = [update for update in facts["updates"] if update["name"] in NAMES]
        wanted = [
            Wanted(f"{one['name']}.{one['arch']}:{one['candidate']}", one["name"], one["arch"], one["candidate"])
            for one in offered
        ]
        return Plan(wanted, (), {})

    def report(self, report: Mapping[str, Any]) -> Mapping[str, Any]:
        (self._folder / "report.json").write_text(json.dumps(report))
        return {"status": "COMPLIANT"}

    def tell(self, phase: Phase, done: int, total: int, what: str) -> None:  # noqa: ARG002  (as the protocol has it)
        self._point(f"at {phase.value}")


class Journal(OperationJournal):
    """The real one, with a point before and after each save."""

    def __init__(self, folder: Path, point: Callable[[str], None]) -> None:
        super().__init__(folder / "operations", "c-1", "mi-1")
        self._point = point

    def save(self, record: Record) -> None:
        self._point(f"before {record.stage.value}")
        super().save(record)
        self._point(f"after {record.stage.value}")


class Node:
    """A machine: its root, its state, and the boot that it is in."""

    def __init__(self, folder: Path, root: Root) -> None:
        self.folder = folder
        self.root = root
        self.boot_count = 1

    def run(self, *, kill_at: str = "", may_reboot: bool, was_unheard: bool = False) -> int:
        """Run the operation in a process of its own; return its exit code, or less than 0 where it was killed.

        *was_unheard*: the one before it was killed, so that the agent does not know how it would have ended.
        """
        pid = os.fork()
        if not pid:
            os._exit(self._operate(kill_at, may_reboot=may_reboot, was_unheard=was_unheard))
        _, status = os.waitpid(pid, 0)
        return os.waitstatus_to_exitcode(status)

    def report(self) -> Any:
        return json.loads((self.folder / "report.json").read_text())

    def versions(self) -> dict[str, str]:
        told = self.root.run("dpkg-query", "-W", "-f", "${Package} ${db:Status-Status} ${Version}\n")
        return {line.split(" ", 1)[0]: line.split(" ", 1)[1] for line in told.splitlines()}

    def _operate(self, kill_at: str, *, may_reboot: bool, was_unheard: bool) -> int:
        def point(name: str) -> None:
            if name == kill_at:
                os.kill(os.getpid(), signal.SIGKILL)

        try:
            installation = Installation(
                task(may_reboot=may_reboot),
                manager=managers.find(self.root.environ, cache=self.folder / "cache"),
                server=Server(self.folder, point),
                journal=Journal(self.folder, point),
                pending=Pending(self.folder / "pending-reboot.json"),
                boot_id=f"boot-{self.boot_count}",
                was_unheard=was_unheard,
                # Nothing shuts this machine down, so waiting for it takes no time.
                sleep=lambda _: None,
            )
            return installation.run().exit_code
        except BaseException as problem:  # noqa: BLE001  # the process that was forked must not come back into the test
            (self.folder / "problem").write_text(repr(problem))
            return 99


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_troubles(tmp_path_factory.mktemp("kills") / "repository")


@pytest.mark.parametrize("may_reboot", [False, True], ids=["NoReboot", "RebootIfNeeded"])
@pytest.mark.parametrize("cuts_power", [False, True], ids=["killed", "power cut"])
@pytest.mark.parametrize("kill_at", SAVES + AT_WORK)
def test_a_kill_at_any_point_leaves_the_verdict_right(
    repository: Path,
    tmp_path: Path,
    kill_at: str,
    cuts_power: bool,  # noqa: FBT001  (parameters of cases)
    may_reboot: bool,  # noqa: FBT001  (parameters of cases)
) -> None:
    (tmp_path / "cache").mkdir()
    node = Node(tmp_path, make_troubled_root(repository, tmp_path / "root", *NAMES))
    code = node.run(kill_at=kill_at, may_reboot=may_reboot)
    is_killed = code == -signal.SIGKILL
    if is_killed and cuts_power:
        node.boot_count += 1
    reboot_count = 0
    while code not in (0, 1):
        assert code != 99, (tmp_path / "problem").read_text()
        if code == 194:
            reboot_count += 1
            node.boot_count += 1
        code = node.run(may_reboot=may_reboot, was_unheard=code < 0, kill_at="" if is_killed else kill_at)
        if code == -signal.SIGKILL:
            assert not is_killed, "it is killed once"
            is_killed = True
            node.boot_count += cuts_power

    assert reboot_count <= int(may_reboot)
    assert {node.versions()[name] for name in NAMES} == {"installed 2.0"}
    assert node.root.run("dpkg", "--audit") == ""
    report = node.report()
    assert titles_of(report["facts"]) >= TITLES
    assert report["failed"] == {}
    waiting = frozenset(report["pendingReboot"])
    assert code == 0
    if may_reboot:
        assert not waiting
    else:
        # After a power cut what was finished before it has had its reboot.
        assert waiting <= TITLES if is_killed and cuts_power else waiting == TITLES
