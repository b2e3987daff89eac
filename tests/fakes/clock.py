"""Time and chance that a test decides."""

from datetime import UTC, datetime, timedelta

START = datetime(2026, 3, 14, 9, 0, tzinfo=UTC)


class FixedClock:
    """A clock that stands still until it is moved."""

    def __init__(self, now: datetime = START) -> None:
        self._now = now

    def now(self) -> datetime:
        """Return the present instant."""
        return self._now

    def advance(self, by: timedelta) -> None:
        """Move the clock."""
        self._now += by


class CountingIds:
    """Identities in order: the first is 1, the second 2, whatever their form."""

    def __init__(self) -> None:
        self._count = 0

    def uuid(self) -> str:
        """Return the next UUID."""
        return f"00000000-0000-4000-8000-{self._next():012x}"

    def hex(self, digits: int) -> str:
        """Return the next number in hexadecimal digits."""
        return f"{self._next():0{digits}x}"

    def secret(self, length: int) -> str:
        """Return a text of letters and digits that ends with the next number."""
        return f"{self._next():s>{length}}"

    def _next(self) -> int:
        self._count += 1
        return self._count
