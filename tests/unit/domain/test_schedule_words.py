"""What a schedule means, in words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patchwindow.domain.cron import parse_cron
from patchwindow.domain.errors import Invalid
from patchwindow.domain.schedule_words import in_words


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("cron(0 23 ? * THU#2 *)", "the second Thursday of each month at 23:00"),
        ("cron(0 3 * * ? *)", "every day at 03:00"),
        ("cron(0 3 ? * * *)", "every day at 03:00"),
        ("cron(0 2 ? * MON-FRI *)", "every Monday, Tuesday, Wednesday, Thursday and Friday at 02:00"),
        ("cron(30 2,14 ? * SAT *)", "every Saturday at 02:30 and 14:30"),
        ("cron(0 4 ? 6,12 SUN *)", "every Sunday in June and December at 04:00"),
        ("cron(0 4 1,15 * ? *)", "day 1 and 15 of each month at 04:00"),
        (
            "cron(0 4 ? 1 SAT,MON,TUE#1 *)",
            "every Monday and Saturday and the first Tuesday of January in January at 04:00",
        ),
        ("cron(0 4 1-7 1 ? 2027)", "day 1 to 7 of January in 2027 at 04:00"),
        ("cron(0 2 L * ? *)", "the last day of each month at 02:00"),
        ("cron(0 2 L-3 * ? *)", "3 days before the last day of each month at 02:00"),
        ("cron(0 2 LW * ? *)", "the working day nearest to the last day of each month at 02:00"),
        ("cron(0 2 15W * ? *)", "the working day nearest to day 15 of each month at 02:00"),
        ("cron(15 10 ? * 6L *)", "the last Friday of each month at 10:15"),
        ("cron(0/15 8-17 * * ? *)", "every day at minutes 0, 15, 30 and 45 of hours 8 to 17"),
        ("cron(* * * * ? *)", "every day every minute of every hour"),
        ("cron(30 0 3 * * ? *)", "every day at 03:00 and second 30"),
        ("rate(7 days)", "every 7 days"),
        ("rate(24 hours)", "every 1 day"),
        ("rate(90 minutes)", "every 90 minutes"),
        ("rate(1 hour)", "every hour"),
        ("at(2026-07-01T02:00:00)", "once, on 1 July 2026 at 02:00:00"),
    ],
)
def test_it_says_when_windows_open(expression: str, words: str) -> None:
    assert in_words(expression) == words


def test_an_offset_is_said_first() -> None:
    assert in_words("cron(0 23 ? * TUE#2 *)", 2) == "2 days after the second Tuesday of each month at 23:00"
    assert in_words("cron(0 23 ? * TUE#2 *)", 1) == "1 day after the second Tuesday of each month at 23:00"


def test_what_is_no_schedule_is_refused() -> None:
    with pytest.raises(Invalid, match="Schedule is hourly"):
        in_words("hourly")


_NUMBERS = st.sampled_from(["0", "5", "0,30", "0/15", "*", "1-3", "7,8,9"])
_HOURS = st.sampled_from(["0", "5", "0,23", "0/6", "*", "1-3", "22-4"])
_DAYS = st.sampled_from(
    [
        ("?", "THU#2"), ("?", "THU#3"), ("?", "5L"), ("?", "MON-FRI"), ("?", "*"), ("?", "L"), ("?", "SAT"),
        ("?", "MON#1,FRI#1"), ("*", "?"), ("L", "?"), ("LW", "?"), ("L-2", "?"), ("L-2W", "?"), ("15W", "?"),
        ("15", "?"), ("1,15", "?"), ("1-15", "?"), ("15,L", "?"), ("1-31", "?"),
    ]
)  # fmt: skip


@st.composite
def crons(draw: st.DrawFn) -> str:
    day_of_month, day_of_week = draw(_DAYS)
    month = draw(st.sampled_from(["*", "1", "JAN", "1,7", "1-12", "11-2"]))
    year = draw(st.sampled_from(["*", "2026", "2026-2030", "1970-2199"]))
    return f"cron({draw(_NUMBERS)} {draw(_NUMBERS)} {draw(_HOURS)} {day_of_month} {month} {day_of_week} {year})"


@given(crons(), crons())
def test_crons_that_are_said_alike_open_alike(one: str, other: str) -> None:
    """`Two crons that are said alike open alike: words […] leave nothing of it out.`"""
    assert in_words(one) != in_words(other) or parse_cron(one) == parse_cron(other)
