"""The patch operation for Windows: one PowerShell script, made of the parts in `windows/`, in the order of their names."""

import functools
import hashlib
from importlib import resources


@functools.cache
def patch_script() -> bytes:
    """Return the script, as nodes get it."""
    folder = resources.files("patchwindow.documents") / "windows"
    parts = sorted((part for part in folder.iterdir() if part.name.endswith(".ps1")), key=lambda part: part.name)
    return "\n".join(part.read_text(encoding="utf-8") for part in parts).encode()


@functools.cache
def script_digest() -> str:
    """Return its hex SHA-256, which nodes check before they run it."""
    return hashlib.sha256(patch_script()).hexdigest()
