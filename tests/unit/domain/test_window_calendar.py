"""Openings over a time, with freezes and overlaps."""

from datetime import UTC, datetime, timedelta

from patchwindow.domain.freeze import Freeze
from patchwindow.domain.window_calendar import PlannedWindow, occurrences

NIGHT = datetime(2026, 12, 24, 2, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def window(
    name: str, *openings: datetime, nodes: str = "", freezes: tuple[Freeze, ...] = (), problem: str = ""
) -> PlannedWindow:
    """Return a window of three hours."""
    return PlannedWindow(
        id=f"mw-{name}",
        name=name,
        openings=openings,
        duration_hours=3,
        cutoff_hours=1,
        zone="UTC",
        changed_at=NIGHT - 30 * DAY,
        nodes=frozenset(nodes.split()),
        freezes=freezes,
        problem=problem,
    )


def remarks(*windows: PlannedWindow) -> list[tuple[str, str]]:
    return [(each.window.name, each.remark) for each in occurrences(windows)]


def test_openings_come_in_their_order_whatever_window_they_are_of() -> None:
    found = occurrences([window("b", NIGHT, NIGHT + DAY), window("a", NIGHT, NIGHT + HOUR)])
    assert [(each.window.name, each.opens_at) for each in found] == [
        ("a", NIGHT),
        ("b", NIGHT),
        ("a", NIGHT + HOUR),
        ("b", NIGHT + DAY),
    ]
    assert found[0].ends_at == NIGHT + 3 * HOUR


def test_windows_that_are_open_together_for_the_same_nodes_overlap() -> None:
    web, also, db = (
        window("web", NIGHT, nodes="a b"),
        window("also", NIGHT + HOUR, nodes="b"),
        window("db", NIGHT, nodes="c"),
    )
    assert remarks(web, also, db) == [("db", ""), ("web", "overlaps with also"), ("also", "overlaps with web")]


def test_a_window_that_opens_when_another_ends_does_not_overlap_with_it() -> None:
    assert remarks(window("web", NIGHT, nodes="a"), window("next", NIGHT + 3 * HOUR, nodes="a")) == [
        ("web", ""),
        ("next", ""),
    ]


def test_an_opening_inside_a_freeze_does_not_open_and_so_overlaps_with_nothing() -> None:
    freeze = Freeze(NIGHT - DAY, NIGHT + DAY, "year-end", "closing")
    frozen, other = window("web", NIGHT, nodes="a", freezes=(freeze,)), window("other", NIGHT, nodes="a")
    assert remarks(frozen, other) == [("other", ""), ("web", "frozen by year-end (closing)")]


def test_a_freeze_that_begins_while_a_window_is_open_is_told() -> None:
    soon, later = Freeze(NIGHT + HOUR, NIGHT + DAY, "year-end"), Freeze(NIGHT + 9 * HOUR, NIGHT + DAY, "release")
    assert remarks(window("web", NIGHT, freezes=(soon,))) == [("web", "nothing starts from year-end on")]
    assert remarks(window("web", NIGHT, freezes=(later,))) == [("web", "")]


def test_a_window_whose_calendar_cannot_be_told_does_not_open() -> None:
    (each,) = occurrences([window("web", NIGHT, problem="calendar year-end does not exist")])
    assert not each.heeded.opens
    assert each.remark == "does not open: calendar year-end does not exist"
