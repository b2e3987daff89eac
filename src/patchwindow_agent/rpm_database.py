"""What rpm's own database says is installed. Texts in, values out; no program is run here."""

import time
from typing import Iterable, Mapping, NamedTuple, Sequence

from patchwindow_agent import rpm_version

# The fields of `Installed`, as rpm is asked for them.
QUERY = (
    "rpm",
    "-qa",
    "--qf",
    "%{NAME}\\t%{EPOCH}\\t%{VERSION}\\t%{RELEASE}\\t%{ARCH}\\t%{BUILDTIME}\\t%{INSTALLTIME}\\n",
)
# What each package requires and provides, a relation in each line.
_LINK = "%{{=NAME}}\\t%{{=ARCH}}\\t%{{=EPOCH}}\\t%{{=VERSION}}\\t%{{=RELEASE}}\\t{0}\\t%{{{0}NAME}} %{{{0}FLAGS:depflags}} %{{{0}VERSION}}\\n"
LINKS_QUERY = ("rpm", "-qa", "--qf", "".join(f"[{_LINK.format(kind)}]" for kind in ("REQUIRE", "PROVIDE")))

# `name`, `arch`: what of one version there is once.
Key = tuple[str, str]


class Installed(NamedTuple):
    """A package that is on the machine; times are seconds since 1970."""

    name: str
    arch: str
    version: str
    built_at: int
    installed_at: int

    @property
    def key(self) -> Key:
        """Return what tells it from others, whatever its version."""
        return self.name, self.arch

    @property
    def title(self) -> str:
        """Return what the server calls it: with an epoch, also where that is none."""
        return f"{self.name}.{self.arch}:{':'.join(rpm_version.parts(self.version))}"


class Links(NamedTuple):
    """What a package requires and provides, as rpm writes relations: `name`, or `name >= version`."""

    requires: Sequence[str] = ()
    provides: Sequence[str] = ()


def parse_installed(text: str) -> list[Installed]:
    """Return the packages that `QUERY` lists, sorted, each once; keys for signatures are no packages."""
    found = set()
    for line in text.splitlines():
        fields = line.split("\t")
        if len(fields) == 7 and fields[0] != "gpg-pubkey":
            name, epoch, version, release, arch, built_at, installed_at = fields
            evr = rpm_version.join(epoch, version, release)
            found.add(Installed(name, arch, evr, _seconds(built_at), _seconds(installed_at)))
    return sorted(found)


def parse_links(text: str) -> dict[tuple[str, str, str], Links]:
    """Return the relations that `LINKS_QUERY` lists, by name, architecture and version."""
    requires: dict[tuple[str, str, str], list[str]] = {}
    provides: dict[tuple[str, str, str], list[str]] = {}
    for line in text.splitlines():
        fields = line.split("\t")
        if len(fields) == 7:
            name, arch, epoch, version, release, kind, relation = fields
            package = (name, arch, rpm_version.join(epoch, version, release))
            (requires if kind == "REQUIRE" else provides).setdefault(package, []).append(" ".join(relation.split()))
    return {package: Links(requires.get(package, ()), provides.get(package, ())) for package in (*requires, *provides)}


def newest(packages: Iterable[Installed]) -> Mapping[Key, Installed]:
    """Return the newest of the versions that are installed beside each other, for each package."""
    found: dict[Key, Installed] = {}
    for package in packages:
        other = found.setdefault(package.key, package)
        if rpm_version.sort_key(other.version) < rpm_version.sort_key(package.version):
            found[package.key] = package
    return found


def day(seconds: int) -> str:
    """Return the day of an instant in UTC, empty where it is not known."""
    return time.strftime("%Y-%m-%d", time.gmtime(seconds)) if seconds > 0 else ""


def _seconds(text: str) -> int:
    return int(text) if text.isdigit() else 0
