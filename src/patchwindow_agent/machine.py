"""What this machine is: its operating system, its names, its boot."""

import os
import shlex
import socket
import subprocess
from pathlib import Path
from typing import Any, NamedTuple

from patchwindow_agent import __version__
from patchwindow_agent.identity import Identity

AGENT_NAME = "patchwindow-agent"


class System(NamedTuple):
    """The operating system, by its own os-release."""

    id: str
    name: str
    version_id: str
    codename: str
    # The systems that it is made from, e.g. ("debian",) for Raspbian.
    like: tuple[str, ...] = ()


def parse_os_release(text: str) -> System:
    """Return what the os-release file *text* says. Source: os-release(5), shell-compatible assignments."""
    values: dict[str, str] = {}
    for line in text.splitlines():
        key, equals, value = line.strip().partition("=")
        if not equals or key.startswith("#"):
            continue
        try:
            values[key] = "".join(shlex.split(value))
        except ValueError:
            continue
    return System(
        id=values.get("ID", "linux"),
        name=values.get("NAME", "Linux"),
        version_id=values.get("VERSION_ID", ""),
        codename=values.get("VERSION_CODENAME", ""),
        like=tuple(values.get("ID_LIKE", "").split()),
    )


def read_system(root: Path) -> System:
    """Return the operating system under *root*, Linux by its os-release and macOS by its own file; else only that it is Linux."""
    for name in ("etc/os-release", "usr/lib/os-release"):
        try:
            return parse_os_release((root / name).read_text(encoding="utf-8", errors="replace"))
        except OSError:
            continue
    try:
        return _macos(root)
    except (OSError, ValueError):
        return parse_os_release("")


def _macos(root: Path) -> System:
    import plistlib  # noqa: PLC0415 - a resting agent elsewhere does not hold it in memory

    with (root / "System/Library/CoreServices/SystemVersion.plist").open("rb") as file:
        told = plistlib.load(file)
    return System(
        id="macos",
        name=str(told.get("ProductName", "macOS")),
        version_id=str(told.get("ProductVersion", "")),
        codename="",
    )


def platform_type() -> str:
    """Return the kind of system as the API names it."""
    return {"Linux": "Linux", "Darwin": "MacOS"}.get(os.uname().sysname, "Linux")


def boot_id() -> str:
    """Return what identifies this boot; empty where the system does not say."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        pass
    # macOS names its boots as well, and tells it only so.
    try:
        told = subprocess.run(
            ["/usr/sbin/sysctl", "-n", "kern.bootsessionuuid"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
    except OSError:
        return ""
    return told.stdout.decode(errors="replace").strip()


def short_ping(identity: Identity) -> dict[str, Any]:
    """Return the first sign of life after a start."""
    return {
        "InstanceId": identity.node_id,
        "AgentName": AGENT_NAME,
        "AgentVersion": __version__,
        "PlatformType": platform_type(),
    }


def full_ping(identity: Identity, peer: tuple[str, int]) -> dict[str, Any]:
    """Return the sign of life that says everything; *peer* is what this machine connects to on its way to the server."""
    system = read_system(Path("/"))
    return {
        **short_ping(identity),
        "AgentStatus": "Active",
        "ComputerName": identity.name or socket.gethostname(),
        "IPAddress": _address_towards(*peer),
        "PlatformName": system.name,
        "PlatformVersion": system.version_id,
        "SSMConnectionChannel": "ec2messages",
        # Of our own; empty where the system does not name its boots.
        "BootId": boot_id(),
    }


def _address_towards(host: str, port: int) -> str:
    """Return the address that this machine has on its way to the server; empty where there is no way."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            # Connecting a datagram socket chooses the route; nothing is sent.
            probe.connect(address)
            return str(probe.getsockname()[0])
    except OSError:
        return ""
