"""What the program needs from outside: time, identity and chance, wake-ups, and the answers of webhooks."""

from datetime import datetime
from typing import Protocol

from patchwindow.domain.webhook import Answer, WebhookRequest


class Clock(Protocol):
    """The only source of time."""

    def now(self) -> datetime:
        """Return the present instant, aware and in UTC."""
        ...


class Ids(Protocol):
    """The only source of identity and chance."""

    def uuid(self) -> str:
        """Return a new random UUID as text."""
        ...

    def hex(self, digits: int) -> str:
        """Return *digits* random lower-case hexadecimal digits."""
        ...

    def secret(self, length: int) -> str:
        """Return *length* random characters of letters and digits, from the system's secure source."""
        ...


class Bell(Protocol):
    """Wakes who waits: the engine, or the long poll of a node. A hint; the database is the truth."""

    def ring(self, name: str) -> None:
        """Wake everybody who waits for *name*; from any thread."""
        ...


class Hooks(Protocol):
    """Reaches webhooks."""

    def call(self, request: WebhookRequest) -> Answer:
        """Send one request and return what came back; never raises, and ends within the request's timeout."""
        ...


class Objects(Protocol):
    """Keeps copies of what steps wrote where commands say."""

    def put(self, bucket: str, key: str, content: bytes) -> str | None:
        """Write an object, whole or not at all; return what is wrong where that cannot be. Never raises for that."""
        ...

    def url(self, bucket: str, key: str) -> str:
        """Return where the object is."""
        ...


ENGINE = "engine"
"""The name under which the engine waits; a node waits under its id."""
WEBHOOKS = "webhooks"
"""The name under which the caller of webhooks waits."""
OUTPUT = "output"
"""The name under which the deliverer of output waits."""
