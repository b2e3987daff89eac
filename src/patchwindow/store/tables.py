"""The tables. A `body` is a record in JSON (`protocol.records.dumps`); columns beside it are what statements look at.

Instants are whole milliseconds since 1970, in columns named `_at_ms`. A migration makes these tables; a test compares.
"""

import sqlalchemy as sa

from patchwindow.store.columns import blob, number, owned_by, table, text

setting = table("setting", text("name", key=True), text("value"))

access_key = table(
    "access_key",
    text("access_key_id", key=True),
    text("secret_access_key"),
    text("role"),
    text("comment"),
    number("is_enabled"),
    number("created_at_ms"),
)

client_token = table(
    "client_token",
    text("operation", key=True),
    text("token", key=True),
    text("digest"),
    text("answer"),
    number("expires_at_ms"),
    sa.Index("client_token_by_expiry", "expires_at_ms"),
)

tag = table(
    "tag",
    text("resource_type", key=True),
    text("resource_id", key=True),
    text("key", key=True),
    text("value"),
    sa.Index("tag_by_key", "resource_type", "key", "value", "resource_id"),
)

baseline = table(
    "baseline",
    text("baseline_id", key=True),
    text("name"),
    text("operating_system"),
    text("owner"),
    number("revision"),
    text("body"),
)

# Every revision is kept, so that an old result can be read as it was made.
baseline_revision = table(
    "baseline_revision",
    text("baseline_id", key=True),
    number("revision", key=True),
    text("body"),
)

default_baseline = table(
    "default_baseline", text("operating_system", key=True), text("baseline_id", sa.ForeignKey("baseline.baseline_id"))
)

patch_group = table(
    "patch_group",
    text("patch_group", key=True),
    text("operating_system", key=True),
    text("baseline_id", sa.ForeignKey("baseline.baseline_id")),
    sa.Index("patch_group_by_baseline", "baseline_id"),
)

# Baselines as patch operations go by them: a revision, or in `body` what is given instead of any, by `override`.
snapshot = table(
    "snapshot",
    text("snapshot_id", key=True),
    text("patch_group", key=True),
    text("operating_system", key=True),
    text("override", key=True),
    number("made_at_ms", key=True),
    text("baseline_id", null=True),
    number("baseline_revision", null=True),
    text("body", null=True),
    blob("patches", null=True),
    sa.Index("snapshot_by_time", "made_at_ms"),
)

resource_group = table("resource_group", text("name", key=True), text("body"))

command = table(
    "command",
    text("command_id", key=True),
    text("document_name"),
    number("requested_at_ms"),
    number("expires_at_ms"),
    number("concurrency"),
    number("errors_tolerated"),
    number("is_cancel_requested"),
    text("status"),
    text("status_details"),
    number("target_count"),
    number("completed_count"),
    number("error_count"),
    number("delivery_timed_out_count"),
    number("wake_at_ms", null=True),
    text("body"),
    sa.Index("command_by_wake", "wake_at_ms"),
    sa.Index("command_by_time", "requested_at_ms", "command_id"),
)

invocation = table(
    "invocation",
    text("command_id", owned_by("command.command_id"), key=True),
    text("node_id", key=True),
    number("ordinal"),
    text("node_name"),
    text("details"),
    number("dispatched_at_ms", null=True),
    number("acknowledged_at_ms", null=True),
    number("cancelled_at_ms", null=True),
    number("ended_at_ms", null=True),
    text("trace_output"),
    number("stage"),
    number("due_at_ms", null=True),
    sa.Index("invocation_by_order", "command_id", "ordinal"),
    # What the engine looks for after each reply: the next to send, who keeps the others waiting, whose time is up.
    sa.Index("invocation_by_stage", "command_id", "stage", "dispatched_at_ms", "ordinal"),
    sa.Index("invocation_by_due", "command_id", "due_at_ms"),
    sa.Index("invocation_by_node", "node_id", "stage", "command_id"),
)

# How many invocations of a command are at each stage and in each state: `store/tally.py` keeps it with every change.
command_tally = table(
    "command_tally",
    text("command_id", owned_by("command.command_id"), key=True),
    number("stage", key=True),
    text("details", key=True),
    number("invocation_count"),
)

invocation_step = table(
    "invocation_step",
    text("command_id", key=True),
    text("node_id", key=True),
    text("name", key=True),
    number("ordinal"),
    text("body"),
    sa.ForeignKeyConstraint(
        ["command_id", "node_id"], ["invocation.command_id", "invocation.node_id"], ondelete="CASCADE"
    ),
)

# What waits for a node; the payload is put together when it is handed out.
message = table(
    "message",
    text("message_id", key=True),
    text("node_id"),
    text("command_id"),
    text("topic"),
    number("created_at_ms"),
    number("visible_at_ms"),
    sa.Index("message_by_node", "node_id", "visible_at_ms"),
)

activation = table(
    "activation",
    text("activation_id", key=True),
    text("code_digest"),
    text("default_instance_name"),
    text("iam_role"),
    text("body"),
)

node = table(
    "node",
    text("node_id", key=True),
    text("activation_id"),
    text("iam_role"),
    text("agent_version"),
    text("platform_type"),
    text("operating_system"),
    text("patch_group"),
    number("pinged_at_ms"),
    text("body"),
    text("fingerprint"),
    sa.Index("node_by_fingerprint", "fingerprint", "node_id"),
    sa.Index("node_by_group", "patch_group", "operating_system", "node_id"),
    sa.Index("node_by_ping", "pinged_at_ms", "node_id"),
)

facts = table("facts", text("digest", key=True), number("first_seen_at_ms"), blob("body"))

# The patches of facts, in one order: evaluations of the same facts share them.
listing = table("listing", text("digest", key=True), blob("body"))

