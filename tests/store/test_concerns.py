"""What somebody has to look at, as the databases tell it."""

from tests.store.compliance import cohort, evaluated, scanned, unscanned
from tests.store.samples import command, counts, execution, invocation, later

from patchwindow.domain.baseline import ComplianceStatus
from patchwindow.store.concerns import BadCommand, BadOpening, SilentNode
from patchwindow.store.history import DayCount
from patchwindow.store.work import Work

BAD = ComplianceStatus.NON_COMPLIANT


def test_the_longest_silent_of_the_scanned_nodes_come_first(work: Work) -> None:
    scanned(work, "mi-1", pinged_at=later(-9))
    scanned(work, "mi-2", pinged_at=later(-30))
    scanned(work, "mi-3", pinged_at=later(0))
    unscanned(work, "mi-4", pinged_at=later(-60))
    assert work.concerns.longest_lost(later(-5), 9) == [SilentNode("mi-2", later(-30)), SilentNode("mi-1", later(-9))]
    assert work.concerns.longest_lost(later(-5), 1) == [SilentNode("mi-2", later(-30))]


def test_the_oldest_scans_are_those_of_nodes_that_are_heard_of(work: Work) -> None:
    scanned(work, "mi-1", operation_end_time=later(-90))
    scanned(work, "mi-2", operation_end_time=later(-80))
    scanned(work, "mi-3", operation_end_time=later(-95), pinged_at=later(-60))
    scanned(work, "mi-4", operation_end_time=later(-1))
    found = work.concerns.oldest_scans(stale_before=later(-30), lost_before=later(-10), limit=5)
    assert found == [SilentNode("mi-1", later(-90)), SilentNode("mi-2", later(-80))]


def test_a_node_was_lost_at_work_only_where_it_had_begun_and_not_ended(work: Work) -> None:
    sent = {"dispatched_at": later(1), "details": "InProgress"}
    invocations = [
        invocation("mi-1", ordinal=1, **sent, acknowledged_at=later(2)),
        invocation("mi-2", ordinal=2, **sent),
        invocation("mi-3", ordinal=3, **sent, acknowledged_at=later(2)),
        invocation(
            "mi-4", ordinal=4, dispatched_at=later(1), acknowledged_at=later(2), ended_at=later(3), details="Success"
        ),
    ]
    work.commands.add(command(target_count=4), invocations, wake_at=later(1))
    for node_id, pinged_at in (("mi-1", -20), ("mi-2", -20), ("mi-3", 0), ("mi-4", -20)):
        unscanned(work, node_id, pinged_at=later(pinged_at))
    assert work.concerns.lost_at_work(later(-10)) == [SilentNode("mi-1", later(-20), "c-1")]


def test_a_node_waits_for_its_reboot_where_nothing_else_is_left(work: Work) -> None:
    left = {"critical_non_compliant_count": 0, "failed_count": 0, "installed_rejected_count": 0}
    waiting = counts(status=BAD, installed_pending_reboot_count=1, missing_count=0, **left)
    missing = counts(status=BAD, installed_pending_reboot_count=1, missing_count=1, **left)
    scanned(work, "mi-1", into=cohort(work, evaluated(work, found=waiting)), pinged_at=later(-3))
    scanned(work, "mi-2", into=cohort(work, evaluated(work, found=missing, day=later(-9999).date()), group="db"))
    (found,) = work.concerns.awaiting_reboot()
    assert (found.node_id, found.pinged_at) == ("mi-1", later(-3))
    assert found.operation.last_no_reboot_install_operation_time == later(2)


def test_openings_that_did_not_do_their_work_are_told_the_latest_first(work: Work) -> None:
    for at, status in enumerate(("SUCCESS", "FAILED", "TIMED_OUT", "SKIPPED_OVERLAPPING", "CANCELLED", "IN_PROGRESS")):
        one = execution(f"we-{at}", opens_at=later(at), status=status, status_details="why")
        assert work.executions.open(one, wake_at=None)
    assert work.concerns.openings(later(2)) == [
        BadOpening("we-3", "mw-1", later(3), "SKIPPED_OVERLAPPING", "why"),
        BadOpening("we-2", "mw-1", later(2), "TIMED_OUT", "why"),
    ]


def test_commands_that_failed_are_told_with_the_nodes_that_they_did_not_reach(work: Work) -> None:
    stopped = [
        invocation("mi-1", ordinal=1, ended_at=later(3), details="Failed"),
        *(invocation(f"mi-{at}", ordinal=at, ended_at=later(3), details="Terminated") for at in (2, 3)),
    ]
    over = command(error_count=1, delivery_timed_out_count=0, status="Failed", status_details="Failed")
    work.commands.add(over, stopped, wake_at=later(1))
    work.commands.put(command("c-2", error_count=3, delivery_timed_out_count=2), wake_at=None)
    work.commands.put(command("c-3", error_count=0, delivery_timed_out_count=0), wake_at=None)
    work.commands.put(command("c-4", requested_date_time=later(-99)), wake_at=None)
    assert work.concerns.commands(later(-9)) == [
        BadCommand("c-2", "AWS-RunPatchBaseline", later(0), "InProgress", 5, 0),
        BadCommand("c-1", "AWS-RunPatchBaseline", later(0), "Failed", 1, 2),
    ]


def test_the_days_of_the_trend_are_summed_over_groups_and_systems(work: Work) -> None:
    first, second = later(0).date(), later(60 * 24).date()
    work.trend.put(first, [("web", "DEBIAN", "Compliant", 3), ("db", "UBUNTU", "Compliant", 4)])
    work.trend.put(second, [("web", "DEBIAN", "Stale", 1)])
    assert work.trend.totals(first=first, last=second, limit=9) == [
        DayCount(day=first, patch_group="", operating_system="", state="Compliant", node_count=7),
        DayCount(day=second, patch_group="", operating_system="", state="Stale", node_count=1),
    ]
    assert work.trend.totals(first=second, last=second, limit=9)[0].day == second
