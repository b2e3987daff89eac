"""What the agent of this node was told once and keeps: where its server is, how it is reached, what it may do."""

import ssl
from pathlib import Path
from typing import Mapping, NamedTuple, Optional

from patchwindow_agent import files
from patchwindow_agent.errors import StateProblem, Unusable
from patchwindow_agent.way import CA_VARIABLE, PROXY_VARIABLE, parse_proxy

DEFAULT_STATE = Path("/var/lib/patchwindow-agent")
REBOOT_COMMAND = "/sbin/shutdown -r +1"
AT_ONCE = 2
# A setting for the proxy that stands for none, whatever the environment says.
NO_PROXY = "none"

_FILE = "settings.json"
_CA_FILE = "ca.pem"


class Kept(NamedTuple):
    """What is kept; each of them can be given anew when the agent is started."""

    endpoint: str
    # A URL, "none", or None for what the environment says.
    proxy: Optional[str] = None
    # Empty: this agent never reboots the machine.
    reboot_command: str = REBOOT_COMMAND
    # How many commands may run at once.
    at_once: int = AT_ONCE


def save(kept: Kept, state: Path) -> None:
    """Keep *kept* in the folder *state*.

    Raises:
        StateProblem: they cannot be written.
    """
    files.make_private(state)
    files.write_json(state / _FILE, kept._asdict())


def load(state: Path) -> Optional[Kept]:
    """Return the settings kept in *state*; None where there are none.

    Raises:
        StateProblem: they cannot be read.
    """
    path = state / _FILE
    try:
        return Kept(**files.read_json(path))
    except FileNotFoundError:
        return None
    except TypeError as problem:
        raise StateProblem(f"{path} holds no settings of the agent: {problem}") from problem


def keep_ca(ca: Path, state: Path) -> None:
    """Trust the authority in the PEM file *ca* from now on, and it alone.

    Raises:
        Unusable: *ca* cannot be read or holds no certificate.
        StateProblem: it cannot be kept.
    """
    try:
        text = ca.read_text(encoding="ascii")
        ssl.create_default_context(cadata=text)
    except (OSError, ValueError) as problem:
        raise Unusable(
            f"{ca} is no CA that can be trusted: {problem}; give the PEM file of the server's CA"
        ) from problem
    files.make_private(state)
    files.write(state / _CA_FILE, text)


def environment(state: Path, kept: Kept, environ: Mapping[str, str]) -> dict[str, str]:
    """Return *environ* with what leads to the server: for the agent itself, and for the patch operations of its commands."""
    more: dict[str, str] = {}
    if (state / _CA_FILE).exists():
        more[CA_VARIABLE] = str(state / _CA_FILE)
    if kept.proxy is not None:
        more[PROXY_VARIABLE] = "" if kept.proxy == NO_PROXY else kept.proxy
    return {**environ, **more}


def check_proxy(url: str) -> str:
    """Return *url*, which names a proxy or none.

    Raises:
        ValueError: it does not.
    """
    if url != NO_PROXY:
        parse_proxy(url)
    return url
