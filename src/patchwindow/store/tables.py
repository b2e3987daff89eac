"""The tables. A `body` is a record in JSON (`protocol.records.dumps`); columns beside it are what statements look at.

Instants are whole milliseconds since 1970, in columns named `_at_ms`. A migration makes these tables; a test compares.
"""

import re
from collections.abc import Callable
from typing import Final

import sqlalchemy as sa

metadata = sa.MetaData()
_UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")


def _storable(value: str | None) -> str | None:
    # What can be printed holds neither, which is found out much sooner.
    return value if value is None or value.isprintable() else _UNSTORABLE.sub("\ufffd", value)


class Text(sa.TypeDecorator[str]):
    """Text, but for what one of the databases cannot hold: NUL and lone surrogates become U+FFFD.

    JSON can spell both, so a client can send them wherever the model has no pattern. (A `body` escapes and keeps them.)
    """

    impl = sa.Text
    cache_ok = True

    def bind_processor(self, dialect: sa.Dialect) -> Callable[[str | None], str | None]:  # noqa: ARG002  (given)
        """Return what makes of a value one that can be stored, or looked for."""
        # Not by `process_bind_param`, which SQLAlchemy calls through another function: there are many texts.
        return _storable


def _table(name: str, *columns: sa.schema.SchemaItem) -> sa.Table:
    return sa.Table(name, metadata, *columns)


def _text(name: str, *more: sa.schema.SchemaItem, key: bool = False, null: bool = False) -> "sa.Column[str]":
    return sa.Column(name, Text, *more, primary_key=key, nullable=null)


def _number(name: str, *, key: bool = False, null: bool = False) -> "sa.Column[int]":
    return sa.Column(name, sa.BigInteger, primary_key=key, nullable=null, autoincrement=False)


def _bytes(name: str, *, null: bool = False) -> "sa.Column[bytes]":
    return sa.Column(name, sa.LargeBinary, nullable=null)


def _in(column: str) -> sa.ForeignKey:
    return sa.ForeignKey(column, ondelete="CASCADE")


setting = _table("setting", _text("name", key=True), _text("value"))

access_key = _table(
    "access_key",
    _text("access_key_id", key=True),
    _text("secret_access_key"),
    _text("role"),
    _text("comment"),
    _number("is_enabled"),
    _number("created_at_ms"),
)

client_token = _table(
    "client_token",
    _text("operation", key=True),
    _text("token", key=True),
    _text("digest"),
    _text("answer"),
    _number("expires_at_ms"),
    sa.Index("client_token_by_expiry", "expires_at_ms"),
)

tag = _table(
    "tag",
    _text("resource_type", key=True),
    _text("resource_id", key=True),
    _text("key", key=True),
    _text("value"),
    sa.Index("tag_by_key", "resource_type", "key", "value", "resource_id"),
)

baseline = _table(
    "baseline",
    _text("baseline_id", key=True),
    _text("name"),
    _text("operating_system"),
    _text("owner"),
    _number("revision"),
    _text("body"),
)

# Every revision is kept, so that an old result can be read as it was made.
baseline_revision = _table(
    "baseline_revision",
    _text("baseline_id", key=True),
    _number("revision", key=True),
    _text("body"),
)

default_baseline = _table(
    "default_baseline", _text("operating_system", key=True), _text("baseline_id", sa.ForeignKey("baseline.baseline_id"))
)

patch_group = _table(
    "patch_group",
    _text("patch_group", key=True),
    _text("operating_system", key=True),
    _text("baseline_id", sa.ForeignKey("baseline.baseline_id")),
    sa.Index("patch_group_by_baseline", "baseline_id"),
)

# Baselines as patch operations go by them: a revision, or in `body` what is given instead of any.
snapshot = _table(
    "snapshot",
    _text("snapshot_id", key=True),
    _text("patch_group", key=True),
    _text("operating_system", key=True),
    _number("is_override", key=True),
    _number("made_at_ms", key=True),
    _text("baseline_id", null=True),
    _number("baseline_revision", null=True),
    _text("body", null=True),
    sa.Index("snapshot_by_time", "made_at_ms"),
)

