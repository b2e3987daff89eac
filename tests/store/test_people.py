"""People, their sessions and their links."""

from dataclasses import replace

from tests.store.samples import NOW, UNICODE, later

from patchwindow.store.people import Person
from patchwindow.store.settings import Role
from patchwindow.store.work import Work

EVE = Person(name=UNICODE, role=Role.OPERATOR, password_hash="$argon2id$")


def test_somebody_comes_back_as_added(work: Work) -> None:
    assert work.people.add(EVE, NOW)
    assert work.people.get(UNICODE) == EVE
    assert work.people.get("nobody") is None


def test_a_name_is_taken_once_and_its_owner_stays_as_was(work: Work) -> None:
    work.people.add(EVE, NOW)
    assert not work.people.add(replace(EVE, role=Role.ADMIN), NOW)
    assert work.people.get(UNICODE) == EVE


def test_people_are_listed_by_name(work: Work) -> None:
    for name in ("b", "a", "c"):
        work.people.add(replace(EVE, name=name), NOW)
    assert [one.name for one in work.people.all()] == ["a", "b", "c"]


def test_a_change_is_of_one_alone(work: Work) -> None:
    work.people.add(replace(EVE, name="a"), NOW)
    work.people.add(EVE, NOW)
    changed = replace(EVE, role=Role.VIEWER, password_hash="", is_enabled=False)
    work.people.change(changed)
    assert work.people.all() == [changed, replace(EVE, name="a")]


def test_a_session_knows_whose_it_is_and_since_when(work: Work) -> None:
    work.people.add(EVE, NOW)
    work.people.open_session("digest", EVE.name, NOW)
    work.people.see("digest", later(5))
    session = work.people.session("digest")
    assert session is not None
    assert (session.person, session.opened_at, session.seen_at) == (EVE, NOW, later(5))
    work.people.end_session("digest")
    assert work.people.session("digest") is None


def test_sessions_and_links_go_with_their_person(work: Work) -> None:
    work.people.add(EVE, NOW)
    work.people.open_session("digest", EVE.name, NOW)
    work.people.add_link("secret", EVE.name, later(10))
    assert work.people.delete(EVE.name)
    assert not work.people.delete(EVE.name)
    assert work.people.session("digest") is None
    assert work.people.person_of_link("secret", NOW) is None


def test_all_sessions_and_links_of_one_end_and_those_of_others_stay(work: Work) -> None:
    other = replace(EVE, name="other")
    for one in (EVE, other):
        work.people.add(one, NOW)
        work.people.open_session(f"digest of {one.name}", one.name, NOW)
        work.people.add_link(f"link of {one.name}", one.name, later(10))
    work.people.end_sessions(EVE.name)
    assert work.people.session(f"digest of {EVE.name}") is None
    assert work.people.person_of_link(f"link of {EVE.name}", NOW) is None
    assert work.people.session("digest of other") is not None
    assert work.people.person_of_link("link of other", NOW) == "other"


def test_a_link_signs_in_once_and_in_time(work: Work) -> None:
    work.people.add(EVE, NOW)
    work.people.add_link("first", EVE.name, later(10))
    work.people.add_link("second", EVE.name, later(10))
    assert work.people.use_link("first", later(9)) == EVE.name
    assert work.people.use_link("first", later(9)) is None
    assert work.people.use_link("second", later(10)) is None


def test_what_is_over_is_forgotten(work: Work) -> None:
    work.people.add(EVE, NOW)
    for digest, opened, seen in (("idle", 50, 50), ("old", 0, 60), ("live", 50, 60)):
        work.people.open_session(digest, EVE.name, later(opened))
        work.people.see(digest, later(seen))
    work.people.end_old(seen_before=later(55), opened_before=later(10), now=later(60))
    assert [work.people.session(digest) is None for digest in ("idle", "old", "live")] == [True, True, False]
