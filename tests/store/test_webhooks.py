"""Webhooks and their calls."""

from dataclasses import replace

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from tests.store.samples import NOW, execution, later, task_execution, task_invocation

from patchwindow.domain.task_invocation import Event
from patchwindow.domain.webhook import Webhook, WebhookCall
from patchwindow.store import migrate
from patchwindow.store.database import Database
from patchwindow.store.work import Work

HOOK = Webhook(arn="SSMx", url="https://hooks.example/", secret="secret", timeout_s=7, time_limit_s=70, ca_pem="pem")


def call(id: str = "ti-1", minutes: float = 0, **changes: object) -> WebhookCall:
    value = WebhookCall(
        invocation_id=id,
        window_execution_id="we-1",
        arn="SSMx",
        body="{}",
        started_at=NOW,
        ends_at=later(60),
        due_at=later(minutes),
    )
    return replace(value, **changes)  # type: ignore[arg-type]  # the fields of a call, as the test names them


def lay_out(work: Work, *ids: str) -> None:
    """Keep what calls belong to."""
    work.executions.open(execution(), wake_at=None)
    work.executions.put_task(task_execution())
    work.executions.put_invocations([task_invocation(id, ordinal=number) for number, id in enumerate(ids)])


@pytest.mark.parametrize("value", [HOOK, Webhook(arn="SSMx", url="https://other.example/", secret="other")])
def test_a_webhook_comes_back_as_it_was_put_last(work: Work, value: Webhook) -> None:
    work.webhooks.put(HOOK, NOW)
    work.webhooks.put(value, NOW)
    assert work.webhooks.get("SSMx") == value
    assert work.webhooks.get("ssmx") is None


def test_webhooks_are_listed_by_arn_until_they_are_deleted(work: Work) -> None:
    for arn in ("b", "a", "c"):
        work.webhooks.put(replace(HOOK, arn=arn), NOW)
    assert work.webhooks.delete("b")
    assert not work.webhooks.delete("b")
    assert [one.arn for one in work.webhooks.all()] == ["a", "c"]


@pytest.mark.parametrize(
    "value",
    [
        call(),
        call(due_at=None, lease="lease", attempts=3, failures=2, event=Event.TIMED_OUT, details="late"),
    ],
)
def test_a_call_comes_back_as_it_was_put_last(work: Work, value: WebhookCall) -> None:
    lay_out(work, "ti-1")
    work.webhook_calls.put(call(details="first"))
    work.webhook_calls.put(value)
    assert work.webhook_calls.of_execution("we-1") == [value]
    assert work.webhook_calls.ended("we-1") == ([value] if value.event else [])
    assert work.webhook_calls.of_execution("we-2") == []
    work.webhook_calls.forget("ti-1")
    assert work.webhook_calls.of_execution("we-1") == []


def test_due_calls_are_those_whose_instant_has_come_the_earliest_first(work: Work) -> None:
    assert work.webhook_calls.next_due_at() is None
    lay_out(work, "ti-1", "ti-2", "ti-3", "ti-4")
    for id, minutes in (("ti-1", 2), ("ti-3", 1), ("ti-2", 1)):
        work.webhook_calls.put(call(id, minutes))
    work.webhook_calls.put(call("ti-4", due_at=None))
    assert [one.invocation_id for one in work.webhook_calls.due(later(2), 9)] == ["ti-2", "ti-3", "ti-1"]
    assert [one.invocation_id for one in work.webhook_calls.due(later(2), 1)] == ["ti-2"]
    assert work.webhook_calls.due(NOW, 9) == []
    assert work.webhook_calls.next_due_at() == later(1)


def test_a_call_is_held_under_one_lease(work: Work) -> None:
    lay_out(work, "ti-1")
    work.webhook_calls.put(call(lease="mine"))
    assert work.webhook_calls.held("ti-1", "mine") == call(lease="mine")
    assert work.webhook_calls.held("ti-1", "yours") is None
    assert work.webhook_calls.held("ti-2", "mine") is None


def test_two_who_take_at_the_same_time_take_different_calls(database: Database) -> None:
    if not database.is_shared:
        pytest.skip("one who writes waits for the other")
    with database.write() as work:
        lay_out(work, "ti-1", "ti-2")
        work.webhook_calls.put(call("ti-1"))
        work.webhook_calls.put(call("ti-2"))
    with database.write() as first, database.write() as second:
        assert [one.invocation_id for one in first.webhook_calls.due(NOW, 1)] == ["ti-1"]
        assert [one.invocation_id for one in second.webhook_calls.due(NOW, 9)] == ["ti-2"]


def test_a_call_of_no_task_invocation_cannot_be_kept(database: Database) -> None:
    with pytest.raises(IntegrityError), database.write() as work:
        work.webhook_calls.put(call())


def test_invocations_from_before_there_were_webhooks_are_targets_in_their_order(fresh_url: str) -> None:
    database = Database(fresh_url)
    scripts = migrate._scripts()
    with database._writers.transaction() as connection:
        connection.exec_driver_sql("CREATE TABLE schema_version (version INTEGER NOT NULL)")
        for number, script in enumerate(scripts[:3], start=1):
            for statement in migrate._statements(script, database._dialect.TYPES):
                connection.exec_driver_sql(statement)
            connection.execute(sa.text("INSERT INTO schema_version VALUES (:number)"), {"number": number})
        work = Work(connection, database._dialect.insert)
        # By hand: what there is of an execution today was not all there then.
        connection.exec_driver_sql("""
            INSERT INTO window_execution (
              window_execution_id, window_id, opens_at_ms, cutoff_at_ms, ends_at_ms, status, status_details, start_at_ms,
              is_cancel_requested
            ) VALUES ('we-1', 'mw-1', 0, 0, 0, 'SUCCESS', '', 0, 0)
        """)
        work.executions.put_task(task_execution())
        insert = """
            INSERT INTO task_invocation (
              invocation_id, task_execution_id, ordinal, owner_information, targets, parameters, status, status_details
            ) VALUES (:id, 'te-1', :ordinal, '', :targets, '', 'PENDING', '')
        """
        for ordinal in (0, 1):
            connection.execute(
                sa.text(insert), {"id": f"ti-{ordinal}", "ordinal": ordinal, "targets": '{"Targets":[]}'}
            )
    database.migrate()
    with database.read() as work:
        found = work.executions.invocations("te-1")
    database.close()
    assert [(one.target_ordinal, one.target_type, one.external_id) for one in found] == [
        (0, "INSTANCE", None),
        (1, "INSTANCE", None),
    ]
