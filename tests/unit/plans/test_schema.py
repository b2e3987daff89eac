"""The published schema and the definitions of a plan say the same, as an independent validator sees it."""

import json
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from jsonschema import Draft202012Validator
from tests.unit.plans.test_read import EVERYTHING, WHOLE

from patchwindow.plans.definitions import Plan
from patchwindow.plans.nodes import DATE
from patchwindow.plans.schema import schema_text
from patchwindow.plans.specs import Many, Nested, Record, Table, key_of, members_of

FILE: Final = Path("src/patchwindow/plans/plan.schema.json")
PLANS: Final = sorted(Path("plans").glob("*.yaml"))


@pytest.fixture(scope="module")
def schema() -> Any:
    return json.loads(FILE.read_text(encoding="utf-8"))


class EditorsLoader(yaml.SafeLoader):
    """Reads YAML as editors do, by YAML 1.2, in which a date is text."""


EditorsLoader.yaml_implicit_resolvers = {
    first: [entry for entry in entries if entry[0] != DATE]
    for first, entries in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def errors(schema: Any, text: str) -> list[str]:
    return [error.message for error in Draft202012Validator(schema).iter_errors(yaml.load(text, EditorsLoader))]  # noqa: S506 -- a safe loader


def test_the_file_is_what_the_definitions_write() -> None:
    assert FILE.read_text(encoding="utf-8") == schema_text(), f"write it anew: patchwindow plan schema > {FILE}"


def test_it_is_a_schema(schema: Any) -> None:
    Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize("path", PLANS, ids=lambda path: str(path.stem))
def test_every_plan_that_ships_is_valid(schema: Any, path: Path) -> None:
    assert errors(schema, path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("duration: 6", "duration: six"),
        ("duration: 6", "duration: 25"),
        ("duration: 6", "length: 6"),
        ("operatingSystem: WINDOWS", "operatingSystem: MS-DOS"),
        ("name: whole\n", ""),
        ("maxErrors: 1", "maxErrors: some"),
        ("    schedule: cron(0 23 ? * THU#1 *)\n", ""),
        ("patch: {", "p: {"),
        ("name: whole", "name: whole\nversion: 2"),
        ("{CLASSIFICATION:", "{CLASSIFICATIONS:"),
    ],
)
def test_what_the_reader_refuses_for_its_form_the_schema_refuses(schema: Any, old: str, new: str) -> None:
    assert errors(schema, EVERYTHING) == []
    assert old in WHOLE
    assert errors(schema, WHOLE.replace(old, new)) != []


def test_a_variable_may_stand_where_a_number_does(schema: Any) -> None:
    assert errors(schema, WHOLE.replace("duration: 6", "duration: ${{ hours }}")) == []


def test_every_member_of_every_mapping_is_in_the_schema_with_its_meaning(schema: Any) -> None:
    def walk(cls: type[Record]) -> None:
        properties = schema["$defs"][cls.__name__]["properties"]
        members = members_of(cls)
        assert properties.keys() == {key_of(name) for name in members}
        for name, member in members.items():
            assert properties[key_of(name)]["description"] == member.about
            value = member.spec
            if isinstance(value, Table | Many):
                value = value.value if isinstance(value, Table) else value.item
            if isinstance(value, Nested):
                walk(value.cls)

    walk(Plan)
