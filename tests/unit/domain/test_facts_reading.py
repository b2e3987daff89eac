"""What facts are refused for."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from patchwindow.domain.errors import Invalid
from patchwindow.domain.facts import canonical
from patchwindow.domain.facts_reading import aligned, parse

GOOD = """
{"schema": 1, "manager": "apt",
 "os": {"id": "debian", "name": "Debian GNU/Linux", "versionId": "12", "codename": "bookworm", "arch": "amd64"},
 "origins": [{"origin": "Debian", "label": "Debian", "suite": "oldstable", "codename": "bookworm", "component": "main",
              "site": "mirror.example.net"}],
 "packages": [{"name": "openssl", "arch": "amd64", "version": "1", "section": "utils", "priority": "optional",
               "origins": [0]}],
 "updates":  [{"name": "openssl", "arch": "amd64", "installed": "1", "candidate": "2", "section": "utils",
               "priority": "optional", "size": 1, "origins": [0], "security": true, "held": false}],
 "held": [], "reboot": {"required": false, "reasons": []}}
"""


def good() -> Any:
    return json.loads(GOOD)


Spoil = Callable[[Any], object]


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda data: data.pop("schema"), "facts.schema: None is not known; this server reads schemas 1 and 2"),
        (lambda data: data.update(schema=3), "facts.schema: 3 is not known"),
        (lambda data: data.update(manager="dnf"), "facts.manager: dnf is not of schema 1, which is for apt alone"),
        (lambda data: data.pop("os"), "facts.os: expected an object, got nothing"),
        (lambda data: data["os"].update(name=7), "facts.os.name: expected at most 1024 printable characters, got 7"),
        (lambda data: data.update(origins={}), "facts.origins: expected a list, got an object"),
        (lambda data: data["origins"][0].pop("site"), "facts.origins[0].site: expected at most"),
        (lambda data: data["packages"].append([]), "facts.packages[1]: expected an object, got a list"),
        (lambda data: data["packages"][0].update(version=""), "facts.packages[0].version: is empty"),
        (lambda data: data["packages"][0].update(name="a\0b"), "facts.packages[0].name: expected"),
        (lambda data: data["packages"][0].update(name="\ud800"), "facts.packages[0].name: expected"),
        (lambda data: data["packages"][0].update(name="x" * 1025), "facts.packages[0].name: expected at most 1024"),
        (lambda data: data["packages"][0].update(origins=[1]), "origins: 1 is no index of one of the 1 origins"),
        (lambda data: data["packages"][0].update(origins=[-1]), "facts.packages[0].origins: -1 is no index"),
        (lambda data: data["packages"][0].update(origins=[True]), "facts.packages[0].origins: True is no index"),
        (lambda data: data["packages"][0].pop("origins"), "facts.packages[0].origins: expected a list, got nothing"),
        (
            lambda data: data["packages"].append(data["packages"][0] | {"version": "2"}),
            "facts.packages[1]: openssl amd64 is there already, at 0",
        ),
        (
            lambda data: data["updates"].append(data["updates"][0]),
            "facts.updates[1]: openssl amd64 2 is there already, at 0",
        ),
        (lambda data: data["updates"][0].update(size=-1), "facts.updates[0].size: expected a whole number"),
        (lambda data: data["updates"][0].update(size=1.5), "facts.updates[0].size: expected a whole number"),
        (lambda data: data["updates"][0].update(held="no"), "facts.updates[0].held: expected true or false, got 'no'"),
        (lambda data: data.update(held=[1]), "facts.held[0]: expected"),
        (lambda data: data["reboot"].update(required=None), "facts.reboot.required: expected true or false"),
    ],
)
def test_malformed_facts_are_refused_by_their_place(spoil: Spoil, words: str) -> None:
    data = good()
    spoil(data)
    with pytest.raises(Invalid) as refused:
        parse(data)
    assert words in str(refused.value)


@pytest.mark.parametrize("data", [None, [], "facts", 1])
def test_what_is_no_object_is_no_facts(data: object) -> None:
    with pytest.raises(Invalid, match="facts: expected an object"):
        parse(data)


def test_members_of_a_later_time_are_passed_over() -> None:
    data = good() | {"snap": []}
    data["packages"][0]["sizeOnDisk"] = 5
    assert parse(data) == parse(good())


@pytest.mark.parametrize("times", [None, [], [1, 2], [True], ["1"], [-1], [float("nan")], [float("inf")], [2**35]])
def test_times_are_one_number_for_each_package(times: object) -> None:
    with pytest.raises(Invalid, match="installedAt"):
        aligned(good(), times)


def test_a_source_package_is_kept_where_it_differs_from_the_package_and_only_in_schema_2() -> None:
    data = good()
    data["packages"][0] |= {"source": "openssl3", "sourceVersion": "1"}
    data["updates"][0] |= {"source": "openssl", "sourceVersion": "1.9"}
    of_schema_1 = parse(data)
    assert of_schema_1.packages[0].source == of_schema_1.updates[0].source_version == ""
    facts = parse({**data, "schema": 2})
    assert (facts.packages[0].source, facts.packages[0].source_version) == ("openssl3", "")
    assert (facts.updates[0].source, facts.updates[0].source_version) == ("", "1.9")
    assert parse(json.loads(canonical(facts))) == facts
