"""What openings meet: freezes, and other windows that are open for the same nodes."""

from collections import defaultdict
from datetime import timedelta
from typing import Final

from patchwindow.domain.errors import Invalid
from patchwindow.domain.freeze import Freeze
from patchwindow.domain.window_calendar import occurrences
from patchwindow.operations.call import Answer, Call, Request
from patchwindow.operations.planned_windows import planned_windows

_SPAN_MAX: Final = timedelta(days=62)
_LONGEST: Final = timedelta(hours=24)
"""The longest window: one that opened before does not meet what opens now."""


def get_window_calendar(call: Call, request: Request) -> Answer:
    """GetWindowCalendar: the freezes of a range of time that windows heed, and the openings in it that meet others.

    Raises:
        Invalid: the range is empty, or longer than two months.
    """
    after, before = request["After"], request["Before"]
    if not timedelta() < before - after <= _SPAN_MAX:
        raise Invalid(
            f"After, {after:%Y-%m-%dT%H:%M:%SZ}, and Before, {before:%Y-%m-%dT%H:%M:%SZ}, are not a range of at most "
            f"{_SPAN_MAX.days} days; name an earlier Before, or ask part by part"
        )
    heeding: defaultdict[Freeze, list[str]] = defaultdict(list)
    windows = list(planned_windows(call.work, after - _LONGEST, before))
    for window in windows:
        for freeze in window.freezes:
            if freeze.starts_at < before and freeze.ends_at > after:
                heeding[freeze].append(window.id)
    return {
        "Freezes": [
            {
                "Calendar": freeze.calendar,
                "Reason": freeze.reason,
                "StartsTime": freeze.starts_at,
                "EndsTime": freeze.ends_at,
                "WindowIds": sorted(heeding[freeze]),
            }
            for freeze in sorted(heeding)
        ],
        "Overlaps": [
            {"WindowId": one.window.id, "OpensTime": one.opens_at, "Beside": list(one.beside)}
            for one in occurrences(windows)
            # What a schedule says of the past is not what was.
            if one.beside and one.opens_at >= max(after, call.now)
        ],
    }
