"""How long history and output are kept, and from what age on a scan is stale; set when a server starts, for all servers."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from patchwindow.domain.errors import Invalid
from patchwindow.store.work import Work

_DAYS_MAX: Final = 36_500
_HISTORY: Final = "history_days"
_STALE: Final = "stale_after_days"
_OUTPUT: Final = "output_days"


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """The ages, in days."""

    history_days: int = 400
    stale_after_days: int = 7
    output_days: int = 30

    def __post_init__(self) -> None:
        for name, days in (
            (_HISTORY, self.history_days),
            (_STALE, self.stale_after_days),
            (_OUTPUT, self.output_days),
        ):
            if not 1 <= days <= _DAYS_MAX:
                raise Invalid(f"{name} {days} is not from 1 to {_DAYS_MAX}")

    @property
    def history(self) -> timedelta:
        """How long scans and the trend are kept."""
        return timedelta(days=self.history_days)

    @property
    def output(self) -> timedelta:
        """How long what steps wrote is kept, beside the beginning that replies of agents hold."""
        return timedelta(days=self.output_days)

    @property
    def stale_after(self) -> timedelta:
        """Older than this a scan says nothing of compliance in our own views."""
        return timedelta(days=self.stale_after_days)


def of(work: Work) -> Retention:
    """Return what is set, or the defaults."""
    given = {name: work.settings.get(name) for name in (_HISTORY, _STALE, _OUTPUT)}
    return Retention(**{name: int(days) for name, days in given.items() if days is not None})


def keep(work: Work, retention: Retention) -> None:
    """Set it, for every server on this database."""
    work.settings.put(_HISTORY, str(retention.history_days))
    work.settings.put(_STALE, str(retention.stale_after_days))
    work.settings.put(_OUTPUT, str(retention.output_days))
