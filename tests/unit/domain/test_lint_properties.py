"""What holds for every finding, whatever the window."""

from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise, takewhile
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from patchwindow.domain.errors import Invalid
from patchwindow.domain.lint import LintCode, WindowTimes, lint
from patchwindow.domain.lint_finding import HORIZON
from patchwindow.domain.opening import timing

_CODES = list(LintCode)

fields = st.tuples(
    st.sampled_from(["0", "30", "*", "0/20", "00"]),
    st.sampled_from(["2", "23", "1", "0", "23-5", "9-17", "0/4", "*", "2,14", "1-2"]),
    st.sampled_from(
        [
            *(
                f"{day} {months} ?"
                for day in ("1", "31", "15,30", "29", "31W", "L-29", "L")
                for months in ("*", "2", "3")
            ),
            *(
                f"? * {day}"
                for day in ("*", "MON-FRI", "0", "1-5", "1", "THU#5", "SUN#5,MON#1", "SAT#2", "2#2", "SUN", "L")
            ),
        ]
    ),
    st.sampled_from(["*", "*", "*", "2020", "2026-2028"]),
)
schedules = fields.map(lambda it: f"cron({' '.join(it)})") | st.sampled_from(
    ["rate(1 day)", "rate(3 hours)", "rate(50 minutes)", "at(2026-03-29T02:30:00)", "at(2020-01-01T00:00:00)"]
)
windows = st.builds(
    WindowTimes,
    schedules,
    st.integers(1, 24),
    st.integers(0, 23),
    st.none() | st.none() | st.integers(1, 6),
)
zones = st.sampled_from([None, "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Cairo"])
instants = st.datetimes(datetime(2025, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  # as hypothesis asks
bounds = st.sampled_from(
    [{}, {}, {"start_date": "2026-04-01T00:00:00+02:00"}, {"end_date": "2029-06-30T00:00:00Z"}],
)


def codes(times: WindowTimes, zone: str | None, now: datetime, **bounds: Any) -> dict[LintCode, WindowTimes | None]:
    """Return what lint finds, each with its correction."""
    findings = lint(
        times.schedule,
        times.duration_hours,
        zone,
        now=now,
        cutoff_hours=times.cutoff_hours,
        schedule_offset=times.schedule_offset,
        **bounds,
    )
    return {finding.code: finding.corrected for finding in findings}


@given(windows, zones, instants, bounds)
def test_a_corrected_window_lacks_what_was_found(
    times: WindowTimes, zone: str | None, now: datetime, bounds: dict[str, str]
) -> None:
    try:
        found = codes(times, zone, now, **bounds)
    except Invalid:
        # An offset beside a rate, or a bound before another: there is nothing to correct.
        return
    assert list(found) == sorted(found, key=_CODES.index)
    for code, corrected in found.items():
        if corrected is not None:
            assert corrected != times
            assert code not in codes(corrected, zone, now, **bounds), corrected


@given(windows, zones, instants)
def test_without_a_finding_a_window_opens_and_never_while_it_is_open(
    times: WindowTimes, zone: str | None, now: datetime
) -> None:
    times = replace(times, schedule_offset=times.schedule_offset if times.schedule.startswith("cron") else None)
    found = codes(times, zone, now)
    assume(LintCode.UNIX_WEEKDAY not in found)
    planned = timing(
        schedule=times.schedule, schedule_timezone=zone, schedule_offset=times.schedule_offset, created_at=now
    )
    openings = list(takewhile((now + HORIZON / 5).__gt__, planned.openings(now)))
    assert (planned.next_opening(now) is None) == (LintCode.NEVER_OPENS in found)
    if any((other - one).total_seconds() < times.duration_hours * 3600 for one, other in pairwise(openings)):
        assert found.keys() & {LintCode.OPENINGS_OVERLAP, LintCode.HOURS_AS_SPAN, LintCode.EVERY_MINUTE}
