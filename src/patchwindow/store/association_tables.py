"""The tables of associations, beside those of `tables.py` and in their form."""

from typing import Final

import sqlalchemy as sa

from patchwindow.store.columns import Text, metadata
from patchwindow.store.tables import node

_ASSOCIATION: Final = "association.association_id"


def _of_association(*, key: bool) -> "sa.Column[str]":
    return sa.Column(
        "association_id", Text, sa.ForeignKey(_ASSOCIATION, ondelete="CASCADE"), primary_key=key, nullable=False
    )


def _text(name: str, *, null: bool = False) -> "sa.Column[str]":
    return sa.Column(name, Text, nullable=null)


def _number(name: str, *, key: bool = False, null: bool = False) -> "sa.Column[int]":
    return sa.Column(name, sa.BigInteger, primary_key=key, nullable=null, autoincrement=False)


# `is_wanted`: a run was asked for, by making or changing the association or by StartAssociationsOnce.
association: Final = sa.Table(
    "association",
    metadata,
    sa.Column("association_id", Text, primary_key=True, nullable=False),
    _text("name", null=True),
    _text("instance_id", null=True),
    _number("is_wanted"),
    _number("next_run_at_ms", null=True),
    _number("wake_at_ms", null=True),
    _text("body"),
    sa.Index("association_by_wake", "wake_at_ms"),
    sa.Index("association_by_node", "instance_id", "name"),
)

association_version: Final = sa.Table(
    "association_version", metadata, _of_association(key=True), _number("version", key=True), _text("body")
)

# One run for an association and instant, whoever starts it; a run that nobody planned has no such instant.
association_run: Final = sa.Table(
    "association_run",
    metadata,
    sa.Column("execution_id", Text, primary_key=True, nullable=False),
    _of_association(key=False),
    _number("version"),
    _number("scheduled_at_ms", null=True),
    _number("is_whole"),
    _number("created_at_ms"),
    _number("ended_at_ms", null=True),
    _text("status"),
    _text("details"),
    _text("command_id", null=True),
    _number("wake_at_ms", null=True),
    sa.UniqueConstraint("association_id", "scheduled_at_ms", name="association_run_once"),
    sa.Index("association_run_by_wake", "wake_at_ms"),
    sa.Index("association_run_by_time", "association_id", "created_at_ms", "execution_id"),
    sa.Index("association_run_by_command", "command_id"),
)

# How the latest run of an association stands on each node that it was for.
association_node: Final = sa.Table(
    "association_node",
    metadata,
    _of_association(key=True),
    sa.Column("node_id", Text, sa.ForeignKey(node.c.node_id, ondelete="CASCADE"), primary_key=True, nullable=False),
    _text("execution_id"),
    _text("status"),
    _text("details"),
    _number("at_ms"),
    sa.Index("association_node_by_node", "node_id", "association_id"),
    sa.Index("association_node_by_run", "execution_id", "status"),
)
