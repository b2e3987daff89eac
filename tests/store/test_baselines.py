"""Patch baselines, their revisions, the defaults and the patch groups."""

import pytest
from tests.store.samples import UNICODE, baseline

from patchwindow.domain.errors import InUse
from patchwindow.domain.operating_system import OperatingSystem
from patchwindow.store.baselines import OWNER_AWS, OWNER_SELF, StoredBaseline
from patchwindow.store.database import Database
from patchwindow.store.work import Work


def test_a_baseline_comes_back_as_it_was_put(work: Work) -> None:
    stored = work.baselines.put(baseline(), owner=OWNER_SELF)
    assert stored == StoredBaseline(baseline=baseline(), owner=OWNER_SELF, revision=1)
    assert work.baselines.get("pb-1") == stored
    assert work.baselines.lock("pb-1") == stored
    assert work.baselines.get("pb-2") is None
    assert work.baselines.lock("pb-2") is None


def test_every_change_makes_a_revision_and_all_of_them_stay(work: Work) -> None:
    first, second = baseline(), baseline(name=UNICODE)
    work.baselines.put(first, owner=OWNER_SELF)
    assert work.baselines.put(second, owner=OWNER_SELF).revision == 2
    assert work.baselines.get("pb-1") == StoredBaseline(baseline=second, owner=OWNER_SELF, revision=2)
    assert work.baselines.revision("pb-1", 1) == first
    assert work.baselines.revision("pb-1", 2) == second
    assert work.baselines.revision("pb-1", 3) is None


def test_baselines_are_counted_by_owner_whatever_their_revisions(work: Work) -> None:
    for name in ("one", "two"):
        work.baselines.put(baseline(name=name), owner=OWNER_SELF)
    work.baselines.put(baseline("pb-2"), owner=OWNER_SELF)
    work.baselines.put(baseline("pb-3"), owner=OWNER_AWS)
    assert (work.baselines.count(OWNER_SELF), work.baselines.count(OWNER_AWS)) == (2, 1)


def test_unchanged_content_makes_no_revision(work: Work) -> None:
    work.baselines.put(baseline(), owner=OWNER_SELF)
    assert work.baselines.put(baseline(), owner=OWNER_SELF).revision == 1
    assert work.baselines.revision("pb-1", 2) is None


def test_the_revisions_of_a_deleted_baseline_stay(work: Work) -> None:
    work.baselines.put(baseline(), owner=OWNER_SELF)
    work.baselines.delete("pb-1")
    assert work.baselines.get("pb-1") is None
    assert work.baselines.revision("pb-1", 1) == baseline()


def test_a_default_baseline_cannot_be_deleted(database: Database) -> None:
    with database.write() as work:
        work.baselines.put(baseline(), owner=OWNER_SELF)
        work.baselines.set_default(OperatingSystem.DEBIAN, "pb-1")
    with pytest.raises(InUse, match="baseline pb-1 is a default"), database.write() as work:
        work.baselines.delete("pb-1")
    with database.read() as work:
        assert work.baselines.get("pb-1") is not None


def test_a_baseline_that_a_patch_group_is_registered_with_cannot_be_deleted(database: Database) -> None:
    with database.write() as work:
        work.baselines.put(baseline(), owner=OWNER_SELF)
        work.patch_groups.register("web", OperatingSystem.DEBIAN, "pb-1")
    with pytest.raises(InUse, match="patch groups are registered with it"), database.write() as work:
        work.baselines.delete("pb-1")
    with database.write() as work:
        assert work.patch_groups.deregister("web", "pb-1")
        work.baselines.delete("pb-1")
        assert work.baselines.get("pb-1") is None


def test_each_operating_system_has_one_default(work: Work) -> None:
    for id in ("pb-1", "pb-2"):
        work.baselines.put(baseline(id), owner=OWNER_AWS)
    assert work.baselines.default_of(OperatingSystem.DEBIAN) is None
    work.baselines.set_default(OperatingSystem.DEBIAN, "pb-1")
    work.baselines.set_default(OperatingSystem.UBUNTU, "pb-1")
    work.baselines.set_default(OperatingSystem.DEBIAN, "pb-2")
    assert work.baselines.default_of(OperatingSystem.DEBIAN) == "pb-2"
    assert work.baselines.defaults() == {OperatingSystem.DEBIAN: "pb-2", OperatingSystem.UBUNTU: "pb-1"}


def test_baselines_are_paged_by_id(work: Work) -> None:
    for id in ("pb-3", "pb-1", "pb-2"):
        work.baselines.put(baseline(id), owner=OWNER_SELF)
    pages, after = [], ""
    while page := [stored.baseline.baseline_id for stored in work.baselines.page(after=after, limit=2)]:
        pages.append(page)
        after = page[-1]
    assert pages == [["pb-1", "pb-2"], ["pb-3"]]


