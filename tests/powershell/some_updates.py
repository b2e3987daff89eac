"""Updates that the tests of the operation use."""

from typing import Any, Final

from tests.powershell.node import WindowsNode
from tests.powershell.update_agent import Update

CUMULATIVE: Final = "2026-02 Cumulative Update for Microsoft server operating system (KB5034001)"
TOY: Final = "Security Update for Toy (KB5034002)"
OTHER: Final = "Update for Other (KB5034003)"


def cumulative(**more: Any) -> Update:
    """Return an update that needs a restart."""
    return Update(CUMULATIVE, "5034001", needs_reboot=True, **more)


def toy(**more: Any) -> Update:
    """Return an update."""
    return Update(TOY, "5034002", **more)


def other(**more: Any) -> Update:
    """Return an update."""
    return Update(OTHER, "5034003", **more)


def chain(count: int) -> list[Update]:
    """Return updates of which each is offered once the one before it is installed, after a restart."""
    titles = [f"Servicing Stack {number}" for number in range(count)]
    return [
        Update(title, str(4000000 + number), needs_reboot=True, needs=titles[number - 1] if number else "")
        for number, title in enumerate(titles)
    ]


def installed_titles(node: WindowsNode) -> set[str]:
    """Return the titles of what was installed on a node by anybody."""
    return {update.title for update in node.machine.updates.updates if update.install_count}
