"""The nodes of a fleet with their tags, out of a file: what a plan can be checked against without asking anybody."""

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from patchwindow.domain.patch_group import group_of
from patchwindow.plans.definitions import Target
from patchwindow.plans.problems import Mark, PlanProblems, Problem

_FORM = 'a JSON object of nodes by id, each with its tags, as {"mi-0123456789abcdef0": {"Patch Group": "Web Server"}}'


class Fleet:
    """Nodes by what they carry; each pair of key and value is looked up at once."""

    def __init__(self, file: str, tags: Mapping[str, Mapping[str, str]]) -> None:
        self.file = file
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
    """Return the nodes in the file at *path*.

    Raises:
        PlanProblems: it cannot be read, or has another form.
    """
    try:
        tags = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise _refused(path, Mark(1, 1), f"cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise _refused(path, Mark(1, 1), f"is not UTF-8 text: {error.reason}") from error
    except json.JSONDecodeError as error:
        raise _refused(path, Mark(error.lineno, error.colno), f"is not JSON: {error.msg}; expected {_FORM}") from error
    if not _is_fleet(tags):
        raise _refused(path, Mark(1, 1), f"has another form; expected {_FORM}")
    return Fleet(str(path), tags)


def _is_fleet(tags: Any) -> bool:
    return isinstance(tags, dict) and all(
        isinstance(pairs, dict) and all(isinstance(value, str) for value in pairs.values()) for pairs in tags.values()
    )


def _refused(path: Path, mark: Mark, message: str) -> PlanProblems:
    return PlanProblems([Problem(str(path), mark, message)])


def _conditions(target: Target) -> Iterator[tuple[str, tuple[str, ...]]]:
    groups = target.patch_groups or ((target.patch_group,) if target.patch_group is not None else ())
    if groups:
        yield "Patch Group", tuple(groups)
    yield from (target.tags or {}).items()
