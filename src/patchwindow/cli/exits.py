"""How a command ends, as the caller's shell sees it."""

from enum import IntEnum


class Exit(IntEnum):
    """The exit codes of every command."""

    DONE = 0
    FAILED = 1
    """Refused by the server, or done and something failed."""
    MISUSED = 2
    """The command line itself is wrong; nothing was asked of anyone."""