def test_filters_of_baselines_are_anded(work: Work) -> None:
    work.baselines.put(baseline("pb-1", name="Web"), owner=OWNER_SELF)
    work.baselines.put(baseline("pb-2", name="web"), owner=OWNER_SELF)
    work.baselines.put(baseline("pb-3", name="web", operating_system=OperatingSystem.UBUNTU), owner=OWNER_SELF)
    work.baselines.put(baseline("pb-4", name="web"), owner=OWNER_AWS)

    def ids(**filters: object) -> list[str]:
        found = work.baselines.page(after="", limit=9, **filters)  # type: ignore[arg-type]  # each test names its own
        return [stored.baseline.baseline_id for stored in found]

    assert ids(name_prefix="we") == ["pb-2", "pb-3", "pb-4"]
    assert ids(owner=OWNER_SELF) == ["pb-1", "pb-2", "pb-3"]
    assert ids(operating_systems=(OperatingSystem.DEBIAN, OperatingSystem.SUSE)) == ["pb-1", "pb-2", "pb-4"]
    assert ids(name_prefix="w", owner=OWNER_SELF, operating_systems=(OperatingSystem.DEBIAN,)) == ["pb-2"]


@pytest.mark.parametrize(
    ("prefix", "is_found"),
    [("", True), ("100%_é", True), ("100", True), ("100%_É", False), ("1__", False), ("%", False), ("100%_é!", False)],
)
def test_a_name_prefix_is_taken_letter_by_letter(work: Work, prefix: str, is_found: bool) -> None:  # noqa: FBT001  (a case)
    work.baselines.put(baseline(name="100%_é"), owner=OWNER_SELF)
    assert bool(work.baselines.page(after="", limit=9, name_prefix=prefix)) is is_found


def test_a_patch_group_has_one_baseline_for_each_operating_system(work: Work) -> None:
    for id in ("pb-1", "pb-2"):
        work.baselines.put(baseline(id), owner=OWNER_SELF)
    assert work.patch_groups.register("web", OperatingSystem.DEBIAN, "pb-1")
    assert not work.patch_groups.register("web", OperatingSystem.DEBIAN, "pb-2")
    assert work.patch_groups.register("web", OperatingSystem.UBUNTU, "pb-2")
    assert work.patch_groups.baseline_of("web", OperatingSystem.DEBIAN) == "pb-1"
    assert work.patch_groups.baseline_of("web", OperatingSystem.UBUNTU) == "pb-2"
    assert work.patch_groups.baseline_of("Web", OperatingSystem.DEBIAN) is None


def test_only_the_registered_pair_can_be_taken_back(work: Work) -> None:
    work.baselines.put(baseline(), owner=OWNER_SELF)
    work.patch_groups.register("web", OperatingSystem.DEBIAN, "pb-1")
    assert not work.patch_groups.deregister("web", "pb-2")
    assert work.patch_groups.deregister("web", "pb-1")
    assert not work.patch_groups.deregister("web", "pb-1")


def test_the_groups_of_a_baseline_are_in_order_of_code_points(work: Work) -> None:
    work.baselines.put(baseline(), owner=OWNER_SELF)
    for name in ("b", "é", "B", "a"):
        work.patch_groups.register(name, OperatingSystem.DEBIAN, "pb-1")
    assert work.patch_groups.of_baseline("pb-1") == ["B", "a", "b", "é"]
    assert work.patch_groups.of_baseline("pb-2") == []


def test_patch_groups_are_paged_by_group_and_then_operating_system(work: Work) -> None:
    work.baselines.put(baseline(), owner=OWNER_SELF)
    for name in ("web", "Web", "db"):
        for system in (OperatingSystem.UBUNTU, OperatingSystem.DEBIAN):
            work.patch_groups.register(name, system, "pb-1")
    pages, after = [], ("", "")
    while page := work.patch_groups.page(after=after, limit=1):
        pages += page
        after = page[-1][:2]
    assert pages == [
        (name, system, "pb-1")
        for name in ("Web", "db", "web")
        for system in (OperatingSystem.DEBIAN, OperatingSystem.UBUNTU)
    ]


def test_patch_groups_can_be_filtered_by_prefix_and_operating_system(work: Work) -> None:
    work.baselines.put(baseline(), owner=OWNER_SELF)
    for name in ("web", "Web"):
        for system in (OperatingSystem.UBUNTU, OperatingSystem.DEBIAN):
            work.patch_groups.register(name, system, "pb-1")
    found = work.patch_groups.page(
        after=("", ""), limit=9, name_prefix="we", operating_systems=(OperatingSystem.UBUNTU,)
    )
    assert found == [("web", OperatingSystem.UBUNTU, "pb-1")]
