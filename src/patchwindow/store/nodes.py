"""Activations and managed nodes."""

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from patchwindow.domain.association_execution import OPEN, NodeStatus, Overview
from patchwindow.domain.node import Activation, Node
from patchwindow.protocol.records import dumps, loads
from patchwindow.store.association_tables import association_node
from patchwindow.store.prepared import prepared
from patchwindow.store.rows import Rows, like_prefix, ms
from patchwindow.store.tables import activation, node, tag
from patchwindow.store.tags import NODE_TAGS

_ONE_ACTIVATION: Final = sa.select(activation).where(activation.c.activation_id == sa.bindparam("id"))
_ACTIVATION: Final = prepared(_ONE_ACTIVATION)
_LOCK_ACTIVATION: Final = prepared(_ONE_ACTIVATION.with_for_update())
_DELETE_ACTIVATION: Final = prepared(sa.delete(activation).where(activation.c.activation_id == sa.bindparam("id")))
_COUNT_ACTIVATIONS: Final = prepared(sa.select(sa.func.count()).select_from(activation))
_NODE: Final = prepared(sa.select(node.c.body).where(node.c.node_id == sa.bindparam("id")))
_LOCK_NODE: Final = prepared(sa.select(node.c.body).where(node.c.node_id == sa.bindparam("id")).with_for_update())
_NODES: Final = (
    sa.select(node.c.body).where(node.c.node_id.in_(sa.bindparam("ids", expanding=True))).order_by(node.c.node_id)
)
_PAGE: Final = prepared(
    sa.select(node.c.body)
    .where(node.c.node_id > sa.bindparam("after"))
    .order_by(node.c.node_id)
    .limit(sa.bindparam("limit"))
)
_OF_FINGERPRINT: Final = prepared(
    sa.select(node.c.body)
    .where(node.c.fingerprint == sa.bindparam("fingerprint"))
    .order_by(node.c.node_id)
    .limit(sa.bindparam("limit"))
)
_SHARED: Final = (
    sa.select(node.c.fingerprint)
    .where(node.c.fingerprint != "")
    .group_by(node.c.fingerprint)
    .having(sa.func.count() > 1)
    .scalar_subquery()
)
_PAGE_OF_SHARED: Final = prepared(
    sa.select(node.c.body)
    .where(node.c.node_id > sa.bindparam("after"), node.c.fingerprint.in_(_SHARED))
    .order_by(node.c.node_id)
    .limit(sa.bindparam("limit"))
)
_DELETE_NODE: Final = prepared(sa.delete(node).where(node.c.node_id == sa.bindparam("id")))
_REGROUP: Final = prepared(
    sa.update(node).where(node.c.node_id == sa.bindparam("id")).values(patch_group=sa.bindparam("to"))
)
_GROUP_SIZE: Final = prepared(
    sa.select(sa.func.count()).select_from(node).where(node.c.patch_group == sa.bindparam("name"))
)

_SEARCHED: Final = ("ComputerName", "Name", "IPAddress")
_FOLDED: Final = sa.func.lower(node.c.body)
"""A record is JSON in ASCII alone, so that both databases fold the same letters."""


class Activations(Rows):
    """Activations, by id."""

    def put(self, value: Activation, *, code_digest: str) -> None:
        """Keep a new or changed activation; of its code only a digest."""
        self._upsert(
            activation,
            activation_id=value.activation_id,
            code_digest=code_digest,
            default_instance_name=value.default_instance_name or "",
            iam_role=value.iam_role,
            body=dumps(value),
        )

    def get(self, activation_id: str) -> Activation | None:
        """Return the activation."""
        row = self._row(_ACTIVATION, {"id": activation_id})
        return None if row is None else loads(Activation, row.body)

    def lock(self, activation_id: str) -> tuple[Activation, str] | None:
        """Return the activation and its code's digest, and keep other writers from it until the transaction ends."""
        row = self._row(_LOCK_ACTIVATION, {"id": activation_id})
        return None if row is None else (loads(Activation, row.body), row.code_digest)

    def delete(self, activation_id: str) -> None:
        """Delete the activation; the nodes that used it stay."""
        self._change(_DELETE_ACTIVATION, {"id": activation_id})

    def count(self) -> int:
        """Return how many activations there are."""
        found: int = self._scalar(_COUNT_ACTIVATIONS)
        return found

    def page(self, *, after: str, limit: int, filters: Mapping[str, Collection[str]]) -> list[Activation]:
        """Return up to *limit* activations whose ids come after *after*; *filters* by column name, ANDed."""
        statement = sa.select(activation.c.body).where(activation.c.activation_id > after)
        for column, values in filters.items():
            statement = statement.where(activation.c[column].in_(values))
        bodies = self._scalars(statement.order_by(activation.c.activation_id).limit(limit))
        return [loads(Activation, body) for body in bodies]


