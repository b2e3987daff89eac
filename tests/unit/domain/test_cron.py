import re
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patchwindow.domain.cron import Cron, parse_cron
from patchwindow.domain.errors import Invalid

_YEAR_2026 = datetime.fromisoformat("2025-12-31T23:59:59")


def matches(expression: str, count: int, after: datetime = _YEAR_2026) -> list[str]:
    """Return the first *count* local times of *expression* after *after*, fewer if it has no more."""
    cron = parse_cron(expression)
    found: list[str] = []
    match = cron.next_match(after)
    while match is not None and len(found) < count:
        found.append(match.isoformat())
        match = cron.next_match(match)
    return found


@pytest.mark.parametrize(
    ("expression", "days"),
    [
        ("cron(0 2 ? * THU#3 *)", ["01-15", "02-19", "03-19", "04-16"]),
        ("cron(0 2 ? * THU#5 *)", ["01-29", "04-30", "07-30", "10-29", "12-31"]),
        ("cron(0 2 ? * 5#3 *)", ["01-15", "02-19"]),
        ("cron(0 2 ? * 3#2 *)", ["01-13", "02-10"]),
        ("cron(0 2 ? * MON#1,FRI#3 *)", ["01-05", "01-16", "02-02", "02-20"]),
        ("cron(0 2 ? * 6L *)", ["01-30", "02-27", "03-27"]),
        ("cron(0 2 ? * FRIL *)", ["01-30", "02-27", "03-27"]),
        ("cron(0 2 ? * 3L *)", ["01-27", "02-24", "03-31"]),
        ("cron(0 2 ? * L *)", ["01-03", "01-10", "01-17"]),
        ("cron(0 2 ? * 1 *)", ["01-04", "01-11"]),
        ("cron(0 2 ? * MON-FRI *)", ["01-01", "01-02", "01-05"]),
        ("cron(0 2 ? * FRI-MON *)", ["01-02", "01-03", "01-04", "01-05", "01-09"]),
        ("cron(0 2 ? * 2/2 *)", ["01-02", "01-05", "01-07", "01-09"]),
        ("cron(0 2 ? * sat *)", ["01-03", "01-10"]),
        ("cron(0 2 L * ? *)", ["01-31", "02-28", "03-31"]),
        ("cron(0 2 L-3 * ? *)", ["01-28", "02-25", "03-28"]),
        ("cron(0 2 L-30 * ? *)", ["01-01", "03-01", "05-01"]),
        ("cron(0 2 LW * ? *)", ["01-30", "02-27", "03-31", "04-30", "05-29"]),
        ("cron(0 2 L-2W * ? *)", ["01-29", "02-26", "03-30"]),
        ("cron(0 2 1,15,L * ? *)", ["01-01", "01-15", "01-31", "02-01"]),
        ("cron(0 2 15W * ? *)", ["01-15", "02-16", "03-16", "04-15", "05-15", "06-15", "07-15", "08-14"]),
        ("cron(0 2 1W * ? *)", ["01-01", "02-02", "03-02", "04-01", "05-01", "06-01", "07-01", "08-03"]),
        ("cron(0 2 31W * ? *)", ["01-30", "03-31", "05-29"]),
        ("cron(0 2 28-3 * ? *)", ["01-01", "01-02", "01-03", "01-28", "01-29"]),
        ("cron(0 2 31 * ? *)", ["01-31", "03-31", "05-31"]),
        ("cron(0 2 */10 * ? *)", ["01-01", "01-11", "01-21", "01-31", "02-01"]),
        ("cron(0 2 1 NOV-FEB ? *)", ["01-01", "02-01", "11-01", "12-01"]),
        ("cron(0 2 1 jan,6 ? *)", ["01-01", "06-01"]),
        ("cron(0 2 1 */5 ? *)", ["01-01", "06-01", "11-01"]),
    ],
)
def test_a_day_field_means_the_days_that_the_calendar_of_2026_shows(expression: str, days: list[str]) -> None:
    assert matches(expression, len(days)) == [f"2026-{day}T02:00:00" for day in days]


