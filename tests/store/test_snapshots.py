"""Snapshots: baselines as they were."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

from tests.store.samples import NOW, baseline, later

from patchwindow.domain.operating_system import OperatingSystem
from patchwindow.operations.snapshots import freeze
from patchwindow.store.baselines import OWNER_SELF
from patchwindow.store.database import Database
from patchwindow.store.snapshots import Snapshot, SnapshotKey
from patchwindow.store.work import Work

KEY = SnapshotKey(snapshot_id="s-1", patch_group="web", operating_system=OperatingSystem.DEBIAN)
LONG_AGO = NOW - timedelta(days=3)


def frozen(work: Work, key: SnapshotKey = KEY) -> Snapshot:
    stored = work.baselines.put(baseline(), owner=OWNER_SELF)
    made = Snapshot(key=key, made_at=NOW, baseline=stored.baseline, revision=stored.revision)
    work.snapshots.add(made)
    return made


def test_a_snapshot_stays_as_it_was_when_its_baseline_changes_and_goes(work: Work) -> None:
    made = frozen(work)
    work.baselines.put(baseline(name="other"), owner=OWNER_SELF)
    assert work.snapshots.find(KEY, LONG_AGO) == made
    work.baselines.delete("pb-1")
    assert work.snapshots.get(KEY, NOW) == made


def test_a_snapshot_of_an_override_keeps_the_baseline_itself(work: Work) -> None:
    key = replace(KEY, override="inline")
    value = Snapshot(key=key, made_at=NOW, baseline=baseline("", created_date=None, modified_date=None), revision=None)
    work.snapshots.add(value)
    assert work.snapshots.find(key, LONG_AGO) == value
    assert work.snapshots.find(KEY, LONG_AGO) is None


def test_each_id_group_and_operating_system_has_a_snapshot_of_its_own(work: Work) -> None:
    frozen(work)
    others = (
        replace(KEY, snapshot_id="s-2"),
        replace(KEY, patch_group=""),
        replace(KEY, operating_system=OperatingSystem.UBUNTU),
        replace(KEY, override="inline"),
    )
    assert [work.snapshots.find(key, LONG_AGO) for key in others] == [None] * 4
    assert [work.snapshots.get(key, NOW) for key in others] == [None] * 4


def test_the_latest_that_is_young_enough_is_found_and_each_by_its_instant(work: Work) -> None:
    first = frozen(work)
    second = replace(first, made_at=later(5))
    work.snapshots.add(second)
    assert work.snapshots.find(KEY, LONG_AGO) == second
    assert work.snapshots.find(KEY, later(4)) == second
    assert work.snapshots.find(KEY, later(5)) is None
    assert work.snapshots.get(KEY, NOW) == first
    assert work.snapshots.get(KEY, later(4)) is None


def test_those_who_make_one_snapshot_at_once_make_one(database: Database) -> None:
    with database.write() as work:
        work.baselines.put(baseline(), owner=OWNER_SELF)
        work.baselines.set_default(OperatingSystem.DEBIAN, "pb-1")
    everybody = threading.Barrier(4)

    def make(number: int) -> Snapshot:
        everybody.wait()
        with database.write() as work:
            return freeze(work, KEY, later(number))

    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(make, range(4)))
    assert len(set(made)) == 1
    assert made[0].baseline.baseline_id == "pb-1"


def test_old_ones_are_pruned(work: Work) -> None:
    first = frozen(work)
    second = replace(first, made_at=later(5))
    work.snapshots.add(second)
    assert work.snapshots.prune(NOW) == 0
    assert work.snapshots.prune(later(5)) == 1
    assert work.snapshots.get(KEY, NOW) is None
    assert work.snapshots.find(KEY, LONG_AGO) == second


def test_the_first_list_of_patches_of_a_snapshot_stays(work: Work) -> None:
    first = frozen(work)
    second = replace(first, made_at=later(5))
    work.snapshots.add(second)
    assert work.snapshots.patches(first) is None
    assert not work.snapshots.is_listed(first)
    work.snapshots.put_patches(first, '["KB1"]')
    work.snapshots.put_patches(first, '["KB2"]')
    assert work.snapshots.is_listed(first)
    assert work.snapshots.patches(first) == '["KB1"]'
    assert work.snapshots.patches(second) is None
    assert work.snapshots.find(KEY, LONG_AGO) == second
