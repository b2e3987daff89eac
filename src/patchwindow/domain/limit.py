"""How many targets of a task or command may run at once, and how many may fail."""

import re
from dataclasses import dataclass
from typing import Final, Self

from patchwindow.domain.errors import Invalid

_LIMIT: Final = re.compile(r"(?:(100|[1-9]?[0-9])%|(0|[1-9][0-9]{0,6}))")


def _read(text: str) -> tuple[int, bool] | None:
    found = _LIMIT.fullmatch(text)
    if found is None:
        return None
    percent, number = found.groups()
    return int(percent or number), percent is not None


@dataclass(frozen=True, slots=True)
class Concurrency:
    """MaxConcurrency: a number of targets, or a percentage of them."""

    value: int
    is_percent: bool

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the limit that *text* means.

        Raises:
            Invalid: it is neither a number from 1 on nor 1% to 100%.
        """
        read = _read(text)
        if read is None or read[0] == 0:
            raise Invalid(f"MaxConcurrency is {text}; use a number from 1 to 9999999 or a percentage from 1% to 100%")
        return cls(*read)

    def of(self, target_count: int) -> int:
        """Return how many of *target_count* targets may run at the same time.

        A part of a target is rounded up: a task that may run on nothing would never end.  The API does not publish its
        rounding.
        """
        wanted = -(-target_count * self.value // 100) if self.is_percent else self.value
        return min(wanted, target_count)


@dataclass(frozen=True, slots=True)
class ErrorLimit:
    """MaxErrors: a number of targets that may fail, or a percentage of them."""

    value: int
    is_percent: bool

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the limit that *text* means.

        Raises:
            Invalid: it is neither a number from 0 on nor 0% to 100%.
        """
        read = _read(text)
        if read is None:
            raise Invalid(f"MaxErrors is {text}; use a number from 0 to 9999999 or a percentage from 0% to 100%")
        return cls(*read)

    def of(self, target_count: int) -> int:
        """Return how many of *target_count* targets may fail without stopping the rest: one more does.

        With 50 targets and ``10%`` the sixth failure stops the task, with ``0`` the first.  A part of a target is rounded
        down, so that no more fail than were allowed.  The API does not publish its rounding.
        Source: service model, ``CreateAssociationRequest.MaxErrors``.
        """
        allowed = target_count * self.value // 100 if self.is_percent else self.value
        return min(allowed, target_count)
