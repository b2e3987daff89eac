"""Options that several commands share."""

from collections.abc import Mapping

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.cli.fake import run

from patchwindow.cli.exits import Exit
from patchwindow.cli.options import grouped, pair

NOWHERE = {"endpoint_url": None, "profile": None, "region": None, "ca_bundle": None}


@pytest.mark.parametrize(
    ("arguments", "env", "where"),
    [
        ([], {}, NOWHERE),
        (
            ["--endpoint-url", "http://localhost:8080", "--profile", "lab", "--region", "eu-west-3"],
            {},
            {**NOWHERE, "endpoint_url": "http://localhost:8080", "profile": "lab", "region": "eu-west-3"},
        ),
        (["--ca-bundle", __file__], {}, {**NOWHERE, "ca_bundle": __file__}),
        ([], {"AWS_DEFAULT_REGION": "eu-west-1"}, {**NOWHERE, "region": "eu-west-1"}),
        (
            [],
            {"AWS_DEFAULT_REGION": "eu-west-1", "AWS_REGION": "eu-west-2"},
            {**NOWHERE, "region": "eu-west-2"},
        ),
        (["--region", "eu-west-3"], {"AWS_REGION": "eu-west-2"}, {**NOWHERE, "region": "eu-west-3"}),
    ],
)
def test_a_command_connects_to_where_its_options_and_the_environment_say(
    arguments: list[str], env: Mapping[str, str], where: Mapping[str, str | None]
) -> None:
    outcome = run("nodes", "list", *arguments, env=env)
    assert outcome.exit_code == Exit.DONE
    assert outcome.connected == [where]


def test_help_connects_to_nothing() -> None:
    assert run("nodes", "list", "--help").connected == []


@given(st.text(min_size=1).filter(lambda key: "=" not in key), st.text())
def test_a_pair_is_read_back_as_it_was_written(key: str, value: str) -> None:
    assert pair(f"{key}={value}") == (key, value)


@pytest.mark.parametrize("written", ["", "Environment", "=Production"])
def test_what_has_no_key_is_no_pair(written: str) -> None:
    with pytest.raises(click.BadParameter, match="is not of the form KEY=VALUE"):
        pair(written)


def test_the_values_of_one_key_come_together() -> None:
    assert grouped([("A", "1"), ("B", "2"), ("A", "3")]) == {"A": ["1", "3"], "B": ["2"]}
