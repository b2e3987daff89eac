"""Managed nodes and the activations they register with."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

PING_INTERVAL = timedelta(minutes=5)
CONNECTION_LOST_AFTER = 2 * PING_INTERVAL + timedelta(minutes=1)
"""Two pings may be missed, with a minute of slack; AWS publishes no threshold (run-command reference, §8)."""


class PingStatus(StrEnum):
    """Whether a node's agent is heard of."""

    ONLINE = "Online"
    CONNECTION_LOST = "ConnectionLost"
    INACTIVE = "Inactive"


class KeyType(StrEnum):
    """How a node proves itself: `Rsa` with a key of its own alone, `Hmac-Sha256` with a secret that the server has too."""

    RSA = "Rsa"
    HMAC = "Hmac-Sha256"


class PlatformType(StrEnum):
    """The kinds of platform that the API tells apart."""

    WINDOWS = "Windows"
    LINUX = "Linux"
    MACOS = "MacOS"


@dataclass(frozen=True, slots=True, kw_only=True)
class Activation:
    """A code with which up to `registration_limit` machines may become managed nodes."""

    activation_id: str
    description: str | None = None
    default_instance_name: str | None = None
    iam_role: str
    registration_limit: int = 1
    registrations_count: int = 0
    expiration_date: datetime
    created_date: datetime
    tags: tuple[Mapping[str, str], ...] = ()

    def is_expired(self, now: datetime) -> bool:
        """Return whether the activation's time is over at *now*."""
        return now >= self.expiration_date


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A managed node: who it is, what it reported of itself, and how it proves itself."""

    instance_id: str
    activation_id: str
    iam_role: str
    name: str | None = None
    registration_date: datetime
    last_ping_date_time: datetime
    agent_name: str | None = None
    agent_version: str | None = None
    platform_type: PlatformType | None = None
    platform_name: str | None = None
    platform_version: str | None = None
    ip_address: str | None = field(default=None, metadata={"wire": "IPAddress"})
    computer_name: str | None = None
    boot_id: str | None = None
    boot_seen_at: datetime | None = None
    """When the server first heard of that boot."""
    fingerprint: str = ""
    public_key: str = ""
    public_key_type: str = ""
    public_key_date: datetime | None = None
    """When the key took the place of the one that the node registered with; None where that is still the key."""

    def key_age(self, now: datetime) -> timedelta:
        """Return for how long the node has had its key at *now*."""
        return now - (self.public_key_date or self.registration_date)

    def ping_status(self, now: datetime) -> PingStatus:
        """Return whether the node's agent is heard of at *now*."""
        lost = now - self.last_ping_date_time > CONNECTION_LOST_AFTER
        return PingStatus.CONNECTION_LOST if lost else PingStatus.ONLINE
