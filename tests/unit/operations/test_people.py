"""People and access keys, which admins manage, and the last admin, whom nobody can take away."""

import json
from datetime import timedelta
from typing import Any

import pytest
from tests.fakes.api import Api
from tests.fakes.site import OPERATOR, SITE, VIEWER, Installation

from patchwindow.domain.errors import Conflict, Denied, Invalid, NotFound
from patchwindow.operations.call import Caller
from patchwindow.operations.sign_in import NotSignedIn, SignIn
from patchwindow.operations.table import OWN_OPERATIONS
from patchwindow.store.settings import Role

ADMIN = Caller(id="AKIAADMIN", role=Role.ADMIN)
REQUESTS: dict[str, dict[str, Any]] = {
    "CreatePerson": {"Name": "mallory", "Role": "admin"},
    "ListPeople": {},
    "UpdatePerson": {"Name": "eve", "Enabled": True},
    "DeletePerson": {"Name": "bob"},
    "CreateSignInLink": {"Name": "eve"},
    "CreateAccessKey": {"Role": "viewer"},
    "ListAccessKeys": {},
    "UpdateAccessKey": {"AccessKeyId": "AKIA1", "Enabled": True},
    "DeleteAccessKey": {"AccessKeyId": "AKIA1"},
}


@pytest.fixture
def api(here: Installation) -> Api:
    return Api(here, ADMIN)


@pytest.fixture(autouse=True)
def _somebody(api: Api) -> None:
    """Let there be an admin, and an operator."""
    api("CreatePerson", Name="eve", Role="admin")
    api("CreatePerson", Name="bob", Role="operator")


def people(api: Api) -> dict[str, tuple[str, bool]]:
    return {one["Name"]: (one["Role"], one["Enabled"]) for one in api("ListPeople")["People"]}


def test_only_these_are_for_admins() -> None:
    assert {name for name, one in OWN_OPERATIONS.items() if one.is_for_admins} == REQUESTS.keys()


@pytest.mark.parametrize("caller", [OPERATOR, VIEWER, Caller(id="person/bob", role=Role.OPERATOR)])
@pytest.mark.parametrize("name", REQUESTS)
def test_nobody_else_may_even_look(here: Installation, name: str, caller: Caller) -> None:
    with pytest.raises(Denied, match="ask an admin"):
        here.perform(name, caller, **REQUESTS[name])


def test_people_are_made_listed_changed_and_deleted(api: Api) -> None:
    assert people(api) == {"bob": ("operator", True), "eve": ("admin", True)}
    api("UpdatePerson", Name="bob", Role="viewer")
    assert people(api)["bob"] == ("viewer", True)
    api("UpdatePerson", Name="bob", Enabled=False)
    assert people(api)["bob"] == ("viewer", False)
    api("DeletePerson", Name="bob")
    assert people(api).keys() == {"eve"}


def test_a_name_is_taken_once(api: Api) -> None:
    assert api.code("CreatePerson", Name="bob", Role="admin") == "ResourceInUseException"
    assert people(api)["bob"] == ("operator", True)


def test_a_name_that_will_not_do_is_refused(here: Installation) -> None:
    with pytest.raises(Invalid, match="will not do"):
        here.perform("CreatePerson", ADMIN, Name="b b", Role="viewer")


def test_pages_have_each_once(api: Api) -> None:
    for number in range(4):
        api("CreatePerson", Name=f"p{number}", Role="viewer")
    found = [one["Name"] for page in api.pages("ListPeople", "People", MaxResults=2) for one in page]
    assert found == ["bob", "eve", "p0", "p1", "p2", "p3"]


def test_a_link_lets_in_once_and_stands_in_no_record(api: Api, here: Installation) -> None:
    answer = here.perform("CreateSignInLink", ADMIN, Name="bob")
    assert answer["Link"].startswith(f"{SITE.public_url}/console/link/")
    assert answer["ExpiresTime"] == here.clock.now() + timedelta(minutes=30)
    secret = answer["Link"].rpartition("/")[2]
    door = SignIn(here.database, here.clock, here.ids)
    signed = door.signed_in(door.by_link(secret))
    assert signed is not None
    assert signed.name == "bob"
    assert secret not in json.dumps(api("ListChanges"))


