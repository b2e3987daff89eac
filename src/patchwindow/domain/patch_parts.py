"""The parts of a patch command: one, or with hooks three, between which documents of the caller run.

Source: AWS-RunPatchBaselineWithHooks; its steps 1 and 2 are the first part, 4 the second, 6 and 7 the third.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

from patchwindow.domain.errors import Invalid

WITH_HOOKS: Final = "AWS-RunPatchBaselineWithHooks"
_INSTALL: Final = "Install"
_NO_REBOOT: Final = "NoReboot"


class Part(StrEnum):
    """What a step of the command carries out."""

    WHOLE = ""
    SCAN = "scan"
    INSTALL = "install"
    REBOOT = "reboot"


# What of the caller's parameters a part goes by instead.
_INSTEAD: Final[Mapping[Part, Mapping[str, str]]] = {
    Part.WHOLE: {},
    Part.SCAN: {"Operation": "Scan"},
    # Its patches wait for a reboot until the hook after it has run.
    Part.INSTALL: {"RebootOption": _NO_REBOOT},
    Part.REBOOT: {},
}
# What the documents of a single part take, and the one with hooks does not.
_NOT_TAKEN: Final = {"InstallOverrideList": "", "BaselineOverride": "", "AssociationId": ""}


def part_of(document_name: str, written: str) -> Part:
    """Return the part of a command of that document that a node names, which is *written*.

    Raises:
        Invalid: the document has no such part.
    """
    parts = (Part.SCAN, Part.INSTALL, Part.REBOOT) if document_name == WITH_HOOKS else (Part.WHOLE,)
    if written not in parts:
        known = ", ".join(map(repr, map(str, parts)))
        raise Invalid(f"part: {written!r:.100} is none of {document_name}; use {known}")
    return Part(written)


def parameters_in(part: Part, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters that *part* goes by, of those that were *given* for the whole command."""
    return {**_NOT_TAKEN, **given, **_INSTEAD[part]}


def is_idle(part: Part, given: Mapping[str, Any]) -> bool:
    """Return whether *part* has nothing to do: no reboot is to be, whatever was installed."""
    return part is Part.REBOOT and given["RebootOption"] == _NO_REBOOT


def ends_after_scan(given: Mapping[str, Any], *, missing_count: int, pending_count: int) -> bool:
    """Return whether a command with the parameters *given* is over, but for its last hook, once its scan is reported.

    "Scan: end.  Install with nothing missing and no pending reboot: 8.  Nothing missing, pending reboot, NoReboot: 8.
    Otherwise 3."
    """
    if given["Operation"] != _INSTALL:
        return True
    return not missing_count and (not pending_count or given["RebootOption"] == _NO_REBOOT)
