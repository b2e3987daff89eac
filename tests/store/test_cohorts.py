"""Cohorts: what is due when a choice changes, and where a node goes."""

from dataclasses import replace
from datetime import UTC, datetime

from tests.store.compliance import cohort, evaluated, question, scanned
from tests.store.samples import NOW, baseline, later

from patchwindow.domain.overlay import Overlay
from patchwindow.store.baselines import OWNER_SELF
from patchwindow.store.cohorts import Cohort
from patchwindow.store.work import Work

AT_ONCE = datetime(1970, 1, 1, tzinfo=UTC)


def due(work: Work) -> list[str]:
    """Return the groups of the cohorts that are due at once."""
    return [one.key.patch_group for one in work.cohorts.lock_due("d-1", AT_ONCE, 99)]


def three(work: Work) -> dict[str, Cohort]:
    """Keep the cohorts of three groups: one on Ubuntu, and one that follows another baseline."""
    first = evaluated(work)
    other = evaluated(work, question(baseline_id="pb-2"))
    made = {
        "web": cohort(work, first, group="web"),
        "db": cohort(work, other, group="db"),
        "ubuntu": cohort(work, first, group="ubuntu", operating_system="UBUNTU"),
    }
    for name, one in made.items():
        scanned(work, f"mi-{name}", into=one, patch_group=name)
    return made


def test_a_cohort_comes_back_as_it_was_put(work: Work) -> None:
    value = cohort(work, evaluated(work), due_at=later(5))
    assert work.cohorts.lock(value.key) == value
    assert work.cohorts.lock(replace(value.key, overlay=Overlay(after_install=True))) is None
    changed = replace(value, due_at=None, computed_at=later(1))
    work.cohorts.put(changed)
    assert work.cohorts.lock(value.key) == changed


def test_facts_with_cohorts_that_are_due_are_told_once(work: Work) -> None:
    assert work.cohorts.next_due_at() is None
    for group, at in (("web", later(2)), ("db", later(1)), ("ubuntu", None)):
        cohort(work, evaluated(work), group=group, due_at=at)
    assert work.cohorts.next_due_at() == later(1)
    assert work.cohorts.due(NOW, 9) == []
    assert work.cohorts.due(later(2), 9) == ["d-1"]
    assert work.cohorts.systems_due("d-1", later(2)) == ["DEBIAN"]
    assert {one.key.patch_group for one in work.cohorts.lock_due("d-1", later(2), 9)} == {"web", "db"}
    assert len(work.cohorts.lock_due("d-1", later(2), 1)) == 1


def test_a_new_revision_marks_the_cohorts_that_the_baseline_evaluates(work: Work) -> None:
    work.baselines.put(baseline(baseline_id="pb-1"), owner=OWNER_SELF)
    three(work)
    work.baselines.put(baseline(baseline_id="pb-1"), owner=OWNER_SELF)
    assert due(work) == [], "nothing has changed"
    work.baselines.put(baseline(baseline_id="pb-1", name="newer"), owner=OWNER_SELF)
    assert sorted(due(work)) == ["ubuntu", "web"]


def test_another_default_marks_the_cohorts_of_its_system(work: Work) -> None:
    three(work)
    work.baselines.put(baseline(baseline_id="pb-9"), owner=OWNER_SELF)
    work.baselines.set_default("DEBIAN", "pb-9")
    assert sorted(due(work)) == ["db", "web"]


def test_a_registration_marks_the_cohorts_of_its_group_and_so_does_its_end(work: Work) -> None:
    made = three(work)
    work.baselines.put(baseline(baseline_id="pb-9"), owner=OWNER_SELF)
    work.patch_groups.register("web", "DEBIAN", "pb-9")
    assert due(work) == ["web"]
    work.cohorts.put(made["web"])
    work.patch_groups.deregister("web", "pb-8")
    assert due(work) == []
    work.patch_groups.deregister("web", "pb-9")
    assert due(work) == ["web"]


def test_a_node_of_another_group_goes_to_the_cohort_of_that_group_which_is_due(work: Work) -> None:
    three(work)
    before = work.patch_states.get("mi-web")
    assert before is not None
    work.cohorts.regroup("mi-web", "new")
    after = work.patch_states.get("mi-web")
    assert after is not None
    assert after == replace(before, cohort_id=after.cohort_id)
    assert due(work) == ["new"]


def test_a_node_that_goes_where_others_are_is_what_they_are(work: Work) -> None:
    made = three(work)
    work.cohorts.regroup("mi-web", "db")
    after = work.patch_states.get("mi-web")
    assert after is not None
    assert (after.cohort_id, after.summary.baseline_id) == (made["db"].cohort_id, "pb-2")
    assert due(work) == []


def test_a_node_that_was_never_scanned_goes_nowhere(work: Work) -> None:
    made = three(work)
    work.cohorts.regroup("mi-9", "db")
    work.cohorts.regroup("mi-web", "web")
    assert work.cohorts.lock(made["web"].key) == made["web"]
    assert due(work) == []


def test_cohorts_without_nodes_are_known_and_forgotten(work: Work) -> None:
    made = three(work)
    work.cohorts.regroup("mi-web", "db")
    ids = [one.cohort_id for one in made.values()]
    assert work.cohorts.peopled(ids) == set(ids) - {made["web"].cohort_id}
    assert work.cohorts.delete(ids) == 1
    assert work.cohorts.prune(9) == 0
    work.nodes.delete("mi-ubuntu")
    assert work.cohorts.prune(9) == 1
    assert work.cohorts.lock(made["db"].key) == made["db"]


def test_who_holds_the_choices_of_a_system_learns_its_default(work: Work) -> None:
    assert work.cohorts.hold_choices("DEBIAN") is None
    work.baselines.put(baseline(baseline_id="pb-9"), owner=OWNER_SELF)
    work.baselines.set_default("DEBIAN", "pb-9")
    assert work.cohorts.hold_choices("DEBIAN") == "pb-9"
