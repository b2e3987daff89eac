"""A toy repository in which everything that can go wrong with apt does: one pair of old and new for each kind."""

from pathlib import Path
from typing import Final

from tests.rig.toy_apt import Package, Root, build_repository, make_root

__all__ = ["NEW", "build_troubles", "make_troubled_root"]

_FAILS: Final = "echo configuring\necho 'the database is not there' >&2\nexit 7\n"
# Goes on once the test says so, and tells that it has come here.
_WAITS: Final = """\
touch "$DPKG_ROOT/run/waiting"
while ! test -e "$DPKG_ROOT/run/go"; do sleep 0.02; done
"""


def _pair(name: str, new: Package, **old: str) -> tuple[Package, Package]:
    return Package("toy", name, "1.0", {field.replace("_", "-"): text for field, text in old.items()}), new


def _new(name: str, *, scripts: dict[str, str] | None = None, **fields: str) -> Package:
    return Package("toy-security", name, "2.0", fields, scripts or {})


_PACKAGES: Final = (
    *_pair("good-one", _new("good-one")),
    *_pair("good-two", _new("good-two")),
    # Phased to no machine at all: never installed by a plain `upgrade`.
    *_pair("phased", Package("toy-security", "phased", "2.0", {"Phased-Update-Percentage": "0"})),
    Package("toy", "with-conffile", "1.0", {}, {}, {"etc/with.conf": "publisher = old\n"}),
    Package("toy-security", "with-conffile", "2.0", {}, {}, {"etc/with.conf": "publisher = new\n"}),
    # Larger than the small disk of the tests.
    *_pair("large", Package("toy-security", "large", "2.0", {}, {}, {"usr/share/large/data": "x" * 6_000_000})),
    # A newer version beside the security update, and one that is older than both.
    *_pair("overtaken", _new("overtaken")),
    Package("toy-updates", "overtaken", "3.0"),
    Package("toy-updates", "overtaken", "1.5"),
    *_pair("bad-postinst", _new("bad-postinst", scripts={"postinst": _FAILS})),
    *_pair("needs-bad", _new("needs-bad", Depends="bad-postinst (>= 2.0)")),
    *_pair("bad-preinst", _new("bad-preinst", scripts={"preinst": _FAILS})),
    *_pair("slow", _new("slow", scripts={"postinst": _WAITS})),
    *_pair("slow-unpack", _new("slow-unpack", scripts={"preinst": _WAITS})),
    *_pair("victim", _new("victim")),
    *_pair("removes-victim", _new("removes-victim", Conflicts="victim")),
    # As when a library changes its name: the new one stands in for the old one.
    Package("toy", "libtoy", "1.0"),
    Package("toy-security", "libtoy-t64", "2.0", {"Provides": "libtoy", "Replaces": "libtoy", "Conflicts": "libtoy"}),
    *_pair("moves-library", _new("moves-library", Depends="libtoy-t64"), Depends="libtoy"),
    Package("toy-security", "new-dependency", "2.0"),
    *_pair("needs-new", _new("needs-new", Depends="new-dependency")),
    *_pair("held", _new("held")),
    *_pair("needs-held", _new("needs-held", Depends="held (>= 2.0)")),
    *_pair("needs-nothing-there", _new("needs-nothing-there", Depends="not-to-be-had (>= 2.0)")),
    Package("toy", "linux-image-6.1.0-1-toy", "6.1.1", {"Section": "kernel"}),
    Package("toy-security", "linux-image-6.1.0-1-toy", "6.1.2", {"Section": "kernel"}),
)

# Name → the version that each update has.
NEW: Final = {package.name: package.version for package in _PACKAGES if package.suite == "toy-security"}


def build_troubles(out: Path) -> Path:
    """Build the repository in *out*, which must not exist, and return it."""
    return build_repository(out, _PACKAGES)


def make_troubled_root(repository: Path, path: Path, *names: str, url: str | None = None) -> Root:
    """Make a root in *path* with the old versions of *names* in; `held` is held."""
    held = [name for name in names if name == "held"]
    root = make_root(repository, path, url=url, old=names, held=held)
    root.run("apt-get", "-q", "update")
    return root