class Nodes(Rows):
    """Managed nodes, by id (`mi-…`)."""

    def put(self, value: Node, *, operating_system: str, patch_group: str) -> None:
        """Keep a new or changed node."""
        self._upsert(
            node,
            node_id=value.instance_id,
            activation_id=value.activation_id,
            iam_role=value.iam_role,
            agent_version=value.agent_version or "",
            platform_type=value.platform_type or "",
            operating_system=operating_system,
            patch_group=patch_group,
            pinged_at_ms=ms(value.last_ping_date_time),
            fingerprint=value.fingerprint,
            body=dumps(value),
        )

    def regroup(self, node_id: str, patch_group: str) -> None:
        """Note the patch group that the node's tags now say."""
        self._change(_REGROUP, {"id": node_id, "to": patch_group})

    def get(self, node_id: str) -> Node | None:
        """Return the node."""
        body = self._scalar(_NODE, {"id": node_id})
        return None if body is None else loads(Node, body)

    def lock(self, node_id: str) -> Node | None:
        """Return the node, and keep others from moving it to another patch group until the transaction ends."""
        body = self._scalar(_LOCK_NODE, {"id": node_id})
        return None if body is None else loads(Node, body)

    def many(self, node_ids: Collection[str]) -> list[Node]:
        """Return those of the nodes that exist, in order of id."""
        return [loads(Node, body) for body in self._scalars(_NODES, {"ids": list(node_ids)})]

    def of_fingerprint(self, fingerprint: str, limit: int) -> list[Node]:
        """Return up to *limit* nodes that registered with this fingerprint, in order of id."""
        found = self._scalars(_OF_FINGERPRINT, {"fingerprint": fingerprint, "limit": limit})
        return [loads(Node, body) for body in found]

    def page_of_shared_fingerprints(self, *, after: str, limit: int) -> list[Node]:
        """Return up to *limit* nodes whose ids come after *after* and whose fingerprint another node has too."""
        return [loads(Node, body) for body in self._scalars(_PAGE_OF_SHARED, {"after": after, "limit": limit})]

    def delete(self, node_id: str) -> None:
        """Delete the node; what it ran stays."""
        self._change(_DELETE_NODE, {"id": node_id})

    def group_size(self, patch_group: str) -> int:
        """Return how many nodes are in the patch group."""
        return self._scalar(_GROUP_SIZE, {"name": patch_group}) or 0

    def page(
        self,
        *,
        after: str,
        limit: int,
        columns: Mapping[str, Collection[str]],
        tags: Sequence[tuple[str, Collection[str]]] = (),
        tag_keys: Sequence[Collection[str]] = (),
        pinged_since: datetime | None = None,
        pinged_before: datetime | None = None,
        standings: Collection[Overview] | None = None,
    ) -> list[Node]:
        """Return up to *limit* nodes whose ids come after *after*.

        All conditions are ANDed: *columns* by name, any of the values; *tags* by key, any of the values, where no
        values mean that the tag is there at all; of each of *tag_keys* at least one; any of *standings* with all of
        their associations, which nodes without any have not.
        """
        if not (columns or tags or tag_keys or pinged_since or pinged_before or standings is not None):
            return [loads(Node, body) for body in self._scalars(_PAGE, {"after": after, "limit": limit})]
        statement = sa.select(node.c.body).where(
            node.c.node_id > after,
            *(tagged(key, values) for key, values in tags),
            *(_has_any(keys) for keys in tag_keys),
        )
        for column, values in columns.items():
            statement = statement.where(node.c[column].in_(values))
        if pinged_since is not None:
            statement = statement.where(node.c.pinged_at_ms >= ms(pinged_since))
        if pinged_before is not None:
            statement = statement.where(node.c.pinged_at_ms < ms(pinged_before))
        if standings is not None:
            statement = statement.where(sa.or_(sa.false(), *(_STANDINGS[one] for one in standings)))
        bodies = self._scalars(statement.order_by(node.c.node_id).limit(limit))
        return [loads(Node, body) for body in bodies]

    def beginning(self, text: str, *, after: str, limit: int) -> list[Node]:
        """Return up to *limit* nodes whose ids come after *after*, and whose id, names or address begin with *text*.

        Case does not count where it is one of ASCII: SQLite knows no other.
        """
        rest: sa.ColumnElement[str] = _FOLDED
        # A quote within a text is escaped, so that a member's name and its quote stand nowhere else.
        for name in _SEARCHED:
            rest = sa.func.replace(rest, f'"{name}":{json.dumps(text)[:-1]}'.lower(), "")
        found = rest != _FOLDED
        if text.isascii() and text.isprintable():
            found |= like_prefix(node.c.node_id, text.lower())
        statement = sa.select(node.c.body).where(node.c.node_id > after, found)
        return [loads(Node, body) for body in self._scalars(statement.order_by(node.c.node_id).limit(limit))]

    def selected(self, *, ids: Collection[str] | None, tags: Sequence[tuple[str, Collection[str]]]) -> list[Node]:
        """Return all nodes that target filters select: among *ids* (None: any) and with all *tags*, in order of id."""
        return [loads(Node, body) for body in self._scalars(_selected(node.c.body, ids, tags).order_by(node.c.node_id))]

    def selected_ids(self, *, ids: Collection[str] | None, tags: Sequence[tuple[str, Collection[str]]]) -> list[str]:
        """Return the ids of the nodes that `selected` returns."""
        return self._scalars(_selected(node.c.node_id, ids, tags).order_by(node.c.node_id))

    def selected_count(self, *, ids: Collection[str] | None, tags: Sequence[tuple[str, Collection[str]]]) -> int:
        """Return how many nodes `selected` returns."""
        (found,) = self._scalars(_selected(sa.func.count(node.c.node_id), ids, tags))
        return int(found)