@pytest.mark.parametrize(
    ("expression", "times"),
    [
        ("cron(1/10 * * * ? *)", ["00:01:00", "00:11:00", "00:21:00", "00:31:00", "00:41:00", "00:51:00", "01:01:00"]),
        ("cron(*/20 * * * ? *)", ["00:00:00", "00:20:00", "00:40:00"]),
        ("cron(10-30/10 5 * * ? *)", ["05:10:00", "05:20:00", "05:30:00"]),
        ("cron(0 22-2 * * ? *)", ["00:00:00", "01:00:00", "02:00:00", "22:00:00", "23:00:00"]),
        ("cron(0 20-2/3 * * ? *)", ["02:00:00", "20:00:00", "23:00:00"]),
        ("cron(55-5/5 3 * * ? *)", ["03:00:00", "03:05:00", "03:55:00"]),
        ("cron(24 30 09 ? * * *)", ["09:30:24"]),
        ("cron(30 09 ? * * *)", ["09:30:00"]),
        ("cron(0,30 15 10 * * ? *)", ["10:15:00", "10:15:30"]),
        ("cron(0  2   * * ? *)", ["02:00:00"]),
        ("cron( 0 2 * * ? * )", ["02:00:00"]),
    ],
)
def test_a_time_field_means_the_times_of_the_day(expression: str, times: list[str]) -> None:
    assert matches(expression, len(times)) == [f"2026-01-01T{time}" for time in times]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("cron(0 30 23 ? * TUE#3 *)", ["2026-01-20T23:30:00", "2026-02-17T23:30:00"]),
        ("cron(0 0 21 ? 1/1 TUE#2 *)", ["2026-01-13T21:00:00", "2026-02-10T21:00:00"]),
        ("cron(0 0 29 2 ? *)", ["2028-02-29T00:00:00", "2032-02-29T00:00:00"]),
        ("cron(0 0 1 1 ? 2030/5)", ["2030-01-01T00:00:00", "2035-01-01T00:00:00"]),
        ("cron(0 0 1 1 ? 1970,2030-2031)", ["2030-01-01T00:00:00", "2031-01-01T00:00:00"]),
        ("cron(59 59 23 31 12 ? 2199)", ["2199-12-31T23:59:59"]),
        ("cron(0 0 1 1 ? 2025)", []),
        ("cron(0 0 31 2 ? *)", []),
    ],
)
def test_a_calendar_ends_with_its_last_match(expression: str, expected: list[str]) -> None:
    assert matches(expression, 2) == expected


def test_1900_and_2100_are_no_leap_years() -> None:
    found = matches("cron(0 0 29 2 ? *)", 2, datetime.fromisoformat("2095-01-01"))
    assert found == ["2096-02-29T00:00:00", "2104-02-29T00:00:00"]


def test_a_calendar_without_a_match_is_given_up_in_the_blink_of_an_eye() -> None:
    never = parse_cron("cron(0 0 30 2 ? *)")
    assert never.next_match(datetime.fromisoformat("1970-01-01")) is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("cron(0 2 ? * THU#3 *)", "cron(0 0 2 ? 1-12 5#3 1970-2199)"),
        ("cron(0 2 ? * FRI-MON *)", "cron(0 2 ? * 1,2,6,7 *)"),
        ("cron(0 2 ? JAN SUN *)", "cron(00 02 ? 01 sun *)"),
        ("cron(0 2 ? * * *)", "cron(0 2 * * ? *)"),
    ],
)
def test_expressions_of_one_meaning_are_one_value(one: str, other: str) -> None:
    assert parse_cron(one) == parse_cron(other)


