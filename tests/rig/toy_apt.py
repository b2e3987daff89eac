"""A tiny apt repository, and roots with old packages, for the real apt and dpkg of this machine.

A root needs no chroot and no privileges: four environment variables make the ordinary commands act on it.
The sources are marked as trusted, so that no signing key has to be made; everything else is as on a real mirror.
"""

import hashlib
import os
import subprocess
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

__all__ = ["PENDING", "Package", "Root", "build_repository", "make_root"]

_REBOOT_POSTINST: Final = """\
mkdir -p "$DPKG_ROOT/run"
touch "$DPKG_ROOT/run/reboot-required"
echo "$DPKG_MAINTSCRIPT_PACKAGE" >> "$DPKG_ROOT/run/reboot-required.pkgs"
"""

_FOLDERS: Final = (
    "etc/apt/apt.conf.d",
    "etc/apt/preferences.d",
    "etc/apt/sources.list.d",
    "etc/apt/trusted.gpg.d",
    "run",
    "tmp",
    "var/cache/apt/archives/partial",
    "var/lib/apt/lists/partial",
    "var/lib/dpkg/info",
    "var/lib/dpkg/triggers",
    "var/lib/dpkg/updates",
    "var/log/apt",
)

# Suite → fields of its Release file. The security suite looks like Debian's own.
_SUITES: Final[Mapping[str, Mapping[str, str]]] = {
    "toy": {"Origin": "Debian", "Label": "Debian", "Suite": "stable", "Version": "99.0"},
    "toy-updates": {"Origin": "Debian", "Label": "Debian", "Suite": "stable-updates"},
    "toy-security": {"Origin": "Debian", "Label": "Debian-Security", "Suite": "stable-security"},
    "vendor": {"Origin": "Vendor, Inc", "Label": "Vendor", "Suite": "vendor"},
}


@dataclass(frozen=True, slots=True)
class Package:
    """One version of one package in one suite."""

    suite: str
    name: str
    version: str
    fields: Mapping[str, str] = field(default_factory=dict)
    # Maintainer scripts by name, without the first line; what they do to the machine they do under "$DPKG_ROOT".
    scripts: Mapping[str, str] = field(default_factory=dict)
    # More files by path; those in etc are configuration files.
    files: Mapping[str, str] = field(default_factory=dict)


_PACKAGES: Final = (
    Package("toy", "toy-base", "1.0"),
    Package("toy-security", "toy-base", "1.0+deb99u1"),
    Package("toy", "toy-app", "2.0", {"Depends": "toy-base (>= 1.0)", "Section": "web", "Source": "toy-suite"}),
    Package(
        "toy-updates",
        "toy-app",
        "2.1",
        {"Depends": "toy-base (>= 1.0+deb99u1)", "Section": "web", "Source": "toy-suite (2.1-0)"},
    ),
    # Its update needs a package that is not installed, so a plain `upgrade` keeps it back.
    Package("toy", "toy-grows", "1.0"),
    Package("toy-updates", "toy-grows", "1.1", {"Depends": "toy-extra"}),
    Package("toy", "toy-extra", "2.0"),
    Package("toy", "toy-held", "1.0"),
    Package("toy-security", "toy-held", "1.1"),
    Package("toy", "toy-epoch", "1:0.9~rc1"),
    Package("toy-updates", "toy-epoch", "1:0.9"),
    # Phased to no machine at all: never installed by a plain `upgrade`.
    Package("toy", "toy-phased", "1.0"),
    Package("toy-updates", "toy-phased", "1.1", {"Phased-Update-Percentage": "0"}),
    Package("toy", "toy-kernel", "6.1.1", {"Section": "kernel"}),
    Package("toy-security", "toy-kernel", "6.1.2", {"Section": "kernel"}, {"postinst": _REBOOT_POSTINST}),
    Package("toy", "toy-current", "3.2", {"Priority": "required"}),
    Package("vendor", "toy-vendor", "1.0"),
    Package("vendor", "toy-vendor", "1.1"),
)

PENDING: Final = frozenset(
    {"toy-app", "toy-base", "toy-epoch", "toy-grows", "toy-held", "toy-kernel", "toy-phased", "toy-vendor"}
)


@dataclass(frozen=True, slots=True)
class Root:
    """A folder that apt and dpkg take for the machine's root."""

    path: Path

    @property
    def environ(self) -> dict[str, str]:
        """Return the environment in which plain apt and dpkg commands act on this root."""
        return {
            **os.environ,
            "APT_CONFIG": str(self.path / "etc/apt/alternative.conf"),
            "DPKG_ROOT": str(self.path),
            "DPKG_ADMINDIR": str(self.path / "var/lib/dpkg"),
            "DPKG_FORCE": "script-chrootless,not-root",
            "DEBIAN_FRONTEND": "noninteractive",
            "LC_ALL": "C.UTF-8",
            # What users of apt keep for themselves, they keep in the root too.
            "XDG_CACHE_HOME": str(self.path / "var/cache"),
        }

    def run(self, *command: str) -> str:
        """Return what *command* prints when it acts on this root."""
        done = subprocess.run(command, env=self.environ, check=True, capture_output=True, text=True)
        return done.stdout

    def set_sources(self, *lines: str) -> None:
        """Make *lines* the whole of sources.list."""
        (self.path / "etc/apt/sources.list").write_text("\n".join(lines) + "\n")


