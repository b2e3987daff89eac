"""macOS: Apple's softwareupdate, Homebrew's formulae and casks, and packages of installers, which are only reported.

Homebrew refuses to run as root, so it runs as the user who owns it.
"""

import contextlib
import os
import re
import time
from pathlib import Path
from typing import Any, Callable, Iterator, Mapping, Optional, Sequence

from patchwindow_agent import macos_output, reboot
from patchwindow_agent.errors import InstallFailed, ScanFailed
from patchwindow_agent.machine import read_system
from patchwindow_agent.macos_output import CASK, SOFTWARE_UPDATE, Package, Update
from patchwindow_agent.package_manager import Lists, Order, Outcome, Over, Phase, Source, Tell, Wanted, never_over
from patchwindow_agent.programs import Completed, Run

_LIST_TIMEOUT_S = 900
_INSTALL_TIMEOUT_S = 4 * 3600
_HISTORY = "Library/Receipts/InstallHistory.plist"
_RECEIPTS = "var/db/receipts"
_BREWS = ("opt/homebrew/bin/brew", "usr/local/bin/brew")
# What is asked for and nothing else: no newer lists, no upgrade of what depends on it, nothing taken away.
_BREW_ENVIRON = (
    "HOMEBREW_NO_AUTO_UPDATE=1",
    "HOMEBREW_NO_INSTALLED_DEPENDENTS_CHECK=1",
    "HOMEBREW_NO_INSTALL_CLEANUP=1",
    "HOMEBREW_NO_COLOR=1",
)
_REFUSED = re.compile(r"no such update|error|fail|not authorized|owner|can(?:no|')t", re.IGNORECASE)
_FIRST_WITH_LICENCE_OPTION = 11
_REASON_MAX = 500


