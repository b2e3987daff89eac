"""How each state looks: one table for every page. Colour is never alone; each has a shape and a word of its own."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Tone(StrEnum):
    """What a state means to who looks; each has a colour in the stylesheet, in light and in dark."""

    GOOD = "good"
    BUSY = "busy"
    WARN = "warn"
    BAD = "bad"
    IDLE = "idle"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Look:
    """How a state is shown."""

    label: str
    tone: Tone
    icon: str
    """The name of a symbol in `templates/_icons.html`."""


_DONE: Final = "check"
_RUNS: Final = "play"
_WAITS: Final = "clock"
_FAILS: Final = "cross"
_WARNS: Final = "warn"
_STOPS: Final = "stop"
_ASKS: Final = "question"
_DASH: Final = "dash"
_REBOOT: Final = "reboot"

LOOKS: Final[dict[str, Look]] = {
    # Nodes, in our own views of a fleet
    "Compliant": Look("Compliant", Tone.GOOD, _DONE),
    "Missing": Look("Missing", Tone.BAD, _WARNS),
    "PendingReboot": Look("Reboot pending", Tone.WARN, _REBOOT),
    "Stale": Look("Stale scan", Tone.UNKNOWN, _WAITS),
    "NeverScanned": Look("Never scanned", Tone.UNKNOWN, _ASKS),
    "Offline": Look("Offline", Tone.UNKNOWN, _DASH),
    # Agents
    "Online": Look("Online", Tone.GOOD, _DONE),
    "ConnectionLost": Look("Connection lost", Tone.BAD, _DASH),
    "Inactive": Look("Inactive", Tone.UNKNOWN, _DASH),
    # Patches on a node
    "Installed": Look("Installed", Tone.GOOD, _DONE),
    "InstalledOther": Look("Installed, other", Tone.IDLE, _DONE),
    "InstalledPendingReboot": Look("Installed, reboot pending", Tone.WARN, _REBOOT),
    "InstalledRejected": Look("Installed, rejected", Tone.BAD, _WARNS),
    "NotApproved": Look("Not approved", Tone.IDLE, _STOPS),
    "NotApplicable": Look("Not applicable", Tone.IDLE, _DASH),
    "Failed": Look("Failed", Tone.BAD, _FAILS),
    "AvailableSecurityUpdate": Look("Available security update", Tone.WARN, _WAITS),
    # Executions, commands and their parts: the API spells some in capitals
    "Pending": Look("Pending", Tone.IDLE, _WAITS),
    "Delayed": Look("Delayed", Tone.WARN, _WAITS),
    "InProgress": Look("In progress", Tone.BUSY, _RUNS),
    "Success": Look("Success", Tone.GOOD, _DONE),
    "Cancelling": Look("Cancelling", Tone.WARN, _STOPS),
    "Cancelled": Look("Cancelled", Tone.WARN, _STOPS),
    "TimedOut": Look("Timed out", Tone.BAD, _WAITS),
    "SkippedOverlapping": Look("Skipped: overlapping", Tone.WARN, _DASH),
    "Undeliverable": Look("Undeliverable", Tone.BAD, _DASH),
    "Terminated": Look("Terminated", Tone.BAD, _STOPS),
    "Scheduled": Look("Scheduled", Tone.IDLE, _WAITS),
    "DeliveryTimedOut": Look("Delivery timed out", Tone.BAD, _WAITS),
    "ExecutionTimedOut": Look("Execution timed out", Tone.BAD, _WAITS),
    "Incomplete": Look("Incomplete", Tone.WARN, _WARNS),
    "RateExceeded": Look("Rate exceeded", Tone.BAD, _STOPS),
    "NoInstancesInTag": Look("No nodes with this tag", Tone.WARN, _ASKS),
    "Missed": Look("Missed", Tone.BAD, _DASH),
    # Activations
    "Open": Look("Open", Tone.GOOD, _DONE),
    "UsedUp": Look("Used up", Tone.IDLE, _DONE),
    "Expired": Look("Expired", Tone.IDLE, _WAITS),
    # Switches
    "Enabled": Look("Enabled", Tone.GOOD, _DONE),
    "Disabled": Look("Disabled", Tone.IDLE, _DASH),
    "Approved": Look("Approved", Tone.GOOD, _DONE),
    "Rejected": Look("Rejected", Tone.BAD, _FAILS),
    "Frozen": Look("Frozen", Tone.WARN, _STOPS),
}


def look_of(state: str) -> Look:
    """Return how *state* is shown, however the API spells it: `IN_PROGRESS`, `In Progress` and `InProgress` are one.

    A state that is not in the table is shown by its own name.
    """
    plain = state.replace(" ", "")
    known = LOOKS.get(plain) or LOOKS.get("".join(word.capitalize() for word in plain.split("_")))
    return known or Look(state, Tone.UNKNOWN, _ASKS)
