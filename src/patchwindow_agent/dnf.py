"""dnf, versions 4 and 5, through its command line: facts, and what is done on the machine.

Why not its Python module: dnf 4 has one for the system's own Python alone, which is Python 3.6 on RHEL 8 and not the one
that runs this; dnf 5 has another, which need not be installed. The command line is there wherever dnf is.  What it prints
for people differs by version, so as much as possible is read elsewhere: what is installed from rpm, notices from the
files that dnf keeps, offers by formats of our own.
"""

import contextlib
import os
import re
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any, Callable, Iterator, Optional, Sequence

from patchwindow_agent import dnf_repair, files, reboot, rpm_reboot, rpm_scan
from patchwindow_agent.dnf_command import DNF, Command
from patchwindow_agent.dnf_install import Installing
from patchwindow_agent.dnf_lists import DnfLists, cache_folders
from patchwindow_agent.errors import InstallFailed, NoRights
from patchwindow_agent.machine import read_system
from patchwindow_agent.package_manager import Lists, Order, Outcome, Over, Source, Tell, never_over
from patchwindow_agent.programs import Completed, Run
from patchwindow_agent.rpm_database import Installed
from patchwindow_agent.rpm_scan import RpmLists

# Amazon Linux 2022 and 2023 keep a machine on the lists of one day; patches are chosen from those of today.
_LATEST_RELEASE = {("amzn", "2022"), ("amzn", "2023")}


class Dnf:
    """The package manager of the machine under *root*; *cache* is a folder of our own, None where there is none."""

    dialect = DNF

    def __init__(
        self,
        run: Run,
        *,
        root: Path,
        cache: Optional[Path],
        kernel: reboot.Kernel,
        is_root: bool = os.geteuid() == 0,
        wall: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
        stale: Callable[[], Sequence[str]] = reboot.stale_processes,
    ) -> None:
        self._run = run
        self._root = root
        self._cache = cache
        self._kernel = kernel
        self._is_root = is_root
        self._wall = wall
        self._sleep = sleep
        self._stale = stale
        own = None if is_root or cache is None else cache / self.dialect.program
        options = [] if own is None else [f"--setopt=cachedir={own}"]
        system = read_system(root)
        if (system.id, system.version_id) in _LATEST_RELEASE:
            options.append("--releasever=latest")
        self._command = Command(run, self.dialect, options=options, sleep=sleep)
        self._caches = cache_folders(self._command, root, own)
        self._lists = self._make_lists()

    def repair(self) -> Sequence[str]:
        """Finish what an interrupted operation left half done; return what was done, a sentence for each.

        Raises:
            InstallFailed: it cannot be repaired; nothing may be installed on top.
        """
        return dnf_repair.repair(self._run, self._command, root=self._root, sleep=self._sleep)

    @contextlib.contextmanager
    def using(self, sources: Sequence[Source]) -> Iterator[None]:
        """Make *sources* the only repositories while the context is open; none: the machine's own.

        The machine's configuration is not touched: the repositories are named by options, from a folder of our own.
        """
        if not sources:
            yield
            return
        folder = Path(tempfile.mkdtemp(prefix="patchwindow-"))
        before = self._command.options
        try:
            ids: list[str] = []
            for number, source in enumerate(sources):
                files.write(folder / f"source-{number}.repo", source.configuration + "\n")
                ids += re.findall(r"^\[(.+)\]\s*$", source.configuration, flags=re.MULTILINE)
            # Those that stand in the main configuration are known all the same, so the others are disabled.
            enabled = [f"--enablerepo={id}" for id in dict.fromkeys(ids)]
            self._command.options = [*before, f"--setopt=reposdir={folder}", "--disablerepo=*", *enabled]
            yield
        finally:
            self._command.options = before
            shutil.rmtree(folder, ignore_errors=True)

    def refresh(self) -> Lists:
        """Refresh the package lists: the machine's as root, else in a folder of our own.

        Raises:
            ScanFailed: they could not be refreshed, for another reason than a lack of rights.
        """
        if not self._is_root and self._cache is None:
            problem = (
                f"only root may refresh the lists of {self.dialect.program}, and this user has no folder for its own"
            )
            return Lists(is_refreshed=False, as_of=self._lists.as_of(), problem=problem)
        try:
            skipped = self._lists.refresh()
        except NoRights as refused:
            return Lists(is_refreshed=False, as_of=self._lists.as_of(), problem=str(refused))
        if skipped:
            problem = f"not reached, and configured to be left out then: {', '.join(skipped)}"
            return Lists(is_refreshed=False, as_of=self._lists.as_of(), problem=problem)
        return Lists(is_refreshed=True, as_of=int(self._wall()))

    def facts(self) -> tuple[dict[str, Any], list[int]]:
        """Return the facts (docs/facts.md), and beside them when each package was installed.

        Raises:
            ScanFailed: a program did not give its part.
        """
        return rpm_scan.facts(
            self._run, self._lists, manager=self.dialect.program, root=self._root, reboot=self.needs_reboot()
        )

    def install(self, order: Order, tell: Tell, over: Over = never_over) -> Outcome:
        """Install exactly what *order* wants and what that needs; one patch that fails does not keep out the rest.

        Raises:
            InstallFailed: nothing could be tried: no room on the disk, no rights, a lock that was not released.
        """
        if not self._is_root:
            raise InstallFailed(f"only root may install with {self.dialect.program}; run the operation as root")
        outcome = Installing(
            self._command,
            tell,
            over,
            cache=self._caches[0],
            installed=self._installed,
            offers=lambda: self._lists.offers(self._lists.repositories()),
            sleep=self._sleep,
        ).install(order)
        return outcome._replace(remarks=[*outcome.remarks, *reboot.stale_remarks(self._stale())])

    def needs_reboot(self) -> Sequence[str]:
        """Return why the machine waits for a reboot, a sentence for each; empty where it does not."""
        found = [
            rpm_reboot.older_kernel(self._installed(), self._kernel.release),
            rpm_reboot.asked_for(self._needs_restarting()),
        ]
        return [reason for reason in found if reason is not None]

    def _make_lists(self) -> RpmLists:
        return DnfLists(self._command, caches=self._caches)

    def _needs_restarting(self) -> Completed:
        return self._command.run(["-q", "-C", "needs-restarting", "-r"])

    def _installed(self) -> list[Installed]:
        return rpm_scan.installed(self._run)
