"""Compliance changes without a rescan, when what it depends on changes."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa
from tests.engine.scanning import (
    BAD,
    CLEAN,
    GROUP,
    NODE,
    grouped,
    own_baseline,
    patches,
    prepare,
    scan,
    state,
    status,
    tag,
)
from tests.engine.world import World

from patchwindow.domain.operating_system import OperatingSystem
from patchwindow.domain.predefined import default_for
from patchwindow.store.tables import cohort

REDHAT: Any = {
    "schema": 2,
    "manager": "dnf",
    "os": {"id": "rhel", "name": "Red Hat Enterprise Linux", "versionId": "9.3", "arch": "x86_64"},
    "origins": [{"id": "baseos"}],
    "advisories": [{"id": "RHSA-2026:1", "kind": "security", "severity": "Important", "issued": "2026-01-12"}],
    "packages": [{"name": "openssl", "arch": "x86_64", "version": "3.0.7-1.el9"}],
    "updates": [
        {
            "name": "openssl",
            "arch": "x86_64",
            "installed": "3.0.7-1.el9",
            "candidate": "3.0.7-2.el9",
            "origins": [0],
            "advisories": [0],
        }
    ],
    "held": [],
    "reboot": {"required": False, "reasons": []},
}


@pytest.fixture
def world(world: World) -> World:
    """A world with the predefined baselines."""
    prepare(world)
    return world


def test_a_changed_baseline_changes_the_compliance_of_its_nodes(world: World) -> None:
    own = own_baseline(world)
    world.perform("RegisterPatchBaselineForPatchGroup", BaselineId=own, PatchGroup="web")
    web, db = grouped(world, "web"), grouped(world, "db")
    for node in (web, db):
        scan(world, node, BAD)
    assert (status(world, web), status(world, db)) == ("COMPLIANT", "NON_COMPLIANT")
    before = state(world, web)
    world.after(seconds=5)
    world.perform("UpdatePatchBaseline", BaselineId=own, ApprovedPatches=["openssl"])
    world.after(seconds=1)
    assert (status(world, web), status(world, db)) == ("NON_COMPLIANT", "NON_COMPLIANT")
    after = state(world, web)
    assert (before["MissingCount"], after["MissingCount"]) == (0, 1)
    times = ("OperationStartTime", "OperationEndTime", "Operation", "PatchGroup")
    assert [after[name] for name in times] == [before[name] for name in times], "it was not scanned again"
    assert patches(world, web)["openssl.amd64:2"] == "Missing"


def test_another_default_changes_the_compliance_of_who_follows_it(world: World) -> None:
    node = grouped(world)
    scan(world, node, BAD)
    assert status(world, node) == "NON_COMPLIANT"
    own = own_baseline(world)
    world.perform("RegisterDefaultPatchBaseline", BaselineId=own)
    world.turn()
    assert status(world, node) == "COMPLIANT"
    assert state(world, node)["BaselineId"] == own


def test_a_registration_changes_the_compliance_of_the_group_and_so_does_its_end(world: World) -> None:
    node = grouped(world, "web")
    scan(world, node, BAD)
    own = own_baseline(world)
    world.perform("RegisterPatchBaselineForPatchGroup", BaselineId=own, PatchGroup="web")
    world.turn()
    assert (status(world, node), state(world, node)["BaselineId"]) == ("COMPLIANT", own)
    world.perform("DeregisterPatchBaselineForPatchGroup", BaselineId=own, PatchGroup="web")
    world.turn()
    assert status(world, node) == "NON_COMPLIANT"


def test_a_tag_changes_the_compliance_of_its_node_alone(world: World) -> None:
    own = own_baseline(world)
    world.perform("RegisterPatchBaselineForPatchGroup", BaselineId=own, PatchGroup="web")
    moved, stays = grouped(world), grouped(world)
    for node in (moved, stays):
        scan(world, node, BAD)
    tag(world, moved, "web")
    world.turn()
    assert (status(world, moved), status(world, stays)) == ("COMPLIANT", "NON_COMPLIANT")
    world.perform("RemoveTagsFromResource", ResourceType=NODE, ResourceId=moved, TagKeys=[GROUP])
    world.turn()
    assert status(world, moved) == "NON_COMPLIANT"


def test_a_patch_is_missing_from_the_day_on_which_its_delay_is_over(world: World) -> None:
    node = grouped(world)
    rule = {
        "PatchFilterGroup": {"PatchFilters": [{"Key": "CLASSIFICATION", "Values": ["Security"]}]},
        "ApproveAfterDays": 7,
    }
    own = own_baseline(world, OperatingSystem="REDHAT_ENTERPRISE_LINUX", ApprovalRules={"PatchRules": [rule]})
    world.perform("RegisterDefaultPatchBaseline", BaselineId=own)
    scan(world, node, REDHAT)
    world.at(23, 59, day=18)
    assert status(world, node) == "COMPLIANT"
    world.at(0, 0, day=19)
    assert status(world, node) == "NON_COMPLIANT"


def test_the_engine_knows_when_the_next_day_matters(world: World) -> None:
    scan(world, grouped(world), BAD)
    world.turn()
    with world.database.read() as work:
        assert work.cohorts.next_due_at() is None, "apt knows no dates"
    scan(world, grouped(world), REDHAT)
    world.turn()
    with world.database.read() as work:
        at = work.cohorts.next_due_at()
    assert at is not None
    # The default of Red Hat approves after 7 days, and the notice is of the 12th.
    assert (at.day, at.hour) == (19, 0)


def test_nodes_with_equal_facts_share_one_evaluation(world: World) -> None:
    nodes = [grouped(world, "web") for _ in range(3)]
    for node in nodes:
        scan(world, node, BAD)
    with world.database.read() as work:
        states = work.patch_states.many(nodes)
    assert len({(one.cohort_id, one.evaluation_id) for one in states}) == 1


def test_a_state_says_what_it_was_computed_from(world: World) -> None:
    own = own_baseline(world)
    world.perform("RegisterDefaultPatchBaseline", BaselineId=own)
    node = grouped(world)
    scan(world, node, BAD)
    scanned_at = world.clock.now()
    world.after(hours=3)
    world.perform("UpdatePatchBaseline", BaselineId=own, ApprovedPatches=["openssl"])
    world.turn()
    with world.database.read() as work:
        found = work.patch_states.get(node)
    assert found is not None
    assert (found.summary.operation_end_time, found.computed_at) == (scanned_at, scanned_at + timedelta(hours=3))
    assert (found.summary.baseline_id, found.baseline_revision) == (own, 2)


def test_a_step_that_is_lost_is_taken_again(world: World) -> None:
    node = grouped(world)
    scan(world, node, BAD)
    world.perform("RegisterDefaultPatchBaseline", BaselineId=own_baseline(world))
    # A server that dies between the change and the step: the next one finds what is due.
    world.new_engine().turn()
    assert status(world, node) == "COMPLIANT"


def test_two_engines_and_reports_in_between_come_to_the_same(world: World) -> None:
    own = own_baseline(world)
    world.perform("RegisterDefaultPatchBaseline", BaselineId=own)
    nodes = [grouped(world, f"group-{number % 4}") for number in range(8)]
    for node in nodes:
        scan(world, node, BAD)
    engines = [world.engine, world.new_engine()]

    def change(number: int) -> None:
        world.perform("UpdatePatchBaseline", BaselineId=own, ApprovedPatches=["openssl"] if number % 2 else [])

    with ThreadPoolExecutor(4) as threads:
        for number in range(6):
            jobs: list[Callable[[], object]] = [partial(change, number), partial(scan, world, nodes[number], BAD)]
            jobs += [engine.turn for engine in engines]
            for job in [threads.submit(job) for job in jobs]:
                job.result()
    world.turn()
    assert {status(world, node) for node in nodes} == {"NON_COMPLIANT"}


def test_cohorts_that_nobody_is_in_are_not_evaluated_but_dropped(world: World) -> None:
    node = grouped(world, "web")
    scan(world, node, BAD)
    scan(world, node, CLEAN)
    world.perform("RegisterDefaultPatchBaseline", BaselineId=own_baseline(world))
    world.turn()
    with world.database.write() as work:
        assert work.cohorts.prune(9) == 0
        assert work.cohorts.next_due_at() is None
    assert status(world, node) == "COMPLIANT"


def test_what_failed_and_what_waits_for_a_reboot_stays_so_when_the_baseline_changes(world: World) -> None:
    node = grouped(world)
    own = own_baseline(world, ApprovedPatches=["openssl"])
    world.perform("RegisterDefaultPatchBaseline", BaselineId=own)
    scan(world, node, BAD, failed={"openssl.amd64:2": "no space"}, pendingReboot=["bash.amd64:1"])
    assert patches(world, node) == {
        "bash.amd64:1": "InstalledPendingReboot",
        "openssl.amd64:1": "Installed",
        "openssl.amd64:2": "Failed",
    }
    world.perform("UpdatePatchBaseline", BaselineId=own, ApprovedPatchesComplianceLevel="CRITICAL")
    world.turn()
    assert patches(world, node)["openssl.amd64:2"] == "Failed"
    assert state(world, node)["CriticalNonCompliantCount"] == 1


def unknown(world: World, node_id: str) -> None:
    """Let the cohort of a node be one whose operating system an older version did not know."""
    with world.database.write() as work:
        found = work.patch_states.get(node_id)
        assert found is not None
        work.cohorts._change(
            sa.update(cohort).where(cohort.c.cohort_id == found.cohort_id).values(operating_system="", due_at_ms=0), {}
        )


def test_nodes_whose_system_only_their_facts_know_follow_its_default(world: World) -> None:
    node = grouped(world)
    scan(world, node, BAD)
    own = own_baseline(world)
    world.perform("RegisterDefaultPatchBaseline", BaselineId=own)
    unknown(world, node)
    world.turn()
    assert (state(world, node)["BaselineId"], status(world, node)) == (own, "COMPLIANT")
    world.perform("RegisterDefaultPatchBaseline", BaselineId=default_for(OperatingSystem.DEBIAN).baseline_id)
    world.turn()
    assert status(world, node) == "NON_COMPLIANT", "from now on it follows the default"


def test_a_cohort_of_a_system_that_nobody_knows_stays_as_it_was_until_its_nodes_report(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    node, other = grouped(world), grouped(world, "web")
    for one in (node, other):
        with world.database.write() as work:
            kept = work.nodes.get(one)
            assert kept is not None
            told = replace(kept, platform_name="Debian GNU/Linux", platform_version="12")
            work.nodes.put(told, operating_system="DEBIAN", patch_group="web" if one == other else "")
        scan(world, one, {**BAD, "os": {**BAD["os"], "name": "Somenix"}})
    unknown(world, node)
    own = own_baseline(world)
    world.perform("RegisterDefaultPatchBaseline", BaselineId=own)
    world.turn()
    assert (status(world, node), status(world, other)) == ("NON_COMPLIANT", "COMPLIANT")
    assert "the operating system is not known; scan the nodes that reported them again" in caplog.text
    with world.database.read() as work:
        assert work.cohorts.next_due_at() is None
    scan(world, node, BAD)
    assert status(world, node) == "COMPLIANT"


def test_a_cohort_that_cannot_be_evaluated_does_not_hold_up_the_others(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    bad, good = grouped(world, "bad"), grouped(world, "good")
    for node in (bad, good):
        scan(world, node, BAD)
    with world.database.write() as work:
        found = work.patch_states.get(bad)
        assert found is not None
        # A system that has no default, as no release has ever kept one.
        work.cohorts._change(
            sa.update(cohort).where(cohort.c.cohort_id == found.cohort_id).values(operating_system="NONE"), {}
        )
        work.cohorts._change(sa.update(cohort).values(due_at_ms=0), {})
    own = own_baseline(world)
    world.perform("RegisterDefaultPatchBaseline", BaselineId=own)
    world.turn()
    assert (status(world, bad), status(world, good)) == ("NON_COMPLIANT", "COMPLIANT")
    assert "cannot be evaluated; tried again in 0:05:00" in caplog.text
    with world.database.read() as work:
        assert work.cohorts.next_due_at() == world.clock.now() + timedelta(minutes=5)