resource_group = _table("resource_group", _text("name", key=True), _text("body"))

window = _table(
    "maintenance_window",
    _text("window_id", key=True),
    _text("name"),
    _number("is_enabled"),
    _number("next_opening_at_ms", null=True),
    _text("body"),
    sa.Index("maintenance_window_by_opening", "next_opening_at_ms"),
)

window_target = _table(
    "window_target",
    _text("window_target_id", key=True),
    _text("window_id", _in("maintenance_window.window_id")),
    _text("body"),
    sa.Index("window_target_by_window", "window_id", "window_target_id"),
)

window_task = _table(
    "window_task",
    _text("window_task_id", key=True),
    _text("window_id", _in("maintenance_window.window_id")),
    _text("body"),
    sa.Index("window_task_by_window", "window_id", "window_task_id"),
)

# No foreign key to the window: the history outlives it. One execution for a window and instant, whoever opens it.
window_execution = _table(
    "window_execution",
    _text("window_execution_id", key=True),
    _text("window_id"),
    _number("opens_at_ms"),
    _number("cutoff_at_ms"),
    _number("ends_at_ms"),
    _text("status"),
    _text("status_details"),
    _number("start_at_ms"),
    _number("end_at_ms", null=True),
    _number("is_cancel_requested"),
    _number("wake_at_ms", null=True),
    sa.UniqueConstraint("window_id", "opens_at_ms", name="window_execution_once"),
    sa.Index("window_execution_by_wake", "wake_at_ms"),
)

# The task as it was when the window opened: changes apply from the next execution.
task_execution = _table(
    "task_execution",
    _text("task_execution_id", key=True),
    _text("window_execution_id", _in("window_execution.window_execution_id")),
    _number("ordinal"),
    _text("status"),
    _text("status_details"),
    _number("start_at_ms", null=True),
    _number("end_at_ms", null=True),
    _text("body"),
    sa.Index("task_execution_by_execution", "window_execution_id", "ordinal"),
)

task_invocation = _table(
    "task_invocation",
    _text("invocation_id", key=True),
    _text("task_execution_id", _in("task_execution.task_execution_id")),
    _number("ordinal"),
    _text("window_target_id", null=True),
    _text("owner_information"),
    _text("targets"),
    _text("command_id", null=True),
    _text("parameters"),
    _text("status"),
    _text("status_details"),
    _number("start_at_ms", null=True),
    _number("end_at_ms", null=True),
    _number("target_ordinal"),
    _text("target_type"),
    _text("external_id", null=True),
    sa.Index("task_invocation_by_task", "task_execution_id", "ordinal"),
    sa.Index("task_invocation_by_command", "command_id"),
)

webhook = _table(
    "webhook",
    _text("arn", key=True),
    _text("url"),
    _text("secret"),
    _number("timeout_s"),
    _number("time_limit_s"),
    _text("ca_pem", null=True),
    _number("created_at_ms"),
)

# What is to be asked of webhooks; a row leaves when its task invocation has ended.
webhook_call = _table(
    "webhook_call",
    _text("invocation_id", _in("task_invocation.invocation_id"), key=True),
    _text("window_execution_id"),
    _text("arn"),
    _text("body"),
    _number("started_at_ms"),
    _number("ends_at_ms"),
    _number("due_at_ms", null=True),
    _text("lease"),
    _number("attempts"),
    _number("failures"),
    _text("event", null=True),
    _text("details"),
    sa.Index("webhook_call_by_due", "due_at_ms"),
    sa.Index("webhook_call_by_execution", "window_execution_id"),
)

command = _table(
    "command",
    _text("command_id", key=True),
    _text("document_name"),
    _number("requested_at_ms"),
    _number("expires_at_ms"),
    _number("concurrency"),
    _number("errors_tolerated"),
    _number("is_cancel_requested"),
    _text("status"),
    _text("status_details"),
    _number("target_count"),
    _number("completed_count"),
    _number("error_count"),
    _number("delivery_timed_out_count"),
    _number("wake_at_ms", null=True),
    _text("body"),
    sa.Index("command_by_wake", "wake_at_ms"),
    sa.Index("command_by_time", "requested_at_ms", "command_id"),
)

