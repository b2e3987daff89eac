"""The commands that change packages under apt, with all that makes them do what was ordered and nothing else."""

from pathlib import Path
from typing import Callable, Mapping, Optional, Sequence

from patchwindow_agent import apt_plan
from patchwindow_agent.apt_locks import held_lock, patiently
from patchwindow_agent.apt_log import terminal_log
from patchwindow_agent.apt_plan import Change, Details, Simulation, States
from patchwindow_agent.errors import InstallFailed, Locked
from patchwindow_agent.programs import Completed, OnLine, Run

# Long enough for what installs updates by itself at night; the operation has to end within the time of its step.
LOCK_WAIT_S = 900
# A script of a package that waits for an answer waits for ever, and nobody answers.
_CHANGE_TIMEOUT_S = 5400

# Changed configuration files are kept, new ones of the publisher are put beside them (`.dpkg-dist`).
_KEEP = ("--force-confdef", "--force-confold", "--refuse-confnew")

# What a simulation must have in common with what it simulates.
_SOLVER = (
    "-o",
    "APT::Get::AutomaticRemove=false",
    # The server has decided; that a publisher's update has not reached this machine yet is for unattended updates.
    "-o",
    "APT::Get::Always-Include-Phased-Updates=true",
)

_APT_GET = (
    # Progress goes to the standard output under a number of its own: told to write it to 1, apt takes 1 away from dpkg,
    # and scripts of packages then fail because they cannot write.
    "sh",
    "-c",
    'exec apt-get "$@" 3>&1',
    "apt-get",
    "-q",
    "-y",
    # Named packages would lose their mark of being there for others only, and never be removed with them.
    "--mark-auto",
    *_SOLVER,
    # With a terminal of its own dpkg would not be killed with apt, and two would work on one database.
    "-o",
    "Dpkg::Use-Pty=0",
    "-o",
    "APT::Status-Fd=3",
    *(word for option in _KEEP for word in ("-o", f"Dpkg::Options::={option}")),
)

# Nobody is there to answer or to read, and nothing is restarted behind the operation's back: the packages' own scripts
# restart their services, a reboot is the operation's, and what still uses old libraries is told.
_UNATTENDED = {
    "NEEDRESTART_SUSPEND": "1",
    "APT_LISTCHANGES_FRONTEND": "none",
    "APT_LISTBUGS_FRONTEND": "none",
    "UCF_FORCE_CONFFOLD": "1",
}


class Commands:
    """apt-get, apt-cache and dpkg with the *options* of one package manager; *native* is the machine's architecture."""

    def __init__(
        self,
        run: Run,
        options: Sequence[str],
        *,
        native: str,
        log: Optional[Path],
        sleep: Callable[[float], None],
        lock_wait_s: int,
    ) -> None:
        self._run = run
        self._options = options
        self._native = native
        self._log = log
        self._sleep = sleep
        self._lock_wait_s = lock_wait_s

    def states(self) -> States:
        """Return how dpkg has each package.

        Raises:
            InstallFailed: dpkg does not say.
        """
        done = self._run(["dpkg-query", "-W", "-f", apt_plan.STATES_FORMAT])
        if done.exit_code != 0:
            raise InstallFailed(f"cannot read dpkg's database: {apt_plan.install_problem(done)}")
        return apt_plan.parse_states(done.stdout)

    def ask(self, *command: str) -> Completed:
        """Return what *command*, which only reads, says; the first word is the program."""
        program, *words = command
        return self._run([program, *(self._options if program.startswith("apt-") else ()), *words])

    def simulate(self, *words: str) -> Simulation:
        """Return what an apt-get with *words* would do."""
        done = self.ask("apt-get", "-q", "-y", "--simulate", *_SOLVER, *words)
        return apt_plan.parse_simulation(done, native=self._native)

    def details(self, changes: Sequence[Change]) -> "Mapping[tuple[str, str], Details]":
        """Return what the lists say of the versions of *changes*, by name and version."""
        versions = [f"{self.full_name(change.name, change.arch)}={change.version}" for change in changes]
        if not versions:
            return {}
        return apt_plan.parse_details(self.ask("apt-cache", "--no-all-versions", "show", *versions).stdout)

    def lost(self, simulation: Simulation) -> Sequence[str]:
        """Return the packages that would be removed and whose place nothing takes that is installed, sorted."""
        if not simulation.removes:
            return []
        details = self.details(simulation.installs)
        replaced = {name for detail in details.values() for name in detail.stands_in_for}
        return sorted({change.name for change in simulation.removes} - replaced)

    def full_name(self, name: str, arch: str) -> str:
        """Return what apt calls a package: with its architecture where that is a foreign one."""
        return name if arch in ("all", self._native) else f"{name}:{arch}"

    def apt_get(self, *words: str, on_line: Optional[OnLine] = None, on_wait: OnLine = lambda _: None) -> Completed:
        """Return what apt-get says; where another program holds a lock, that is waited for.

        Raises:
            InstallFailed: the lock was not released.
        """
        return self._patiently([*_APT_GET, *self._options, *words], on_line, on_wait)

    def configure_all(self, on_wait: OnLine = lambda _: None) -> Completed:
        """Let dpkg finish what is unpacked, as `apt_get` does.

        Raises:
            InstallFailed: the lock was not released.
        """
        return self._patiently(["dpkg", *_KEEP, "--configure", "-a"], None, on_wait)

    def _patiently(self, command: Sequence[str], on_line: Optional[OnLine], on_wait: OnLine) -> Completed:
        def attempt() -> Completed:
            with terminal_log(self._log) as log:

                def hear(line: str) -> None:
                    log(line)
                    if on_line is not None:
                        on_line(line)

                done = self._run(command, timeout_s=_CHANGE_TIMEOUT_S, environ=_UNATTENDED, on_line=hear)
                if held_lock(done.stderr) is None:
                    for line in done.stderr.splitlines():
                        log(line)
                return done

        try:
            return patiently(attempt, sleep=self._sleep, wait_s=self._lock_wait_s, on_wait=on_wait)
        except Locked as problem:
            raise InstallFailed(str(problem)) from problem
