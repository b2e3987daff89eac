"""The tables of inventory, of compliance that is told, and of service settings; beside those of `tables.py`."""

import sqlalchemy as sa

from patchwindow.store.columns import blob, number, owned_by, table, text


def _node() -> "sa.Column[str]":
    return text("node_id", owned_by("node.node_id"), key=True)


# What was reported of nodes, by type; its content is compressed JSON, and `size` is how long that is unpacked.
inventory = table(
    "inventory",
    _node(),
    text("type_name", key=True),
    text("schema_version"),
    text("captured_at"),
    text("content_hash"),
    number("size"),
    blob("content"),
    sa.Index("inventory_by_type", "type_name", "schema_version"),
)

# Types of the user's own; up to `disabled_version`, where it is not empty, what is reported is ignored.
inventory_schema = table(
    "inventory_schema",
    text("type_name", key=True),
    text("version"),
    text("attributes"),
    text("disabled_version"),
)

inventory_deletion = table(
    "inventory_deletion",
    text("deletion_id", key=True),
    number("started_at_ms"),
    text("body"),
    sa.Index("inventory_deletion_by_time", "started_at_ms", "deletion_id"),
)

# The items of one type of compliance that were told of a node, and what they make of it.
compliance_set = table(
    "compliance_set",
    _node(),
    text("compliance_type", key=True),
    text("status"),
    text("overall_severity"),
    text("execution_id"),
    text("execution_type"),
    number("executed_at_ms"),
    text("content_hash"),
    number("size"),
    blob("items"),
    sa.Index("compliance_set_by_type", "compliance_type", "status", "overall_severity"),
)

service_setting = table(
    "service_setting", text("setting_id", key=True), text("value"), number("modified_at_ms"), text("modified_by")
)
