"""The record of changes."""

from dataclasses import replace
from datetime import datetime

from tests.store.samples import NOW, UNICODE, later

from patchwindow.domain.change import Change
from patchwindow.store.work import Work

ONE = Change(
    change_id="1",
    changed_at=NOW,
    caller="person/eve",
    comment=UNICODE,
    address="192.0.2.7",
    operation="UpdateMaintenanceWindow",
    resource="mw-1",
    before='{"Cutoff": 1}',
    after='{"Cutoff": 2}',
)


def keep(work: Work, *instants: datetime) -> None:
    for number, instant in enumerate(instants):
        # Ids are random: their order says nothing.
        work.changes.add(replace(ONE, change_id=f"{9 - number}", changed_at=instant, resource=f"mw-{number}"))


def resources(work: Work, limit: int = 10, **asked: str | datetime) -> list[str]:
    return [one.resource for one, _ in work.changes.page(beyond=None, limit=limit, **asked)]  # type: ignore[arg-type]  # instants and texts by name


def test_a_change_comes_back_as_it_was(work: Work) -> None:
    work.changes.add(ONE)
    ((found, _),) = work.changes.page(beyond=None, limit=10)
    assert found == ONE


def test_the_newest_comes_first_and_of_one_instant_the_last_that_was_made(work: Work) -> None:
    keep(work, NOW, later(1), later(1), later(1))
    assert resources(work) == ["mw-3", "mw-2", "mw-1", "mw-0"]


def test_pages_have_each_once(work: Work) -> None:
    keep(work, NOW, later(1), later(1), later(1), later(2))
    found, place = list[str](), None
    while page := work.changes.page(beyond=place, limit=2):
        found += [one.resource for one, _ in page]
        place = page[-1][1]
    assert found == ["mw-4", "mw-3", "mw-2", "mw-1", "mw-0"]


def test_they_can_be_asked_for_by_time_and_by_what_they_are(work: Work) -> None:
    keep(work, NOW, later(1), later(2))
    assert resources(work, since=later(1)) == ["mw-2", "mw-1"]
    assert resources(work, until=later(1)) == ["mw-0"]
    assert resources(work, resource="mw-1", caller="person/eve") == ["mw-1"]
    assert resources(work, operation="DeleteMaintenanceWindow") == []


def test_old_ones_are_forgotten_a_batch_at_a_time(work: Work) -> None:
    keep(work, NOW, later(1), later(2))
    assert work.changes.prune(later(2), 1) == 1
    assert resources(work) == ["mw-2", "mw-1"]
    assert work.changes.prune(later(2), 10) == 1
    assert resources(work) == ["mw-2"]