class Macos:
    """The package managers of the machine under *root*; *cache* and *kernel* say nothing here."""

    def __init__(
        self,
        run: Run,
        *,
        root: Path,
        cache: Optional[Path],
        kernel: reboot.Kernel,
        is_root: bool = os.geteuid() == 0,
        wall: Callable[[], float] = time.time,
        owner: Callable[[Path], str] = Path.owner,
    ) -> None:
        del cache, kernel
        self._run = run
        self._root = root
        self._is_root = is_root
        self._wall = wall
        self._owner = owner
        self._version = read_system(root).version_id

    def repair(self) -> Sequence[str]:
        """Return nothing: softwareupdate and Homebrew begin anew what was cut off."""
        return []

    @contextlib.contextmanager
    def using(self, sources: Sequence[Source]) -> Iterator[None]:
        """Refuse *sources*, which are for Linux alone.

        Raises:
            ScanFailed: there are any.
        """
        if sources:
            names = ", ".join(source.name for source in sources)
            raise ScanFailed(f"the sources {names} are for Linux; take macOS out of their products")
        yield

    def refresh(self) -> Lists:
        """Refresh Homebrew's lists; Apple's are asked for at each look.

        Raises:
            ScanFailed: they could not be refreshed.
        """
        if self._brew_path() is not None:
            self._brew("update")
        return Lists(is_refreshed=True, as_of=int(self._wall()))

    def facts(self) -> "tuple[dict[str, Any], list[int]]":
        """Return the facts (docs/facts.md), and beside them when each package was installed.

        Raises:
            ScanFailed: a program did not give its part.
        """
        arch = self._arch()
        packages = self._packages()
        updates = self._updates(packages)
        origins = sorted(({one.origin for one in packages} | {one.origin for one in updates}) - {""})
        notices = [update for update in updates if update.is_security]
        system = read_system(self._root)
        newest = {(package.kind, package.name): package.version for package in packages}
        facts = {
            "schema": 2,
            "manager": "macos",
            "os": {"id": "macos", "name": system.name, "versionId": system.version_id, "codename": "", "arch": arch},
            "origins": [{"id": origin, "label": origin, "site": ""} for origin in origins],
            "advisories": [
                {"id": update.label, "kind": "security", "title": f"{update.title} {update.version}"}
                for update in notices
            ],
            "packages": [
                {
                    "name": package.name,
                    "arch": arch,
                    "version": package.version,
                    "kind": package.kind,
                    "origins": [origins.index(package.origin)] if package.origin else [],
                }
                for package in packages
            ],
            "updates": [
                {
                    "name": update.name,
                    "arch": arch,
                    # Of what came with macOS, Apple keeps no version.
                    "installed": update.installed or newest.get((update.kind, update.name), "unknown"),
                    "candidate": update.version,
                    "kind": update.kind,
                    "size": update.size,
                    "origins": [origins.index(update.origin)] if update.origin else [],
                    "advisories": [notices.index(update)] if update.is_security else [],
                    "recommended": update.is_recommended,
                    "reboot": "always" if update.needs_restart else "never",
                    "held": update.is_held,
                }
                for update in updates
            ],
            "held": sorted({update.name for update in updates if update.is_held}),
            "reboot": {"required": False, "reasons": []},
        }
        return facts, [package.installed_at for package in packages]

    def install(self, order: Order, tell: Tell, over: Over = never_over) -> Outcome:
        """Install exactly what *order* wants; one patch that fails does not keep out the rest.

        Raises:
            InstallFailed: nothing could be tried.
        """
        if not self._is_root:
            raise InstallFailed("only root may install on macOS; run the operation as root")
        arch = self._arch()
        before = self._packages()
        tell(Phase.SIMULATING, 0, len(order.wanted), "")
        try:
            offered = {(update.name, update.version): update for update in self._updates(before)}
        except ScanFailed as problem:
            raise InstallFailed(str(problem)) from problem
        present = {_key(package) for package in before}
        failed: dict[str, str] = {}
        prepared: set[str] = set()
        todo = [wanted for wanted in order.wanted if (wanted.name, wanted.version) not in present]
        # What a restart finishes comes last, so that nothing is left behind it.
        todo.sort(key=lambda wanted: _needs_restart(offered.get((wanted.name, wanted.version))))
        left: list[str] = []
        for number, wanted in enumerate(todo):
            if over():
                left = [one.title for one in todo[number:]]
                break
            tell(Phase.INSTALLING, number, len(todo), wanted.name)
            update = offered.get((wanted.name, wanted.version))
            problem_text = self._installed(update, wanted, order)
            if problem_text is not None:
                failed[wanted.title] = problem_text[:_REASON_MAX]
            elif _needs_restart(update):
                prepared.add(wanted.title)
        after = self._packages()
        return _outcome(order, before, after, arch=arch, failed=failed, prepared=prepared, left=left)

    def needs_reboot(self) -> Sequence[str]:
        """Return nothing: macOS does not tell that it waits for a restart."""
        return []

    def _installed(self, update: Optional[Update], wanted: Wanted, order: Order) -> Optional[str]:
        """Install *update*; return why it could not be."""
        if update is None:
            return f"{wanted.name} {wanted.version} is not offered any more; scan again"
        if update.is_held:
            return f"{wanted.name} is pinned or deferred on the node; lift that (brew unpin {wanted.name}), or reject the patch"
        if update.kind == SOFTWARE_UPDATE:
            return self._installed_by_apple(update)
        kind = "--cask" if update.kind == CASK else "--formula"
        planned = self._run_brew("upgrade", "--dry-run", kind, update.label)
        if planned.exit_code != 0:
            return macos_output.last_line(*planned[1:])
        blocked = sorted({one.name for one in order.blocked} & macos_output.brew_touches(planned.stdout))
        if blocked:
            return f"it needs {', '.join(blocked)}, which is blocked"
        done = self._run_brew("upgrade", kind, update.label)
        return None if done.exit_code == 0 else macos_output.last_line(*done[1:])

    def _installed_by_apple(self, update: Update) -> Optional[str]:
        major = self._version.partition(".")[0]
        # Without it, newer ones ask; older ones do not know it.
        agree = ["--agree-to-license"] if major.isdigit() and int(major) >= _FIRST_WITH_LICENCE_OPTION else []
        done = self._run(["softwareupdate", "--install", *agree, update.label], timeout_s=_INSTALL_TIMEOUT_S)
        said = f"{done.stdout}\n{done.stderr}"
        # It ends with 0 also where it did nothing.
        lines = [line.strip() for line in said.splitlines() if _REFUSED.search(line.replace(update.label, ""))]
        if done.exit_code == 0 and not lines:
            return None
        return lines[-1] if lines else macos_output.last_line(done.stdout, done.stderr)

    def _packages(self) -> Sequence[Package]:
        """Return what is installed, sorted, each once."""
        found = [Package(SOFTWARE_UPDATE, "macOS", self._system_version(), SOFTWARE_UPDATE)]
        with contextlib.suppress(FileNotFoundError):
            found += macos_output.parse_history((self._root / _HISTORY).read_bytes())
        for path in sorted((self._root / _RECEIPTS).glob("*.plist")):
            try:
                package = macos_output.parse_receipt(path.read_bytes())
            except OSError as problem:
                raise ScanFailed(f"cannot read {path}: {problem.strerror}") from problem
            if package is not None:
                found.append(package)
        if self._brew_path() is not None:
            found += macos_output.parse_brew_installed(self._brew("info", "--json=v2", "--installed"))
        return sorted({package[:3]: package for package in found}.values())

    def _system_version(self) -> str:
        return read_system(self._root).version_id or "unknown"

    def _updates(self, packages: Sequence[Package]) -> Sequence[Update]:
        done = self._run(["softwareupdate", "--list"], timeout_s=_LIST_TIMEOUT_S)
        if done.exit_code != 0:
            raise ScanFailed(f"softwareupdate failed: {macos_output.last_line(done.stdout, done.stderr)}")
        found = list(macos_output.parse_updates(done.stdout, done.stderr, running=self._version))
        if self._brew_path() is not None:
            found += macos_output.parse_brew_outdated(self._brew("outdated", "--json=v2"), packages)
        return sorted(found)

    def _arch(self) -> str:
        done = self._run(["uname", "-m"])
        if done.exit_code != 0:
            raise ScanFailed(f"uname failed: {macos_output.last_line(done.stdout, done.stderr)}")
        return done.stdout.strip()

    def _brew(self, *arguments: str) -> str:
        done = self._run_brew(*arguments)
        # It ends with 1 where something is outdated and it has no terminal.
        if done.exit_code != 0 and not (arguments[0] == "outdated" and done.stdout.lstrip().startswith("{")):
            raise ScanFailed(f"brew {arguments[0]} failed: {macos_output.last_line(done.stdout, done.stderr)}")
        return done.stdout

    def _run_brew(self, *arguments: str) -> Completed:
        path = self._brew_path()
        assert path is not None, "only asked where it is there"
        as_owner = ["sudo", "-n", "-H", "-u", self._owner(path)] if self._is_root else []
        command = [*as_owner, "env", *_BREW_ENVIRON, str(path), *arguments]
        return self._run(command, timeout_s=_INSTALL_TIMEOUT_S)

    def _brew_path(self) -> Optional[Path]:
        return next((self._root / path for path in _BREWS if (self._root / path).exists()), None)


