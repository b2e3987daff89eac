"""The latest patch state of each node."""

import pytest
from sqlalchemy.exc import IntegrityError
from tests.store.compliance import FACTS, TODAY, cohort, evaluated, question, scanned
from tests.store.samples import NOW, counts, later, operation

from patchwindow.domain.fleet_state import FleetState
from patchwindow.domain.overlay import NOTHING
from patchwindow.domain.patch_state import summarize
from patchwindow.store.database import Database
from patchwindow.store.patch_states import PatchState
from patchwindow.store.work import Work


def ids(states: list[PatchState]) -> list[str]:
    return [state.summary.instance_id for state in states]


def test_a_patch_state_is_put_together_from_what_is_the_nodes_own_and_what_it_shares(work: Work) -> None:
    into = scanned(work, "mi-1")
    own = operation()
    assert work.patch_states.get("mi-1") == PatchState(
        summary=summarize(
            counts(),
            instance_id="mi-1",
            baseline_id="pb-1",
            operation=own.operation,
            operation_start_time=NOW,
            operation_end_time=later(1),
            patch_group="web",
            snapshot_id="s-1",
            install_override_list=own.install_override_list,
            owner_information=own.owner_information,
            last_no_reboot_install_operation_time=later(2),
            reboot_option="NoReboot",
        ),
        baseline_revision=3,
        facts_digest="d-1",
        installed_at=(1_700_000_000, 0, 1_800_000_000),
        command_id="c-1",
        status=counts().status,
        overall_severity="CRITICAL",
        cohort_id=into.cohort_id,
        evaluation_id=into.evaluation_id,
        evaluated_on=TODAY,
        overlay=NOTHING,
        standing=FleetState.FAILED,
        computed_at=NOW,
    )
    assert work.patch_states.get("mi-2") is None


def test_the_latest_patch_state_takes_the_place_of_the_former(work: Work) -> None:
    scanned(work, "mi-1")
    other = cohort(work, evaluated(work, question(facts_digest="d-2"), found=counts(status="COMPLIANT")), group="")
    own = operation(patch_group="", snapshot_id=None, operation_end_time=later(9))
    work.patch_states.put(
        "mi-1",
        own,
        cohort_id=other.cohort_id,
        evaluation_id=other.evaluation_id,
        installed_at=(),
        command_id="c-2",
    )
    (state,) = work.patch_states.many(["mi-1"])
    assert (state.facts_digest, state.status, state.installed_at, state.command_id) == ("d-2", "COMPLIANT", (), "c-2")
    assert (state.summary.operation_end_time, state.summary.snapshot_id) == (later(9), None)


def test_what_is_true_of_a_cohort_is_true_of_its_nodes_at_once(work: Work) -> None:
    into = scanned(work, "mi-1", "mi-2")
    newer = evaluated(work, question(baseline_revision=4), found=counts(missing_count=0, status="COMPLIANT"))
    assert cohort(work, newer).cohort_id == into.cohort_id
    states = list(work.patch_states.each())
    assert [(state.summary.missing_count, state.baseline_revision) for state in states] == [(0, 4), (0, 4)]
    assert {state.summary.operation_end_time for state in states} == {later(1)}, "of the last operation, as before"


def test_the_last_installation_without_a_reboot_is_remembered(work: Work) -> None:
    assert work.patch_states.last_no_reboot_install("mi-1") is None
    scanned(work, "mi-1")
    assert work.patch_states.last_no_reboot_install("mi-1") == later(2)


def test_of_many_nodes_those_with_a_state_come_in_order_of_id(work: Work) -> None:
    scanned(work, "mi-3", "mi-1", "mi-2")
    assert ids(work.patch_states.many(["mi-3", "mi-9", "mi-1"])) == ["mi-1", "mi-3"]
    assert work.patch_states.many([]) == []


def test_patch_states_are_paged_by_node(work: Work) -> None:
    scanned(work, "mi-3", "mi-1", "mi-2")
    assert ids(work.patch_states.page(after="", limit=2)) == ["mi-1", "mi-2"]
    assert ids(work.patch_states.page(after="mi-2", limit=2)) == ["mi-3"]


def test_the_states_of_a_patch_group_are_those_of_the_nodes_that_are_in_it_now(work: Work) -> None:
    scanned(work, "mi-1", "mi-2")
    scanned(work, "mi-3", patch_group="db")
    work.nodes.regroup("mi-1", "db")
    assert ids(work.patch_states.page(after="", limit=9, patch_group="db")) == ["mi-1", "mi-3"]
    assert ids(work.patch_states.page(after="mi-1", limit=9, patch_group="db")) == ["mi-3"]
    assert ids(list(work.patch_states.each(patch_group="web"))) == ["mi-2"]


def test_every_state_is_yielded_also_beyond_one_batch(work: Work) -> None:
    expected = [f"mi-{number:05}" for number in range(1003)]
    scanned(work, *expected)
    assert ids(list(work.patch_states.each())) == expected
    assert ids(list(work.patch_states.each(after="mi-01000"))) == ["mi-01001", "mi-01002"]


def test_a_patch_state_goes_with_its_node_and_the_facts_stay(work: Work) -> None:
    scanned(work, "mi-1", "mi-2")
    work.nodes.delete("mi-1")
    assert work.patch_states.get("mi-1") is None
    assert ids(list(work.patch_states.each())) == ["mi-2"]
    assert work.facts.get("d-1") == FACTS


def test_a_patch_state_needs_its_node_and_its_cohort(database: Database) -> None:
    with database.write() as work:
        into = scanned(work, "mi-1")
    for node_id, cohort_id in (("mi-2", into.cohort_id), ("mi-1", "nothing")):
        with pytest.raises(IntegrityError), database.write() as work:
            work.patch_states.put(
                node_id,
                operation(),
                cohort_id=cohort_id,
                evaluation_id=into.evaluation_id,
                installed_at=(),
                command_id="c-2",
            )
    with database.read() as work:
        assert [state.command_id for state in work.patch_states.each()] == ["c-1"]
