"""Maintenance windows, their targets and their tasks."""

from datetime import timedelta

import pytest
from sqlalchemy.exc import IntegrityError
from tests.store.samples import NOW, UNICODE, later, window, window_target, window_task

from patchwindow.store.database import Database
from patchwindow.store.work import Work


def test_a_window_comes_back_as_it_was_put(work: Work) -> None:
    work.windows.put(window(), next_opening_at=later(5))
    assert work.windows.get("mw-1") == window()
    assert work.windows.lock("mw-1") == window()
    assert work.windows.opening_of("mw-1") == later(5)


def test_an_unknown_window_is_none(work: Work) -> None:
    assert work.windows.get("mw-1") is None
    assert work.windows.lock("mw-1") is None
    assert work.windows.opening_of("mw-1") is None
    assert work.windows.next_opening_at() is None


def test_putting_a_window_again_replaces_it_and_leaves_its_parts(work: Work) -> None:
    work.windows.put(window(), next_opening_at=later(5))
    work.window_targets.put("wt-1", window_target())
    work.windows.put(window(name="new", end_date=None), next_opening_at=None)
    assert work.windows.get("mw-1") == window(name="new", end_date=None)
    assert work.windows.opening_of("mw-1") is None
    assert work.window_targets.of_window("mw-1") == [window_target()]


def test_due_windows_are_those_whose_instant_has_come_the_earliest_first(work: Work) -> None:
    for id, minutes in (("mw-1", 2), ("mw-3", 1), ("mw-2", 1), ("mw-4", 3)):
        work.windows.put(window(id), next_opening_at=later(minutes))
    work.windows.put(window("mw-5"), next_opening_at=None)
    assert work.windows.due(later(2), 9) == ["mw-2", "mw-3", "mw-1"]
    assert work.windows.due(later(2) - timedelta(milliseconds=1), 9) == ["mw-2", "mw-3"]
    assert work.windows.due(later(2), 1) == ["mw-2"]
    assert work.windows.due(NOW, 9) == []
    assert work.windows.next_opening_at() == later(1)


def test_windows_are_paged_by_id(work: Work) -> None:
    for id in ("mw-3", "mw-1", "mw-2"):
        work.windows.put(window(id), next_opening_at=None)
    first = work.windows.page(after="", limit=2)
    assert [one.window.window_id for one in first] == ["mw-1", "mw-2"]
    assert [one.window.window_id for one in work.windows.page(after="mw-2", limit=2)] == ["mw-3"]
    assert work.windows.page(after="mw-3", limit=2) == []


def test_windows_that_open_again_are_paged_by_their_next_opening(work: Work) -> None:
    for id, minutes in (("mw-1", 2), ("mw-4", 1), ("mw-2", 1), ("mw-3", 3)):
        work.windows.put(window(id), next_opening_at=later(minutes))
    work.windows.put(window("mw-5"), next_opening_at=None)
    expected = [(later(1), "mw-2"), (later(1), "mw-4"), (later(2), "mw-1"), (later(3), "mw-3")]
    after = None
    for place in expected:
        ((opening, found),) = work.windows.page_by_opening(after=after, limit=1)
        after = (opening, found.window_id)
        assert after == place
        assert found == window(found.window_id)
    assert work.windows.page_by_opening(after=after, limit=1) == []
    assert [one.window_id for _, one in work.windows.page_by_opening(after=None, limit=9)] == [id for _, id in expected]


def test_windows_are_counted_whether_they_open_or_not(work: Work) -> None:
    assert work.windows.count() == 0
    work.windows.put(window("mw-1"), next_opening_at=None)
    work.windows.put(window("mw-2"), next_opening_at=later(1))
    work.windows.put(window("mw-2"), next_opening_at=later(2))
    assert work.windows.count() == 2


@pytest.mark.parametrize("is_enabled", [None, True])
def test_a_page_says_when_each_window_opens_next(work: Work, *, is_enabled: bool | None) -> None:
    for id, minutes in (("mw-1", 2), ("mw-3", 1)):
        work.windows.put(window(id), next_opening_at=later(minutes))
    work.windows.put(window("mw-2"), next_opening_at=None)
    page = work.windows.page(after="", limit=9, is_enabled=is_enabled)
    assert [(one.window, one.next_opening_at) for one in page] == [
        (window("mw-1"), later(2)),
        (window("mw-2"), None),
        (window("mw-3"), later(1)),
    ]


