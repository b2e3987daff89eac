"""The tables of patch operations that are under way."""

import sqlalchemy as sa

from patchwindow.store.columns import number, owned_by, table, text

# How far the operation of an invocation is, as its node last said.
patch_progress = table(
    "patch_progress",
    text("command_id", key=True),
    text("node_id", key=True),
    text("phase"),
    number("done"),
    number("total"),
    text("what"),
    number("told_at_ms"),
    sa.ForeignKeyConstraint(
        ["command_id", "node_id"], ["invocation.command_id", "invocation.node_id"], ondelete="CASCADE"
    ),
)

# By what the last order for an installation was made: a revision of a baseline, or none where a baseline override was used.
patch_order = table(
    "patch_order",
    text("command_id", key=True),
    text("node_id", key=True),
    text("baseline_id"),
    number("baseline_revision", null=True),
    number("made_at_ms"),
    sa.ForeignKeyConstraint(
        ["command_id", "node_id"], ["invocation.command_id", "invocation.node_id"], ondelete="CASCADE"
    ),
)

# The install override list of a command, as it was when the first node asked for its order.
install_list = table("install_list", text("command_id", owned_by("command.command_id"), key=True), text("body"))
