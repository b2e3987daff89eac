"""What forecasts read: all nodes with their cohorts, and how long operations took."""

from tests.store.compliance import cohort, evaluated, scanned, unscanned
from tests.store.samples import NOW, command, invocation, later

from patchwindow.store.forecasts import NodePlace, OperationTime
from patchwindow.store.work import Work


def test_every_node_is_read_with_its_cohort_and_one_that_was_never_scanned_without(work: Work) -> None:
    web = cohort(work, evaluated(work))
    scanned(work, "mi-2", into=web)
    unscanned(work, "mi-1", pinged_at=later(-9))
    assert work.forecasts.nodes() == [
        NodePlace(node_id="mi-1", pinged_at=later(-9), cohort_id=""),
        NodePlace(node_id="mi-2", pinged_at=NOW, cohort_id=web.cohort_id),
    ]


def test_only_cohorts_that_have_nodes_are_read(work: Work) -> None:
    evaluation = evaluated(work)
    web, _ = cohort(work, evaluation), cohort(work, evaluation, group="db")
    scanned(work, "mi-1", into=web)
    assert work.cohorts.with_nodes() == [web]


def test_operations_that_succeeded_tell_how_long_they_took_the_last_first(work: Work) -> None:
    web = cohort(work, evaluated(work))
    ends = {"mi-1": ("Success", 3), "mi-2": ("Success", 20), "mi-3": ("Failed", 9), "mi-4": ("Success", 0)}
    sent = [
        invocation(id, ordinal=at, details=details, dispatched_at=NOW, ended_at=later(minutes))
        for at, (id, (details, minutes)) in enumerate(ends.items())
    ]
    work.commands.add(command(), sent, wake_at=NOW)
    for id, (_, minutes) in ends.items():
        scanned(work, id, into=web, operation="Install", operation_end_time=later(minutes))
    told = [OperationTime(operation="Install", patch_group="web", seconds=minutes * 60) for minutes in (20, 3)]
    assert work.forecasts.times(10) == told
    assert work.forecasts.times(1) == told[:1]
