"""A tiny signed rpm repository with notices, and roots with old packages, for the real rpm and dnf of this machine.

rpm changes its root, so root is needed. dnf has no variable for a root: in a root's `shim`, first in PATH, the ordinary
commands act on it. There is no shell in a root; scripts of packages are in Lua, which rpm has built in.
"""

import os
import shutil
import subprocess
import tempfile
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

__all__ = [
    "ADVISORIES",
    "HELD",
    "MISSING",
    "PENDING",
    "Package",
    "Repository",
    "Root",
    "build_repository",
    "copy_root",
    "make_root",
]

_DNF: Final = shutil.which("dnf")
_NEEDS: Final = {
    # dnf 5 takes its settings from elsewhere, and prints other tables to compare with.
    "dnf 4": _DNF is not None and Path(_DNF).resolve().name != "dnf5",
    **{name: shutil.which(name) is not None for name in ("rpmbuild", "rpmsign", "createrepo_c", "gpg")},
}
MISSING: Final = next((f"needs {name}" for name, is_there in _NEEDS.items() if not is_there), "")
"""Why toy roots cannot be made here; empty where they can."""

_EPOCH: Final = 1767225600
_REFUSES: Final = '%pre -n {name} -p <lua>\nif not posix.stat("/etc/toy-allow") then error("broken on purpose") end\n'
_WARNS: Final = '%post -n {name} -p <lua>\nerror("the script fails, the package stays")\n'
_SLEEPS: Final = "%post -n {name} -p <lua>\nposix.sleep(4)\n"


@dataclass(frozen=True, slots=True)
class Package:
    """A package with nothing in it; *lines* are more of its recipe."""

    name: str
    version: str
    lines: Sequence[str] = ()
    script: str = ""
    epoch: int = 0

    @property
    def evr(self) -> str:
        return f"{self.epoch}:{self.version}" if self.epoch else self.version


_KERNEL: Final = ("Provides: installonlypkg(kernel), installhint(reboot-needed)",)
# One build makes all packages of a generation; the first is what old roots have.
_GENERATIONS: Final = (
    (
        Package("toy-base", "1.0-1"),
        Package("toy-app", "2.0-1", ("Requires: toy-base = 1.0-1",)),
        Package("toy-grows", "1.0-1"),
        Package("toy-held", "1.0-1"),
        Package("toy-mid", "1.0-1"),
        Package("toy-low", "1.0~rc1-1", epoch=1),
        Package("toy-plain", "1.0-1"),
        Package("toy-broken", "1.0-1"),
        Package("toy-warns", "1.0-1"),
        Package("toy-slow", "1.0-1"),
        Package("toy-eats", "1.0-1"),
        Package("toy-food", "1.0-1"),
        Package("kernel", "6.1.1-1", _KERNEL),
        Package("glibc", "2.36-1"),
    ),
    (
        Package("toy-base", "1.0-2"),
        Package("toy-app", "2.1-1", ("Requires: toy-base = 1.0-2",)),
        Package("toy-grows", "1.1-1", ("Requires: toy-lib2 >= 2",)),
        Package("toy-lib2", "2.0-1", ("Requires: toy-deep",)),
        Package("toy-deep", "3.0-1"),
        Package("toy-held", "1.1-1"),
        Package("toy-mid", "1.1-1"),
        Package("toy-low", "1.0-1", epoch=1),
        Package("toy-plain", "1.1-1"),
        Package("toy-broken", "1.1-1", script=_REFUSES),
        Package("toy-warns", "1.1-1", script=_WARNS),
        Package("toy-slow", "1.1-1", script=_SLEEPS),
        Package("toy-eats", "1.1-1", ("Conflicts: toy-food",)),
        Package("kernel", "6.1.2-1", _KERNEL),
        Package("glibc", "2.36-2"),
    ),
    (Package("toy-mid", "1.2-1"),),
)
_OLD: Final = [package.name for package in _GENERATIONS[0]]

PENDING: Final = frozenset(
    f"{package.name}.noarch:{package.epoch}:{package.version}"
    for generation in _GENERATIONS[1:]
    for package in generation
    if package.name in _OLD
)
"""What a scan of an old root finds, by the server's title: of several versions all, and what is held too."""

HELD: Final = "toy-held"


@dataclass(frozen=True, slots=True)
class _Advisory:
    kind: str
    severity: str
    cves: Sequence[str]
    packages: Sequence[str]


ADVISORIES: Final[Mapping[str, _Advisory]] = {
    "TOYSA-2026:0001": _Advisory("security", "Critical", ("CVE-2026-0001", "CVE-2026-0002"), ("toy-base-1.0-2",)),
    "TOYSA-2026:0002": _Advisory("security", "Important", ("CVE-2026-0003",), ("toy-held-1.1-1",)),
    "TOYSA-2026:0003": _Advisory("security", "Moderate", ("CVE-2026-0004",), ("toy-mid-1.1-1",)),
    "TOYEA-2026:0004": _Advisory("enhancement", "", (), ("toy-mid-1.2-1",)),
    "TOYSA-2026:0005": _Advisory("security", "Low", ("CVE-2026-0005",), ("toy-low-1:1.0-1",)),
    "TOYBA-2026:0006": _Advisory("bugfix", "", (), ("toy-app-2.1-1", "toy-grows-1.1-1", "toy-slow-1.1-1")),
    "TOYSA-2026:0007": _Advisory("security", "Important", ("CVE-2026-0006",), ("kernel-6.1.2-1", "glibc-2.36-2")),
    "TOYSA-2026:0008": _Advisory("security", "Important", ("CVE-2026-0007",), ("toy-broken-1.1-1", "toy-warns-1.1-1")),
}


