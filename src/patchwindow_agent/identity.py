"""Who this node is to the server, and how it became so."""

import base64
import os
import re
import uuid
from pathlib import Path
from typing import NamedTuple

from patchwindow_agent import files
from patchwindow_agent.errors import StateProblem

_FILE = "identity.json"
_MACHINE_ID = re.compile("[0-9a-f]{32}")
# A name space of our own, so that no other program makes the same of the same id.
_FINGERPRINTS = uuid.UUID("5f0e7a3c-9f0b-4d36-8a55-0f6f1c8d2b7e")


class Identity(NamedTuple):
    """What the node keeps of its registration."""

    node_id: str
    region: str
    # Shared with the server: the text itself is the key that signs requests for a role token.
    secret: str
    fingerprint: str
    # What the node calls itself; empty for the machine's host name.
    name: str = ""


def new_secret() -> str:
    """Return 32 random bytes as the text that both sides sign with."""
    return base64.b64encode(os.urandom(32)).decode()


def fingerprint(machine_id: Path = Path("/etc/machine-id")) -> str:
    """Return what this machine is recognised by when it registers again; a random one where the system has no id.

    It is made of the id that the system has in *machine_id*, which is not to be told to others as it is.
    """
    try:
        text = machine_id.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        text = ""
    # While a system is installed the file may say "uninitialized".
    return str(uuid.uuid5(_FINGERPRINTS, text) if _MACHINE_ID.fullmatch(text) else uuid.uuid4())


def save(identity: Identity, state: Path) -> None:
    """Keep *identity* in the folder *state*.

    Raises:
        StateProblem: it cannot be written.
    """
    files.make_private(state)
    files.write_json(state / _FILE, identity._asdict())


def load(state: Path) -> Identity:
    """Return the identity kept in *state*.

    Raises:
        StateProblem: there is none, or it cannot be read.
    """
    path = state / _FILE
    try:
        return Identity(**files.read_json(path))
    except FileNotFoundError:
        raise StateProblem(f"{state} holds no registration: run `register --state {state} …` first") from None
    except TypeError as problem:
        raise StateProblem(f"{path} is no registration: {problem}") from problem


def check_writable(state: Path) -> None:
    """Make the folder *state* and try it.

    Raises:
        StateProblem: nothing can be kept there.
    """
    files.make_private(state)
    probe = state / "probe"
    files.write(probe, "")
    probe.unlink()


def is_registered(state: Path) -> bool:
    """Return whether *state* holds a registration, readable or not."""
    return (state / _FILE).exists()
