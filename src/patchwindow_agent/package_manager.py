"""What a package manager is to a patch operation: the one interface behind which each has its file (docs/patch-operation.md)."""

from enum import Enum
from typing import Any, Callable, ContextManager, Mapping, NamedTuple, Optional, Protocol, Sequence


class Lists(NamedTuple):
    """How fresh the package lists are."""

    is_refreshed: bool
    as_of: int
    problem: Optional[str] = None


class Source(NamedTuple):
    """A repository that a baseline names: *configuration* is the stanza as the package manager reads it."""

    name: str
    configuration: str


class Wanted(NamedTuple):
    """One patch that the server decided on."""

    # What results call it, on the node and on the server.
    title: str
    name: str
    arch: str
    # The candidate exactly as the facts gave it.
    version: str
    advisories: Sequence[str] = ()


class Blocked(NamedTuple):
    """A package that must not be installed or updated, not even as a dependency."""

    name: str
    arch: str
    # Empty: no version of it.
    version: str = ""


class Order(NamedTuple):
    """What is to be installed."""

    wanted: Sequence[Wanted]
    blocked: Sequence[Blocked] = ()
    # Whether packages may be removed that nothing replaces.
    may_remove: bool = False


class Outcome(NamedTuple):
    """What became of an order, as the package database says afterwards.

    Each wanted title is installed, failed or left.
    """

    installed: Sequence[str]
    # Why, by title.
    failed: Mapping[str, str]
    # What else changed, as `name.arch:version`.
    came_along: Sequence[str] = ()
    removed: Sequence[str] = ()
    # What people should read: packages that were held, scriptlets that failed, what was tried again.
    remarks: Sequence[str] = ()
    # The titles that were not tried any more, as the command was over.
    left: Sequence[str] = ()


class Phase(Enum):
    """What a patch operation is at."""

    REPAIRING = "Repairing"
    REFRESHING = "Refreshing"
    SCANNING = "Scanning"
    SIMULATING = "Simulating"
    DOWNLOADING = "Downloading"
    INSTALLING = "Installing"
    REBOOTING = "Rebooting"
    VERIFYING = "Verifying"


# Phase, how many are done, of how many, and the one that is at hand (empty where there is none).
Tell = Callable[[Phase, int, int, str], None]

# Asked before each transaction: why nothing more may be begun, empty while it may.
Over = Callable[[], str]


def never_over() -> str:
    """Return that more may be begun, of an installation that no command can end."""
    return ""


class PackageManager(Protocol):
    """One node's package manager."""

    def repair(self) -> Sequence[str]:
        """Finish what an interrupted operation left half done; return what was done, a sentence for each.

        Raises:
            InstallFailed: it cannot be repaired; nothing may be installed on top.
        """

    def using(self, sources: Sequence[Source]) -> ContextManager[None]:
        """Make *sources* the only repositories while the context is open; none: the machine's own.

        The machine's configuration is not touched, so that nothing has to be put back, whatever happens.
        """

    def refresh(self) -> Lists:
        """Refresh the package lists.

        Raises:
            ScanFailed: they could not be refreshed, for another reason than a lack of rights.
        """

    def facts(self) -> "tuple[dict[str, Any], list[int]]":
        """Return the facts (docs/facts.md), and beside them when each package was installed.

        Raises:
            ScanFailed: a program did not give its part.
        """

    def install(self, order: Order, tell: Tell, over: Over = never_over) -> Outcome:
        """Install exactly what *order* wants and what that needs; one patch that fails does not keep out the rest.

        Once it is *over*, what is left is not begun.

        Raises:
            InstallFailed: nothing could be tried: no room on the disk, no rights, a lock that was not released.
        """

    def needs_reboot(self) -> Sequence[str]:
        """Return why the machine waits for a reboot, a sentence for each; empty where it does not."""