def _needs_restart(update: Optional[Update]) -> bool:
    return update is not None and update.needs_restart


def _key(package: Package) -> "tuple[str, str]":
    return package.name, package.version


def _outcome(
    order: Order,
    before: Sequence[Package],
    after: Sequence[Package],
    *,
    arch: str,
    failed: Mapping[str, str],
    prepared: "set[str]",
    left: Sequence[str],
) -> Outcome:
    """Return what has become of *order*: what is *prepared* counts as installed, and a scan after the restart decides."""
    present = {_key(package) for package in after}
    done = [
        wanted.title for wanted in order.wanted if (wanted.name, wanted.version) in present or wanted.title in prepared
    ]
    new = present - {_key(package) for package in before} - {(wanted.name, wanted.version) for wanted in order.wanted}
    finished = {wanted.title for wanted in order.wanted if (wanted.name, wanted.version) in present}
    return Outcome(
        installed=done,
        failed={
            wanted.title: failed.get(wanted.title, "it is not there after the installation")
            for wanted in order.wanted
            if wanted.title not in done and wanted.title not in left
        },
        came_along=sorted(f"{name}.{arch}:{version}" for name, version in new),
        remarks=[f"{title} is prepared; the restart installs it" for title in sorted(prepared - finished)],
        left=left,
    )
