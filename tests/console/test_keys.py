"""Access keys: for admins, with secrets that are told once."""

import re

import pytest
from tests.fakes.browser import Browser
from tests.fakes.fleet import HOSTILE
from tests.fakes.site import SITE, Installation

from patchwindow.operations.call import Caller
from patchwindow.store.settings import Role

PAGE = "/console/keys"
ADMIN = Caller(id="AKIAADMIN", role=Role.ADMIN)


def key(here: Installation) -> dict[str, object]:
    found: list[dict[str, object]] = here.perform("ListAccessKeys", ADMIN)["AccessKeys"]
    (only,) = found
    return only


def test_a_new_key_is_shown_with_its_secret_once(browser: Browser, here: Installation) -> None:
    answer = browser.post(PAGE, {"Do": "add", "Role": "operator", "Comment": "Terraform"})
    made = key(here)
    secret = re.search(r"AWS_SECRET_ACCESS_KEY=(\w+)", answer.body)
    assert secret is not None
    with here.database.read() as work:
        kept = work.access_keys.get(str(made["AccessKeyId"]))
    assert kept is not None
    assert kept.secret_access_key == secret[1]
    assert f"AWS_ACCESS_KEY_ID={made['AccessKeyId']}" in answer.body
    assert f"AWS_ENDPOINT_URL_SSM={SITE.public_url}" in answer.body
    assert secret[1] not in browser.get(PAGE).body
    assert secret[1] not in browser.get("/console/changes", format="json").body


def test_each_is_shown_with_what_it_is_for(browser: Browser, here: Installation) -> None:
    browser.post(PAGE, {"Do": "add", "Role": "viewer", "Comment": HOSTILE})
    body = browser.get(PAGE).body
    assert str(key(here)["AccessKeyId"]) in body
    assert "&lt;script&gt;" in body
    assert HOSTILE not in body


def test_a_key_is_disabled_enabled_and_deleted(browser: Browser, here: Installation) -> None:
    browser.post(PAGE, {"Do": "add", "Role": "operator"})
    which = str(key(here)["AccessKeyId"])
    assert "is refused" in browser.follow(browser.post(PAGE, {"Do": "disable", "Which": which})).body
    assert key(here)["Enabled"] is False
    assert "is enabled again" in browser.follow(browser.post(PAGE, {"Do": "enable", "Which": which})).body
    assert key(here)["Enabled"] is True
    assert "is deleted" in browser.follow(browser.post(PAGE, {"Do": "delete", "Which": which})).body
    assert here.perform("ListAccessKeys", ADMIN)["AccessKeys"] == []


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"Do": "add", "Role": "root"}, "admin"),
        ({"Do": "add", "Role": "viewer", "Comment": "x" * 257}, "256"),
        ({"Do": "delete", "Which": "AKIA1"}, "no access key AKIA1"),
        ({"Do": "rotate", "Which": "AKIA1"}, "cannot be done here"),
    ],
)
def test_what_will_not_do_is_said_and_makes_nothing(
    browser: Browser, here: Installation, fields: dict[str, str], said: str
) -> None:
    answer = browser.post(PAGE, fields)
    assert answer.status == 400
    assert said in answer.body
    assert here.perform("ListAccessKeys", ADMIN)["AccessKeys"] == []


def test_where_there_is_none_it_says_what_that_means(browser: Browser) -> None:
    assert "There is no access key" in browser.get(PAGE).body
