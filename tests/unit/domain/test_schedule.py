from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patchwindow.domain.cron import Cron
from patchwindow.domain.errors import Invalid
from patchwindow.domain.schedule import At, Rate, parse


@pytest.mark.parametrize(
    ("expression", "period"),
    [
        ("rate(1 minute)", timedelta(minutes=1)),
        ("rate(30 minutes)", timedelta(minutes=30)),
        ("rate(1 hour)", timedelta(hours=1)),
        ("rate(5 hours)", timedelta(hours=5)),
        ("rate(1 day)", timedelta(days=1)),
        ("rate(25 days)", timedelta(days=25)),
        ("rate(36525 days)", timedelta(days=36_525)),
    ],
)
def test_a_rate_is_a_period(expression: str, period: timedelta) -> None:
    assert parse(expression) == Rate(period)


@pytest.mark.parametrize(
    ("expression", "advice"),
    [
        ("rate(1 hours)", "write 1 hour$"),
        ("rate(5 hour)", "write 5 hours$"),
        ("rate(0 days)", "at least 1 day$"),
        ("rate(0 day)", "at least 1 day$"),
        ("rate(36526 days)", "at most 36525 days$"),
        ("rate(999999999999 days)", "at most 36525 days$"),
        ("rate(-1 days)", "minute, minutes, hour, hours, day or days$"),
        ("rate(1.5 hours)", "minute, minutes, hour, hours, day or days$"),
        ("rate(2 weeks)", "minute, minutes, hour, hours, day or days$"),
        ("rate(2days)", "minute, minutes, hour, hours, day or days$"),
        ("rate(2 Days)", "minute, minutes, hour, hours, day or days$"),
        ("rate()", "minute, minutes, hour, hours, day or days$"),
        ("rate(2 days", "minute, minutes, hour, hours, day or days$"),
    ],
)
def test_a_malformed_rate_is_refused_with_what_to_write(expression: str, advice: str) -> None:
    with pytest.raises(Invalid, match=advice):
        parse(expression)


def test_at_is_a_local_time() -> None:
    assert parse("at(2020-07-07T15:55:00)") == At(datetime.fromisoformat("2020-07-07T15:55:00"))


@pytest.mark.parametrize(
    ("expression", "advice"),
    [
        ("at(2026-02-30T00:00:00)", "day is out of range for month, use a time that exists$"),
        ("at(2026-02-03T24:00:00)", "use a time that exists$"),
        ("at(1969-12-31T00:00:00)", "use a year of 1970-2199$"),
        ("at(2200-01-01T00:00:00)", "use a year of 1970-2199$"),
        ("at(2026-02-03T04:05)", "without offset or fraction$"),
        ("at(2026-02-03T04:05:06Z)", "without offset or fraction$"),
        ("at(2026-02-03 04:05:06)", "without offset or fraction$"),
        ("at()", "without offset or fraction$"),
    ],
)
def test_a_malformed_at_is_refused_with_what_to_write(expression: str, advice: str) -> None:
    with pytest.raises(Invalid, match=advice):
        parse(expression)


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "0 2 * * ? *",
        "CRON(0 2 * * ? *)",
        "every(2 days)",
        "cron(0 2 * * ? *",
        "cron(0 2 * * ? *) ",
        "cron(0\n2 * * ? *)",
    ],
)
def test_what_is_no_schedule_is_refused_with_the_three_kinds(expression: str) -> None:
    with pytest.raises(Invalid, match=r"use cron\(.*\), rate\(number unit\) or at\(YYYY-MM-DDThh:mm:ss\)$"):
        parse(expression)


@given(st.text(max_size=60) | st.text("0123456789*?/,-#LW )", max_size=30).map("cron({}".format))
def test_any_text_is_a_schedule_or_refused(text: str) -> None:
    try:
        schedule = parse(text)
    except Invalid:
        return
    assert isinstance(schedule, Cron | Rate | At)


@given(st.integers(2, 36_525), st.sampled_from(["minute", "hour", "day"]))
def test_the_unit_is_singular_only_for_one(count: int, unit: str) -> None:
    assert isinstance(parse(f"rate({count} {unit}s)"), Rate)
    assert parse(f"rate(1 {unit})") != parse(f"rate({count} {unit}s)")
