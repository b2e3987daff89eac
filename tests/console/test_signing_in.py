"""The way in to the console, and who is kept out."""

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final

import pytest
from tests.fakes.browser import ADDRESS, Browser
from tests.fakes.site import Installation

from patchwindow.console.app import FIELDS_MAX, FORM_BYTES_MAX, ROOT
from patchwindow.console.door import TRIES, TRIES_IN
from patchwindow.console.site import FORMS, LIVES, PAGES
from patchwindow.console.site_types import Form, Live, Page
from patchwindow.operations.sign_in import IDLE_MAX, LINK_LIFE, SESSION_MAX, add_person, hash_password, make_link
from patchwindow.store.settings import Role

PASSWORD: Final = "correct horse battery"
NAME: Final = "eve"


@pytest.fixture
def known(here: Installation) -> str:
    """Let there be somebody with a password."""
    with here.database.write() as work:
        add_person(work, NAME, Role.OPERATOR, now=here.clock.now())
        person = work.people.get(NAME)
        assert person is not None
        work.people.change(replace(person, password_hash=hash_password(PASSWORD)))
    return NAME


def sign_in(browser: Browser, name: str, password: str, query: str = "") -> int:
    return browser.post("/console/sign-in", {"name": name, "password": password}, query=query).status


def is_in(browser: Browser) -> bool:
    return browser.get("/console/me").status == 200


def paths(of: Sequence[Page | Form | Live]) -> list[str]:
    return sorted(ROOT + one.path.replace("{", "").replace("}", "") for one in of)


@pytest.mark.parametrize("path", paths((*PAGES, *FORMS)))
def test_a_stranger_is_asked_to_sign_in_wherever_he_goes(stranger: Browser, path: str) -> None:
    answer = stranger.get(path)
    assert answer.status == 303
    assert answer.location.startswith("/console/sign-in?next=")


def test_a_live_part_tells_a_stranger_nothing(stranger: Browser) -> None:
    # But that the page is to be loaded again, which leads to where one signs in.
    assert {stranger.get(path).body for path in paths(LIVES)} == {"event: over\ndata: \n\n"}


def test_a_part_of_a_page_loads_the_whole_page_again_when_the_session_is_over(stranger: Browser) -> None:
    answer = stranger.get("/console/nodes", {"HX-Request": "true"})
    assert (answer.headers["hx-refresh"], answer.body) == ("true", "")


def test_a_name_and_its_password_lead_to_the_page_that_was_wanted(stranger: Browser, known: str) -> None:
    answer = stranger.post("/console/sign-in", {"name": known, "password": PASSWORD}, query="next=/console/me")
    assert (answer.status, answer.location) == (303, "/console/me")
    assert is_in(stranger)


@pytest.mark.parametrize(
    "wanted",
    ["https://evil.example/console/", "//evil.example/console/", "/console//evil.example", "/other", "/console/\\evil"],
)
def test_nobody_is_led_to_another_site(stranger: Browser, known: str, wanted: str) -> None:
    answer = stranger.post("/console/sign-in", {"name": known, "password": PASSWORD}, query=f"next={wanted}")
    assert answer.location == "/console/"


@pytest.mark.parametrize(("name", "password"), [(NAME, "another password"), ("nobody", PASSWORD), (NAME, "")])
def test_what_is_wrong_is_not_said(stranger: Browser, known: str, name: str, password: str) -> None:
    assert known == NAME
    answer = stranger.post("/console/sign-in", {"name": name, "password": password})
    assert answer.status == 401
    assert "name and password do not fit" in answer.body
    assert not is_in(stranger)


def test_somebody_without_a_password_cannot_give_an_empty_one(stranger: Browser, here: Installation) -> None:
    with here.database.write() as work:
        add_person(work, NAME, Role.ADMIN, now=here.clock.now())
    assert sign_in(stranger, NAME, "") == 401


def test_after_many_failures_even_the_right_password_waits(stranger: Browser, here: Installation, known: str) -> None:
    assert [sign_in(stranger, known, "wrong password") for _ in range(TRIES)] == [401] * TRIES
    assert sign_in(stranger, known, PASSWORD) == 429
    here.clock.advance(TRIES_IN)
    assert sign_in(stranger, known, PASSWORD) == 303


def test_tries_that_come_all_at_once_are_no_more_than_those_one_after_another(known: str, stranger: Browser) -> None:
    wrong = {"name": known, "password": "wrong password"}
    told = stranger.post_at_once("/console/sign-in", [wrong] * (TRIES + 5))
    assert Counter(one.status for one in told) == {401: TRIES, 429: 5}


def test_right_passwords_are_no_failures(stranger: Browser, known: str) -> None:
    assert [sign_in(stranger, known, PASSWORD) for _ in range(TRIES + 1)] == [303] * (TRIES + 1)


