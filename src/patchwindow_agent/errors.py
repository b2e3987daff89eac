"""Everything the agent can meet, in one tree.

* AgentError             the root; never raised itself
  - Unreachable          the server did not answer, or not in HTTP that can be understood
  - Refused              the server answered with an error; carries its code
    - Asleep             the server wants this node to stay away for a while
  - CommandOver          the command may change nothing more on this node
  - Unusable             a message or an order that cannot be carried out
  - StateProblem         the state folder cannot be used as it is
  - ScanFailed           the package manager could not give the facts
    - NoRights           it could not for lack of rights
    - Locked             it could not because another process holds its lock
  - InstallFailed        the package manager could not begin to install, or be repaired
  - Unsupported          the machine has no package manager, or nothing that starts services, that is known here
  - ServiceProblem       the agent could not be made a service of the machine, or taken off it
  - NotTaken             a new program of the agent was not taken up; the one that runs stays
"""

from typing import Optional


class AgentError(Exception):
    """The root; never raised itself."""


class Unreachable(AgentError):
    """The server gave no answer that can be used."""


class Refused(AgentError):
    """The server answered with an error."""

    def __init__(self, code: str, message: str, *, status: int, date: Optional[float] = None) -> None:
        super().__init__(f"{code}: {message}" if message else code)
        self.code = code
        self.status = status
        # The server's clock in seconds since 1970, where its answer carried it.
        self.date = date


class Asleep(Refused):
    """The server refused this node itself; asking again soon only makes noise."""

    def __init__(self, code: str, message: str, *, status: int, retry_after_s: float) -> None:
        super().__init__(code, message, status=status)
        self.retry_after_s = retry_after_s


class CommandOver(AgentError):
    """The command is cancelled, cut off, expired or ended: nothing more may be changed by it."""


class Unusable(AgentError):
    """The message or order cannot be carried out as it stands."""


class StateProblem(AgentError):
    """The state folder cannot be used as it is."""


class ScanFailed(AgentError):
    """The package manager could not give the facts."""


class NoRights(ScanFailed):
    """The package manager refused for lack of rights."""


class Locked(ScanFailed):
    """Another process holds the package manager's lock."""


class InstallFailed(AgentError):
    """The package manager could not begin to install, or could not be repaired."""


class Unsupported(AgentError):
    """The machine has no package manager, or nothing that starts services, that is known here."""


class ServiceProblem(AgentError):
    """The agent could not be made a service of the machine, or taken off it."""


class NotTaken(AgentError):
    """A new program of the agent was not taken up; the one that runs stays."""