@dataclass(frozen=True, slots=True)
class Repository:
    """A folder with packages, their signing key and the lists; another one beside it has them unsigned."""

    path: Path

    @property
    def unsigned(self) -> Path:
        """Return the folder of the repository whose packages have no signature."""
        return self.path / "unsigned"

    def stanza(self, id: str = "toy", *, url: str = "") -> str:
        """Return the configuration of the repository, as *id* and at *url*."""
        return textwrap.dedent(f"""\
            [{id}]
            name=Toy {id}
            baseurl={url or f"file://{self.path / 'signed'}"}
            enabled=1
            gpgcheck=1
            gpgkey=file://{self.path}/key.asc
            """)


@dataclass(frozen=True, slots=True)
class Root:
    """A folder that dnf and rpm take for the machine's root."""

    path: Path
    environ: Mapping[str, str] = field(init=False)

    def __post_init__(self) -> None:
        path = f"{self.path / 'shim'}{os.pathsep}{os.environ['PATH']}"
        object.__setattr__(self, "environ", {**os.environ, "PATH": path})

    def run(self, *command: str, codes: Sequence[int] = (0,)) -> str:
        """Return what *command* prints when it acts on this root."""
        done = subprocess.run(command, env=self.environ, check=False, capture_output=True, text=True)
        assert done.returncode in codes, done.stdout + done.stderr
        return done.stdout

    def packages(self) -> set[str]:
        """Return what is installed, by title: as `name.arch:epoch:version`."""
        form = "%{NAME}.%{ARCH}:%|EPOCH?{%{EPOCH}}:{0}|:%{VERSION}-%{RELEASE}\\n"
        return {line for line in self.run("rpm", "-qa", "--qf", form).split() if not line.startswith("gpg-pubkey")}

    def set_repositories(self, *stanzas: str) -> None:
        """Make *stanzas* the machine's repositories."""
        (self.path / "etc/yum.repos.d/toy.repo").write_text("\n".join(stanzas))


def build_repository(path: Path, generations: Sequence[Sequence[Package]] = _GENERATIONS) -> Repository:
    """Build the repository in *path*, which must not exist, and return it."""
    home = path / "home"
    for folder in (home / "rpms", path / "signed", path / "unsigned"):
        folder.mkdir(parents=True)
    # Elsewhere, since its agent listens on a socket there, whose path has 107 bytes at most.
    gnupg = Path(tempfile.mkdtemp(prefix="toy-gpg-"))
    environ = _make_home(home, gnupg) | {"SOURCE_DATE_EPOCH": str(_EPOCH)}
    gpg = ("gpg", "--homedir", str(gnupg), "--batch", "--quiet", "--pinentry-mode", "loopback", "--passphrase", "")
    _run(*gpg, "--quick-gen-key", "Toy <toy@example.org>", "rsa2048", "sign", "never")
    (path / "key.asc").write_text(_run(*gpg, "--armor", "--export"))
    for number, generation in enumerate(generations):
        spec = home / f"generation-{number}.spec"
        spec.write_text(_spec(number, generation))
        _run("rpmbuild", "--quiet", "-bb", "--define", f"_rpmdir {home}/rpms", str(spec), environ=environ)
    for package in (home / "rpms").rglob("*.rpm"):
        shutil.copy2(package, path / "unsigned")
        shutil.copy2(package, path / "signed")
    _run("rpmsign", "--addsign", *map(str, sorted((path / "signed").glob("*.rpm"))), environ=environ)
    _run("gpgconf", "--homedir", str(gnupg), "--kill", "all")
    for folder in (path / "signed", path / "unsigned"):
        _run("createrepo_c", "--quiet", "--database", "--revision", str(_EPOCH), str(folder))
        (home / "updateinfo.xml").write_text(_updateinfo())
        _run("modifyrepo_c", "--mdtype", "updateinfo", str(home / "updateinfo.xml"), str(folder / "repodata"))
    shutil.rmtree(gnupg)
    shutil.rmtree(home)
    return Repository(path)


def make_root(repository: Repository, path: Path) -> Root:
    """Make a root in *path* with old packages in, one of them locked, and updates pending."""
    for folder in ("etc/yum.repos.d", "etc/dnf/plugins", "var/lib/rpm", "var/cache", "var/log", "run", "tmp", "shim"):
        (path / folder).mkdir(parents=True)
    (path / "etc/os-release").write_text('ID=rocky\nNAME="Rocky Linux"\nVERSION_ID="9.5"\nID_LIKE="rhel fedora"\n')
    root = _configure(path)
    root.set_repositories(repository.stanza())
    root.run("rpm", "--import", str(repository.path / "key.asc"))
    root.run("dnf", "-qy", "install", *(f"{package.name}-{package.evr}" for package in _GENERATIONS[0]))
    root.run("dnf", "-q", "versionlock", "add", HELD)
    return root


