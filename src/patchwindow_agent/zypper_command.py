"""How zypper is run: without questions, with the options of an operation, and with its lock waited for."""

import time
from typing import Callable, Optional, Sequence

from patchwindow_agent import zypper_output
from patchwindow_agent.programs import Completed, OnLine, Run

_LOCK_WAIT_S = 120
_LOCK_PAUSE_S = 2
_TIMEOUT_S = 1800
# A transaction that is killed in the middle leaves packages twice, so it has far more time than any should need.
_TRANSACTION_TIMEOUT_S = 4 * 3600


class Command:
    """zypper; *options* go with every command, before its name."""

    def __init__(self, run: Run, *, options: Sequence[str] = (), sleep: Callable[[float], None] = time.sleep) -> None:
        self._run = run
        self._sleep = sleep
        self.options = list(options)

    def run(
        self,
        arguments: Sequence[str],
        *,
        timeout_s: float = _TIMEOUT_S,
        lock_wait_s: float = _LOCK_WAIT_S,
        on_line: Optional[OnLine] = None,
    ) -> Completed:
        """Return what the command says; where another process holds the lock, what it says after *lock_wait_s*.

        zypper's own variable for that, ZYPP_LOCK_TIMEOUT, is not known to older ones.
        """
        command = ["zypper", "--non-interactive", "--xmlout", *self.options, *arguments]
        waited_s = 0.0
        while True:
            done = self._run(command, timeout_s=timeout_s, on_line=on_line)
            if not zypper_output.is_locked(done.exit_code) or waited_s >= lock_wait_s:
                return done
            self._sleep(_LOCK_PAUSE_S)
            waited_s += _LOCK_PAUSE_S

    def ask(self, arguments: Sequence[str], *, doing: str) -> str:
        """Return what the command prints of the lists as they are.

        Raises:
            ScanFailed: it failed, or left a repository out; *doing* says what was tried.
        """
        done = self.run(["--no-refresh", *arguments])
        if done.exit_code != 0:
            raise zypper_output.failure(done.exit_code, done.stdout, done.stderr, doing=doing)
        return done.stdout

    def install(self, options: Sequence[str], specs: Sequence[str], *, on_line: Optional[OnLine] = None) -> Completed:
        """Return what the installation of *specs*, or a plan of it by *options*, says.

        Who approves a patch agrees with its licence; zypper would end with nothing done otherwise.
        """
        arguments = ["--no-refresh", "install", "--no-recommends", "--auto-agree-with-licenses", *options, "--", *specs]
        return self.run(arguments, timeout_s=_TRANSACTION_TIMEOUT_S, on_line=on_line)
