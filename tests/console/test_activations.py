"""Activations: the list, the line that is shown once, and what is refused."""

import html
import re
from datetime import timedelta

import pytest
from tests.console.forms import Form
from tests.fakes.browser import Browser, Loaded
from tests.fakes.fleet import HOSTILE
from tests.fakes.site import NOBODY, PUBLIC_KEY, SITE, Installation

from patchwindow.domain.installation import Installation as Line
from patchwindow.domain.installation import powershell_line, shell_line
from patchwindow.store.settings import Role

PAGE = "/console/activations"


def make(browser: Browser, **fields: str) -> Loaded:
    return browser.post(f"{PAGE}/new", {"RegistrationLimit": "1", "ExpirationDate": "24", **fields})


def test_a_new_one_is_told_once_with_the_lines_that_install(browser: Browser, here: Installation) -> None:
    body = html.unescape(make(browser, RegistrationLimit="20").body)
    (made,) = here.perform("DescribeActivations")["ActivationList"]
    code = re.search(r'<span class="id copy">(\w+)</span>', body)
    assert code is not None
    line = Line(
        url=SITE.public_url,
        region=SITE.region,
        ca_fingerprint="",
        activation_id=made["ActivationId"],
        activation_code=code[1],
    )
    assert shell_line(line) in body
    assert powershell_line(line) in body
    assert "up to 20 nodes" in body
    assert code[1] not in browser.get(PAGE).body


def test_the_code_registers_nodes_with_the_tags_that_were_asked_for(browser: Browser, here: Installation) -> None:
    answer = make(browser, PatchGroup="Web Server", Tags="Environment=Production\nRole=a=b")
    code = re.search(r'<span class="id copy">(\w+)</span>', answer.body)
    assert code is not None
    (made,) = here.perform("DescribeActivations")["ActivationList"]
    node = here.perform(
        "RegisterManagedInstance",
        NOBODY,
        ActivationId=made["ActivationId"],
        ActivationCode=code[1],
        PublicKey=PUBLIC_KEY,
        PublicKeyType="Hmac-Sha256",
        Fingerprint="f",
    )["InstanceId"]
    tags = here.perform("ListTagsForResource", ResourceType="ManagedInstance", ResourceId=node)["TagList"]
    assert {tag["Key"]: tag["Value"] for tag in tags} == {
        "Patch Group": "Web Server",
        "Environment": "Production",
        "Role": "a=b",
    }


@pytest.mark.parametrize(("hours", "life"), [("1", timedelta(hours=1)), ("720", timedelta(days=30))])
def test_it_is_good_for_as_long_as_was_chosen(
    browser: Browser, here: Installation, hours: str, life: timedelta
) -> None:
    assert make(browser, ExpirationDate=hours).status == 200
    (made,) = here.perform("DescribeActivations")["ActivationList"]
    assert made["ExpirationDate"] == here.clock.now() + life


def test_each_says_how_it_stands(browser: Browser, here: Installation) -> None:
    here.node()
    here.perform("CreateActivation", IamRole="service", RegistrationLimit=3)
    body = browser.get(PAGE).body
    assert "1 of 1" in body
    assert "Used up" in body
    assert "0 of 3" in body
    here.clock.advance(timedelta(days=2))
    browser.sign_in()
    assert "Expired" in browser.get(PAGE).body


def test_one_that_is_deleted_lets_nobody_in_any_more(browser: Browser, here: Installation) -> None:
    made = here.perform("CreateActivation", IamRole="service")
    assert browser.post(PAGE, {"ActivationId": made["ActivationId"]}).location == PAGE
    assert here.perform("DescribeActivations")["ActivationList"] == []


def test_one_that_is_not_there_is_said_not_to_be(browser: Browser) -> None:
    answer = browser.post(PAGE, {"ActivationId": "00000000-0000-4000-8000-00000000ffff"})
    assert answer.status == 400
    assert "00000000-0000-4000-8000-00000000ffff does not exist" in answer.body


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("RegistrationLimit", "many", "no whole number"),
        ("RegistrationLimit", "1001", "1000"),
        ("ExpirationDate", "9999", "use one of"),
        ("Tags", "Role", "KEY=VALUE"),
        ("Description", "x" * 257, "256"),
    ],
)
def test_what_is_wrong_stands_at_its_field_and_nothing_is_made(
    browser: Browser, here: Installation, field: str, value: str, said: str
) -> None:
    answer = make(browser, **{field: value})
    assert answer.status == 400
    problem = re.search(rf'id="problem-{field}">(.*?)</p>', answer.body)
    assert problem is not None, answer.body
    assert said in problem[1]
    assert here.perform("DescribeActivations")["ActivationList"] == []


def test_what_was_filled_in_stays(browser: Browser) -> None:
    answer = make(browser, Tags="Role", Description=HOSTILE)
    assert Form(answer.body, having=("RegistrationLimit", "1")).fields["Description"] == [HOSTILE]
    assert HOSTILE not in answer.body


def test_none_are_told_where_there_are_none(browser: Browser) -> None:
    assert "There is no activation" in browser.get(PAGE).body


def test_a_viewer_sees_the_list_and_no_buttons(stranger: Browser, here: Installation) -> None:
    here.perform("CreateActivation", IamRole="service", Description="spare")
    stranger.sign_in("vic", Role.VIEWER)
    body = stranger.get(PAGE).body
    assert "spare" in body
    assert "Delete" not in body
    assert "Register nodes" not in body
    assert stranger.get(f"{PAGE}/new").status == 403
    assert make(stranger).status == 403
    assert len(here.perform("DescribeActivations")["ActivationList"]) == 1
