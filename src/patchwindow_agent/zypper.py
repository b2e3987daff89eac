"""zypper (SLES, openSUSE), through its command line and the files that it keeps: facts, and what is done on the machine.

There is no library of libzypp for Python on the machines. A patch of zypper is a notice here, as `updateinfo.xml` has it,
and its packages are what is approved and installed: so one of them can be rejected, or taken in another version.
"""

import contextlib
import hashlib
import os
import re
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any, Callable, Iterator, Optional, Sequence

from patchwindow_agent import (
    files,
    reboot,
    rpm_along,
    rpm_database,
    rpm_reboot,
    rpm_repair,
    rpm_scan,
    zypper_output,
)
from patchwindow_agent.errors import InstallFailed
from patchwindow_agent.package_manager import Lists, Order, Outcome, Over, Source, Tell, never_over
from patchwindow_agent.programs import Run
from patchwindow_agent.rpm_database import Installed
from patchwindow_agent.zypper_command import Command
from patchwindow_agent.zypper_install import Installing
from patchwindow_agent.zypper_lists import Chosen, ZypperLists

_CACHE = "var/cache/zypp"
_TRANSACTION_WAIT_S = 1800
_MULTIVERSION = re.compile(r"^\s*multiversion\s*=\s*(.*)$", re.MULTILINE)


class Zypper:
    """The package manager of the machine under *root*; *cache* is a folder of our own, None where there is none."""

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
        self._command = Command(run, sleep=sleep)
        self._chosen = Chosen((), root / _CACHE)
        self._lists = ZypperLists(self._command, run, chosen=lambda: self._chosen)

    def repair(self) -> Sequence[str]:
        """Finish what an interrupted operation left half done; return what was done, a sentence for each.

        Raises:
            InstallFailed: it cannot be repaired; nothing may be installed on top.
        """
        done: list[str] = []
        # One that outlived the operation that began it runs rpm again and again; zypper's lock spans them all.
        waited = self._command.run(["--no-refresh", "locks"], lock_wait_s=_TRANSACTION_WAIT_S)
        if zypper_output.is_locked(waited.exit_code):
            raise InstallFailed(f"the package manager is locked: {zypper_output.problem_text(*waited)}")
        rpm_repair.await_transaction(self._root, self._sleep)
        packages = rpm_repair.read(self._run, done)
        older = self._half_replaced(packages)
        if older:
            # Installed again, so that its scripts run, the new version takes the old one away; if it cannot, rpm does.
            newest = rpm_database.newest(packages)
            again = [f"{key[0]}.{key[1]}={newest[key].version}" for key in sorted({package.key for package in older})]
            self._command.install(["--force", "--no-force-resolution"], again)
            rpm_repair.remove_older(self._run, older, done)
        return done

    @contextlib.contextmanager
    def using(self, sources: Sequence[Source]) -> Iterator[None]:
        """Make *sources* the only repositories while the context is open; none: the machine's own.

        The machine's configuration is not touched: the repositories are named by options, from a folder of our own, and
        have lists of their own, which would be taken for those of a repository of the machine with the same alias.
        """
        if not sources:
            yield
            return
        texts = [source.configuration for source in sources]
        folder = Path(tempfile.mkdtemp(prefix="patchwindow-"))
        # The lists are used by several steps of an operation, each of which opens a context.
        own = (self._cache or folder) / f"zypper-{hashlib.sha256(repr(texts).encode()).hexdigest()[:16]}"
        before = self._command.options, self._chosen
        # Those of other sources are of no use any more: one operation at a time works on a machine.
        for other in own.parent.glob("zypper-*"):
            if other != own:
                shutil.rmtree(other, ignore_errors=True)
        try:
            aliases: list[str] = []
            for number, text in enumerate(texts):
                files.write(folder / f"source-{number}.repo", text + "\n")
                aliases += re.findall(r"^\[(.+)\]\s*$", text, flags=re.MULTILINE)
            # A key that a source names is trusted, since whoever wrote the baseline named it.
            own_options = ["--reposd-dir", str(folder), "--cache-dir", str(own), "--gpg-auto-import-keys"]
            self._command.options = [*before[0], *own_options]
            self._chosen = Chosen(list(dict.fromkeys(aliases)), own)
            yield
        finally:
            self._command.options, self._chosen = before
            shutil.rmtree(folder, ignore_errors=True)

    def refresh(self) -> Lists:
        """Refresh the package lists; only root may.

        Raises:
            ScanFailed: they could not be refreshed, for another reason than a lack of rights.
        """
        if not self._is_root:
            problem = "only root may refresh the lists of zypper; what root has is read"
            return Lists(is_refreshed=False, as_of=self._lists.as_of(), problem=problem)
        self._lists.refresh()
        return Lists(is_refreshed=True, as_of=int(self._wall()))

    def facts(self) -> "tuple[dict[str, Any], list[int]]":
        """Return the facts (docs/facts.md), and beside them when each package was installed.

        Raises:
            ScanFailed: a program did not give its part.
        """
        return rpm_scan.facts(self._run, self._lists, manager="zypper", root=self._root, reboot=self.needs_reboot())

    def install(self, order: Order, tell: Tell, over: Over = never_over) -> Outcome:
        """Install exactly what *order* wants and what that needs; one patch that fails does not keep out the rest.

        Raises:
            InstallFailed: nothing could be tried: no room on the disk, no rights, a lock that was not released.
        """
        if not self._is_root:
            raise InstallFailed("only root may install with zypper; run the operation as root")
        outcome = Installing(
            self._command,
            tell,
            over,
            root=self._root,
            cache=self._chosen.cache,
            installed=lambda: rpm_scan.installed(self._run),
            locked=self._lists.locked,
            obsoleted=self._lists.obsoleted,
            sleep=self._sleep,
        ).install(order)
        return outcome._replace(remarks=[*outcome.remarks, *reboot.stale_remarks(self._stale())])

    def needs_reboot(self) -> Sequence[str]:
        """Return why the machine waits for a reboot, a sentence for each; empty where it does not."""
        found = []
        older = rpm_reboot.older_suse_kernel(rpm_scan.installed(self._run), self._kernel.release)
        if older is not None:
            found.append(older)
        if self._command.run(["--no-refresh", "needs-rebooting"]).exit_code == zypper_output.REBOOT_NEEDED:
            found.append("zypper needs-rebooting: core libraries or services have been updated")
        return found

    def _half_replaced(self, packages: Sequence[Installed]) -> Sequence[Installed]:
        """Return the older ones of packages that are there twice and should not be, as kernels should."""
        older = rpm_repair.older(packages)
        if not older:
            return older
        links = rpm_database.parse_links(self._run(rpm_database.LINKS_QUERY).stdout)
        configured = self._multiversion()

        def stands_beside(package: Installed) -> bool:
            found = links.get((package.name, package.arch, package.version))
            return package.name in configured or (
                found is not None and any(name.startswith(rpm_along.BESIDE) for name in found.provides)
            )

        return [package for package in older if not stands_beside(package)]

    def _multiversion(self) -> "frozenset[str]":
        """Return the names of the packages that the machine is configured to keep in several versions."""
        paths = [self._root / "etc/zypp/zypp.conf", *(self._root / "etc/zypp/multiversion.d").glob("*")]
        found: list[str] = []
        for path in paths:
            with contextlib.suppress(OSError):
                text = path.read_text(encoding="utf-8", errors="replace")
                lines = _MULTIVERSION.findall(text) if path.name == "zypp.conf" else text.splitlines()
                found += [name for line in lines if not line.startswith("#") for name in re.split(r"[,\s]+", line)]
        return frozenset(filter(None, found))
