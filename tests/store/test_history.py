"""Every scan, the trend per day, and what is done again and again."""

from datetime import timedelta

from tests.store.compliance import TODAY, cohort, evaluated, question, scanned
from tests.store.samples import NOW, counts, later, operation

from patchwindow.store.history import DayCount, PastScan
from patchwindow.store.work import Work

DAY = timedelta(days=1)


def put(work: Work, node: str, *minutes: int) -> None:
    """Keep a node that was scanned at these instants."""
    into = cohort(work, evaluated(work))
    for at in minutes:
        scanned(work, node, into=into, operation_end_time=later(at))


def ended(work: Work, node: str, *, since: int = 0, before: int = 99, limit: int = 9) -> list[int]:
    found = work.scans.of_node(node, since=later(since), before=later(before), limit=limit)
    return [int((past.ended_at - NOW).total_seconds()) // 60 for past in found]


def test_every_scan_is_kept_the_last_one_comes_first(work: Work) -> None:
    put(work, "mi-1", 1, 2, 3)
    put(work, "mi-2", 5)
    assert ended(work, "mi-1") == [3, 2, 1]
    assert ended(work, "mi-1", since=2) == [3, 2]
    assert ended(work, "mi-1", before=3) == [2, 1]
    assert ended(work, "mi-1", limit=1) == [3]


def test_a_scan_says_by_which_revision_of_which_baseline_it_was_judged(work: Work) -> None:
    into = cohort(work, evaluated(work))
    scanned(work, "mi-1", into=into)
    # The cohort goes on with another revision; the scan stays what it was.
    cohort(work, evaluated(work, question(baseline_revision=4), found=counts(missing_count=0)))
    (past,) = work.scans.of_node("mi-1", since=NOW, before=later(99), limit=9)
    assert past == PastScan(
        node_id="mi-1",
        ended_at=operation().operation_end_time,
        operation="Install",
        command_id="c-1",
        patch_group="web",
        baseline_id="pb-1",
        baseline_revision=3,
        facts_digest="d-1",
        counts=counts(),
    )


def test_the_history_outlives_the_node_and_is_forgotten_in_batches(work: Work) -> None:
    put(work, "mi-1", *range(1, 6))
    work.nodes.delete("mi-1")
    assert ended(work, "mi-1") == [5, 4, 3, 2, 1]
    assert work.scans.prune(later(4), 2) == 2
    assert ended(work, "mi-1") == [5, 4, 3], "the oldest first"
    assert work.scans.prune(later(4), 2) == 1
    assert work.scans.prune(later(4), 2) == 0
    assert ended(work, "mi-1") == [5, 4]


def test_the_numbers_of_a_day_take_the_place_of_earlier_ones(work: Work) -> None:
    work.trend.put(TODAY, [("web", "DEBIAN", "Compliant", 3), ("web", "DEBIAN", "Missing", 1)])
    work.trend.put(TODAY, [("web", "DEBIAN", "Compliant", 4)])
    found = work.trend.page(first=TODAY, last=TODAY, after=None, limit=9)
    assert found == [DayCount(day=TODAY, patch_group="web", operating_system="DEBIAN", state="Compliant", node_count=4)]


def test_the_trend_comes_in_order_and_goes_on_after_a_place(work: Work) -> None:
    for number in range(3):
        counted = [
            (group, "DEBIAN", state, number + 1) for group in ("web", "db") for state in ("Missing", "Compliant")
        ]
        work.trend.put(TODAY + number * DAY, counted)
    found = work.trend.page(first=TODAY + DAY, last=TODAY + 2 * DAY, after=None, limit=3)
    assert [(one.day, one.patch_group, one.state) for one in found] == [
        (TODAY + DAY, "db", "Compliant"),
        (TODAY + DAY, "db", "Missing"),
        (TODAY + DAY, "web", "Compliant"),
    ]
    after = ((TODAY + DAY).isoformat(), "db", "DEBIAN")
    (next_, *_) = work.trend.page(first=TODAY, last=TODAY + 2 * DAY, after=after, limit=9)
    assert (next_.day, next_.patch_group) == (TODAY + DAY, "web")
    work.trend.prune(TODAY + 2 * DAY)
    left = work.trend.page(first=TODAY, last=TODAY + 9 * DAY, after=None, limit=99)
    assert {one.day for one in left} == {TODAY + 2 * DAY}


def test_a_chore_is_due_when_it_was_planned_for(work: Work) -> None:
    assert (work.chores.due(later(9), 9), work.chores.next_due_at(), work.chores.lock("a")) == ([], None, None)
    work.chores.plan("a", later(2))
    work.chores.plan("b", later(1))
    work.chores.plan("a", NOW)
    assert (work.chores.due(later(1), 9), work.chores.next_due_at()) == (["b"], later(1))
    assert work.chores.due(later(2), 9) == ["a", "b"]
    work.chores.put("b", later(7))
    assert (work.chores.due(later(2), 9), work.chores.lock("b")) == (["a"], later(7))
