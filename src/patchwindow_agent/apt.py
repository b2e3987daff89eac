"""Debian's package manager, through its own commands: refreshed lists, facts from them, and what changes packages."""

import contextlib
import os
import shlex
import shutil
import time
from pathlib import Path
from typing import Any, Callable, Iterator, Mapping, NamedTuple, Optional, Sequence

from patchwindow_agent import apt_facts, apt_lists, apt_output, apt_repair, apt_sources, files, reboot
from patchwindow_agent.apt_commands import LOCK_WAIT_S, Commands
from patchwindow_agent.apt_install import Installation
from patchwindow_agent.apt_locks import patiently
from patchwindow_agent.apt_output import Installed, Policy
from patchwindow_agent.disk_room import Disk, Need, disk_of, shortage
from patchwindow_agent.errors import InstallFailed, NoRights, ScanFailed
from patchwindow_agent.machine import read_system
from patchwindow_agent.package_manager import Lists, Order, Outcome, Over, Source, Tell, never_over
from patchwindow_agent.programs import Run

_LOCK_WAIT_S = 120
# Its cache of the lists is not kept then, but made anew each time, in memory.
_WITHOUT_CACHE = ("-o", "Dir::Cache::pkgcache=", "-o", "Dir::Cache::srcpkgcache=")
_NO_ROOM = "No space left on device"
# A command line has room for more, but not for any number.
_NAMES_AT_ONCE = 1500

_NO_UPDATE_HOOKS = "".join(
    f"#clear APT::Update::{name};\n" for name in ("Pre-Invoke", "Post-Invoke", "Post-Invoke-Success")
)


class Paths(NamedTuple):
    """Where apt keeps things, and what it is for."""

    arch: str
    lists: Path
    status: Path
    archives: Path
    # None: apt is configured to keep no cache.
    package_cache: Optional[Path]
    # None: apt is configured to keep no log of what is said.
    log: Optional[Path]


