"""How ApprovedPatches and RejectedPatches name patches, by operating system.

An entry is matched exactly, but for Windows, where case does not count.  yum, dnf and zypper take one `*` in it.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from patchwindow.domain.operating_system import Family
from patchwindow.domain.patch import Patch

# Return the entry that names the patch, or `None`.
Matcher = Callable[[Patch], str | None]
# Yield the entries that name the patch.
Finder = Callable[[Patch], Iterator[str]]

_Names = Callable[[Patch], Iterable[str]]


def matcher(entries: tuple[str, ...], family: Family, *, rejects: bool) -> Matcher:
    """Return what finds a patch in a list; a list that *rejects* knows packages only, no advisory, CVE or Bugzilla."""
    if not entries:
        return lambda _: None
    entries_for = finder(entries, family, rejects=rejects)
    return lambda patch: next(entries_for(patch), None)


def finder(entries: tuple[str, ...], family: Family, *, rejects: bool) -> Finder:
    """Return what yields each of *entries* that names a patch, some of them perhaps more than once."""
    normal: Callable[[str], str] = str.casefold if family is Family.WINDOWS else str
    exact: dict[str, list[str]] = {}
    for entry in entries:
        if not _has_wildcard(entry, family):
            exact.setdefault(normal(entry), []).append(entry)
    packages_of = _PACKAGES[family]
    notices_of = _nothing if rejects else _NOTICES.get(family, _nothing)
    stems = frozenset(stem for entry in exact for stem in _stems(entry)) if family is Family.RPM else None
    wild = [(entry, *entry.split("*", 1)) for entry in entries if _has_wildcard(entry, family)]

    def find(patch: Patch) -> Iterator[str]:
        # Most patches are in no list, and an rpm package has a dozen names.
        if stems is None or patch.name in stems or patch.version in stems:
            for name in packages_of(patch):
                yield from exact.get(normal(name), ())
        for name in notices_of(patch):
            yield from exact.get(name, ())
        if wild:
            names = tuple(packages_of(patch))
            yield from (entry for entry, head, tail in wild if any(_fits(name, head, tail) for name in names))

    return find


def _stems(entry: str) -> Iterator[str]:
    """Yield all that the name or the version of an rpm package named by *entry* can be: each form begins with either,
    or has the epoch before it, and goes on after it with a dash, a point or a colon.
    """
    for text in (entry, entry.partition(":")[2]):
        yield text
        yield from (text[: found.start()] for found in _JOINT.finditer(text))


def entry_for(patch: Patch, family: Family) -> str | None:
    """Return the shortest entry that would name *patch* in ApprovedPatches, `None` where none can."""
    return next(iter(_PACKAGES[family](patch)), None)


def problem_of(entry: str, family: Family) -> str | None:
    """Return why no patch can have the name *entry*, or `None` where one can."""
    stars = entry.count("*")
    if family in _WILDCARDS:
        return "has more than one *; use at most one" if stars > 1 else None
    if stars:
        return "has a wildcard, which this operating system does not take; write out each name"
    if family is Family.APT and not _APT_NAME.fullmatch(entry):
        return "is no package name; write the bare name, without architecture and version"
    return None


_JOINT: Final = re.compile(r"[-.:]")
_WILDCARDS: Final = frozenset({Family.RPM, Family.ZYPPER})

# What could be a name; not as strict as Debian's policy, since what no package is called does no harm.  But a name with
# an architecture, as compliance shows it, would silently match nothing.
_APT_NAME: Final = re.compile(
    r"(?!.*\.(?:all|amd64|arm64|armel|armhf|i386|mips64el|ppc64el|riscv64|s390x)$)[A-Za-z0-9][A-Za-z0-9+._-]*"
)


def _has_wildcard(entry: str, family: Family) -> bool:
    return family in _WILDCARDS and "*" in entry


def _fits(name: str, head: str, tail: str) -> bool:
    return len(name) >= len(head) + len(tail) and name.startswith(head) and name.endswith(tail)


def _bare_name(patch: Patch) -> tuple[str, ...]:
    return (patch.name,)


def _rpm_packages(patch: Patch) -> tuple[str, ...]:
    name, arch, epoch = patch.name, patch.arch, patch.epoch or "0"
    version, full = patch.version, f"{patch.version}-{patch.release}"
    return (
        name,
        f"{name}.{arch}",
        f"{name}-{version}",
        f"{name}-{full}",
        f"{name}-{full}.{arch}",
        version,
        full,
        f"{epoch}:{full}",
        f"{name}-{epoch}:{full}",
        f"{name}-{epoch}:{full}.{arch}",
        f"{epoch}:{name}-{full}.{arch}",
        f"{name}.{arch}:{epoch}:{full}",
    )


def _rpm_notices(patch: Patch) -> tuple[str, ...]:
    return (*patch.advisory_ids, *patch.cve_ids, *patch.bugzilla_ids)


def _nothing(_patch: Patch) -> tuple[str, ...]:
    return ()


def _zypper_names(patch: Patch) -> tuple[str, ...]:
    full = f"{patch.name}-{patch.version}-{patch.release}"
    return (patch.name, f"{patch.name}.{patch.arch}", full, f"{full}.{patch.arch}", *patch.advisory_ids)


def _windows_names(patch: Patch) -> tuple[str, ...]:
    digits = patch.kb_number.upper().removeprefix("KB")
    numbers = (f"KB{digits}", digits) if digits else ()
    return (*numbers, *patch.advisory_ids)


# What both lists know of a patch, and what ApprovedPatches alone knows.
_PACKAGES: Final[dict[Family, _Names]] = {
    Family.WINDOWS: _windows_names,
    Family.RPM: _rpm_packages,
    Family.ZYPPER: _zypper_names,
    Family.APT: _bare_name,
    Family.MACOS: _bare_name,
}
_NOTICES: Final[dict[Family, _Names]] = {Family.RPM: _rpm_notices}