def build_repository(out: Path, packages: Sequence[Package] = _PACKAGES) -> Path:
    """Build a repository of *packages* in *out*, which must not exist, and return it."""
    architecture = _output("dpkg", "--print-architecture")
    stanzas: dict[str, list[str]] = {suite: [] for suite in _SUITES}
    for package in packages:
        stanzas[package.suite].append(_build_package(out, package))
    for suite, fields in _SUITES.items():
        index_path = f"main/binary-{architecture}/Packages"
        index = "".join(f"{stanza}\n\n" for stanza in stanzas[suite]).encode()
        folder = out / "dists" / suite
        (folder / index_path).parent.mkdir(parents=True)
        (folder / index_path).write_bytes(index)
        all_fields = {**fields, "Codename": suite, "Architectures": architecture, "Components": "main"}
        lines = [f"{key}: {value}" for key, value in all_fields.items()]
        lines += ["Date: Thu, 01 Jan 2026 00:00:00 UTC", "SHA256:"]
        lines.append(f" {hashlib.sha256(index).hexdigest()} {len(index)} {index_path}")
        (folder / "Release").write_text("\n".join(lines) + "\n")
    return out


_OLD: Final = tuple(
    f"{package.name}={package.version}"
    for package in _PACKAGES
    if (package.suite == "toy" and package.name != "toy-extra") or (package.suite, package.version) == ("vendor", "1.0")
)


def make_root(
    repository: Path,
    path: Path,
    *,
    url: str | None = None,
    old: Sequence[str] = _OLD,
    held: Sequence[str] = ("toy-held",),
) -> Root:
    """Make a root in *path* with *old* packages in and updates pending; its sources name *url*."""
    for folder in _FOLDERS:
        (path / folder).mkdir(parents=True, exist_ok=True)
    (path / "var/lib/dpkg/status").touch()
    (path / "etc/os-release").write_text(
        'ID=debian\nNAME="Debian GNU/Linux"\nVERSION_ID="99"\nVERSION_CODENAME=toy\nPRETTY_NAME="Toy 99"\n'
    )
    # RootDir would also move apt's own method programs, which stay those of the machine; Dir does not.
    configuration = f"""\
        Dir "{path}";
        Dir::State::status "{path}/var/lib/dpkg/status";
        Dir::Bin::methods "/usr/lib/apt/methods";
        Dir::Log "{path}/var/log/apt";
        Dir::Cache::pkgcache "pkgcache.bin";
        Dir::Cache::srcpkgcache "srcpkgcache.bin";
        DPkg::Options {{ "--root={path}"; "--log={path}/var/log/dpkg.log"; }};
        APT::Sandbox::User "root";
        Acquire::Retries "0";
        APT::Machine-ID "0123456789abcdef0123456789abcdef";
        """
    (path / "etc/apt/alternative.conf").write_text(textwrap.dedent(configuration))
    root = Root(path)
    line = "deb [trusted=yes] %s %s main"
    on_disk, url = f"file://{repository}", url or f"file://{repository}"
    root.set_sources(line % (on_disk, "toy"), line % (on_disk, "vendor"))
    root.run("apt-get", "-q", "update")
    root.run("apt-get", "-qy", "install", *old)
    if held:
        root.run("apt-mark", "hold", *held)
    root.set_sources(*(line % (url, suite) for suite in _SUITES))
    return root


def _build_package(out: Path, package: Package) -> str:
    """Build one package and return its stanza for the index."""
    tree = out / "build" / f"{package.name}_{package.version.replace(':', '%3a')}"
    (tree / "DEBIAN").mkdir(parents=True)
    document = tree / "usr/share" / package.name / "version"
    document.parent.mkdir(parents=True)
    document.write_text(package.version + "\n")
    control = {
        "Package": package.name,
        "Version": package.version,
        "Architecture": "all",
        "Section": "misc",
        "Priority": "optional",
        "Maintainer": "Toy <toy@example.org>",
        **package.fields,
        "Description": f"toy package {package.name}",
    }
    text = "".join(f"{key}: {value}\n" for key, value in control.items())
    (tree / "DEBIAN/control").write_text(text)
    for name, content in package.files.items():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text(content)
    conffiles = [f"/{name}\n" for name in package.files if name.startswith("etc/")]
    if conffiles:
        (tree / "DEBIAN/conffiles").write_text("".join(conffiles))
    for name, body in package.scripts.items():
        script = tree / "DEBIAN" / name
        script.write_text("#!/bin/sh\nset -e\n" + body)
        script.chmod(0o755)
    file_path = f"pool/{package.suite}/{tree.name}.deb"
    target = out / file_path
    target.parent.mkdir(parents=True, exist_ok=True)
    _output("dpkg-deb", "-Znone", "--root-owner-group", "-b", str(tree), str(target))
    archive = target.read_bytes()
    return f"{text}Filename: {file_path}\nSize: {len(archive)}\nSHA256: {hashlib.sha256(archive).hexdigest()}"


def _output(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