invocation = _table(
    "invocation",
    _text("command_id", _in("command.command_id"), key=True),
    _text("node_id", key=True),
    _number("ordinal"),
    _text("node_name"),
    _text("details"),
    _number("dispatched_at_ms", null=True),
    _number("acknowledged_at_ms", null=True),
    _number("cancelled_at_ms", null=True),
    _number("ended_at_ms", null=True),
    _text("trace_output"),
    _number("stage"),
    _number("due_at_ms", null=True),
    sa.Index("invocation_by_order", "command_id", "ordinal"),
    # What the engine looks for after each reply: the next to send, who keeps the others waiting, whose time is up.
    sa.Index("invocation_by_stage", "command_id", "stage", "dispatched_at_ms", "ordinal"),
    sa.Index("invocation_by_due", "command_id", "due_at_ms"),
    sa.Index("invocation_by_node", "node_id", "stage", "command_id"),
)

# How many invocations of a command are at each stage and in each state: `store/tally.py` keeps it with every change.
command_tally = _table(
    "command_tally",
    _text("command_id", _in("command.command_id"), key=True),
    _number("stage", key=True),
    _text("details", key=True),
    _number("invocation_count"),
)

invocation_step = _table(
    "invocation_step",
    _text("command_id", key=True),
    _text("node_id", key=True),
    _text("name", key=True),
    _number("ordinal"),
    _text("body"),
    sa.ForeignKeyConstraint(
        ["command_id", "node_id"], ["invocation.command_id", "invocation.node_id"], ondelete="CASCADE"
    ),
)

# What waits for a node; the payload is put together when it is handed out.
message = _table(
    "message",
    _text("message_id", key=True),
    _text("node_id"),
    _text("command_id"),
    _text("topic"),
    _number("created_at_ms"),
    _number("visible_at_ms"),
    sa.Index("message_by_node", "node_id", "visible_at_ms"),
)

activation = _table(
    "activation",
    _text("activation_id", key=True),
    _text("code_digest"),
    _text("default_instance_name"),
    _text("iam_role"),
    _text("body"),
)

node = _table(
    "node",
    _text("node_id", key=True),
    _text("activation_id"),
    _text("iam_role"),
    _text("agent_version"),
    _text("platform_type"),
    _text("operating_system"),
    _text("patch_group"),
    _number("pinged_at_ms"),
    _text("body"),
    sa.Index("node_by_group", "patch_group", "operating_system", "node_id"),
    sa.Index("node_by_ping", "pinged_at_ms", "node_id"),
)

facts = _table("facts", _text("digest", key=True), _number("first_seen_at_ms"), _bytes("body"))

# What a baseline in one revision makes of facts and an overlay, from one day until the next on which that can change.
evaluation = _table(
    "evaluation",
    _text("evaluation_id", key=True),
    _text("facts_digest", sa.ForeignKey("facts.digest")),
    _text("baseline_id"),
    _number("baseline_revision"),
    _text("overlay"),
    _number("day"),
    _number("until_day", null=True),
    _text("standing"),
    _text("status"),
    _text("overall_severity"),
    _number("used_at_ms"),
    _text("body"),
    _bytes("patches", null=True),
    sa.Index("evaluation_by_question", "facts_digest", "baseline_id", "baseline_revision"),
    sa.Index("evaluation_by_use", "used_at_ms"),
)

# Nodes of which all that an evaluation depends on is equal: a change of a baseline is a change of few cohorts.
cohort = _table(
    "cohort",
    _text("cohort_id", key=True),
    _text("facts_digest", sa.ForeignKey("facts.digest")),
    _text("operating_system"),
    _text("patch_group"),
    _text("overlay"),
    _text("baseline_id"),
    _text("evaluation_id", sa.ForeignKey("evaluation.evaluation_id")),
    _number("computed_at_ms"),
    _number("due_at_ms", null=True),
    sa.Index("cohort_by_due", "due_at_ms", "facts_digest"),
    sa.Index("cohort_by_facts", "facts_digest", "due_at_ms"),
    sa.Index("cohort_by_choice", "operating_system", "patch_group"),
    sa.Index("cohort_by_baseline", "baseline_id"),
    sa.Index("cohort_by_evaluation", "evaluation_id"),
)

