"""The tables of maintenance windows, their executions and webhooks, beside those of `tables.py` and in their form."""

import sqlalchemy as sa

from patchwindow.store.columns import number, owned_by, table, text

window = table(
    "maintenance_window",
    text("window_id", key=True),
    text("name"),
    number("is_enabled"),
    number("next_opening_at_ms", null=True),
    text("body"),
    sa.Index("maintenance_window_by_opening", "next_opening_at_ms"),
)

window_target = table(
    "window_target",
    text("window_target_id", key=True),
    text("window_id", owned_by("maintenance_window.window_id")),
    text("body"),
    sa.Index("window_target_by_window", "window_id", "window_target_id"),
)

window_task = table(
    "window_task",
    text("window_task_id", key=True),
    text("window_id", owned_by("maintenance_window.window_id")),
    text("body"),
    sa.Index("window_task_by_window", "window_id", "window_task_id"),
)

# No foreign key to the window: the history outlives it. One execution for a window and instant, whoever opens it.
window_execution = table(
    "window_execution",
    text("window_execution_id", key=True),
    text("window_id"),
    number("opens_at_ms"),
    number("cutoff_at_ms"),
    number("ends_at_ms"),
    text("status"),
    text("status_details"),
    number("start_at_ms"),
    number("end_at_ms", null=True),
    number("is_cancel_requested"),
    number("wake_at_ms", null=True),
    number("frozen_at_ms", null=True),
    text("frozen_by"),
    sa.UniqueConstraint("window_id", "opens_at_ms", name="window_execution_once"),
    sa.Index("window_execution_by_wake", "wake_at_ms"),
    sa.Index("window_execution_by_opening", "opens_at_ms", "window_id"),
)

# The task as it was when the window opened: changes apply from the next execution.
task_execution = table(
    "task_execution",
    text("task_execution_id", key=True),
    text("window_execution_id", owned_by("window_execution.window_execution_id")),
    number("ordinal"),
    text("status"),
    text("status_details"),
    number("start_at_ms", null=True),
    number("end_at_ms", null=True),
    text("body"),
    sa.Index("task_execution_by_execution", "window_execution_id", "ordinal"),
)

task_invocation = table(
    "task_invocation",
    text("invocation_id", key=True),
    text("task_execution_id", owned_by("task_execution.task_execution_id")),
    number("ordinal"),
    text("window_target_id", null=True),
    text("owner_information"),
    text("targets"),
    text("command_id", null=True),
    text("parameters"),
    text("status"),
    text("status_details"),
    number("start_at_ms", null=True),
    number("end_at_ms", null=True),
    number("target_ordinal"),
    text("target_type"),
    text("external_id", null=True),
    sa.Index("task_invocation_by_task", "task_execution_id", "ordinal"),
    sa.Index("task_invocation_by_command", "command_id"),
)

webhook = table(
    "webhook",
    text("arn", key=True),
    text("url"),
    text("secret"),
    number("timeout_s"),
    number("time_limit_s"),
    text("ca_pem", null=True),
    number("created_at_ms"),
)

# What is to be asked of webhooks; a row leaves when its task invocation has ended.
webhook_call = table(
    "webhook_call",
    text("invocation_id", owned_by("task_invocation.invocation_id"), key=True),
    text("window_execution_id"),
    text("arn"),
    text("body"),
    number("started_at_ms"),
    number("ends_at_ms"),
    number("due_at_ms", null=True),
    text("lease"),
    number("attempts"),
    number("failures"),
    text("event", null=True),
    text("details"),
    sa.Index("webhook_call_by_due", "due_at_ms"),
    sa.Index("webhook_call_by_execution", "window_execution_id"),
)
