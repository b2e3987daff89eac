"""The nodes of a fleet with their tags, out of a file: what a plan can be checked against without asking anybody."""

import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any, Final

from patchwindow.domain.patch_group import group_of
from patchwindow.plans.definitions import Target
from patchwindow.plans.problems import Mark, PlanProblems, Problem

_FORM: Final = (
    'what "patchwindow forecast --export" writes, or a JSON object of nodes by id, each with its tags, '
    'as {"mi-0123456789abcdef0": {"Patch Group": "Web Server"}}'
)
_SCHEMA: Final = 1
_FACTS: Final = '{"kind": "facts"'


class Fleet:
    """Nodes by what they carry; each pair of key and value is looked up at once.

    *systems* has the operating systems of those nodes of which it is known.
    """

    def __init__(
        self, file: str, tags: Mapping[str, Mapping[str, str]], systems: Mapping[str, str] | None = None
    ) -> None:
        self.file = file
        self.systems = systems or {}
        self.nodes = frozenset(tags)
        self._having: dict[tuple[str, str], set[str]] = {}
        for id, pairs in tags.items():
            for pair in pairs.items():
                self._having.setdefault(pair, set()).add(id)
        self.groups: dict[str, list[str]] = {}
        for id, pairs in tags.items():
            if group := group_of(pairs):
                self.groups.setdefault(group, []).append(id)

    def meant(self, target: Target) -> frozenset[str]:
        """Return the nodes of *target*: those that it names and that are there, or those that meet all it asks for."""
        if target.node_ids is not None:
            return self.nodes.intersection(target.node_ids)
        return self.nodes.intersection(*(self._any(key, values) for key, values in _conditions(target)))

    def _any(self, key: str, values: Iterable[str]) -> set[str]:
        return set().union(*(self._having.get((key, value), ()) for value in values))


def read_fleet(path: Path) -> Fleet:
    """Return the nodes in the file at *path*: a JSON object of their tags, or what `patchwindow forecast --export` wrote.

    Raises:
        PlanProblems: it cannot be read, or has another form.
    """
    try:
        with path.open(encoding="utf-8") as file:
            first = file.readline()
            if _is_exported(first):
                return _exported(path, chain([first], file))
            return Fleet(str(path), _listed(path, first + file.read()))
    except OSError as error:
        raise _refused(path, Mark(1, 1), f"cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise _refused(path, Mark(1, 1), f"is not UTF-8 text: {error.reason}") from error


def _listed(path: Path, text: str) -> dict[str, dict[str, str]]:
    try:
        tags = json.loads(text)
    except json.JSONDecodeError as error:
        raise _refused(path, Mark(error.lineno, error.colno), f"is not JSON: {error.msg}; expected {_FORM}") from error
    if not isinstance(tags, dict) or not all(map(_are_tags, tags.values())):
        raise _refused(path, Mark(1, 1), f"has another form; expected {_FORM}")
    return tags


def _is_exported(first: str) -> bool:
    """Say whether a file that begins with the line *first* is an export of facts, which is one object on each line."""
    try:
        told = json.loads(first)
    except json.JSONDecodeError:
        return False
    return isinstance(told, dict) and isinstance(told.get("kind"), str)


def _exported(path: Path, lines: Iterable[str]) -> Fleet:
    """Return the nodes that the *lines* of an export tell."""
    tags: dict[str, dict[str, str]] = {}
    cohorts: dict[str, str] = {}
    systems: dict[str, str] = {}
    node_count: int | None = None
    for number, line in enumerate(lines, start=1):
        # Most of an export is facts, of which nothing is asked here.
        if line.startswith(_FACTS):
            continue
        mark = Mark(number, 1)
        try:
            told = json.loads(line)
            value = told["value"]
            match told["kind"]:
                case "fleet" if value["schema"] == _SCHEMA:
                    node_count = value["nodeCount"]
                case "fleet":
                    raise _refused(
                        path, mark, f"is an export of schema {value['schema']}; this version reads {_SCHEMA}"
                    )
                case "cohort":
                    systems[value["CohortId"]] = value["OperatingSystem"]
                case "node":
                    tags[value["NodeId"]] = _tags_of(path, mark, value)
                    cohorts[value["NodeId"]] = value["CohortId"]
                case _:
                    # Windows, baselines and durations are for forecasts.
                    continue
        except (json.JSONDecodeError, KeyError, TypeError, AttributeError):
            raise _refused(path, mark, "is no line of an export of facts; export it again") from None
    if len(tags) != node_count:
        message = f"has {len(tags)} nodes and says that it has {node_count or 'none'}; export it again, and whole"
        raise _refused(path, Mark(1, 1), message)
    return Fleet(str(path), tags, {id: systems[cohort] for id, cohort in cohorts.items() if cohort in systems})


def _tags_of(path: Path, mark: Mark, node: Mapping[str, Any]) -> dict[str, str]:
    tags: dict[str, str] | None = node.get("Tags")
    if not _are_tags(tags):
        message = f"tells no tags of node {node['NodeId']}; export it again, with patchwindow forecast --export"
        raise _refused(path, mark, message)
    return tags or {}


def _are_tags(pairs: object) -> bool:
    return isinstance(pairs, dict) and all(isinstance(value, str) for value in pairs.values())


def _refused(path: Path, mark: Mark, message: str) -> PlanProblems:
    return PlanProblems([Problem(str(path), mark, message)])


def _conditions(target: Target) -> Iterator[tuple[str, tuple[str, ...]]]:
    groups = target.patch_groups or ((target.patch_group,) if target.patch_group is not None else ())
    if groups:
        yield "Patch Group", tuple(groups)
    yield from (target.tags or {}).items()
