"""A machine that boots its own systemd, in namespaces of this one; it shares this machine's loopback and nothing else.

Every boot has a boot id of its own, and `systemctl reboot` inside boots it again.
"""

import os
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

__all__ = ["Booted", "booted", "children"]

_COMES_UP_S: Final = 60.0
_STOP_S: Final = 20.0
_LOOK_S: Final = 0.1
_REBOOT: Final = 133
"""The exit code with which systemd-nspawn says that the machine wants to boot again."""
# Ends with the machine, and boots it again for as long as that asks for it.
_LOOP: Final = f"""
trap 'kill $!; wait $!; exit 0' TERM
while :; do "$@" <&- & wait $!; test $? = {_REBOOT} || exit; done
"""


class Booted:
    """A machine that runs."""

    def __init__(self, root: Path, process: "subprocess.Popen[bytes]") -> None:
        self.root = root
        self._process = process

    def run(self, *command: str, exit_code: int = 0, stdin: str = "") -> str:
        """Return what *command* says on the machine, where it must end with *exit_code*."""
        done = self._enter(command, stdin)
        assert done.returncode == exit_code, f"{command} ended with {done.returncode}:\n{done.stdout}"
        return done.stdout

    def says(self, *command: str) -> str | None:
        """Return what *command* says on the machine, None where it fails or the machine is between two boots."""
        try:
            done = self._enter(command, "")
        except ProcessLookupError:
            return None
        return done.stdout if done.returncode == 0 else None

    def boot_id(self) -> str | None:
        """Return what identifies this boot."""
        return self.says("cat", "/proc/sys/kernel/random/boot_id")

    def wait_until_up(self) -> None:
        """Return when systemd has started all that it was to start."""
        ends_at = time.monotonic() + _COMES_UP_S
        while (self.says("sh", "-c", "systemctl is-system-running || true") or "").strip() not in (
            "running",
            "degraded",
        ):
            assert self._process.poll() is None, "the machine has ended"
            assert time.monotonic() < ends_at, "the machine did not come up"
            time.sleep(_LOOK_S)

    def _enter(self, command: Sequence[str], stdin: str) -> "subprocess.CompletedProcess[str]":
        environ = {
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": "/root",
            "LC_ALL": "C",
        }
        return subprocess.run(
            ["nsenter", f"--target={self._first_process()}", "--all", "--wd", "--root", *command],
            env=environ,
            input=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )

    def _first_process(self) -> int:
        """Return the machine's process 1, as this machine counts it.

        Raises:
            ProcessLookupError: it is between two boots.
        """
        pid = self._process.pid
        for _ in range(2):
            found = children(pid)
            if not found:
                raise ProcessLookupError
            pid = found[0]
        return pid


@contextmanager
def booted(root: Path) -> Iterator[Booted]:
    """Boot the machine whose files are in *root*, until the end of the block."""
    name = f"pw-{os.getpid()}"
    nspawn = ["systemd-nspawn", "--quiet", "--boot", f"--directory={root}", f"--machine={name}", "--hostname=booted"]
    nspawn += ["--register=no", "--keep-unit", "--resolv-conf=off", "--console=pipe", "--link-journal=no"]
    with (root.parent / "console.log").open("wb") as log:
        process = subprocess.Popen(["sh", "-c", _LOOP, "sh", *nspawn], stdout=log, stderr=log)
    machine = Booted(root, process)
    try:
        machine.wait_until_up()
        yield machine
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(_STOP_S)
        finally:
            for pid in reversed(_all_below(process.pid)):
                os.kill(pid, signal.SIGKILL)
            process.kill()
            process.wait()


def children(pid: int) -> list[int]:
    """Return the processes that *pid* has started and that have not ended."""
    try:
        return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except FileNotFoundError:
        return []


def _all_below(pid: int) -> list[int]:
    found = children(pid)
    return found + [each for child in found for each in _all_below(child)]