def copy_root(root: Root, path: Path) -> Root:
    """Make another root like *root* in *path*."""
    shutil.copytree(root.path, path, symlinks=True)
    return _configure(path)


def _configure(path: Path) -> Root:
    """Write what holds the root's own path."""
    home = path / "home"
    _make_home(home, home / "gpg")
    (path / "etc/dnf/dnf.conf").write_text(
        textwrap.dedent(f"""\
            [main]
            pluginconfpath={path}/etc/dnf/plugins
            reposdir={path}/etc/yum.repos.d
            varsdir={path}/etc/dnf/vars
            cachedir=/var/cache/dnf
            gpgcheck=1
            installonly_limit=3
            best=True
            logdir=/var/log
            """)
    )
    # Else these two keep what they have for the machine that the tests run on.
    (path / "etc/dnf/plugins/local.conf").write_text("[main]\nenabled=0\n")
    locks = path / "etc/dnf/plugins/versionlock.list"
    locks.touch()
    (path / "etc/dnf/plugins/versionlock.conf").write_text(f"[main]\nenabled=1\nlocklist={locks}\n")
    dnf = f"/usr/bin/dnf -c {path}/etc/dnf/dnf.conf --installroot={path} --releasever=9"
    for name, command in {"dnf": dnf, "rpm": f"/usr/bin/rpm --root {path}"}.items():
        shim = path / "shim" / name
        shim.write_text(f'#!/bin/sh\nexport HOME={home}\nexec {command} "$@"\n')
        shim.chmod(0o755)
    return Root(path)


def _make_home(home: Path, gnupg: Path) -> dict[str, str]:
    """Return the environment in which rpm reads its settings in *home*: Debian's would keep the database elsewhere."""
    home.mkdir(parents=True, exist_ok=True)
    (home / ".rpmmacros").write_text(
        textwrap.dedent(f"""\
            %_dbpath /var/lib/rpm
            %_topdir {home}/build
            %_buildhost toy.example.org
            %use_source_date_epoch_as_buildtime 1
            %debug_package %{{nil}}
            %__os_install_post %{{nil}}
            %_binary_payload w.ufdio
            %__gpg /usr/bin/gpg
            %_gpg_name toy@example.org
            %_gpg_path {gnupg}
            """)
    )
    return {"HOME": str(home), "LC_ALL": "C.UTF-8"}


def _spec(number: int, packages: Sequence[Package]) -> str:
    """Return one recipe for all *packages*."""
    parts = [
        f"Name: toys\nVersion: {number}\nRelease: 1\nSummary: toys\nLicense: MIT\nBuildArch: noarch\n%description\n"
    ]
    installs, files = ["%install"], []
    for package in packages:
        version, release = package.version.split("-")
        folder = f"/usr/share/{package.name}"
        epoch = [f"Epoch: {package.epoch}"] if package.epoch else []
        head = [f"Version: {version}", f"Release: {release}", *epoch, "Summary: toy", *package.lines]
        parts.append("\n".join([f"%package -n {package.name}", *head, f"%description -n {package.name}", "toy", ""]))
        installs.append(f"mkdir -p %{{buildroot}}{folder}\necho toy > %{{buildroot}}{folder}/{package.version}")
        files.append(package.script.format(name=package.name) + f"%files -n {package.name}\n{folder}")
    return "\n".join([*parts, *installs, *files, ""])


def _updateinfo() -> str:
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', "<updates>"]
    for id, advisory in ADVISORIES.items():
        lines += [
            f'<update from="toy@example.org" status="final" type="{advisory.kind}" version="1"><id>{id}</id>',
            f"<title>{advisory.kind} update {id}</title>",
            '<issued date="2026-01-05 10:00:00"/><updated date="2026-01-06 10:00:00"/>',
            f"<severity>{advisory.severity}</severity>" if advisory.severity else "",
            f"<description>About {id}.</description><references>",
            *(f'<reference href="https://example.org/{cve}" id="{cve}" type="cve"/>' for cve in advisory.cves),
            '<reference href="https://example.org/77" id="77" type="bugzilla"/>',
            '</references><pkglist><collection short="toy"><name>toy</name>',
        ]
        for named in advisory.packages:
            name, evr, release = named.rsplit("-", 2)
            epoch, _, version = evr.rpartition(":")
            lines.append(
                f'<package name="{name}" epoch="{epoch or 0}" version="{version}" release="{release}" arch="noarch">'
                f"<filename>{name}-{version}-{release}.noarch.rpm</filename></package>"
            )
        lines.append("</collection></pkglist></update>")
    return "\n".join([*lines, "</updates>", ""])


def _run(*command: str, environ: Mapping[str, str] | None = None) -> str:
    done = subprocess.run(command, env={**os.environ, **(environ or {})}, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
