"""Commands that a node did not run to their end, and why."""

from collections.abc import Mapping
from typing import Final

NOT_TAKEN: Final[Mapping[str, str]] = {
    "DeliveryTimedOut": "the node gave no word in time",
    "Undeliverable": "the node could not be reached",
    "Terminated": "MaxErrors stopped the command before it was sent to the node",
    "Cancelled": "the command was cancelled before it ended on the node",
}
"""StatusDetails of nodes on which a command did not run to its end, and why where the node's invocation does not say."""
