"""A machine with yum 3: its commands answer as yum's source says, about lists that the real createrepo made."""

import bz2
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.rig.toy_rpm import Repository

from patchwindow_agent.programs import Completed, OnLine

_LINE = "=" * 80
REPOINFO = """\
Loaded plugins: priorities, update-motd
Repo-id      : toy/7/x86_64
Repo-name    : Toy for 7 - x86_64
Repo-revision: 1767225600
Repo-updated : Thu Jan  1 00:00:00 2026
Repo-pkgs    : 30
Repo-size    : 187 k
Repo-mirrors : http://mirrors.example.net/?release=7&arch=x86_64&repo=toy
Repo-baseurl : http://one.example.org/7/toy/x86_64/ (9 more)
Repo-expire  : 21,600 second(s) (last: Thu Jan  1 10:00:00 2026)
  Filter     : read-only:present
Repo-filename: /etc/yum.repos.d/toy.repo

repolist: 30
"""


@dataclass(slots=True)
class FakeYum:
    """What is installed, as `name.arch:version`; what holds it back by name; who holds the lock, for how many commands."""

    installed: set[str]
    held: frozenset[str] = frozenset()
    locked_count: int = 0
    commands: list[Sequence[str]] = field(default_factory=list)

    def __call__(
        self,
        command: Sequence[str],
        *,
        timeout_s: float = 0,
        environ: Mapping[str, str] | None = None,
        on_line: OnLine | None = None,
    ) -> Completed:
        """Answer *command*."""
        del timeout_s, environ
        self.commands.append(command)
        if command[0] == "rpm":
            return Completed(0, self._rpm(command), "")
        if command[0] == "needs-restarting":
            return Completed(
                1,
                "Core libraries or services have been updated:\n  glibc -> 2.36-2\n\nReboot is required to ensure that your system benefits from these updates.\n",
                "",
            )
        words = [word for word in command[1:] if not word.startswith("-")]
        if self.locked_count and words[0] == "update-to" and "-y" in command:
            self.locked_count -= 1
            lock = "Existing lock /var/run/yum.pid: another copy is running as pid 4242."
            return Completed(
                1, "", f"{lock}\nAnother app is currently holding the yum lock; exiting as configured by exit_on_lock\n"
            )
        answers = {"repoinfo": Completed(0, REPOINFO, ""), "check-update": Completed(100, self._check_update(), "")}
        if words[0] != "update-to":
            return answers.get(words[0], Completed(0, "", ""))
        return self._update(words[1:], command, on_line)

    def _rpm(self, command: Sequence[str]) -> str:
        if "--eval" in command:
            return "x86_64\n"
        lines = []
        for title in sorted(self.installed):
            name, _, version = title.partition(":")
            name, arch = name.rsplit(".", 1)
            epoch, _, rest = version.rpartition(":")
            identity = [name, epoch or "(none)", *rest.split("-"), arch]
            if "REQUIRENAME" in command[-1]:
                lines.append("\t".join([name, arch, *identity[1:4], "PROVIDE", f"{name} = {version}"]))
            else:
                lines.append("\t".join([*identity, "1500000000", "1600000000"]))
        return "\n".join(lines) + "\n"

    def _check_update(self) -> str:
        names = ("toy-base", "toy-app", "toy-grows", "toy-low", "toy-mid", "a-package-with-quite-a-long-name-indeed")
        lines = ["", *(f"{f'{name}.noarch':<40} 9-1    toy" for name in names if name not in self.held)]
        lines[-1] = f"{names[-1]}.noarch\n{'':<41}9-1    toy"
        return "\n".join(
            [
                *lines,
                "Obsoleting Packages",
                "toy-new.noarch      2-1     toy",
                "    toy-plain.noarch      1.0-1     @toy",
                "Security: kernel-3.10.0-1.x86_64 is an installed security update",
                "",
            ]
        )

    def _update(self, specs: Sequence[str], command: Sequence[str], on_line: OnLine | None) -> Completed:
        titles, said = [], ""
        for spec in specs:
            name, version, release = spec.rsplit("-", 2)
            release, arch = release.rsplit(".", 1)
            if name in self.held:
                said += f"No Match for argument: {spec}\n"
            else:
                titles.append((name, arch, f"{version.removeprefix('0:')}-{release}"))
        if not titles:
            return Completed(0, f"{said}No packages marked for update\n", "")
        rows = [f" {name:<20} {arch:<8} {version:<16} toy   6.3 k" for name, arch, version in titles]
        table = [
            f"\nDependencies Resolved\n\n{_LINE}",
            " Package     Arch   Version     Repository   Size",
            _LINE,
            "Updating:",
            *rows,
        ]
        table += ["\nTransaction Summary", _LINE, f"Upgrade  {len(rows)} Packages\n", "Total download size: 13 k\n"]
        if "--assumeno" in command:
            return Completed(1, "\n".join([said, *table, "Exiting on user command\n"]), "")
        steps = [
            f"  Updating   : {name}-{version}.{arch}    {number}/{len(titles)} "
            for number, (name, arch, version) in enumerate(titles, 1)
        ]
        if "--setopt=tsflags=test" not in command:
            for step, (name, arch, version) in zip(steps, titles, strict=True):
                if on_line is not None:
                    on_line(step)
                self.installed = {title for title in self.installed if not title.startswith(f"{name}.{arch}:")}
                self.installed.add(f"{name}.{arch}:{version}")
        return Completed(0, "\n".join([said, *table, *steps, "Complete!\n"]), "")


def lay_out(repository: Repository, root: Path) -> None:
    """Put the lists of *repository* where yum keeps them below *root*."""
    folder = root / "var/cache/yum/x86_64/7/toy"
    (folder / "gen").mkdir(parents=True)
    (root / "etc").mkdir()
    (root / "etc/os-release").write_text('ID=amzn\nNAME="Amazon Linux"\nVERSION_ID="2"\n')
    (root / "etc/yum.conf").write_text("[main]\ncachedir=/var/cache/yum/$basearch/$releasever\nkeepcache=0\n")
    for path in (repository.path / "signed/repodata").iterdir():
        if path.name == "repomd.xml" or "updateinfo" in path.name:
            shutil.copy2(path, folder)
        elif "primary.sqlite" in path.name:
            (folder / "gen/primary_db.sqlite").write_bytes(bz2.decompress(path.read_bytes()))