# What a baseline in one revision makes of facts and an overlay, from one day until the next on which that can change.
evaluation = table(
    "evaluation",
    text("evaluation_id", key=True),
    text("facts_digest", sa.ForeignKey("facts.digest")),
    text("baseline_id"),
    number("baseline_revision"),
    text("overlay"),
    number("day"),
    number("until_day", null=True),
    text("standing"),
    text("status"),
    text("overall_severity"),
    number("used_at_ms"),
    text("body"),
    blob("patches", null=True),
    text("tally", null=True),
    text("listing_digest", sa.ForeignKey("listing.digest"), null=True),
    blob("places", null=True),
    sa.Index("evaluation_by_question", "facts_digest", "baseline_id", "baseline_revision"),
    sa.Index("evaluation_by_listing", "listing_digest"),
    sa.Index("evaluation_by_use", "used_at_ms"),
)

# Nodes of which all that an evaluation depends on is equal: a change of a baseline is a change of few cohorts.
cohort = table(
    "cohort",
    text("cohort_id", key=True),
    text("facts_digest", sa.ForeignKey("facts.digest")),
    text("operating_system"),
    text("patch_group"),
    text("overlay"),
    text("baseline_id"),
    text("evaluation_id", sa.ForeignKey("evaluation.evaluation_id")),
    number("computed_at_ms"),
    number("due_at_ms", null=True),
    sa.Index("cohort_by_due", "due_at_ms", "facts_digest"),
    sa.Index("cohort_by_facts", "facts_digest", "due_at_ms"),
    sa.Index("cohort_by_choice", "operating_system", "patch_group"),
    sa.Index("cohort_by_baseline", "baseline_id"),
    sa.Index("cohort_by_evaluation", "evaluation_id"),
)

# In which cohort and environment each scanned node is. Apart from its patch state, so that a whole fleet is read in few
# pages. `store/tags.py` and `store/patch_states.py` keep the environment, which is the value of a tag.
standing = table(
    "standing",
    text("node_id", owned_by("node.node_id"), key=True),
    text("cohort_id", sa.ForeignKey("cohort.cohort_id")),
    number("scanned_at_ms"),
    text("environment"),
    sa.Index("standing_by_cohort", "cohort_id", "environment", "scanned_at_ms"),
)

# The latest scan or installation of each node: what is its own; the rest is its cohort's.
patch_state = table(
    "patch_state",
    text("node_id", owned_by("node.node_id"), key=True),
    blob("installed_at"),
    text("command_id"),
    text("body"),
)

# Every scan or installation. No foreign keys: the history outlives nodes, and an evaluation lives as long as its use.
scan = table(
    "scan",
    text("node_id", key=True),
    number("ended_at_ms", key=True),
    text("operation"),
    text("command_id"),
    text("patch_group"),
    text("evaluation_id"),
    sa.Index("scan_by_time", "ended_at_ms"),
)

# How many nodes were in which state at the end of a day, or when it was last looked.
compliance_day = table(
    "compliance_day",
    number("day", key=True),
    text("patch_group", key=True),
    text("operating_system", key=True),
    text("state", key=True),
    number("node_count"),
)

# What the engine does again and again, and when it is next due.
chore = table("chore", text("name", key=True), number("due_at_ms"))

# Every patch that a node has reported or a feed names; `first_seen_at_ms` is null until a node has.
known_patch = table(
    "known_patch",
    text("operating_system", key=True),
    text("title", key=True),
    text("product", key=True),
    text("repository", key=True),
    text("name"),
    number("first_seen_at_ms", null=True),
    text("first_seen_in"),
    text("update_id"),
    text("readings"),
    text("added"),
    text("source"),
    number("seen_at_ms", null=True),
    sa.Index("known_patch_by_sight", "seen_at_ms"),
    sa.Index("known_patch_by_name", "operating_system", "name"),
    sa.Index("known_patch_by_source", "operating_system", "source"),
)

# Under which names patches are to be looked for that a CVE, an advisory or a bug is about.
patch_reference = table(
    "patch_reference",
    text("operating_system"),
    text("reference"),
    text("name"),
    sa.PrimaryKeyConstraint("reference", "operating_system", "name"),
)

known_product = table(
    "known_product",
    text("operating_system", key=True),
    text("patch_set", key=True),
    text("product", key=True),
    text("product_family", key=True),
)

# The facts whose patches are in the catalogue, and when these were last marked as seen.
facts_read = table(
    "facts_read",
    text("facts_digest", owned_by("facts.digest"), key=True),
    number("marked_at_ms"),
    sa.Index("facts_read_by_mark", "marked_at_ms"),
)

# What was imported, under the name that its importer gave it.
feed = table("feed", text("source", key=True), number("imported_at_ms"))

advisory = table(
    "advisory",
    text("source", key=True),
    text("advisory_id", key=True),
    text("digest"),
    text("body"),
    number("named_at_ms"),
    sa.Index("advisory_by_naming", "named_at_ms"),
)

advisory_fix = table(
    "advisory_fix",
    text("source", key=True),
    text("advisory_id", key=True),
    number("ordinal", key=True),
    text("operating_system"),
    text("product"),
    text("name"),
    text("arch"),
    text("version"),
    text("extent"),
    text("subject"),
    sa.ForeignKeyConstraint(["source", "advisory_id"], ["advisory.source", "advisory.advisory_id"], ondelete="CASCADE"),
    sa.Index("advisory_fix_by_subject", "operating_system", "subject"),
)

cve = table(
    "cve",
    text("cve_id", key=True),
    text("severity", null=True),
    number("is_known_exploited", null=True),
    text("exploited_since", null=True),
    text("due_on", null=True),
    number("epss_score_billionths", null=True),
    number("epss_percentile_billionths", null=True),
)
