"""Variables of a plan: ``${{ name }}`` becomes the variable's value before anything else is read.

The form is one that neither shells nor command documents have, whose own ``${…}`` and ``{{…}}`` stay as they are.
"""

import re
from collections.abc import Callable, Mapping
from typing import Final

import yaml

from patchwindow.plans.nodes import TEXT, hint, mark_of
from patchwindow.plans.problems import Mark

VARIABLES: Final = "variables"
USE: Final = re.compile(r"\$\{\{ *([a-zA-Z][a-zA-Z0-9_\-]*) *\}\}")

_Values = Mapping[str, yaml.ScalarNode]


def substitute(root: yaml.Node, note: Callable[[Mark, str], None]) -> None:
    """Put the values of the variables of *root* where they are used; a use of none that is there is noted.

    A value that is nothing but a use becomes what the variable is, a number too; within a text it becomes text.
    Keys are names, and stay.
    """
    if not isinstance(root, yaml.MappingNode):
        return
    values: dict[str, yaml.ScalarNode] = {}
    for key, value in root.value:
        if key.value == VARIABLES and isinstance(value, yaml.MappingNode):
            values = {str(name.value): each for name, each in value.value if isinstance(each, yaml.ScalarNode)}
    seen: set[int] = set()
    for key, value in root.value:
        if key.value != VARIABLES:
            _walk(value, values, note, seen)


def _walk(node: yaml.Node, values: _Values, note: Callable[[Mark, str], None], seen: set[int]) -> None:
    """Substitute in *node* and all below it; an alias is the same node again, and may lead back to where it stands."""
    if id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, yaml.ScalarNode):
        _scalar(node, values, note)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _walk(item, values, note, seen)
    elif isinstance(node, yaml.MappingNode):
        for _, value in node.value:
            _walk(value, values, note, seen)


def _scalar(node: yaml.ScalarNode, values: _Values, note: Callable[[Mark, str], None]) -> None:
    names = USE.findall(node.value)
    unknown = [name for name in names if name not in values]
    for name in unknown:
        note(mark_of(node), f"there is no variable {name!r}; {hint(name, values)}")
    if unknown or not names:
        return
    if USE.fullmatch(node.value):
        node.tag, node.value = values[names[0]].tag, values[names[0]].value
    else:
        node.tag, node.value = TEXT, USE.sub(lambda use: str(values[use[1]].value), node.value)