class Apt:
    """The package manager of the machine under *root*; *cache* is a folder of our own, None where there is none."""

    def __init__(
        self,
        run: Run,
        *,
        root: Path,
        cache: Optional[Path],
        kernel: reboot.Kernel,
        can_write: Callable[[Path], bool] = lambda path: os.access(path, os.W_OK),
        wall: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
        lock_wait_s: int = LOCK_WAIT_S,
        disk_of: Callable[[Path], Disk] = disk_of,
        stale: Callable[[], Sequence[str]] = reboot.stale_processes,
    ) -> None:
        self._run = run
        self._root = root
        self._cache = cache
        self._kernel = kernel
        self._can_write = can_write
        self._wall = wall
        self._sleep = sleep
        self._lock_wait_s = lock_wait_s
        self._disk_of = disk_of
        self._stale = stale
        self._paths = self._find_paths()
        self._options = self._configure(lists=None)
        # The lists that a refresh which failed has taken away.
        self._lost: Sequence[str] = ()

    def repair(self) -> Sequence[str]:
        """Finish what an interrupted apt or dpkg left half done; return what was done, a sentence for each.

        Raises:
            InstallFailed: it cannot be repaired; nothing may be installed on top.
        """
        self._check_rights()
        return apt_repair.repair(self._commands(), database=self._paths.status.parent)

    @contextlib.contextmanager
    def using(self, sources: Sequence[Source]) -> Iterator[None]:
        """Make *sources* the only repositories while the context is open; none: the machine's own.

        Raises:
            StateProblem: there is no folder to keep them in.
        """
        if not sources:
            yield
            return
        before = self._paths, self._options
        with apt_sources.folder(self._cache, sources) as folder:
            self._paths = self._paths._replace(lists=folder / "lists")
            self._options = ["-c", str(folder / "apt.conf")]
            try:
                yield
            finally:
                self._paths, self._options = before

    def install(self, order: Order, tell: Tell, over: Over = never_over) -> Outcome:
        """Install exactly what *order* wants and what that needs; one patch that fails does not keep out the rest.

        Raises:
            InstallFailed: nothing could be tried: no room on the disk, no rights, a lock that was not released.
        """
        self._check_rights()
        outcome = Installation(
            self._commands(),
            order,
            tell,
            over,
            root=self._root,
            native=self._paths.arch,
            archives=self._paths.archives,
            sleep=self._sleep,
            disk_of=self._disk_of,
        ).carry_out()
        return outcome._replace(remarks=[*outcome.remarks, *reboot.stale_remarks(self._stale())])

    def needs_reboot(self) -> Sequence[str]:
        """Return why the machine waits for a reboot, a sentence for each; empty where it does not.

        Raises:
            ScanFailed: dpkg does not say what is installed.
        """
        return reboot.reasons(self._root, self._packages(), self._kernel)

    def refresh(self) -> Lists:
        """Refresh the package lists: the machine's where this user may, else a copy of our own.

        Raises:
            ScanFailed: they could not be refreshed, for another reason than a lack of rights.
        """
        if self._can_write(self._paths.lists):
            self._update(self._paths.lists, [])
            return Lists(is_refreshed=True, as_of=int(self._wall()))
        if self._cache is None:
            problem = f"this user may not write {self._paths.lists}, and has no folder to keep lists of its own"
            return Lists(is_refreshed=False, as_of=self._lists_as_of(), problem=problem)
        own = self._cache / "lists"
        self._seed(own)
        before, self._options = self._options, self._configure(lists=own)
        try:
            # Descriptions are not looked at, so a copy of our own goes without them.
            self._update(own, ["-o", "Acquire::Languages=none"])
        except NoRights as problem:
            self._options = before
            return Lists(is_refreshed=False, as_of=self._lists_as_of(), problem=str(problem))
        return Lists(is_refreshed=True, as_of=int(self._wall()))

    def facts(self) -> tuple[dict[str, Any], list[int]]:
        """Return the facts (docs/facts.md), and beside them when each package was installed.

        Raises:
            ScanFailed: a program did not give its part.
        """
        if self._lost:
            raise ScanFailed(
                f"the package lists are not whole, as they could not be refreshed ({self._lost[0]} is missing), so what is "
                "missing on the machine is not known; let apt-get update succeed and scan again"
            )
        packages = self._packages()
        system = read_system(self._root)
        sources = apt_output.parse_sources(self._said(["apt-cache", *self._options, "policy"]))
        by_name = self._policies([self._full_name(package) for package in packages])
        policies = {package: by_name.get(self._full_name(package), Policy(None, {})) for package in packages}
        updates = apt_facts.updates_of(policies, sources, system)
        offers = self._offers([f"{self._full_name(package)}={version}" for package, version in updates])
        reasons = reboot.reasons(self._root, packages, self._kernel)
        known = apt_facts.Known(policies, sources, updates, offers)
        facts = apt_facts.facts(known, system, arch=self._paths.arch, reasons=reasons)
        return facts, self._installed_at(packages)

    def _check_rights(self) -> None:
        database = self._paths.status.parent
        if not self._can_write(database):
            raise InstallFailed(f"this user may not write {database}, so it can install nothing; run the agent as root")

    def _find_paths(self) -> Paths:
        names = {
            "ARCH": "APT::Architecture",
            "LISTS": "Dir::State::lists/d",
            "STATUS": "Dir::State::status/f",
            "ARCHIVES": "Dir::Cache::archives/d",
            "CACHE": "Dir::Cache::pkgcache/f",
            "LOG": "Dir::Log::Terminal/f",
        }
        text = self._said(["apt-config", "shell", *(word for pair in names.items() for word in pair)])
        told = dict(word.partition("=")[::2] for word in shlex.split(text))
        cache, log = told.get("CACHE"), told.get("LOG")
        return Paths(
            arch=told.get("ARCH", ""),
            lists=Path(told.get("LISTS", "/var/lib/apt/lists")),
            status=Path(told.get("STATUS", "/var/lib/dpkg/status")),
            archives=Path(told.get("ARCHIVES", "/var/cache/apt/archives")),
            package_cache=Path(cache) if cache else None,
            log=Path(log) if log else None,
        )

    def _configure(self, *, lists: Optional[Path]) -> list[str]:
        """Return the options that make apt use *lists* (None: the machine's) and a package cache that it can keep.

        Without such a cache every call would read all lists anew, which takes most of a second.
        """
        machines = self._paths.package_cache
        can_keep = machines is not None and self._can_write(machines.parent)
        if self._cache is None or (can_keep and lists is None):
            return []
        text = f'Dir::Cache::pkgcache "{self._cache}/pkgcache.bin";\nDir::Cache::srcpkgcache "";\n'
        if lists is not None:
            # What hooks of the machine do after an update is not for a user's own copy of the lists.
            text += f'Dir::State::lists "{lists}/";\n{_NO_UPDATE_HOOKS}'
        path = self._cache / "apt.conf"
        files.write(path, text)
        return ["-c", str(path)]

    def _seed(self, own: Path) -> None:
        """Begin our own lists with what the machine has, so that only what has changed is fetched."""
        if own.exists():
            return
        partial = own / "partial"
        files.make_private(own)
        files.make_private(partial)
        for path in self._paths.lists.glob("*_dists_*"):
            if path.is_file() and os.access(path, os.R_OK):
                shutil.copy2(path, own / path.name)

    def _update(self, lists: Path, options: Sequence[str]) -> None:
        # Where it cannot write them, apt-get takes lists away, and who publishes the others is not known any more.
        lack = shortage([Need(lists, 0)], self._disk_of)
        if lack is not None:
            raise ScanFailed(f"cannot refresh the package lists: {lack}")
        before = apt_lists.names(lists)
        command = ["apt-get", "-q", *self._options, "-o", "APT::Update::Error-Mode=any", *options, "update"]
        done = patiently(lambda: self._run(command), sleep=self._sleep, wait_s=_LOCK_WAIT_S)
        problem = apt_output.update_problem(done.exit_code, done.stderr)
        self._lost = apt_lists.lost(before, apt_lists.names(lists)) if problem is not None else []
        if problem is not None:
            raise problem

    def _commands(self) -> Commands:
        return Commands(
            self._run,
            self._options,
            native=self._paths.arch,
            log=self._paths.log,
            sleep=self._sleep,
            lock_wait_s=self._lock_wait_s,
        )

    def _packages(self) -> Sequence[Installed]:
        return apt_output.parse_dpkg(self._said(["dpkg-query", "-W", "-f", apt_output.DPKG_FORMAT]))

    def _policies(self, names: Sequence[str]) -> dict[str, Policy]:
        found: dict[str, Policy] = {}
        for start in range(0, len(names), _NAMES_AT_ONCE):
            some = names[start : start + _NAMES_AT_ONCE]
            found.update(apt_output.parse_policies(self._said(["apt-cache", *self._options, "policy", *some])))
        return found

    def _offers(self, versions: Sequence[str]) -> Mapping[tuple[str, str], apt_output.Offer]:
        found: dict[tuple[str, str], apt_output.Offer] = {}
        for start in range(0, len(versions), _NAMES_AT_ONCE):
            some = versions[start : start + _NAMES_AT_ONCE]
            text = self._said(["apt-cache", *self._options, "--no-all-versions", "show", *some])
            found.update(apt_output.parse_offers(text))
        return found

    def _full_name(self, package: Installed) -> str:
        """Return what apt calls the package: with its architecture where that is a foreign one."""
        return package.name if package.arch in (self._paths.arch, "all") else f"{package.name}:{package.arch}"

    def _installed_at(self, packages: Sequence[Installed]) -> list[int]:
        """Return when each package was unpacked: dpkg writes its list of files anew each time."""
        times: dict[str, int] = {}
        try:
            for entry in os.scandir(self._paths.status.parent / "info"):
                if entry.name.endswith(".list"):
                    times[entry.name[: -len(".list")]] = int(entry.stat().st_mtime)
        except OSError:
            times.clear()
        return [times.get(package.name, times.get(f"{package.name}:{package.arch}", 0)) for package in packages]

    def _lists_as_of(self) -> int:
        """Return the publishers' newest date among the lists, 0 where there are none."""
        return max((int(path.stat().st_mtime) for path in self._paths.lists.glob("*Release")), default=0)

    def _said(self, command: Sequence[str]) -> str:
        done = self._run(command)
        if done.exit_code != 0 and command[0] == "apt-cache" and _NO_ROOM in done.stderr:
            # What is installed must be told from a full disk too.
            done = self._run([*command, *_WITHOUT_CACHE])
        if done.exit_code != 0:
            said = done.stderr.strip().splitlines()
            raise ScanFailed(
                f"{command[0]} failed with exit status {done.exit_code}: {said[-1] if said else 'no reason'}"
            )
        return done.stdout
