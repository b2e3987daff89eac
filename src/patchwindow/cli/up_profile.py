"""How somebody gets at the control plane: a credentials file for the AWS CLI and SDKs, and a link to the console."""

import configparser
import os
from pathlib import Path
from typing import Final

from patchwindow.bootstrap import Server, at_hand, create_access_key
from patchwindow.operations.sign_in import make_link
from patchwindow.store.settings import AccessKey, Role

PROFILE: Final = "patchwindow"
REGION: Final = "us-east-1"
ADMINISTRATOR: Final = "admin"
"""Whom the link signs in."""
_FILE: Final = "credentials"


def write_profile(data: Path, server: Server) -> Path:
    """Return the credentials file, with an administrator's key that the server knows; made on the first start."""
    path = data / _FILE
    if not _is_good(path, server):
        key = create_access_key(
            server.database, role=Role.ADMIN, comment="made by patchwindow up", clock=server.clock, ids=server.ids
        )
        _write(path, key)
    return path


def sign_in_link(server: Server) -> str:
    """Return a link that signs the administrator in to the console once."""
    with server.database.read() as work:
        is_known = work.people.get(ADMINISTRATOR) is not None
    if not is_known:
        at_hand(server.database, server.clock, server.ids)("CreatePerson", Name=ADMINISTRATOR, Role=Role.ADMIN)
    with server.database.write() as work:
        secret = make_link(work, ADMINISTRATOR, now=server.clock.now(), ids=server.ids)
    return f"{server.url}/console/link/{secret}"


def _is_good(path: Path, server: Server) -> bool:
    """Return whether the file holds a key that works; one that was disabled or deleted is replaced."""
    profiles = configparser.ConfigParser(interpolation=None)
    profiles.read(path)
    if PROFILE not in profiles:
        return False
    given = profiles[PROFILE]
    with server.database.read() as work:
        key = work.access_keys.get(given.get("aws_access_key_id", ""))
    return key is not None and key.is_enabled and key.secret_access_key == given.get("aws_secret_access_key")


def _write(path: Path, key: AccessKey) -> None:
    text = (
        f"[{PROFILE}]\n"
        f"aws_access_key_id = {key.access_key_id}\n"
        f"aws_secret_access_key = {key.secret_access_key}\n"
        f"region = {REGION}\n"
    )
    new = path.with_suffix(".new")
    new.unlink(missing_ok=True)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
