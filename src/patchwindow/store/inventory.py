"""Inventory that was reported, the user's own types of it, and what was deleted."""

import functools
import json
import zlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from patchwindow.domain.inventory import Entry, InventoryType
from patchwindow.protocol.records import dumps, loads
from patchwindow.store.inventory_tables import inventory, inventory_deletion, inventory_schema
from patchwindow.store.prepared import prepared
from patchwindow.store.rows import Rows, ms


@dataclass(frozen=True, slots=True, kw_only=True)
class InventoryItem:
    """All entries of one type that were reported of a node, in canonical JSON."""

    node_id: str
    type_name: str
    schema_version: str
    captured_at: str
    content_hash: str = ""
    content: str

    @property
    def entries(self) -> tuple[Entry, ...]:
        """The entries."""
        return _entries(self.content)


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomType:
    """A type of the user's own, as it was last reported; *disabled_version* is empty where it is not disabled."""

    type_name: str
    version: str
    attributes: tuple[str, ...]
    disabled_version: str = ""

    @property
    def type(self) -> InventoryType:
        """The type."""
        return InventoryType(name=self.type_name, version=self.version, attributes=self.attributes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deletion:
    """What was deleted of a type: how many nodes had it, by version."""

    deletion_id: str
    type_name: str
    started_at: datetime
    counts: Mapping[str, Any]


_OF_NODE: Final = (inventory.c.node_id == sa.bindparam("node"), inventory.c.type_name == sa.bindparam("type"))
_ITEM: Final = prepared(sa.select(inventory).where(*_OF_NODE))
_HASH: Final = prepared(sa.select(inventory.c.content_hash).where(*_OF_NODE))
_MANY: Final = sa.select(inventory).where(
    inventory.c.node_id.in_(sa.bindparam("nodes", expanding=True)), inventory.c.type_name == sa.bindparam("type")
)
_SIZE: Final = prepared(
    sa.select(sa.func.coalesce(sa.func.sum(inventory.c.size), 0)).where(inventory.c.node_id == sa.bindparam("node"))
)
_VERSIONS: Final = prepared(
    sa.select(inventory.c.schema_version, sa.func.count().label("node_count"))
    .where(inventory.c.type_name == sa.bindparam("type"))
    .group_by(inventory.c.schema_version)
    .order_by(inventory.c.schema_version)
)
_DELETE: Final = prepared(sa.delete(inventory).where(inventory.c.type_name == sa.bindparam("type")))
_SCHEMA: Final = prepared(
    sa.select(inventory_schema).where(inventory_schema.c.type_name == sa.bindparam("type")).with_for_update()
)
_SCHEMAS: Final = prepared(sa.select(inventory_schema).order_by(inventory_schema.c.type_name))
_COUNT_SCHEMAS: Final = prepared(sa.select(sa.func.count()).select_from(inventory_schema))
_DELETE_SCHEMA: Final = prepared(
    sa.delete(inventory_schema).where(inventory_schema.c.type_name == sa.bindparam("type"))
)
_DELETIONS: Final = prepared(
    sa.select(inventory_deletion.c.body).order_by(
        inventory_deletion.c.started_at_ms.desc(), inventory_deletion.c.deletion_id
    )
)
_DELETION: Final = prepared(
    sa.select(inventory_deletion.c.body).where(inventory_deletion.c.deletion_id == sa.bindparam("id"))
)


class Inventory(Rows):
    """What was reported of nodes, by node and type."""

    def put(self, item: InventoryItem) -> None:
        """Keep an item, in place of what the node had of the type."""
        self._upsert(
            inventory,
            node_id=item.node_id,
            type_name=item.type_name,
            schema_version=item.schema_version,
            captured_at=item.captured_at,
            content_hash=item.content_hash,
            size=len(item.content),
            content=zlib.compress(item.content.encode()),
        )

    def hash_of(self, node_id: str, type_name: str) -> str | None:
        """Return the hash that the node's item came with; None where it has none of the type."""
        found: str | None = self._scalar(_HASH, {"node": node_id, "type": type_name})
        return found

    def get(self, node_id: str, type_name: str) -> InventoryItem | None:
        """Return what the node has of the type."""
        row = self._row(_ITEM, {"node": node_id, "type": type_name})
        return None if row is None else _item(row)

    def many(self, node_ids: Collection[str], type_name: str) -> dict[str, InventoryItem]:
        """Return what those of the nodes that have any have of the type, by node."""
        rows = self._rows(_MANY, {"nodes": list(node_ids), "type": type_name})
        return {row.node_id: _item(row) for row in rows}

    def size_of(self, node_id: str) -> int:
        """Return how much is kept of the node, unpacked."""
        return int(self._scalar(_SIZE, {"node": node_id}))

    def versions(self, type_name: str) -> dict[str, int]:
        """Return how many nodes have the type, by version."""
        return {row.schema_version: row.node_count for row in self._rows(_VERSIONS, {"type": type_name})}

    def delete(self, type_name: str) -> None:
        """Delete what all nodes have of the type."""
        self._change(_DELETE, {"type": type_name})

    def put_type(self, type_: CustomType) -> None:
        """Keep a new or changed type of the user's own."""
        self._upsert(
            inventory_schema,
            type_name=type_.type_name,
            version=type_.version,
            attributes=json.dumps(type_.attributes),
            disabled_version=type_.disabled_version,
        )

    def add_type(self, type_: CustomType) -> None:
        """Keep a new type, unless another was first."""
        self._insert_if_new(
            inventory_schema,
            type_name=type_.type_name,
            version=type_.version,
            attributes=json.dumps(type_.attributes),
            disabled_version=type_.disabled_version,
        )

    def lock_type(self, type_name: str) -> CustomType | None:
        """Return the type, and keep other writers from it until the transaction ends."""
        row = self._row(_SCHEMA, {"type": type_name})
        return None if row is None else _type(row)

    def types(self) -> list[CustomType]:
        """Return the user's own types, in order of name."""
        return [_type(row) for row in self._rows(_SCHEMAS)]

    def type_count(self) -> int:
        """Return how many types of the user's own there are."""
        return int(self._scalar(_COUNT_SCHEMAS))

    def delete_type(self, type_name: str) -> None:
        """Forget a type of the user's own."""
        self._change(_DELETE_SCHEMA, {"type": type_name})

    def add_deletion(self, deletion: Deletion) -> None:
        """Keep what was deleted."""
        self._upsert(
            inventory_deletion,
            deletion_id=deletion.deletion_id,
            started_at_ms=ms(deletion.started_at),
            body=dumps(deletion),
        )

    def deletion(self, deletion_id: str) -> Deletion | None:
        """Return the deletion."""
        body = self._scalar(_DELETION, {"id": deletion_id})
        return None if body is None else loads(Deletion, body)

    def deletions(self) -> list[Deletion]:
        """Return all deletions, the latest first."""
        return [loads(Deletion, body) for body in self._scalars(_DELETIONS)]


# Nodes with equal content share what was read of it.
@functools.lru_cache(maxsize=256)
def _entries(content: str) -> tuple[Entry, ...]:
    return tuple(json.loads(content))


def _item(row: Any) -> InventoryItem:
    return InventoryItem(
        node_id=row.node_id,
        type_name=row.type_name,
        schema_version=row.schema_version,
        captured_at=row.captured_at,
        content_hash=row.content_hash,
        content=zlib.decompress(row.content).decode(),
    )


def _type(row: Any) -> CustomType:
    return CustomType(
        type_name=row.type_name,
        version=row.version,
        attributes=tuple(json.loads(row.attributes)),
        disabled_version=row.disabled_version,
    )
