"""People: for admins, with links that are told once."""

import re
from datetime import timedelta

import pytest
from tests.fakes.browser import Browser
from tests.fakes.site import SITE, Installation

from patchwindow.operations.call import Caller
from patchwindow.store.settings import Role

PAGE = "/console/people"
ADMIN = Caller(id="AKIAADMIN", role=Role.ADMIN)


def people(here: Installation) -> dict[str, tuple[str, bool]]:
    found = here.perform("ListPeople", ADMIN)["People"]
    return {one["Name"]: (one["Role"], one["Enabled"]) for one in found}


def do(browser: Browser, what: str, who: str, **more: str) -> str:
    """Press a button of the list, which works, and return what is said then."""
    answer = browser.post(PAGE, {"Do": what, "Who": who, **more})
    assert answer.location == PAGE, answer.body
    return browser.follow(answer).body


def test_somebody_new_gets_a_link_that_is_shown_once_and_lets_in(browser: Browser, here: Installation) -> None:
    answer = browser.post(PAGE, {"Do": "add", "Name": "bob", "Role": "viewer"})
    found = re.search(rf"{re.escape(SITE.public_url)}(/console/link/\w+)", answer.body)
    assert found is not None
    assert people(here)["bob"] == ("viewer", True)
    assert "/console/link/" not in browser.get(PAGE).body
    other = Browser(here)
    assert other.post(found[1]).location == "/console/"
    assert other.get("/console/people").status == 403
    other.close()


def test_each_is_shown_with_role_and_state(browser: Browser, here: Installation) -> None:
    here.perform("CreatePerson", ADMIN, Name="bob", Role="operator")
    here.perform("UpdatePerson", ADMIN, Name="bob", Enabled=False)
    row = next(part for part in browser.get(PAGE).body.split("<tr>") if "<td>bob" in part)
    assert "Disabled" in row
    assert '<option value="operator" selected>' in row
    assert "link alone" in row
    assert 'value="link"' not in row


def test_a_role_is_given_and_somebody_disabled_enabled_and_deleted(browser: Browser, here: Installation) -> None:
    here.perform("CreatePerson", ADMIN, Name="bob", Role="viewer")
    assert "bob has the role operator" in do(browser, "role", "bob", NewRole="operator")
    assert people(here)["bob"] == ("operator", True)
    assert "signed out everywhere" in do(browser, "disable", "bob")
    assert people(here)["bob"] == ("operator", False)
    assert "may sign in again" in do(browser, "enable", "bob")
    assert people(here)["bob"] == ("operator", True)
    assert "bob is deleted" in do(browser, "delete", "bob")
    assert people(here).keys() == {"eve"}


def test_who_is_disabled_is_out_at_once(browser: Browser, here: Installation) -> None:
    other = Browser(here)
    other.sign_in("bob", Role.OPERATOR)
    do(browser, "disable", "bob")
    assert other.get("/console/").location.startswith("/console/sign-in")
    other.close()


@pytest.mark.parametrize(("what", "more"), [("role", {"NewRole": "viewer"}), ("disable", {}), ("delete", {})])
def test_the_last_admin_cannot_lock_everybody_out(
    browser: Browser, here: Installation, what: str, more: dict[str, str]
) -> None:
    answer = browser.post(PAGE, {"Do": what, "Who": "eve", **more})
    assert answer.status == 400
    assert "let somebody else be an admin first" in answer.body
    assert people(here)["eve"] == ("admin", True)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"Do": "add", "Name": "eve", "Role": "viewer"}, "already"),
        ({"Do": "add", "Name": "<b>", "Role": "viewer"}, "will not do"),
        ({"Do": "add", "Name": "bob", "Role": "root"}, "admin"),
        ({"Do": "link", "Who": "mallory"}, "nobody called"),
        ({"Do": "promote", "Who": "eve"}, "cannot be done here"),
    ],
)
def test_what_will_not_do_is_said_and_changes_nothing(
    browser: Browser, here: Installation, fields: dict[str, str], said: str
) -> None:
    before = people(here)
    answer = browser.post(PAGE, fields)
    assert answer.status == 400
    assert said in answer.body
    assert "<b>" not in answer.body
    assert people(here) == before


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.VIEWER])
@pytest.mark.parametrize("path", [PAGE, "/console/keys"])
def test_nobody_but_an_admin_sees_or_does_it(stranger: Browser, here: Installation, role: Role, path: str) -> None:
    stranger.sign_in("bob", role)
    assert stranger.get(path).status == 403
    assert stranger.post(path, {"Do": "add", "Name": "mallory", "Role": "admin"}).status == 403
    assert f'href="{path}"' not in stranger.get("/console/").body
    assert people(here).keys() == {"bob"}
    assert here.perform("ListAccessKeys", ADMIN)["AccessKeys"] == []


def test_an_admin_finds_it_in_the_menu(browser: Browser) -> None:
    body = browser.get("/console/").body
    assert f'href="{PAGE}"' in body
    assert 'href="/console/keys"' in body


def test_what_was_done_is_on_record_without_the_link(browser: Browser) -> None:
    answer = browser.post(PAGE, {"Do": "add", "Name": "bob", "Role": "viewer"})
    secret = re.search(r"/console/link/(\w+)", answer.body)
    assert secret is not None
    told = browser.get("/console/changes", format="json").body
    assert "CreatePerson" in told
    assert "CreateSignInLink" in told
    assert secret[1] not in told


def test_a_link_is_over_in_half_an_hour(browser: Browser, here: Installation) -> None:
    answer = browser.post(PAGE, {"Do": "add", "Name": "bob", "Role": "viewer"})
    secret = re.search(r"(/console/link/\w+)", answer.body)
    assert secret is not None
    here.clock.advance(timedelta(minutes=31))
    other = Browser(here)
    assert other.post(secret[1]).status == 410
    other.close()
