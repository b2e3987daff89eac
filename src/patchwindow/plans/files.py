"""The files of a plan become one tree of YAML nodes, each of which knows its file and place."""

import contextlib
from collections.abc import Iterable
from io import StringIO
from pathlib import Path
from typing import Final

import yaml

from patchwindow.plans.definitions import Plan
from patchwindow.plans.problems import Mark, PlanProblems, Problem
from patchwindow.plans.specs import Table, key_of, members_of

_SUFFIXES: Final = (".yaml", ".yml")
# Sections that several files of a directory may have; every other member stands in one of them.
_SHARED: Final = frozenset(key_of(name) for name, member in members_of(Plan).items() if isinstance(member.spec, Table))


def compose_path(path: Path) -> yaml.Node:
    """Return the tree of the file at *path*, or of all plan files that are directly in the directory there.

    Raises:
        PlanProblems: a file cannot be read or is not YAML, or the directory has none.
    """
    if not path.is_dir():
        return compose_text(_text(path), str(path))
    files = sorted(each for each in path.iterdir() if each.suffix in _SUFFIXES)
    if not files:
        raise PlanProblems([Problem(str(path), Mark(1, 1), "is a directory without a .yaml or .yml file")])
    return _joined(_all(files))


def compose_paths(paths: Iterable[Path]) -> list[yaml.Node]:
    """Return the trees of several files or directories.

    Raises:
        PlanProblems: one cannot be read; what is wrong with one does not hide what is wrong with another.
    """
    roots: list[yaml.Node] = []
    problems: list[Problem] = []
    for path in paths:
        try:
            roots.append(compose_path(path))
        except PlanProblems as found:
            problems += found.problems
    if problems:
        raise PlanProblems(problems)
    return roots


def overlay(root: yaml.Node, over: yaml.Node) -> yaml.Node:
    """Return *root* with what *over* says instead: mappings are joined key by key, anything else is replaced."""
    if not (isinstance(root, yaml.MappingNode) and isinstance(over, yaml.MappingNode)):
        return over
    said = {_key(key): value for key, value in over.value}
    known = {_key(key) for key, _ in root.value}
    pairs = [(key, overlay(value, said[_key(key)]) if _key(key) in said else value) for key, value in root.value] + [
        (key, value) for key, value in over.value if _key(key) not in known
    ]
    return yaml.MappingNode(root.tag, pairs, root.start_mark, root.end_mark)


def compose_text(text: str, file: str) -> yaml.Node:
    """Return the tree of *text*; *file* is what its places name.

    Raises:
        PlanProblems: it is empty or no YAML.
    """
    try:
        root = _node(text, file)
    except yaml.MarkedYAMLError as error:
        place = error.problem_mark or error.context_mark
        mark = Mark(place.line + 1, place.column + 1) if place else Mark(1, 1)
        message = ", ".join(part for part in (error.problem, error.context) if part)
        raise PlanProblems([Problem(file, mark, f"is not YAML: {message}")]) from error
    except yaml.reader.ReaderError as error:
        before = text[: error.position]
        mark = Mark(before.count("\n") + 1, error.position - (before.rfind("\n") + 1) + 1)
        raise PlanProblems([Problem(file, mark, f"is not YAML: {error.reason}")]) from error
    if root is None:
        raise PlanProblems([Problem(file, Mark(1, 1), "is empty; a plan needs at least a name")])
    return root


class _Named(StringIO):
    """A text whose nodes say that they are from *name*."""

    def __init__(self, text: str, name: str) -> None:
        super().__init__(text)
        self.name = name


def _node(text: str, file: str) -> yaml.Node | None:
    """Return the tree of *text*, composed by libyaml where it is there; what is wrong is told in the words of PyYAML."""
    if yaml.__with_libyaml__:
        # Its words name no characters; the slower loader finds the same mistake.
        with contextlib.suppress(yaml.YAMLError):
            return yaml.CSafeLoader(_Named(text, file)).get_single_node()
    loader = yaml.SafeLoader(text)
    loader.name = file
    return loader.get_single_node()


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise PlanProblems([Problem(str(path), Mark(1, 1), f"cannot be read: {error.strerror}")]) from error
    except UnicodeDecodeError as error:
        raise PlanProblems([Problem(str(path), Mark(1, 1), f"is not UTF-8 text: {error.reason}")]) from error


def _all(files: Iterable[Path]) -> list[yaml.Node]:
    """Return the trees of *files*; what is wrong with one does not hide what is wrong with another."""
    roots: list[yaml.Node] = []
    problems: list[Problem] = []
    for file in files:
        try:
            root = compose_text(_text(file), str(file))
        except PlanProblems as found:
            problems += found.problems
            continue
        if not isinstance(root, yaml.MappingNode):
            problems.append(Problem(str(file), Mark(1, 1), "is no mapping; a file of a plan has its sections as keys"))
        roots.append(root)
    if problems:
        raise PlanProblems(problems)
    return roots


def _joined(roots: list[yaml.Node]) -> yaml.Node:
    """Return one mapping of all that *roots* have; what is there twice stays, for the reader to name both places."""
    pairs: list[tuple[yaml.Node, yaml.Node]] = []
    shared: dict[str, yaml.MappingNode] = {}
    for root in roots:
        for key, value in root.value:
            name = _key(key)
            if name in shared and isinstance(value, yaml.MappingNode):
                shared[name].value += value.value
                continue
            if name in _SHARED and isinstance(value, yaml.MappingNode):
                shared[name] = value
            pairs.append((key, value))
    return yaml.MappingNode(roots[0].tag, pairs, roots[0].start_mark, roots[-1].end_mark)


def _key(node: yaml.Node) -> str:
    return str(node.value)