# In which cohort each scanned node is. Apart from its patch state, so that a whole fleet is read in few pages.
standing = _table(
    "standing",
    _text("node_id", _in("node.node_id"), key=True),
    _text("cohort_id", sa.ForeignKey("cohort.cohort_id")),
    _number("scanned_at_ms"),
    sa.Index("standing_by_cohort", "cohort_id", "scanned_at_ms"),
)

# The latest scan or installation of each node: what is its own; the rest is its cohort's.
patch_state = _table(
    "patch_state",
    _text("node_id", _in("node.node_id"), key=True),
    _bytes("installed_at"),
    _text("command_id"),
    _text("body"),
)

# Every scan or installation. No foreign keys: the history outlives nodes, and an evaluation lives as long as its use.
scan = _table(
    "scan",
    _text("node_id", key=True),
    _number("ended_at_ms", key=True),
    _text("operation"),
    _text("command_id"),
    _text("patch_group"),
    _text("evaluation_id"),
    sa.Index("scan_by_time", "ended_at_ms"),
)

# How many nodes were in which state at the end of a day, or when it was last looked.
compliance_day = _table(
    "compliance_day",
    _number("day", key=True),
    _text("patch_group", key=True),
    _text("operating_system", key=True),
    _text("state", key=True),
    _number("node_count"),
)

# What the engine does again and again, and when it is next due.
chore = _table("chore", _text("name", key=True), _number("due_at_ms"))

# Every patch that a node has reported or a feed names; `first_seen_at_ms` is null until a node has.
known_patch = _table(
    "known_patch",
    _text("operating_system", key=True),
    _text("title", key=True),
    _text("product", key=True),
    _text("repository", key=True),
    _text("name"),
    _number("first_seen_at_ms", null=True),
    _text("first_seen_in"),
    _text("update_id"),
    _text("readings"),
    _text("added"),
    sa.Index("known_patch_by_name", "operating_system", "name"),
)

# Under which names patches are to be looked for that a CVE, an advisory or a bug is about.
patch_reference = _table(
    "patch_reference",
    _text("operating_system"),
    _text("reference"),
    _text("name"),
    sa.PrimaryKeyConstraint("reference", "operating_system", "name"),
)

known_product = _table(
    "known_product",
    _text("operating_system", key=True),
    _text("patch_set", key=True),
    _text("product", key=True),
    _text("product_family", key=True),
)

# The facts whose patches are in the catalogue.
facts_read = _table("facts_read", _text("facts_digest", _in("facts.digest"), key=True))

# What was imported, under the name that its importer gave it.
feed = _table("feed", _text("source", key=True), _number("imported_at_ms"))

advisory = _table("advisory", _text("source", key=True), _text("advisory_id", key=True), _text("digest"), _text("body"))

advisory_fix = _table(
    "advisory_fix",
    _text("source", key=True),
    _text("advisory_id", key=True),
    _number("ordinal", key=True),
    _text("operating_system"),
    _text("product"),
    _text("name"),
    _text("arch"),
    _text("version"),
    _text("extent"),
    sa.ForeignKeyConstraint(["source", "advisory_id"], ["advisory.source", "advisory.advisory_id"], ondelete="CASCADE"),
    sa.Index("advisory_fix_by_name", "operating_system", "name"),
)

cve = _table(
    "cve",
    _text("cve_id", key=True),
    _text("severity", null=True),
    _number("is_known_exploited", null=True),
    _text("exploited_since", null=True),
    _text("due_on", null=True),
    _number("epss_score_billionths", null=True),
    _number("epss_percentile_billionths", null=True),
)
