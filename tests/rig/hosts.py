"""Several hosts on this machine, each with files, processes, a name and an address of its own, beside one server's address.

A host is an overlay on one root that all share, in namespaces. Its agent is kept running as a service is; what reboots it
ends all its processes and boots it again, with another boot id. It shares this machine's kernel and clock, and reaches the
server's address and nothing beyond.
"""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Final

from tests.rig.booted import children

__all__ = ["REBOOT_COMMAND", "Host", "Network", "network"]

REBOOT_COMMAND: Final = "sh -c 'kill -USR1 1'"
"""What reboots a host, from within."""

_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_STOP_S: Final = 20.0
# Boots again whatever ended the boot before, as a machine does whose power is back.
_LOOP: Final = """
trap 'kill -9 $!; wait $!; exit 0' TERM
while :; do
  cat /proc/sys/kernel/random/uuid >"$BOOT_ID"
  cat "$BOOT_ID" >>"$BOOT_ID.all"
  "$@" & wait $!
  sleep 0.2 & wait $!
done
"""
# What a boot finds empty is emptied.
_ENTER: Final = """
mount -t proc proc "$R/proc"
mount --bind "$BOOT_ID" "$R/proc/sys/kernel/random/boot_id"
hostname "$HOST"
rm -rf "$R"/run/* "$R"/tmp/*
exec chroot "$R" /usr/bin/env -i PATH="$INNER_PATH" HOME=/root LC_ALL=C.UTF-8 PYTHONPATH="$PYTHONPATH" sh -c "$INIT" sh "$@"
"""
# The first process of a host. Where its service ends, it is started again.
_INIT: Final = """
trap 'exit 0' USR1
while :; do
  "$@" </dev/null >>/var/log/service.log 2>&1 & wait $!
  sleep 1 & wait $!
done
"""


class Host:
    """A host that is not booted yet, or runs."""

    def __init__(self, name: str, folder: Path, namespace: str, python_path: str) -> None:
        self.name = name
        self.root = folder / "root"
        self._boot_id = folder / "boot-id"
        self._namespace = namespace
        self._python_path = python_path
        self._log = folder / "console.log"
        self._service: list[str] = []
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def boot_count(self) -> int:
        """How often it has booted."""
        return len(Path(f"{self._boot_id}.all").read_text().splitlines())

    @property
    def log(self) -> str:
        """What its service has said."""
        return (self.root / "var/log/service.log").read_text()

    def run(self, *command: str) -> str:
        """Return what *command* prints in its files; none of its namespaces is entered, only its network."""
        inside = ["ip", "netns", "exec", self._namespace, "chroot", str(self.root)]
        environ = {"PATH": _PATH, "HOME": "/root", "LC_ALL": "C.UTF-8", "PYTHONPATH": self._python_path}
        done = subprocess.run([*inside, *command], env=environ, check=False, capture_output=True, text=True)
        assert done.returncode == 0, f"{self.name}: {command} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
        return done.stdout

    def boot(self, *service: str) -> None:
        """Boot it, with *service* as the program that it keeps running."""
        self._service = list(service)
        own = ["unshare", "--mount", "--uts", "--ipc", "--pid", "--fork", "--kill-child"]
        command = ["ip", "netns", "exec", self._namespace, *own, "sh", "-ec", _ENTER, "sh", *service]
        environ = {
            **os.environ,
            "R": str(self.root),
            "HOST": self.name,
            "BOOT_ID": str(self._boot_id),
            "INIT": _INIT,
            "INNER_PATH": _PATH,
            "PYTHONPATH": self._python_path,
        }
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                ["sh", "-c", _LOOP, "sh", *command], env=environ, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def cut_power(self) -> None:
        """End all its processes at once; it boots again."""
        os.kill(self._first_process(), signal.SIGKILL)

    def kill_service(self) -> None:
        """End its service with kill -9, and nothing that the service has started; it is started again."""
        below = children(self._first_process())
        (pid,) = [each for each in below if Path(f"/proc/{each}/cmdline").read_text().split("\0")[:-1] == self._service]
        os.kill(pid, signal.SIGKILL)

    def set_link(self, *, is_up: bool) -> None:
        """Plug the host into the switch, or out of it: it hears nothing, and is told nothing."""
        _ip("link", "set", self._namespace, "up" if is_up else "down")

    @contextmanager
    def full_disk(self) -> Iterator[None]:
        """Leave it no room on its disk, and take what becomes free, as a log does that grows without an end."""
        path, is_over = self.root / "var/log/grows", Event()

        def grow() -> None:
            with path.open("wb", buffering=0) as file:
                while not is_over.is_set():
                    try:
                        file.write(bytes(4096))
                    except OSError:
                        is_over.wait(0.001)

        thread = Thread(target=grow)
        thread.start()
        try:
            while os.statvfs(self.root).f_bavail:
                is_over.wait(0.01)
            yield
        finally:
            is_over.set()
            thread.join()
            path.unlink()

    def close(self) -> None:
        """End it for good."""
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(_STOP_S)

    def _first_process(self) -> int:
        assert self._process is not None, "it was booted"
        (boot,) = children(self._process.pid)
        (first,) = children(boot)
        return first


