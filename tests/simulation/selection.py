"""Which nodes the targets of a command select, by what the rows of nodes and tags say."""

from collections.abc import Mapping
from typing import Any


class Nodes:
    """All nodes with their tags."""

    def __init__(self) -> None:
        self._tags: dict[str, dict[str, str]] = {}
        self._there: set[str] = set()

    def note_node(self, id: str, *, is_there: bool) -> None:
        """Note that a node was registered, or is gone."""
        if is_there:
            self._there.add(id)
        else:
            self._there.discard(id)

    def note_tag(self, id: str, key: str, value: str) -> None:
        """Note a tag, or with the empty value that it is gone."""
        tags = self._tags.setdefault(id, {})
        if value:
            tags[key] = value
        else:
            tags.pop(key, None)

    def selected(self, made: Mapping[str, Any]) -> set[str]:
        """Return the nodes that a command is for, as its members name them; all targets must agree."""
        if made["InstanceIds"]:
            return self._there & set(made["InstanceIds"])
        return {id for id in self._there if all(self._matches(id, target) for target in made["Targets"])}

    def _matches(self, id: str, target: Mapping[str, Any]) -> bool:
        key, values, tags = target["Key"], target["Values"], self._tags.get(id, {})
        if key == "InstanceIds":
            return id in values
        if key == "tag-key":
            return all(value in tags for value in values)
        return tags.get(key.removeprefix("tag:")) in values
