"""Orders for apt on troubled toy roots, and what the tests of installing and repairing have in common."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.rig.toy_apt import Root
from tests.rig.toy_troubles import NEW

from patchwindow_agent import programs, reboot
from patchwindow_agent.apt import Apt
from patchwindow_agent.disk_room import Disk
from patchwindow_agent.package_manager import Blocked, Order, Phase, Wanted

__all__ = ["Told", "apt", "order", "titles", "versions"]

KERNEL = reboot.Kernel("6.1.0-1-toy", "#1")


def plenty(_: Path) -> Disk:
    """Return a disk that has room for everything."""
    return Disk(1, 10**12)


@dataclass(frozen=True, slots=True)
class Told:
    """What an installation told of its progress."""

    lines: list[tuple[Phase, int, int, str]] = field(default_factory=list)

    def __call__(self, phase: Phase, done: int, total: int, what: str) -> None:
        self.lines.append((phase, done, total, what))

    def phases(self) -> list[Phase]:
        """Return the phases in their order, each once."""
        return list(dict.fromkeys(phase for phase, *_ in self.lines))


def apt(
    root: Root,
    *,
    cache: Path | None = None,
    sleep: Callable[[float], None] = lambda _: None,
    lock_wait_s: int = 20,
    disk_of: Callable[[Path], Disk] = plenty,
) -> Apt:
    """Return the package manager of *root*."""
    return Apt(
        programs.runner(root.environ),
        root=root.path,
        cache=cache,
        kernel=KERNEL,
        sleep=sleep,
        lock_wait_s=lock_wait_s,
        disk_of=disk_of,
        stale=list,
    )


def order(*names: str, blocked: tuple[Blocked, ...] = (), may_remove: bool = False) -> Order:
    """Return the order that wants the new versions of *names*."""
    wanted = [Wanted(title(name), name, "all", NEW[name]) for name in names]
    return Order(wanted, blocked, may_remove=may_remove)


def title(name: str) -> str:
    """Return what results call the new version of *name*."""
    return f"{name}.all:{NEW[name]}"


def titles(*names: str) -> list[str]:
    """Return the titles of the new versions of *names*."""
    return [title(name) for name in names]


def versions(root: Root, *names: str) -> dict[str, str]:
    """Return dpkg's abbreviation and version of each of *names*, as `ii 1.0`."""
    text = root.run("dpkg-query", "-W", "-f", "${Package}\\t${db:Status-Abbrev}${Version}\\n")
    found = dict(line.split("\t") for line in text.splitlines())
    return {name: found.get(name, "") for name in names}