def test_who_is_disabled_is_signed_out_and_gets_no_link(api: Api, here: Installation) -> None:
    door = SignIn(here.database, here.clock, here.ids)
    link = here.perform("CreateSignInLink", ADMIN, Name="bob")["Link"].rpartition("/")[2]
    token = door.by_link(here.perform("CreateSignInLink", ADMIN, Name="bob")["Link"].rpartition("/")[2])
    api("UpdatePerson", Name="bob", Enabled=False)
    assert door.signed_in(token) is None
    with pytest.raises(NotSignedIn):
        door.by_link(link)
    with pytest.raises(Conflict, match="enable that person first"):
        here.perform("CreateSignInLink", ADMIN, Name="bob")


@pytest.mark.parametrize(
    ("name", "members"),
    [("UpdatePerson", {"Role": "operator"}), ("UpdatePerson", {"Enabled": False}), ("DeletePerson", {})],
)
def test_the_last_admin_stays_also_where_keys_are_admins(
    api: Api, here: Installation, name: str, members: dict[str, Any]
) -> None:
    api("CreateAccessKey", Role="admin")
    with pytest.raises(Conflict, match="eve is the only enabled admin"):
        here.perform(name, ADMIN, Name="eve", **members)
    assert people(api)["eve"] == ("admin", True)
    api("UpdatePerson", Name="bob", Role="admin")
    api(name, Name="eve", **members)
    assert people(api).get("eve", ("", False)) != ("admin", True)


def test_a_disabled_admin_is_none(api: Api) -> None:
    api("CreatePerson", Name="ann", Role="admin")
    api("UpdatePerson", Name="ann", Enabled=False)
    assert api.code("DeletePerson", Name="eve") == "ResourceInUseException"


def test_a_key_signs_until_it_is_disabled_or_deleted(api: Api, here: Installation) -> None:
    made = api("CreateAccessKey", Role="operator", Comment="Terraform")
    (listed,) = api("ListAccessKeys")["AccessKeys"]
    assert listed == {
        "AccessKeyId": made["AccessKeyId"],
        "Role": "operator",
        "Enabled": True,
        "Comment": "Terraform",
    }
    with here.database.read() as work:
        kept = work.access_keys.get(made["AccessKeyId"])
    assert kept is not None
    assert kept.secret_access_key == made["SecretAccessKey"]
    api("UpdateAccessKey", AccessKeyId=made["AccessKeyId"], Enabled=False)
    assert not api("ListAccessKeys")["AccessKeys"][0]["Enabled"]
    api("DeleteAccessKey", AccessKeyId=made["AccessKeyId"])
    assert api("ListAccessKeys")["AccessKeys"] == []


def test_no_secret_stands_in_the_record(api: Api) -> None:
    made = api("CreateAccessKey", Role="operator")
    told = api("ListChanges")["Changes"]
    assert told[0]["Resource"] == made["AccessKeyId"]
    assert made["SecretAccessKey"] not in json.dumps(told)


def test_the_last_key_of_an_admin_stays_while_nobody_is_one(api: Api, here: Installation) -> None:
    with here.database.write() as work:
        work.people.delete("eve")
    key = api("CreateAccessKey", Role="admin")["AccessKeyId"]
    for name, members in (("DeleteAccessKey", {}), ("UpdateAccessKey", {"Enabled": False})):
        assert api.code(name, AccessKeyId=key, **members) == "ResourceInUseException"
    api("UpdatePerson", Name="bob", Role="admin")
    api("DeleteAccessKey", AccessKeyId=key)


@pytest.mark.parametrize("name", ["UpdatePerson", "DeletePerson", "CreateSignInLink"])
def test_nobody_is_said_to_be_nobody(here: Installation, name: str) -> None:
    with pytest.raises(NotFound, match="nobody called 'mallory'"):
        here.perform(name, ADMIN, Name="mallory")


@pytest.mark.parametrize(("name", "more"), [("UpdateAccessKey", {"Enabled": True}), ("DeleteAccessKey", {})])
def test_a_key_that_is_none_is_said_to_be_none(here: Installation, name: str, more: dict[str, Any]) -> None:
    with pytest.raises(NotFound, match="no access key AKIA1"):
        here.perform(name, ADMIN, AccessKeyId="AKIA1", **more)


def test_a_comment_that_cannot_be_printed_is_refused(api: Api) -> None:
    assert "cannot be printed" in api.fault("CreateAccessKey", Role="viewer", Comment="a\u0007").message


def test_the_record_says_which_role_somebody_had_and_has(api: Api) -> None:
    api("UpdatePerson", Name="bob", Role="viewer")
    one = api("ListChanges")["Changes"][0]
    assert (json.loads(one["Before"])["Role"], json.loads(one["After"])["Role"]) == ("operator", "viewer")
