"""How dnf and yum are run: with the options of an operation, and with their locks waited for."""

import time
from typing import Callable, NamedTuple, Optional, Sequence

from patchwindow_agent import dnf_output
from patchwindow_agent.programs import Completed, OnLine, Run

_LOCK_WAIT_S = 120
_LOCK_PAUSE_S = 2
_TIMEOUT_S = 1800
# A transaction that is killed in the middle leaves packages twice, so it has far more time than any should need.
_TRANSACTION_TIMEOUT_S = 4 * 3600
# dnf 4 would wait for ever; dnf 5 always does, and has the time of any command.
_NO_WAITING = "--setopt=exit_on_lock=1"


class Dialect(NamedTuple):
    """What differs between the command lines of dnf and of yum."""

    program: str
    # Where it keeps what it fetched, unless its configuration says otherwise; below the root.
    caches: Sequence[str]
    configuration: str
    # What updates to exactly the version that is named, and its options.
    upgrade: str
    exactly: Sequence[str]
    # What was refreshed at the begin of an operation is used to its end: what was decided on is what is installed.
    same_lists: Sequence[str]
    # What `check` looks at.
    duplicates: str


# dnf would leave out what does not go, take in what is only recommended, and say nothing of it.
DNF = Dialect(
    program="dnf",
    caches=("var/cache/libdnf5", "var/cache/dnf"),
    configuration="etc/dnf/dnf.conf",
    upgrade="upgrade",
    exactly=("--best", "--setopt=install_weak_deps=False", "--comment=patchwindow"),
    same_lists=("--setopt=metadata_expire=-1", "--setopt=*.metadata_expire=-1"),
    duplicates="--duplicates",
)
YUM = Dialect(
    program="yum",
    caches=("var/cache/yum",),
    configuration="etc/yum.conf",
    upgrade="update-to",
    exactly=("--setopt=skip_broken=0",),
    # It looks for newer ones after six hours, and knows no name for all repositories.
    same_lists=(),
    duplicates="duplicates",
)


class Command:
    """dnf or yum; *options* go with every command."""

    def __init__(
        self, run: Run, dialect: Dialect, *, options: Sequence[str] = (), sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._run = run
        self._sleep = sleep
        self.dialect = dialect
        self.options = list(options)

    def run(
        self, arguments: Sequence[str], *, timeout_s: float = _TIMEOUT_S, on_line: Optional[OnLine] = None
    ) -> Completed:
        """Return what the command says; where another process holds a lock, what it says after 120 s of waiting."""
        command = [self.dialect.program, _NO_WAITING, *self.options, *arguments]
        for _ in range(_LOCK_WAIT_S // _LOCK_PAUSE_S):
            done = self._run(command, timeout_s=timeout_s, on_line=on_line)
            if not dnf_output.is_locked(*done):
                return done
            self._sleep(_LOCK_PAUSE_S)
        return self._run(command, timeout_s=timeout_s, on_line=on_line)

    def ask(self, arguments: Sequence[str], *, doing: str, codes: Sequence[int] = (0,)) -> str:
        """Return what the command prints of the lists as they are.

        Raises:
            ScanFailed: it ended with none of *codes*; *doing* says what was tried.
        """
        done = self.run(["-C", *arguments])
        if done.exit_code not in codes:
            raise dnf_output.failure(done.exit_code, done.stdout, done.stderr, doing=doing)
        return done.stdout

    def transact(self, arguments: Sequence[str], *, on_line: Optional[OnLine] = None) -> Completed:
        """Return what a transaction says, whose questions are answered with yes."""
        return self.run(["-y", *self.dialect.same_lists, *arguments], timeout_s=_TRANSACTION_TIMEOUT_S, on_line=on_line)

    def plan(self, arguments: Sequence[str]) -> Completed:
        """Return what a transaction would do."""
        return self.run(["--assumeno", *self.dialect.same_lists, *arguments])
