"""The tables of inventory, of compliance that is told, and of service settings; beside those of `tables.py`."""

import sqlalchemy as sa

from patchwindow.store.columns import Text, metadata


def _table(name: str, *columns: sa.schema.SchemaItem) -> sa.Table:
    return sa.Table(name, metadata, *columns)


def _text(name: str, *more: sa.schema.SchemaItem, key: bool = False) -> "sa.Column[str]":
    return sa.Column(name, Text, *more, primary_key=key, nullable=False)


def _number(name: str) -> "sa.Column[int]":
    return sa.Column(name, sa.BigInteger, nullable=False)


def _bytes(name: str) -> "sa.Column[bytes]":
    return sa.Column(name, sa.LargeBinary, nullable=False)


def _node() -> "sa.Column[str]":
    return _text("node_id", sa.ForeignKey("node.node_id", ondelete="CASCADE"), key=True)


# What was reported of nodes, by type; its content is compressed JSON, and `size` is how long that is unpacked.
inventory = _table(
    "inventory",
    _node(),
    _text("type_name", key=True),
    _text("schema_version"),
    _text("captured_at"),
    _text("content_hash"),
    _number("size"),
    _bytes("content"),
    sa.Index("inventory_by_type", "type_name", "schema_version"),
)

# Types of the user's own; up to `disabled_version`, where it is not empty, what is reported is ignored.
inventory_schema = _table(
    "inventory_schema",
    _text("type_name", key=True),
    _text("version"),
    _text("attributes"),
    _text("disabled_version"),
)

inventory_deletion = _table(
    "inventory_deletion",
    _text("deletion_id", key=True),
    _number("started_at_ms"),
    _text("body"),
    sa.Index("inventory_deletion_by_time", "started_at_ms", "deletion_id"),
)

# The items of one type of compliance that were told of a node, and what they make of it.
compliance_set = _table(
    "compliance_set",
    _node(),
    _text("compliance_type", key=True),
    _text("status"),
    _text("overall_severity"),
    _text("execution_id"),
    _text("execution_type"),
    _number("executed_at_ms"),
    _text("content_hash"),
    _number("size"),
    _bytes("items"),
    sa.Index("compliance_set_by_type", "compliance_type", "status", "overall_severity"),
)

service_setting = _table(
    "service_setting", _text("setting_id", key=True), _text("value"), _number("modified_at_ms"), _text("modified_by")
)
