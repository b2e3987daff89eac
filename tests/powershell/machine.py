"""A made-up Windows: what the interpreter's scripts reach, what restarts, and where it can be killed."""

import uuid
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from tests.fakes.edge import Edge
from tests.powershell import cmdlets, dotnet
from tests.powershell.disk import Disk
from tests.powershell.interpreter import outputs
from tests.powershell.registry import Registry
from tests.powershell.running import Exit
from tests.powershell.update_agent import Agent
from tests.powershell.values import Kind
from tests.powershell.web import Web

PROFILE: Final = r"C:\Windows\system32\config\systemprofile\AppData\Local"
CBS_KEY: Final = r"SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing\RebootPending"
SESSION_KEY: Final = r"SYSTEM\CurrentControlSet\Control\Session Manager"
POLICY_KEY: Final = r"SOFTWARE\Policies\Microsoft\Windows\WindowsUpdate"


class Killed(BaseException):
    """The process of a script is gone: nothing of it runs any more, no `finally` either."""


def _never(_: str) -> bool:
    return False


class Machine:
    """A Windows Server 2022 whose server is *edge*, and whose clock is the server's."""

    def __init__(self, edge: Edge) -> None:
        self._edge = edge
        self.environment = {"LOCALAPPDATA": PROFILE, "PROCESSOR_ARCHITECTURE": "AMD64"}
        self.caption = "Microsoft Windows Server 2022 Datacenter"
        self.version = "10.0.20348"
        self.disk = Disk(self.now, self._point)
        self.registry: Registry = Registry()
        self.registry.put(SESSION_KEY, ProcessorControl=1)
        self.updates: Agent = Agent(self.now, self._point)
        self.web = Web(edge, self._point)
        self.security_protocol: int = 0
        self.output: list[str] = []
        self.errors: list[str] = []
        self.slept = timedelta(0)
        self.points: list[str] = []
        self._kills: Callable[[str], bool] = _never
        self._at_points: dict[str, Callable[[], object]] = {}
        self._guid_count = 0

    def now(self) -> datetime:
        """Return the instant."""
        return self._edge.here.clock.now()

    def sleep(self, time: timedelta) -> None:
        """Let *time* pass."""
        self.slept += time
        self._edge.here.clock.advance(time)

    def new_guid(self) -> str:
        """Return an id that no other is like."""
        self._guid_count += 1
        return str(uuid.UUID(int=self._guid_count))

    def run(self, script: str, *, kills: Callable[[str], bool] = _never) -> int:
        """Run a script in a process of its own, and return its exit code.

        *kills*: says of each point that the script comes to whether it is killed there.

        Raises:
            Killed: it was.
        """
        self.output, self.errors, self.points, self._kills = [], [], [], kills
        self.slept = timedelta(0)
        environment = dict(self.environment)
        try:
            leaked = outputs(script, self)
            assert leaked == [], "a script leaves nothing in its pipeline, or the console would show it"
        except Exit as end:
            return end.code
        finally:
            self.environment = environment
            self.disk.end_process()
        return 0

    def at_point(self, name: str, happens: Callable[[], object]) -> None:
        """Let something happen when the script comes to a point for the first time."""
        self._at_points[name] = happens

    def lose_server_for(self, time: timedelta) -> None:
        """Let *time* pass, and a few requests after it fail as if nothing were there."""
        self.sleep(time)
        self.web.troubles = {"order": [0] * 3, "progress": [0]}

    def hold_lock(self) -> None:
        """Let another process hold the lock of patch operations."""
        path = rf"{PROFILE}\patchwindow\patch.lock"
        self.disk.put(path, b"")
        self.disk.open_paths.add(path.casefold())

    def restart(self) -> None:
        """Restart as Windows does when it is asked to."""
        self.registry.restart()
        self.registry.remove(CBS_KEY)
        self.registry.put(SESSION_KEY, ProcessorControl=1)
        self.updates.restart()
        self.sleep(timedelta(minutes=2))

    def lose_power(self) -> None:
        """Restart without being asked, and lose what was not on the disk."""
        self.disk.lose_power()
        self.restart()

    def _point(self, name: str) -> None:
        if self._kills(name):
            raise Killed(name)
        self.points.append(name)
        self._at_points.pop(name, lambda: None)()

    def cmdlet(self, name: str, given: list[Any], options: Mapping[str, Any]) -> list[Any]:
        """Return the output of a cmdlet."""
        return cmdlets.run(self, name, given, options)

    def member(self, value: Any, name: str) -> Any:
        """Return a member of an object."""
        return dotnet.member(self, value, name)

    def put_member(self, value: Any, name: str, new: Any) -> None:
        """Change a member of an object."""
        dotnet.put_member(self, value, name, new)

    def call(self, value: Any, name: str, arguments: list[Any]) -> Any:
        """Call a method of an object."""
        return dotnet.call(self, value, name, arguments)

    def cast(self, kind: Kind, value: Any) -> Any:
        """Return *value* as of a type."""
        return dotnet.cast(kind, value)

    def is_of(self, value: Any, kind: Kind) -> bool:
        """Return whether *value* is of a type."""
        return dotnet.is_of(value, kind)
