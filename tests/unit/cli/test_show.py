"""How results look."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patchwindow.cli import show

CELLS = st.one_of(st.none(), st.booleans(), st.integers(0, 10**6), st.text(max_size=12))
ROWS = st.lists(st.tuples(CELLS, CELLS, CELLS), max_size=8)


@given(ROWS)
def test_every_column_begins_at_the_same_place_in_every_line(rows: list[tuple[object, object, object]]) -> None:
    lines = show.aligned(["A", "B", "C"], rows, width=None)
    widths = [max(len(show.text(row[at])) for row in [*rows, "ABC"]) for at in range(3)]
    for line, row in zip(lines, ["ABC", *rows], strict=True):
        start = 0
        for at in range(3):
            # A number stands at the right end of its column, everything else at the left.
            assert line[start : start + widths[at]].strip() == show.text(row[at]).strip()
            start += widths[at] + len(show.GAP)


@given(ROWS, st.integers(5, 60))
def test_no_line_is_wider_than_the_terminal(rows: list[tuple[object, object, object]], width: int) -> None:
    assert all(len(line) <= width for line in show.aligned(["A", "B", "C"], rows, width=width))


def test_a_table_has_a_header_and_numbers_stand_right() -> None:
    assert show.aligned(["NODE", "MISSING", "NAME"], [["mi-1", 5, "web"], ["mi-22", 12, None]], width=None) == [
        "NODE   MISSING  NAME",
        "mi-1         5  web",
        "mi-22       12  -",
    ]


def test_what_does_not_fit_the_terminal_is_cut_with_a_mark() -> None:
    assert show.aligned(["NAME"], [["abcdefghij"]], width=6) == ["NAME", "abcde…"]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "-"),
        ("", "-"),
        ([], "-"),
        (0, "0"),
        (True, "yes"),
        (False, "no"),
        (datetime(2026, 7, 2, 1, 30, tzinfo=timezone(timedelta(hours=2))), "2026-07-01T23:30:00Z"),
        (["Linux", "MacOS"], "Linux, MacOS"),
        ({"Operation": ["Scan"]}, "Operation=Scan"),
        ("a\x1b[31mred", "a\N{REPLACEMENT CHARACTER}[31mred"),
    ],
)
def test_a_value_is_shown_for_people(value: object, shown: str) -> None:
    assert show.text(value) == shown


@given(st.text())
def test_no_text_from_elsewhere_reaches_the_terminal_with_control_characters(value: str) -> None:
    assert show.text(value).isprintable()


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("2026-07-01T23:00Z", "2026-07-01T23:00:00Z"),
        ("2026-07-02T00:00+10:00", "2026-07-01T14:00:00Z"),
        ("2026-07-02T00:00:01.137Z", "2026-07-02T00:00:01Z"),
        ("2026-07-02T00:00", "2026-07-02T00:00:00Z"),
        (None, "-"),
    ],
)
def test_an_opening_in_any_zone_is_shown_in_utc(written: str | None, shown: str) -> None:
    assert show.text(show.instant(written)) == shown


def test_json_has_the_api_s_members_and_iso_times(capsys: pytest.CaptureFixture[str]) -> None:
    records = [{"InstanceId": "mi-1", "LastPingDateTime": datetime(2026, 7, 1, 2, 3, 4, 500000, tzinfo=UTC)}]
    show.table(records, {"NODE": "InstanceId"}, as_json=True)
    assert json.loads(capsys.readouterr().out) == [
        {"InstanceId": "mi-1", "LastPingDateTime": "2026-07-01T02:03:04.500000Z"}
    ]


def test_json_refuses_what_it_has_no_form_for() -> None:
    with pytest.raises(TypeError, match="set has no form in JSON"):
        show.document({"x": {1}})


def test_details_leave_out_what_is_unknown(capsys: pytest.CaptureFixture[str]) -> None:
    values: dict[str, Any] = {"Name": "web", "Description": "", "Tags": [], "MissingCount": 0, "Enabled": False}
    show.details(values)
    assert capsys.readouterr().out == "Name          web\nMissingCount  0\nEnabled       no\n"