def test_the_log_says_who_came_in_and_how_and_no_secret(
    stranger: Browser, known: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    sign_in(stranger, "a password by mistake", "wrong password")
    sign_in(stranger, known, PASSWORD)
    stranger.sign_in(known)
    assert [one.getMessage() for one in caplog.records if one.name.startswith("patchwindow.console")] == [
        f"a sign-in to the console failed, from {ADDRESS}",
        f"eve (operator) signed in to the console by password, from {ADDRESS}",
        f"eve (operator) signed in to the console by a link, from {ADDRESS}",
    ]


def test_two_servers_of_one_database_share_sessions_links_and_proofs(browser: Browser, here: Installation) -> None:
    other = Browser(here)
    other.cookies = browser.cookies
    assert is_in(other)
    assert other.post("/console/password", {"New": PASSWORD, "csrf": browser.csrf}).status == 303
    with here.database.write() as work:
        path = f"/console/link/{make_link(work, NAME, now=here.clock.now(), ids=here.ids)}"
    assert browser.post(path).status == 303
    assert other.post(path).status == 410
    assert other.post("/console/sign-out").status == 303
    other.close()


def test_a_link_asks_first_and_signs_in_once(stranger: Browser, here: Installation, known: str) -> None:
    with here.database.write() as work:
        path = f"/console/link/{make_link(work, known, now=here.clock.now(), ids=here.ids)}"
    assert known in stranger.get(path).body
    assert known in stranger.get(path).body
    assert stranger.post(path).status == 303
    assert is_in(stranger)
    assert stranger.post(path).status == 410


def test_a_link_is_over_after_a_while(stranger: Browser, here: Installation, known: str) -> None:
    with here.database.write() as work:
        path = f"/console/link/{make_link(work, known, now=here.clock.now(), ids=here.ids)}"
    here.clock.advance(LINK_LIFE)
    assert stranger.get(path).status == 410
    assert stranger.post(path).status == 410


def test_a_session_ends_when_it_is_not_used(browser: Browser, here: Installation) -> None:
    here.clock.advance(IDLE_MAX - timedelta(minutes=1))
    assert is_in(browser)
    here.clock.advance(IDLE_MAX - timedelta(minutes=1))
    assert is_in(browser)
    here.clock.advance(IDLE_MAX + timedelta(minutes=6))
    assert not is_in(browser)


def test_a_session_ends_however_much_it_is_used(browser: Browser, here: Installation) -> None:
    for _ in range(SESSION_MAX // timedelta(hours=6)):
        assert is_in(browser)
        here.clock.advance(timedelta(hours=6))
    here.clock.advance(timedelta(minutes=1))
    assert not is_in(browser)


def test_who_is_disabled_is_out_at_once(browser: Browser, here: Installation) -> None:
    with here.database.write() as work:
        person = work.people.get("eve")
        assert person is not None
        work.people.change(replace(person, is_enabled=False))
    assert not is_in(browser)


def test_signing_out_ends_the_session_and_not_only_the_cookie(browser: Browser) -> None:
    kept = dict(browser.cookies)
    assert browser.post("/console/sign-out").location == "/console/sign-in"
    assert not browser.cookies
    browser.cookies = kept
    assert not is_in(browser)


def test_a_new_password_ends_other_sessions_and_keeps_this_one(browser: Browser) -> None:
    other = Browser(browser.here)
    other.sign_in()
    answer = browser.post("/console/password", {"New": PASSWORD})
    assert answer.status == 303
    assert "The password is changed" in browser.follow(answer).body
    assert is_in(browser)
    assert not is_in(other)
    assert sign_in(other, "eve", PASSWORD) == 303
    other.close()


def test_a_password_that_is_too_short_is_told_at_its_field(browser: Browser) -> None:
    answer = browser.post("/console/password", {"New": "short"})
    assert answer.status == 400
    assert 'id="problem-New"' in answer.body
    assert "the password has 5 characters" in answer.body


def test_another_present_password_changes_nothing(browser: Browser) -> None:
    browser.post("/console/password", {"New": PASSWORD})
    browser.sign_in()
    answer = browser.post("/console/password", {"Present": "another password", "New": "a new one that is long"})
    assert answer.status == 400
    assert 'id="problem-Present"' in answer.body
    assert sign_in(browser, "eve", PASSWORD) == 303


def test_the_cookie_is_out_of_reach_of_scripts_and_of_other_sites(stranger: Browser, known: str) -> None:
    answer = stranger.post("/console/sign-in", {"name": known, "password": PASSWORD})
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-patchwindow=")
    for flag in ("HttpOnly", "Secure", "SameSite=lax", "Path=/"):
        assert flag in cookie
    with stranger.here.database.read() as work:
        assert work.people.session(stranger.cookies["__Host-patchwindow"]) is None, "what is kept is a digest"


@pytest.mark.parametrize("headers", [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}])
@pytest.mark.parametrize("path", ["/console/password", "/console/sign-out", "/console/zone"])
def test_a_form_of_another_site_does_nothing(browser: Browser, path: str, headers: dict[str, str]) -> None:
    assert browser.post(path, {"New": PASSWORD}, headers=headers).status == 403
    assert is_in(browser)


@pytest.mark.parametrize("proof", ["", "0" * 64])
def test_a_form_without_the_proof_of_this_session_does_nothing(browser: Browser, proof: str) -> None:
    assert browser.post("/console/password", {"New": PASSWORD, "csrf": proof}).status == 403


def test_a_form_that_is_too_large_is_refused(browser: Browser) -> None:
    assert browser.post("/console/password", {"New": "x" * FORM_BYTES_MAX}).status == 429
    assert browser.post("/console/password", {str(at): "" for at in range(FIELDS_MAX + 1)}).status == 429
    assert browser.post("/console/sign-in", {"name": "x" * 20_000}).status == 429
    assert browser.post("/console/sign-in", {str(at): "" for at in range(21)}).status == 429


def test_every_answer_forbids_scripts_and_frames_of_others(browser: Browser, stranger: Browser) -> None:
    for answer in (browser.get("/console/me"), browser.get("/console/nowhere"), stranger.get("/console/sign-in")):
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"


def test_no_page_has_a_script_or_a_style_of_its_own(browser: Browser) -> None:
    for page in ("/console/me", "/console/nodes", "/console/sign-in"):
        body = browser.get(page).body
        assert "<style" not in body
        assert " style=" not in body
        assert "<script>" not in body
        assert " on" + "click" not in body


def test_an_unknown_page_is_said_to_be_unknown(browser: Browser) -> None:
    answer = browser.get("/console/<b>nowhere</b>")
    assert answer.status == 404
    assert "&lt;b&gt;nowhere&lt;/b&gt;" in answer.body