def test_windows_can_be_filtered_by_prefix_and_whether_they_are_enabled(work: Work) -> None:
    for id, name, enabled in (("mw-1", "Sunday", True), ("mw-2", "sunday", False), ("mw-3", "monday", True)):
        work.windows.put(window(id, name=name, enabled=enabled), next_opening_at=None)

    def ids(**filters: object) -> list[str]:
        found = work.windows.page(after="", limit=9, **filters)  # type: ignore[arg-type]  # each case names its own
        return [one.window.window_id for one in found]

    assert ids(name_prefixes=["sun", "mon"]) == ["mw-2", "mw-3"]
    assert ids(is_enabled=True) == ["mw-1", "mw-3"]
    assert ids(is_enabled=False) == ["mw-2"]
    assert ids(name_prefixes=["sun"], is_enabled=True) == []


def test_a_part_comes_back_as_it_was_put_for_its_window_alone(work: Work) -> None:
    for id in ("mw-1", "mw-2"):
        work.windows.put(window(id), next_opening_at=None)
    work.window_targets.put("wt-1", window_target())
    work.window_tasks.put("wk-1", window_task())
    assert work.window_targets.get("mw-1", "wt-1") == window_target()
    assert work.window_tasks.get("mw-1", "wk-1") == window_task()
    assert work.window_targets.get("mw-2", "wt-1") is None
    assert work.window_tasks.get("mw-1", "wt-1") is None


def test_parts_are_listed_by_window_and_then_by_id(work: Work) -> None:
    for id in ("mw-2", "mw-1"):
        work.windows.put(window(id), next_opening_at=None)
    for id, window_id in (("3", "mw-1"), ("1", "mw-2"), ("2", "mw-1")):
        work.window_targets.put(id, window_target(id, window_id))
        work.window_tasks.put(id, window_task(id, window_id))
    assert [one.window_target_id for one in work.window_targets.of_window("mw-1")] == ["2", "3"]
    assert [one.window_task_id for one in work.window_tasks.of_window("mw-1")] == ["2", "3"]
    assert [one.window_target_id for one in work.window_targets.all()] == ["2", "3", "1"]
    assert [one.window_task_id for one in work.window_tasks.all()] == ["2", "3", "1"]
    assert work.window_tasks.of_window("mw-3") == []


def test_a_part_put_again_is_replaced_and_a_deleted_one_is_gone(work: Work) -> None:
    work.windows.put(window(), next_opening_at=None)
    work.window_targets.put("wt-1", window_target())
    work.window_targets.put("wt-2", window_target("wt-2"))
    work.window_targets.put("wt-1", window_target("wt-1"))
    work.window_targets.delete("wt-1")
    work.window_targets.delete("wt-1")
    assert [one.window_target_id for one in work.window_targets.of_window("mw-1")] == ["wt-2"]


def test_targets_and_tasks_go_with_their_window(work: Work) -> None:
    for id in ("mw-1", "mw-2"):
        work.windows.put(window(id), next_opening_at=later(1))
        work.window_targets.put(f"wt-{id}", window_target(f"wt-{id}", id))
        work.window_tasks.put(f"wk-{id}", window_task(f"wk-{id}", id))
    work.windows.delete("mw-1")
    assert work.windows.get("mw-1") is None
    assert [one.window_id for one in work.window_targets.all()] == ["mw-2"]
    assert [one.window_id for one in work.window_tasks.all()] == ["mw-2"]


def test_a_part_of_no_window_cannot_be_kept(database: Database) -> None:
    with pytest.raises(IntegrityError), database.write() as work:
        work.window_tasks.put("wk-1", window_task())
    with database.read() as work:
        assert work.window_tasks.all() == []


def test_a_window_may_have_any_name(work: Work) -> None:
    work.windows.put(window(name=UNICODE), next_opening_at=None)
    assert [one.window.name for one in work.windows.page(after="", limit=9, name_prefixes=[UNICODE[:-1]])] == [UNICODE]
