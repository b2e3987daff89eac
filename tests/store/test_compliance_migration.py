"""What an older database has of scanned nodes is carried over, and due to be evaluated anew."""

import zlib
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from tests.store.compliance import evaluated
from tests.store.samples import NOW, baseline, counts, node, operation

from patchwindow.domain.fleet_state import FleetState
from patchwindow.domain.overlay import NOTHING
from patchwindow.domain.patch_state import summarize
from patchwindow.protocol.records import dumps, to_ms
from patchwindow.store import migrate
from patchwindow.store.database import Database

BEFORE = 4
"""How many migrations came before."""
OWN = operation()
SUMMARY = summarize(
    counts(),
    instance_id="mi-1",
    baseline_id="pb-1",
    operation=OWN.operation,
    operation_start_time=OWN.operation_start_time,
    operation_end_time=OWN.operation_end_time,
    patch_group="old",
    snapshot_id=OWN.snapshot_id,
    install_override_list=OWN.install_override_list,
    owner_information=OWN.owner_information,
    last_no_reboot_install_operation_time=OWN.last_no_reboot_install_operation_time,
    reboot_option=OWN.reboot_option,
)


@pytest.fixture
def older(fresh_url: str) -> Iterator[Database]:
    """A database of the time before, with one node that was scanned and one that was not."""
    database = Database(fresh_url)
    with database._writers.transaction() as connection:
        for script in migrate._scripts()[:BEFORE]:
            for statement in migrate._statements(script, database._dialect.TYPES):
                connection.exec_driver_sql(statement)
        connection.exec_driver_sql("CREATE TABLE schema_version (version INTEGER NOT NULL)")
        connection.execute(sa.text("INSERT INTO schema_version VALUES (:version)"), {"version": BEFORE})
        fill(connection)
    yield database
    database.close()


def fill(connection: sa.Connection) -> None:
    own = baseline("pb-1")
    run = connection.execute
    run(
        sa.text("INSERT INTO baseline VALUES ('pb-1', 'own', 'DEBIAN', 'Self', 3, :body)"),
        {"body": dumps(own)},
    )
    for id in ("mi-1", "mi-2"):
        run(
            sa.text("INSERT INTO node VALUES (:id, 'a', 'r', '', 'Linux', '', 'web', :now, :body)"),
            {"id": id, "now": to_ms(NOW), "body": dumps(node(id))},
        )
    run(sa.text("INSERT INTO tag VALUES ('ManagedInstance', 'mi-1', 'Environment', 'live')"))
    run(sa.text("INSERT INTO facts VALUES ('d-1', :now, :body)"), {"now": to_ms(NOW), "body": zlib.compress(b"{}")})
    run(
        sa.text(
            "INSERT INTO patch_state VALUES ('mi-1', 'old', 'pb-1', 3, 'd-1', :installed_at, 'c-1', 'NON_COMPLIANT', "
            "'CRITICAL', :ended, :body)"
        ),
        {"installed_at": zlib.compress(b"5,0"), "ended": to_ms(OWN.operation_end_time), "body": dumps(SUMMARY)},
    )


def test_states_and_facts_are_as_they_were(older: Database) -> None:
    older.migrate()
    with older.read() as work:
        (state,) = work.patch_states.each()
        assert state.summary == SUMMARY
        assert (state.baseline_revision, state.facts_digest, state.installed_at) == (3, "d-1", (5, 0))
        assert (state.command_id, state.status, state.overall_severity) == ("c-1", "NON_COMPLIANT", "CRITICAL")
        assert (state.standing, state.overlay, state.evaluated_on) == (FleetState.MISSING, NOTHING, NOW.date())
        assert work.facts.get("d-1") == b"{}"


def test_a_node_is_in_the_environment_that_its_tag_says(older: Database) -> None:
    older.migrate()
    with older.read() as work:
        (found,) = work.fleet.scanned(stale_before=NOW, tag_key="Environment")
        assert (found.value, found.node_count) == ("live", 1)


def test_a_scan_is_the_first_of_the_history(older: Database) -> None:
    older.migrate()
    with older.read() as work:
        (past,) = work.scans.of_node("mi-1", since=NOW, before=datetime.max.replace(tzinfo=UTC), limit=9)
        assert (past.operation, past.patch_group, past.counts) == ("Install", "old", counts())


def test_nodes_are_due_in_the_group_that_they_are_in_now_and_chores_are_planned(older: Database) -> None:
    older.migrate()
    with older.write() as work:
        (cohort,) = work.cohorts.lock_due("d-1", NOW, 9)
        assert (cohort.key.operating_system, cohort.key.patch_group, cohort.baseline_id) == ("DEBIAN", "web", "pb-1")
        assert work.chores.due(NOW, 9) == ["prune", "trend"]


def test_what_an_older_version_made_of_facts_is_made_anew_and_kept_with_its_listing(older: Database) -> None:
    older.migrate()
    with older.write() as work:
        (nodes,) = work.fleet_patches.evaluated()
        assert (nodes.listing_digest, nodes.places) == (None, None)
        stored = work.evaluations.get(nodes.evaluation_id)
        assert work.evaluations.tally(stored.evaluation_id) is None
        assert work.evaluations.find(stored.question, stored.day) is None
        again = evaluated(work, stored.question, day=stored.day)
        assert work.evaluations.find(stored.question, stored.day) == again
