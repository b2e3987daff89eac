"""Records to keep: each has a value in every field, so that a round trip that loses one is seen."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from patchwindow.domain.baseline import (
    Baseline,
    ComplianceLevel,
    ComplianceStatus,
    PatchAction,
    PatchFilter,
    PatchFilterGroup,
    PatchRule,
    PatchRuleGroup,
    PatchSource,
)
from patchwindow.domain.filter_values import FilterKey
from patchwindow.domain.node import Activation, Node, PlatformType
from patchwindow.domain.operating_system import OperatingSystem
from patchwindow.domain.patch_state import Counts
from patchwindow.domain.run import Command, Invocation, Message, Step, TaskExecution, TaskInvocation, WindowExecution
from patchwindow.domain.window import CutoffBehavior, ResourceType, Target, TaskType, Window, WindowTarget, WindowTask
from patchwindow.store.patch_states import Operation

NOW: Final = datetime(2026, 7, 2, 23, 0, 0, 123000, tzinfo=UTC)
UNICODE: Final = "Zoë — “naïve” 漢字 & 🙂 %s :name \\ ' \""
"""Text in which a driver, an escape or a placeholder could trip."""


def later(minutes: float) -> datetime:
    """Return the instant so many minutes after `NOW`."""
    return NOW + timedelta(minutes=minutes)


def baseline(baseline_id: str = "pb-1", **changes: Any) -> Baseline:
    """Return a baseline."""
    group = PatchFilterGroup(patch_filters=(PatchFilter(key=FilterKey.SECTION, values=("*",)),))
    value = Baseline(
        baseline_id=baseline_id,
        name="web",
        operating_system=OperatingSystem.DEBIAN,
        description=UNICODE,
        global_filters=group,
        approval_rules=PatchRuleGroup(
            patch_rules=(
                PatchRule(
                    patch_filter_group=group,
                    compliance_level=ComplianceLevel.CRITICAL,
                    approve_after_days=7,
                    enable_non_security=True,
                ),
                PatchRule(patch_filter_group=group, approve_until_date="2026-07-01"),
            )
        ),
        approved_patches=("openssl",),
        approved_patches_compliance_level=ComplianceLevel.HIGH,
        approved_patches_enable_non_security=True,
        rejected_patches=("nginx*",),
        rejected_patches_action=PatchAction.BLOCK,
        sources=(PatchSource(name="own", products=("*",), configuration="deb https://deb.example.net stable main"),),
        available_security_updates_compliance_status=ComplianceStatus.NON_COMPLIANT,
        created_date=NOW,
        modified_date=later(1),
    )
    return replace(value, **changes)


def window(window_id: str = "mw-1", **changes: Any) -> Window:
    """Return a maintenance window."""
    value = Window(
        window_id=window_id,
        name="sunday",
        description=UNICODE,
        start_date="2026-01-01T00:00:00Z",
        end_date="2027-01-01T00:00:00Z",
        schedule="cron(0 23 ? * THU#1 *)",
        schedule_timezone="Europe/Zurich",
        schedule_offset=2,
        duration=4,
        cutoff=1,
        allow_unassociated_targets=True,
        enabled=True,
        created_date=NOW,
        modified_date=later(1),
        scheduled_at=later(2),
    )
    return replace(value, **changes)


TARGETS: Final = (Target(key="tag:Role", values=("web", UNICODE)), Target(key="tag-key", values=("Site",)))


def window_target(window_target_id: str = "wt-1", window_id: str = "mw-1") -> WindowTarget:
    """Return a target of a window."""
    return WindowTarget(
        window_id=window_id,
        window_target_id=window_target_id,
        resource_type=ResourceType.INSTANCE,
        targets=TARGETS,
        owner_information=UNICODE,
        name="web-servers",
        description="",
    )


def window_task(window_task_id: str = "wk-1", window_id: str = "mw-1") -> WindowTask:
    """Return a task of a window."""
    return WindowTask(
        window_id=window_id,
        window_task_id=window_task_id,
        targets=TARGETS,
        task_arn="AWS-RunPatchBaseline",
        service_role_arn="arn:aws:iam::123456789012:role/patching",
        task_type=TaskType.RUN_COMMAND,
        task_parameters={"Operation": {"Values": ["Scan"]}},
        task_invocation_parameters={"RunCommand": {"Parameters": {"Operation": ["Install"]}, "TimeoutSeconds": 600}},
        priority=1,
        max_concurrency="10%",
        max_errors="1",
        logging_info={"S3BucketName": "logs"},
        name="patch",
        description=UNICODE,
        cutoff_behavior=CutoffBehavior.CANCEL_TASK,
        alarm_configuration={"Alarms": [{"Name": "stop"}]},
    )


def execution(window_execution_id: str = "we-1", **changes: Any) -> WindowExecution:
    """Return a window execution that has ended."""
    value = WindowExecution(
        window_execution_id=window_execution_id,
        window_id="mw-1",
        opens_at=NOW,
        cutoff_at=later(180),
        ends_at=later(240),
        status="SUCCESS",
        status_details=UNICODE,
        start_time=later(1),
        end_time=later(200),
        cancel_requested=True,
    )
    return replace(value, **changes)


def task_execution(task_execution_id: str = "te-1", **changes: Any) -> TaskExecution:
    """Return a task execution that has ended."""
    value = TaskExecution(
        task_execution_id=task_execution_id,
        window_execution_id="we-1",
        ordinal=1,
        status="SUCCESS",
        status_details=UNICODE,
        start_time=later(1),
        end_time=later(100),
        task=window_task(),
    )
    return replace(value, **changes)


def task_invocation(invocation_id: str = "ti-1", **changes: Any) -> TaskInvocation:
    """Return a task invocation that has ended."""
    value = TaskInvocation(
        invocation_id=invocation_id,
        task_execution_id="te-1",
        ordinal=1,
        window_target_id="wt-1",
        owner_information=UNICODE,
        targets=TARGETS,
        command_id="c-1",
        parameters='{"Operation":["Install"]}',
        status="SUCCESS",
        status_details="ok",
        start_time=later(1),
        end_time=later(100),
    )
    return replace(value, **changes)


def command(command_id: str = "c-1", **changes: Any) -> Command:
    """Return a command that is under way."""
    value = Command(
        command_id=command_id,
        document_name="AWS-RunPatchBaseline",
        document_version="1",
        comment=UNICODE,
        parameters={"Operation": ["Install"]},
        instance_ids=("mi-1", "mi-2"),
        targets=TARGETS,
        requested_date_time=NOW,
        expires_after=later(60),
        timeout_seconds=600,
        max_concurrency="50",
        max_errors="10%",
        concurrency=50,
        errors_tolerated=5,
        cancel_requested=True,
        status="InProgress",
        status_details="InProgress",
        target_count=2,
        completed_count=1,
        error_count=1,
        delivery_timed_out_count=1,
        service_role="arn:aws:iam::123456789012:role/patching",
        output_s3_region="eu-central-1",
        output_s3_bucket_name="logs",
        output_s3_key_prefix="a/b",
        notification_config={"NotificationType": "Command"},
        cloud_watch_output_config={"CloudWatchOutputEnabled": True},
        alarm_configuration={"Alarms": [{"Name": "stop"}]},
    )
    return replace(value, **changes)


def invocation(instance_id: str = "mi-1", **changes: Any) -> Invocation:
    """Return an invocation that was not sent."""
    value = Invocation(command_id="c-1", instance_id=instance_id, ordinal=1, instance_name=UNICODE, details="Pending")
    return replace(value, **changes)


def step(name: str = "PatchLinux", **changes: Any) -> Step:
    """Return what a step did."""
    value = Step(
        name=name,
        ordinal=1,
        status="Success",
        code=3,
        stdout=UNICODE + "\x00\x1b[0m\ud800",
        stderr="é",
        output="o",
        skipped=True,
        started_at=NOW,
        ended_at=later(1),
    )
    return replace(value, **changes)


def message(message_id: str = "m-1", **changes: Any) -> Message:
    """Return a message that waits for a node."""
    value = Message(message_id=message_id, node_id="mi-1", command_id="c-1", topic="send", created_at=NOW)
    return replace(value, **changes)


def activation(activation_id: str = "a-1", **changes: Any) -> Activation:
    """Return an activation."""
    value = Activation(
        activation_id=activation_id,
        description=UNICODE,
        default_instance_name="web",
        iam_role="patching",
        registration_limit=5,
        registrations_count=2,
        expiration_date=later(60),
        created_date=NOW,
        tags=({"Key": "Role", "Value": UNICODE},),
    )
    return replace(value, **changes)


def node(instance_id: str = "mi-1", **changes: Any) -> Node:
    """Return a managed node."""
    value = Node(
        instance_id=instance_id,
        activation_id="a-1",
        iam_role="patching",
        name=UNICODE,
        registration_date=NOW,
        last_ping_date_time=later(1),
        agent_name="patchwindow-agent",
        agent_version="1.0.0",
        platform_type=PlatformType.LINUX,
        platform_name="Debian GNU/Linux",
        platform_version="12",
        ip_address="192.0.2.1",
        computer_name="web1",
        fingerprint="f",
        public_key="k",
        public_key_type="Rsa",
    )
    return replace(value, **changes)


def counts(**changes: Any) -> Counts:
    """Return what is counted of a node's patches."""
    value = Counts(
        installed_count=1,
        installed_other_count=2,
        installed_pending_reboot_count=3,
        installed_rejected_count=4,
        missing_count=5,
        failed_count=6,
        unreported_not_applicable_count=7,
        not_applicable_count=8,
        available_security_update_count=9,
        critical_non_compliant_count=10,
        security_non_compliant_count=11,
        other_non_compliant_count=12,
        overall_severity=ComplianceLevel.CRITICAL,
        status=ComplianceStatus.NON_COMPLIANT,
    )
    return replace(value, **changes)


def operation(**changes: Any) -> Operation:
    """Return what is a node's own about its latest patch operation."""
    value = Operation(
        patch_group="web",
        snapshot_id="s-1",
        install_override_list="https://example.net/list.yaml",
        owner_information=UNICODE,
        operation="Install",
        operation_start_time=NOW,
        operation_end_time=later(1),
        last_no_reboot_install_operation_time=later(2),
        reboot_option="NoReboot",
    )
    return replace(value, **changes)
