"""Every command has help, and stands in docs/cli.md with all its options."""

import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import click
import pytest

from patchwindow.cli.root import COMMANDS, root

PAGE = (Path(__file__).parents[3] / "docs" / "cli.md").read_text(encoding="utf-8")
SECTIONS = {
    section.partition("`")[0]: section for section in re.split(r"^### `patchwindow ", PAGE, flags=re.MULTILINE)[1:]
}
"""The text under each heading, by the words of the command."""

# They are the same everywhere and documented once, as is what every program has.
COMMON = {"--endpoint-url", "--profile", "--region", "--ca-bundle", "--help"}


def commands(name: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    """Yield each command with its words, and of a noun its verbs."""
    if isinstance(command, click.Group):
        for verb, below in command.commands.items():
            yield from commands(f"{name} {verb}", below)
    else:
        yield name, command


def is_installed(name: str) -> bool:
    """Return whether a command of the table is part of this installation."""
    return find_spec(f"patchwindow.cli.{name.replace('-', '_')}") is not None


def every_command() -> Iterator[tuple[str, click.Command]]:
    """Yield every command of the table that is part of this installation."""
    context = click.Context(root)
    for name in COMMANDS:
        if is_installed(name):
            found = root.get_command(context, name)
            assert found is not None
            yield from commands(name, found)


EVERY = dict(every_command())


@pytest.mark.parametrize("words", EVERY)
def test_every_command_has_help_and_so_has_every_option(words: str) -> None:
    command = EVERY[words]
    assert command.help
    for option in command.params:
        if isinstance(option, click.Option):
            assert option.help, f"{words} {option.opts[0]} has no help"


@pytest.mark.parametrize("words", EVERY)
def test_the_first_sentence_of_every_help_fits_a_list(words: str) -> None:
    assert not EVERY[words].get_short_help_str(limit=62).endswith("...")


@pytest.mark.parametrize("words", EVERY)
def test_every_command_is_documented_with_every_option(words: str) -> None:
    assert words in SECTIONS, f"docs/cli.md has no heading `patchwindow {words}`"
    for option in EVERY[words].params:
        if isinstance(option, click.Option) and not COMMON.intersection(option.opts):
            longest = max(option.opts, key=len)
            assert re.search(rf"{longest}\b", SECTIONS[words]), f"docs/cli.md does not say what {words} {longest} does"


def test_what_is_documented_exists() -> None:
    known = set(EVERY) | set(COMMANDS)
    assert {words for words in SECTIONS if words not in known} == set()


@pytest.mark.parametrize("name", [name for name in COMMANDS if is_installed(name)])
def test_the_table_says_of_a_command_what_the_command_says_of_itself(name: str) -> None:
    command = root.get_command(click.Context(root), name)
    assert command is not None
    assert command.get_short_help_str(limit=100).rstrip(".") == COMMANDS[name]


def options(command: click.Command) -> set[str]:
    """Return all options that a command takes, as they are written."""
    return {name for option in command.params for name in option.opts}


@pytest.mark.parametrize("words", [words for words, command in EVERY.items() if "--endpoint-url" in options(command)])
def test_a_command_that_prints_also_prints_json(words: str) -> None:
    # These change something and say so on standard error; they have no result.
    silent = {"delete", "tag", "untag", "register", "deregister", "replace", "enable", "disable", "cancel", "run"}
    assert ("--json" in options(EVERY[words])) is (words.rsplit(maxsplit=1)[-1] not in silent)
