"""`patchwindow people` and `patchwindow keys`: on the server's own data, by the operations that the console has, and on record."""

import json
from pathlib import Path

import pytest
from tests.unit.cli.fake import Outcome, run

from patchwindow.bootstrap import PUBLIC_URL, Config, open_database
from patchwindow.domain.change import Change


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Return the data directory of a server that has run once."""
    database = open_database(Config(data=tmp_path))
    with database.write() as work:
        work.settings.put(PUBLIC_URL, "https://patch.example.net")
    database.close()
    return tmp_path


def at(data: Path, *arguments: str) -> Outcome:
    return run(*arguments, "--data", str(data))


def changes(data: Path) -> list[Change]:
    database = open_database(Config(data=data))
    with database.read() as work:
        found = [one for one, _ in work.changes.page(beyond=None, limit=100)]
    database.close()
    return found


def people(data: Path) -> dict[str, tuple[str, str]]:
    told = json.loads(at(data, "people", "list", "--json").stdout)
    return {one["Name"]: (one["Role"], one["Status"]) for one in told}


def test_what_is_done_at_the_server_is_on_record_as_done_by_it(data: Path) -> None:
    at(data, "people", "create", "eve", "--role", "admin")
    at(data, "people", "create", "bob", "--role", "viewer")
    at(data, "people", "disable", "bob")
    at(data, "people", "enable", "bob")
    link = at(data, "people", "link", "bob").stdout
    at(data, "people", "delete", "bob")
    assert people(data) == {"eve": ("admin", "Active")}
    told = changes(data)
    wanted = ["CreatePerson", "CreatePerson", "UpdatePerson", "UpdatePerson", "CreateSignInLink", "DeletePerson"]
    assert [one.operation for one in reversed(told)] == wanted
    assert {one.caller for one in told} == {"server"}
    assert link.startswith("https://patch.example.net/console/link/")
    assert not any(link.strip().rpartition("/")[2] in one.after for one in told)


def test_keys_are_on_record_without_their_secrets(data: Path) -> None:
    made = json.loads(at(data, "keys", "create", "--comment", "Terraform", "--json").stdout)
    assert made.keys() == {"AccessKeyId", "SecretAccessKey"}
    for verb in ("disable", "enable", "delete"):
        assert at(data, "keys", verb, made["AccessKeyId"]).exit_code == 0
    told = changes(data)
    assert [one.operation for one in reversed(told)] == [
        "CreateAccessKey",
        "UpdateAccessKey",
        "UpdateAccessKey",
        "DeleteAccessKey",
    ]
    assert {one.resource for one in told} == {made["AccessKeyId"]}
    assert not any(made["SecretAccessKey"] in one.before + one.after for one in told)
    assert json.loads(at(data, "keys", "list", "--json").stdout) == []


def test_the_last_admin_stays(data: Path) -> None:
    at(data, "people", "create", "eve", "--role", "admin")
    refused = at(data, "people", "delete", "eve")
    assert refused.exit_code == 1
    assert "let somebody else be an admin first" in refused.stderr
    assert people(data) == {"eve": ("admin", "Active")}


@pytest.mark.parametrize("verb", ["link", "disable", "enable", "delete"])
def test_nobody_is_named_with_where_to_look(data: Path, verb: str) -> None:
    refused = at(data, "people", verb, "mallory")
    assert refused.exit_code == 1
    assert "'mallory'; `patchwindow people list`" in refused.stderr


@pytest.mark.parametrize("verb", ["disable", "enable", "delete"])
def test_a_key_that_is_none_is_named_with_where_to_look(data: Path, verb: str) -> None:
    refused = at(data, "keys", verb, "AKIA1")
    assert refused.exit_code == 1
    assert "AKIA1; `patchwindow keys list`" in refused.stderr
