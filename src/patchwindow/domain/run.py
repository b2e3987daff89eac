"""What ran: commands with their invocations and steps, window executions with their tasks. Records only, no rules.

Fields are the API's members in snake case. The states and their moves are in `command.py`, `invocation.py`,
`window_execution.py` and `task_execution.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from patchwindow.domain.window import Target, WindowTask


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A document that was sent to nodes; from `cutoff_at` on it is sent to no further ones.

    At `frozen_at` a freeze begins: from then on it is sent to none, and taken back where no node has taken it.

    `document_version` is as the caller gave it, and `sent_version` what that was; `document_digest` is that of the text
    of a document of one's own, and empty of those that came with the server.
    """

    command_id: str
    document_name: str
    document_version: str = "$DEFAULT"
    sent_version: str = "1"
    document_digest: str = ""
    comment: str = ""
    parameters: Mapping[str, list[str]] = field(default_factory=dict)
    instance_ids: tuple[str, ...] = ()
    targets: tuple[Target, ...] = ()
    requested_date_time: datetime
    expires_after: datetime
    timeout_seconds: int
    max_concurrency: str
    max_errors: str
    concurrency: int = 0
    errors_tolerated: int = 0
    cancel_requested: bool = False
    cutoff_at: datetime | None = None
    frozen_at: datetime | None = None
    status: str
    status_details: str
    target_count: int = 0
    completed_count: int = 0
    error_count: int = 0
    delivery_timed_out_count: int = 0
    service_role: str = ""
    output_s3_region: str | None = field(default=None, metadata={"wire": "OutputS3Region"})
    output_s3_bucket_name: str = field(default="", metadata={"wire": "OutputS3BucketName"})
    output_s3_key_prefix: str = field(default="", metadata={"wire": "OutputS3KeyPrefix"})
    notification_config: Mapping[str, Any] = field(default_factory=dict)
    cloud_watch_output_config: Mapping[str, Any] = field(default_factory=dict)
    alarm_configuration: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """A command on one node; `details` is the API's StatusDetails.

    `is_awaited` says that it was sent a moment ago, so that sending to others waits for its answer.  At `due_at` it
    ends by itself, if the command does not expire before.
    """

    command_id: str
    instance_id: str
    ordinal: int
    instance_name: str = ""
    details: str
    dispatched_at: datetime | None = None
    acknowledged_at: datetime | None = None
    cancelled_at: datetime | None = None
    ended_at: datetime | None = None
    trace_output: str = ""
    is_awaited: bool = False
    due_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What one step of a command's document did on one node."""

    name: str
    ordinal: int
    status: str
    code: int
    stdout: str = ""
    stderr: str = ""
    output: str = ""
    skipped: bool = False
    started_at: datetime | None = None
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """Something that waits for a node, or was handed out and is not settled yet."""

    message_id: str
    node_id: str
    command_id: str
    topic: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowExecution:
    """One opening of a window; from `frozen_at` on a freeze of the calendar `frozen_by` lets nothing more start."""

    window_execution_id: str
    window_id: str
    opens_at: datetime
    cutoff_at: datetime
    ends_at: datetime
    status: str
    status_details: str = ""
    start_time: datetime
    end_time: datetime | None = None
    cancel_requested: bool = False
    frozen_at: datetime | None = None
    frozen_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskExecution:
    """One task within one opening; `task` is the task as it was when the window opened."""

    task_execution_id: str
    window_execution_id: str
    ordinal: int
    status: str
    status_details: str = ""
    start_time: datetime | None = None
    end_time: datetime | None = None
    task: WindowTask


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskInvocation:
    """One part of one task within one opening: one command for a window target, or one call of a webhook.

    `target_ordinal` says of which of the task's targets it is a part, `target_type` of which ResourceType that is;
    `external_id` is what a webhook calls its execution.
    """

    invocation_id: str
    task_execution_id: str
    ordinal: int
    target_ordinal: int = 0
    target_type: str = ""
    window_target_id: str | None = None
    owner_information: str = ""
    targets: tuple[Target, ...]
    command_id: str | None = None
    external_id: str | None = None
    parameters: str = ""
    status: str
    status_details: str = ""
    start_time: datetime | None = None
    end_time: datetime | None = None
