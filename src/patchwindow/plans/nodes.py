"""YAML nodes in words and places."""

from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from typing import Final

import yaml

from patchwindow.plans.problems import Mark

TEXT: Final = "tag:yaml.org,2002:str"
INTEGER: Final = "tag:yaml.org,2002:int"
NUMBER: Final = "tag:yaml.org,2002:float"
BOOLEAN: Final = "tag:yaml.org,2002:bool"
DATE: Final = "tag:yaml.org,2002:timestamp"

_WORDS: Final = {
    TEXT: "text",
    INTEGER: "a number",
    NUMBER: "a number",
    BOOLEAN: "true or false",
    DATE: "a date",
    "tag:yaml.org,2002:null": "nothing",
    "tag:yaml.org,2002:seq": "a list",
    "tag:yaml.org,2002:map": "a mapping",
}

Path = tuple[str | int, ...]


def mark_of(node: yaml.Node) -> Mark:
    """Return where *node* begins."""
    return Mark(node.start_mark.line + 1, node.start_mark.column + 1, node.start_mark.name)


def words_for(node: yaml.Node) -> str:
    """Return what *node* is, for a message."""
    word = _WORDS.get(node.tag, node.tag)
    return f"{word} ({node.value})" if isinstance(node, yaml.ScalarNode) and node.value else word


def places(path: Path, node: yaml.Node, *, depth: int = 2) -> Iterator[tuple[Path, Mark]]:
    """Yield the place of *node*, which stands at *path*, and of what is in it, a few levels deep.

    A key's place is that of the key itself.  The depth is bounded because an alias may lead back to where it stands.
    """
    yield path, mark_of(node)
    if depth == 0:
        return
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield from places((*path, index), item, depth=depth - 1)
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode):
                yield from places((*path, key.value), value, depth=depth - 1)
                if isinstance(value, yaml.ScalarNode):
                    # Where one item may stand without brackets, it is still the first of its list.
                    yield (*path, key.value, 0), mark_of(value)
                yield (*path, key.value), mark_of(key)


def hint(word: str, known: Iterable[str]) -> str:
    """Return the end of a message about the unknown *word*: the nearest known one, else all of them."""
    choices = [str(choice) for choice in known]
    folded = {choice.casefold(): choice for choice in choices}
    if near := get_close_matches(word.casefold(), folded, n=1):
        return f"did you mean {folded[near[0]]}?"
    return f"known are {', '.join(choices)}" if choices else "there are none"
