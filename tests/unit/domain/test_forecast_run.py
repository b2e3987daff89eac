"""Openings in time: what the simulation cannot show in a few lines."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from patchwindow.domain.forecast import Fate, Forecast, OpeningForecast
from patchwindow.domain.forecast_facts import (
    FleetFacts,
    ForecastNode,
    ForecastTarget,
    ForecastTask,
    ForecastWindow,
    RecordedDurations,
    Work,
)
from patchwindow.domain.forecast_run import forecast
from patchwindow.domain.freeze import Freeze
from patchwindow.domain.window import Window

NOW = datetime(2026, 3, 14, 9, tzinfo=UTC)
OPENS_AT = datetime(2026, 3, 15, 3, tzinfo=UTC)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


def task(id: str, *node_ids: str, **members: Any) -> ForecastTask:
    """Return a task that runs a script for a minute, or what *members* say."""
    targets = (ForecastTarget(node_ids=node_ids),)
    return ForecastTask(**{"task_id": id, "lasts_s": 7200, "max_concurrency": "1", "targets": targets, **members})


def night(*tasks: ForecastTask, **members: Any) -> ForecastWindow:
    """Return a window that opens at three each night for two hours, of which tasks start in the first."""
    given = {"window_id": "mw-1", "name": "night", "schedule": "cron(0 3 * * ? *)", "duration": 2, "cutoff": 1}
    dates = dict.fromkeys(("created_date", "modified_date", "scheduled_at"), NOW)
    schedule = {name: members.pop(name) for name in given if name in members}
    window = Window(**{**given, **schedule, **dates, "allow_unassociated_targets": True})
    return ForecastWindow(window=window, tasks=tasks, **members)


def play(*windows: ForecastWindow, days: int = 1, lasts: timedelta = MINUTE) -> Forecast:
    """Return the forecast for two nodes, on which a script lasts so long."""
    durations = (RecordedDurations(work=Work.OTHER, seconds=(int(lasts.total_seconds()),)),)
    nodes = (ForecastNode(node_id="a"), ForecastNode(node_id="b", is_heard=False))
    return forecast(FleetFacts(as_of=NOW, nodes=nodes, windows=windows, durations=durations), NOW + days * 24 * HOUR)


def fates(opening: OpeningForecast) -> list[tuple[str, str, Fate]]:
    return [
        (task.task.task_id, id, group.fate) for task in opening.tasks for group in task.nodes for id in group.node_ids
    ]


def only(told: Forecast) -> OpeningForecast:
    (opening,) = told.openings
    return opening


def test_tasks_of_one_priority_begin_together_and_the_next_when_all_have_ended() -> None:
    found = only(play(night(task("1", "a"), task("2", "b"), task("3", "a", priority=1))))
    assert [each.begins_at - OPENS_AT for each in found.tasks] == [0 * MINUTE, 0 * MINUTE, MINUTE]
    assert found.takes.p50 == 2 * MINUTE


def test_a_node_that_two_tasks_want_does_one_after_the_other() -> None:
    found = only(play(night(task("1", "a"), task("2", "a"))))
    assert [each.nodes[0].begins_at - OPENS_AT for each in found.tasks] == [0 * MINUTE, MINUTE]


def test_a_task_that_is_not_begun_by_the_cutoff_is_not_begun() -> None:
    found = only(play(night(task("1", "a"), task("2", "b", priority=1)), lasts=HOUR))
    assert fates(found) == [("1", "a", Fate.RAN)]
    assert found.tasks[1].problem == "the cutoff at 2026-03-15T04:00:00Z comes before it"


def test_a_task_that_goes_on_gives_all_nodes_their_turn_and_one_that_is_cancelled_does_not() -> None:
    goes_on = only(play(night(task("1", "a", "b")), lasts=HOUR))
    assert fates(goes_on) == [("1", "a", Fate.RAN), ("1", "b", Fate.RAN)]
    cancelled = only(play(night(task("1", "a", "b", is_cancelled_at_cutoff=True)), lasts=HOUR))
    assert fates(cancelled) == [("1", "a", Fate.RAN), ("1", "b", Fate.NO_TURN)]


def test_a_node_that_is_at_work_when_its_task_is_cancelled_is_cut_off() -> None:
    found = only(play(night(task("1", "a", is_cancelled_at_cutoff=True)), lasts=HOUR + MINUTE))
    (group,) = found.tasks[0].nodes
    assert (group.fate, group.ends_at) == (Fate.CUT_OFF, OPENS_AT + HOUR)


def test_a_command_is_over_when_its_own_time_is_whatever_the_window_says() -> None:
    found = only(play(night(task("1", "a", "b", lasts_s=1800)), lasts=timedelta(minutes=30)))
    assert fates(found) == [("1", "a", Fate.RAN), ("1", "b", Fate.NO_TURN)]


def test_an_opening_in_a_freeze_is_given_up_with_the_name_of_the_calendar() -> None:
    freeze = Freeze(OPENS_AT - HOUR, OPENS_AT + HOUR, "year-end")
    found = only(play(night(task("1", "a"), freezes=(freeze,))))
    assert (found.given_up, fates(found)) == ("frozen by calendar year-end", [])


def test_where_a_freeze_begins_nobody_gets_a_turn_any_more_and_who_is_at_work_goes_on() -> None:
    freeze = Freeze(OPENS_AT + 30 * MINUTE, OPENS_AT + HOUR, "year-end")
    found = only(play(night(task("1", "a", "b"), freezes=(freeze,)), lasts=40 * MINUTE))
    assert fates(found) == [("1", "a", Fate.RAN), ("1", "b", Fate.NO_TURN)]


def test_calendars_that_cannot_be_read_keep_a_window_shut() -> None:
    found = only(play(night(task("1", "a"), freezes_problem="document 'x' does not exist")))
    assert found.given_up == "the calendars that it heeds cannot be read: document 'x' does not exist"


def test_an_opening_while_the_one_before_still_runs_is_given_up() -> None:
    found = play(night(task("1", "a", lasts_s=90_000)), days=2, lasts=25 * HOUR)
    assert [each.given_up for each in found.openings] == ["", "the opening before it is still running"]


def test_a_task_stops_at_a_target_that_cannot_be_looked_up() -> None:
    targets = (
        ForecastTarget(node_ids=("a",)),
        ForecastTarget(problem="no such group"),
        ForecastTarget(node_ids=("b",)),
    )
    found = only(play(night(task("1", targets=targets))))
    assert fates(found) == [("1", "a", Fate.RAN)]
    assert found.tasks[0].problem == "the task stops at a target that selects no nodes: no such group"


def test_absent_nodes_count_for_a_percentage() -> None:
    targets = (ForecastTarget(node_ids=("a", "b"), absent_count=2),)
    found = only(play(night(task("1", max_concurrency="50%", targets=targets))))
    assert found.takes.p50 == MINUTE, "two of four at a time"


def test_what_takes_longer_than_the_window_is_open_does_not_fit() -> None:
    assert only(play(night(task("1", "a", "b")), lasts=HOUR)).fits
    assert not only(play(night(task("1", "a", "b")), lasts=HOUR + MINUTE)).fits


def test_nodes_of_which_nothing_is_known_or_heard_are_named() -> None:
    found = play(night(task("1", "a", work=Work.INSTALL)))
    assert (found.never_scanned, found.silent) == (("a", "b"), ("b",))
    assert fates(only(found)) == [("1", "a", Fate.NEVER_SCANNED)]


def test_openings_of_one_instant_come_in_order_of_the_windows_and_none_beyond_the_end() -> None:
    windows = [replace(night(), window=replace(night().window, window_id=id)) for id in ("mw-2", "mw-1")]
    found = play(*windows, days=2).openings
    assert [(each.window.window_id, each.opens_at.day) for each in found] == [
        ("mw-1", 15),
        ("mw-2", 15),
        ("mw-1", 16),
        ("mw-2", 16),
    ]