def _selected(
    what: sa.ColumnElement[Any], ids: Collection[str] | None, tags: Sequence[tuple[str, Collection[str]]]
) -> sa.Select[Any]:
    statement = sa.select(what).where(*(tagged(key, values) for key, values in tags))
    if ids is not None:
        statement = statement.where(node.c.node_id.in_(ids))
    return statement


def tagged(key: str, values: Collection[str]) -> sa.ColumnElement[bool]:
    """Return the condition that a node has the tag *key* with one of *values*; with any value where there are none."""
    found = sa.select(tag.c.resource_id).where(tag.c.resource_type == NODE_TAGS, tag.c.key == key)
    if values:
        found = found.where(tag.c.value.in_(values))
    return node.c.node_id.in_(found)


def _with_association(*statuses: NodeStatus) -> sa.ColumnElement[bool]:
    """Return the condition that one of the node's associations has one of *statuses*."""
    found = sa.select(association_node.c.node_id).where(association_node.c.status.in_(statuses))
    return node.c.node_id.in_(found)


_FAILED: Final = _with_association(*(set(NodeStatus) - OPEN - {NodeStatus.SUCCESS}))
_OPEN: Final = _with_association(*OPEN)
# What `association_execution.together` says, as conditions.
_STANDINGS: Final = {
    Overview.FAILED: _FAILED,
    Overview.PENDING: _OPEN & ~_FAILED,
    Overview.SUCCESS: _with_association(NodeStatus.SUCCESS) & ~_OPEN & ~_FAILED,
}


def _has_any(keys: Collection[str]) -> sa.ColumnElement[bool]:
    return node.c.node_id.in_(sa.select(tag.c.resource_id).where(tag.c.resource_type == NODE_TAGS, tag.c.key.in_(keys)))