@pytest.mark.parametrize(
    ("position", "name", "text"),
    [
        *((0, "seconds", text) for text in ("60", "-1", "?", "L", "*/60", "*/0", "1//2", "a")),
        *((1, "minutes", text) for text in ("60", "1-60", "*-5", "5-", ",", "1,,2", "1/", "/5", "000001", "0x1", "²")),
        *((2, "hours", text) for text in ("24", "1-24", "*/24", "2am")),
        *(
            (3, "day-of-month", text)
            for text in ("0", "32", "L-0", "L-31", "0W", "32W", "W", "1-3W", "L2", "MON", "1?")
        ),
        *((4, "month", text) for text in ("0", "13", "JANUARY", "?", "MON", "*/13")),
        *((6, "year", text) for text in ("1969", "2200", "30", "2030-2020", "*/2200", "L")),
    ],
)
def test_a_malformed_field_is_named_with_its_value(position: int, name: str, text: str) -> None:
    fields = ["0", "0", "2", "1", "*", "?", "*"]
    fields[position] = text
    allowed = "use [0-9]+-[0-9]+.*, with the wildcards , - |a step, which follows /, is 1-[0-9]+$"
    with pytest.raises(Invalid, match=f"^Schedule has .* for {name}; ({allowed})"):
        parse_cron(f"cron({' '.join(fields)})")


@pytest.mark.parametrize(
    "text", ["0", "8", "8L", "THU#0", "THU#6", "#2", "THU#", "MON-", "MONDAY", "LW", "XYZ", "FOOL", "1?"]
)
def test_a_malformed_day_of_week_is_named_with_its_value(text: str) -> None:
    allowed = re.escape("use 1-7 or SUN-SAT, with the wildcards , - * ? / L # (1L to 7L, 1#1 to 7#5)")
    with pytest.raises(Invalid, match=f"for day-of-week; {allowed}$"):
        parse_cron(f"cron(0 2 ? * {text} *)")


def test_a_malformed_item_of_a_list_is_the_value_that_is_named() -> None:
    with pytest.raises(Invalid, match=r"^Schedule has 61 for minutes; use 0-59, with the wildcards , - \* /$"):
        parse_cron("cron(1,61,5 * * * ? *)")


@pytest.mark.parametrize("expression", ["cron()", "cron(0 2 * * ?)", "cron(0 2 * *)", "cron(0 0 0 2 * * ? *)"])
def test_a_cron_has_six_or_seven_fields(expression: str) -> None:
    with pytest.raises(Invalid, match="fields; a cron has six, minutes hours"):
        parse_cron(expression)


@pytest.mark.parametrize("days", ["* * MON", "1 * 2", "? * ?", "* * *", "1 * *", "* * MON#1"])
def test_exactly_one_day_field_is_the_question_mark(days: str) -> None:
    with pytest.raises(Invalid, match=r"for day-of-week; exactly one of the two must be \?$"):
        parse_cron(f"cron(0 2 {days} *)")


@pytest.mark.parametrize("expression", ["cron(* * * * ? *)", "cron(* * * * * ? *)", "cron(*/2 * * * ? *)"])
def test_a_calendar_faster_than_five_minutes_is_read(expression: str) -> None:
    assert isinstance(parse_cron(expression), Cron)


@given(
    st.datetimes(datetime.fromisoformat("1970-01-01"), datetime.fromisoformat("2199-12-30")),
    st.sampled_from(["* * * * * ? *", "7/13 3-50/7 */5 ? * MON-FRI *", "0 0 LW * ? *", "30 59 23 L-1 FEB,JUN ? *"]),
)
def test_nothing_lies_between_a_match_and_the_next(after: datetime, fields: str) -> None:
    cron = parse_cron(f"cron({fields})")
    first = cron.next_match(after)
    if first is None:
        return
    assert after < first
    between = after + (first - after) / 2
    assert cron.next_match(between) == (first if between < first else cron.next_match(first))
    assert cron.next_match(first - timedelta(microseconds=1)) == first


def test_matches_come_in_strictly_rising_order() -> None:
    found = matches("cron(*/7 5/17 ? * 2L,SAT#2 *)", 500)
    assert all(one < other for one, other in pairwise(found))
