"""Which nodes the targets of a command select, by what the rows of nodes and tags say."""

import json
from collections.abc import Mapping
from typing import Any


class Nodes:
    """All nodes with their tags."""

    def __init__(self) -> None:
        self._tags: dict[str, dict[str, str]] = {}
        self._there: set[str] = set()
        self._groups: dict[str, list[dict[str, Any]]] = {}

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

    def note_group(self, name: str, body: str) -> None:
        """Note what a resource group is, or with the empty text that it is gone."""
        if body:
            self._groups[name] = json.loads(json.loads(body)["ResourceQuery"]["Query"])["TagFilters"]
        else:
            self._groups.pop(name, None)

    def tags_of(self, id: str) -> Mapping[str, str]:
        """Return the tags of a node."""
        return self._tags.get(id, {})

    def selected(self, made: Mapping[str, Any]) -> set[str]:
        """Return the nodes that a command is for, as its members name them, those that are gone included; all targets must agree."""
        if made["InstanceIds"]:
            return set(made["InstanceIds"])
        return {id for id in self._there if all(self._matches(id, target) for target in made["Targets"])}

    def _matches(self, id: str, target: Mapping[str, Any]) -> bool:
        key, values, tags = target["Key"], target["Values"], self._tags.get(id, {})
        if key == "InstanceIds":
            return id in values or values == ["*"]
        if key == "resource-groups:Name":
            # A command for a group that is not there is for nobody.
            filters = self._groups.get(values[0])
            return filters is not None and all(
                tags.get(one["Key"], "") in (one["Values"] or [*tags.values()]) for one in filters
            )
        if key == "tag-key":
            return all(value in tags for value in values)
        return tags.get(key.removeprefix("tag:")) in values
