"""The tables of associations, beside those of `tables.py` and in their form."""

from typing import Final

import sqlalchemy as sa

from patchwindow.store.columns import number, owned_by, table, text

_ASSOCIATION: Final = "association.association_id"


def _of_association(*, key: bool) -> "sa.Column[str]":
    return text("association_id", owned_by(_ASSOCIATION), key=key)


# `is_wanted`: a run was asked for, by making or changing the association or by StartAssociationsOnce.
association: Final = table(
    "association",
    text("association_id", key=True),
    text("name", null=True),
    text("instance_id", null=True),
    number("is_wanted"),
    number("next_run_at_ms", null=True),
    number("wake_at_ms", null=True),
    text("body"),
    sa.Index("association_by_wake", "wake_at_ms"),
    sa.Index("association_by_node", "instance_id", "name"),
)

association_version: Final = table(
    "association_version", _of_association(key=True), number("version", key=True), text("body")
)

# One run for an association and instant, whoever starts it; a run that nobody planned has no such instant.
association_run: Final = table(
    "association_run",
    text("execution_id", key=True),
    _of_association(key=False),
    number("version"),
    number("scheduled_at_ms", null=True),
    number("is_whole"),
    number("created_at_ms"),
    number("ended_at_ms", null=True),
    text("status"),
    text("details"),
    text("command_id", null=True),
    number("wake_at_ms", null=True),
    sa.UniqueConstraint("association_id", "scheduled_at_ms", name="association_run_once"),
    sa.Index("association_run_by_wake", "wake_at_ms"),
    sa.Index("association_run_by_time", "association_id", "created_at_ms", "execution_id"),
    sa.Index("association_run_by_command", "command_id"),
)

# How the latest run of an association stands on each node that it was for.
association_node: Final = table(
    "association_node",
    _of_association(key=True),
    text("node_id", owned_by("node.node_id"), key=True),
    text("execution_id"),
    text("status"),
    text("details"),
    number("at_ms"),
    sa.Index("association_node_by_node", "node_id", "association_id"),
    sa.Index("association_node_by_run", "execution_id", "status"),
)
