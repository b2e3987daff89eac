"""Tags of resources, and the nodes that tag filters select."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final

import sqlalchemy as sa

from patchwindow.store.prepared import prepared
from patchwindow.store.rows import Rows
from patchwindow.store.tables import standing, tag

NODE_TAGS: Final = "ManagedInstance"
WINDOW_TAGS: Final = "MaintenanceWindow"
ENVIRONMENT: Final = "Environment"
"""The tag that names the environment of a node, by which fleets are counted where nobody names another."""

_OF: Final = prepared(
    sa.select(tag.c.key, tag.c.value)
    .where(tag.c.resource_type == sa.bindparam("type"), tag.c.resource_id == sa.bindparam("id"))
    .order_by(tag.c.key)
)
_OF_MANY: Final = (
    sa.select(tag.c.resource_id, tag.c.key, tag.c.value)
    .where(tag.c.resource_type == sa.bindparam("type"), tag.c.resource_id.in_(sa.bindparam("ids", expanding=True)))
    .order_by(tag.c.resource_id, tag.c.key)
)
_OF_ALL: Final = prepared(
    sa.select(tag.c.resource_id, tag.c.key, tag.c.value)
    .where(tag.c.resource_type == sa.bindparam("type"))
    .order_by(tag.c.resource_id, tag.c.key)
)
_WITH_KEY: Final = prepared(
    sa.select(tag.c.resource_id, tag.c.value)
    .where(tag.c.resource_type == sa.bindparam("type"), tag.c.key == sa.bindparam("key"))
    .order_by(tag.c.resource_id)
)
_REMOVE: Final = sa.delete(tag).where(
    tag.c.resource_type == sa.bindparam("type"),
    tag.c.resource_id == sa.bindparam("id"),
    tag.c.key.in_(sa.bindparam("keys", expanding=True)),
)
_REMOVE_ALL: Final = prepared(
    sa.delete(tag).where(tag.c.resource_type == sa.bindparam("type"), tag.c.resource_id == sa.bindparam("id"))
)
_MOVE: Final = prepared(
    sa.update(standing).where(standing.c.node_id == sa.bindparam("id")).values(environment=sa.bindparam("to"))
)


class Tags(Rows):
    """Tags, by resource type (`ManagedInstance`, `PatchBaseline`, `MaintenanceWindow`, …) and id."""

    def of(self, resource_type: str, resource_id: str) -> dict[str, str]:
        """Return the tags of a resource, by key in order."""
        rows = self._rows(_OF, {"type": resource_type, "id": resource_id})
        return {row.key: row.value for row in rows}

    def of_many(self, resource_type: str, resource_ids: Collection[str]) -> dict[str, dict[str, str]]:
        """Return the tags of several resources, by id; those without tags are left out."""
        return _by_id(self._rows(_OF_MANY, {"type": resource_type, "ids": list(resource_ids)}))

    def of_all(self, resource_type: str) -> dict[str, dict[str, str]]:
        """Return the tags of all resources of a type, by id; those without tags are left out."""
        return _by_id(self._rows(_OF_ALL, {"type": resource_type}))

    def with_key(self, resource_type: str, key: str) -> dict[str, str]:
        """Return the value of the tag *key* by the id of each resource that has it, in order of id."""
        return {row.resource_id: row.value for row in self._rows(_WITH_KEY, {"type": resource_type, "key": key})}

    def add(self, resource_type: str, resource_id: str, tags: Mapping[str, str]) -> None:
        """Set *tags*; equal keys get the new value."""
        owner = {"resource_type": resource_type, "resource_id": resource_id}
        self._upsert_all(tag, ({**owner, "key": key, "value": value} for key, value in tags.items()))
        if resource_type == NODE_TAGS and ENVIRONMENT in tags:
            self._change(_MOVE, {"id": resource_id, "to": tags[ENVIRONMENT]})

    def remove(self, resource_type: str, resource_id: str, keys: Sequence[str]) -> None:
        """Remove the tags with these *keys*; absent ones are passed over."""
        self._change(_REMOVE, {"type": resource_type, "id": resource_id, "keys": list(keys)})
        if resource_type == NODE_TAGS and ENVIRONMENT in keys:
            self._change(_MOVE, {"id": resource_id, "to": ""})

    def remove_all(self, resource_type: str, resource_id: str) -> None:
        """Remove every tag of a resource that is deleted."""
        self._change(_REMOVE_ALL, {"type": resource_type, "id": resource_id})


def _by_id(rows: Iterable[sa.Row[Any]]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for row in rows:
        found.setdefault(row.resource_id, {})[row.key] = row.value
    return found
