"""The freezes of a world, and the calendar in which they stand."""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from tests.fakes.calendars import calendar

_NAME: Final = "freezes"
_FROZEN_OF: Final = 5
"""One world of so many has a calendar, which all its windows heed."""


class Freezes:
    """Times in which no window of the world may begin anything."""

    def __init__(self, times: Sequence[tuple[datetime, datetime]] = ()) -> None:
        self._times = times

    @classmethod
    def drawn(cls, seed: int, starts_at: datetime) -> "Freezes":
        """Return the freezes of a world; chance of their own leaves all else in other worlds as it was."""
        if seed % _FROZEN_OF != _FROZEN_OF - 2:
            return cls()
        draw = random.Random(f"freezes of {seed}")
        times = []
        for _ in range(draw.choice([1, 1, 2])):
            # Some begin with an opening, and some a moment after it, when everything is at work.
            begins_at = starts_at + timedelta(minutes=5 * draw.randint(1, 36), seconds=draw.choice([0, 1, 5, 15, 60]))
            times.append((begins_at, begins_at + timedelta(minutes=draw.choice([1, 30, 120]))))
        return cls(times)

    @property
    def tags(self) -> dict[str, Any]:
        """The members of a new window by which it heeds the calendar, if there is one."""
        return {"Tags": [{"Key": "patchwindow:freezes", "Value": _NAME}]} if self._times else {}

    @property
    def document(self) -> dict[str, Any] | None:
        """The members of the calendar's document, if there is one."""
        if not self._times:
            return None
        text = calendar(*((begins_at, ends_at, "freeze") for begins_at, ends_at in self._times))
        return {"Name": _NAME, "Content": text, "DocumentType": "ChangeCalendar", "DocumentFormat": "TEXT"}

    def covers(self, at: datetime) -> bool:
        """Return whether *at* lies in a freeze."""
        return any(begins_at <= at < ends_at for begins_at, ends_at in self._times)

    def cutoff(self, opens_at: datetime, cutoff_at: datetime) -> datetime:
        """Return the cutoff that freezes leave of an opening; of one that lies in a freeze, the opening itself."""
        if self.covers(opens_at):
            return opens_at
        return min([cutoff_at, *(begins_at for begins_at, _ in self._times if begins_at > opens_at)])