class Network:
    """Hosts made in *folder* over the files of *base*, on a switch at which this machine is *address*."""

    def __init__(self, base: Path, folder: Path, tag: str, prefix: str, stack: ExitStack) -> None:
        self.address = f"{prefix}.1"
        self._base = base
        self._folder = folder
        self._tag = tag
        self._prefix = prefix
        self._stack = stack
        self._count = 0

    def add(self, name: str, *, python_path: str = "", disk_mb: int = 0) -> Host:
        """Return a new host; with *disk_mb* all that it writes must fit on a disk of so many megabytes."""
        self._count += 1
        folder, namespace = self._folder / name, f"{self._tag}-{self._count}"
        (folder / "root").mkdir(parents=True)
        disk = folder / "disk"
        disk.mkdir()
        if disk_mb:
            self._mount("-t", "tmpfs", "-o", f"size={disk_mb}m", "tmpfs", str(disk))
        for part in ("upper", "work"):
            (disk / part).mkdir()
        layers = f"lowerdir={self._base},upperdir={disk}/upper,workdir={disk}/work"
        self._mount("-t", "overlay", "-o", layers, "overlay", str(folder / "root"))
        self._connect(namespace, f"{self._prefix}.{self._count + 1}")
        host = Host(name, folder, namespace, python_path)
        self._stack.callback(host.close)
        return host

    def _mount(self, *what: str) -> None:
        subprocess.run(["mount", *what], check=True)
        self._stack.callback(subprocess.run, ["umount", "--lazy", what[-1]], check=True)

    def _connect(self, namespace: str, address: str) -> None:
        _ip("netns", "add", namespace)
        self._stack.callback(_ip, "netns", "del", namespace)
        _ip("link", "add", namespace, "type", "veth", "peer", "name", "eth0", "netns", namespace)
        # A connection that is not over yet would keep the namespace, and with it the link.
        self._stack.callback(_ip, "link", "del", namespace)
        _ip("link", "set", namespace, "master", self._tag, "up")
        _ip("-n", namespace, "address", "add", f"{address}/24", "dev", "eth0")
        for link in ("lo", "eth0"):
            _ip("-n", namespace, "link", "set", link, "up")


@contextmanager
def network(base: Path, folder: Path) -> Iterator[Network]:
    """Make a switch for hosts over the files of *base*, which must not change; all ends with the context."""
    # These addresses are for measurements and never on a real network (RFC 2544); several runs at once have several.
    number = os.getpid() % 250
    tag, prefix = f"pwnet{number}", f"198.18.{number}"
    with ExitStack() as stack:
        _ip("link", "add", tag, "type", "bridge")
        stack.callback(_ip, "link", "del", tag)
        made = Network(base, folder, tag, prefix, stack)
        _ip("address", "add", f"{made.address}/24", "dev", tag)
        _ip("link", "set", tag, "up")
        yield made


def _ip(*arguments: str) -> None:
    done = subprocess.run(["ip", *arguments], check=False, capture_output=True, text=True)
    assert done.returncode == 0, f"ip {' '.join(arguments)}: {done.stderr}"
