"""Webhooks, and the calls that wait for them or have come to an end."""

import dataclasses
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from patchwindow.domain.task_invocation import Event
from patchwindow.domain.webhook import Webhook, WebhookCall
from patchwindow.protocol.records import from_ms
from patchwindow.store.prepared import prepared
from patchwindow.store.rows import Rows, instant, ms
from patchwindow.store.window_tables import webhook, webhook_call

_GET: Final = prepared(sa.select(webhook).where(webhook.c.arn == sa.bindparam("arn")))
_ALL: Final = prepared(sa.select(webhook).order_by(webhook.c.arn))
_DELETE: Final = prepared(sa.delete(webhook).where(webhook.c.arn == sa.bindparam("arn")))
_DUE: Final = prepared(
    sa.select(webhook_call)
    .where(webhook_call.c.due_at_ms <= sa.bindparam("now_ms"))
    .order_by(webhook_call.c.due_at_ms, webhook_call.c.invocation_id)
    .limit(sa.bindparam("limit"))
    # What another server is taking at this moment is not waited for.
    .with_for_update(skip_locked=True)
)
_NEXT: Final = prepared(sa.select(sa.func.min(webhook_call.c.due_at_ms)))
_HELD: Final = prepared(
    sa.select(webhook_call).where(
        webhook_call.c.invocation_id == sa.bindparam("id"), webhook_call.c.lease == sa.bindparam("lease")
    )
)
_OF_EXECUTION: Final = prepared(
    sa.select(webhook_call).where(webhook_call.c.window_execution_id == sa.bindparam("execution_id"))
)
_ENDED: Final = prepared(
    sa.select(webhook_call).where(
        webhook_call.c.window_execution_id == sa.bindparam("execution_id"), webhook_call.c.event.is_not(None)
    )
)
_FORGET: Final = prepared(sa.delete(webhook_call).where(webhook_call.c.invocation_id == sa.bindparam("id")))


class Webhooks(Rows):
    """Where the tasks of which ARN are carried out."""

    def put(self, value: Webhook, now: datetime) -> None:
        """Keep a new or changed webhook."""
        self._upsert(webhook, **dataclasses.asdict(value), created_at_ms=ms(now))

    def get(self, arn: str) -> Webhook | None:
        """Return the webhook of exactly this ARN."""
        row = self._row(_GET, {"arn": arn})
        return None if row is None else _webhook(row)

    def all(self) -> list[Webhook]:
        """Return all webhooks, by ARN."""
        return [_webhook(row) for row in self._rows(_ALL)]

    def delete(self, arn: str) -> bool:
        """Forget a webhook, and return whether there was one."""
        return self._change(_DELETE, {"arn": arn}) == 1


class WebhookCalls(Rows):
    """What is to be asked of webhooks, each call from its start until its task invocation has ended."""

    def put(self, value: WebhookCall) -> None:
        """Keep a new or changed call."""
        row = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        for name in ("started_at", "ends_at", "due_at"):
            row[f"{name}_ms"] = ms(row.pop(name))
        self._upsert(webhook_call, **row)

    def due(self, now: datetime, limit: int) -> list[WebhookCall]:
        """Return up to *limit* calls whose instant has come, and keep other writers from them; those held are left."""
        return [_call(row) for row in self._rows(_DUE, {"now_ms": ms(now), "limit": limit})]

    def next_due_at(self) -> datetime | None:
        """Return the earliest instant at which any call has to be made."""
        return instant(self._scalar(_NEXT))

    def held(self, invocation_id: str, lease: str) -> WebhookCall | None:
        """Return the call, if it is still held under this lease."""
        row = self._row(_HELD, {"id": invocation_id, "lease": lease})
        return None if row is None else _call(row)

    def of_execution(self, execution_id: str) -> list[WebhookCall]:
        """Return the calls of a window execution, in no order."""
        return [_call(row) for row in self._rows(_OF_EXECUTION, {"execution_id": execution_id})]

    def ended(self, execution_id: str) -> list[WebhookCall]:
        """Return those calls of a window execution that have ended, in no order."""
        return [_call(row) for row in self._rows(_ENDED, {"execution_id": execution_id})]

    def forget(self, invocation_id: str) -> None:
        """Forget the call of a task invocation, if it has one."""
        self._change(_FORGET, {"id": invocation_id})


def _webhook(row: Any) -> Webhook:
    return Webhook(**{field.name: getattr(row, field.name) for field in dataclasses.fields(Webhook)})


def _call(row: Any) -> WebhookCall:
    return WebhookCall(
        invocation_id=row.invocation_id,
        window_execution_id=row.window_execution_id,
        arn=row.arn,
        body=row.body,
        started_at=from_ms(row.started_at_ms),
        ends_at=from_ms(row.ends_at_ms),
        due_at=instant(row.due_at_ms),
        lease=row.lease,
        attempts=row.attempts,
        failures=row.failures,
        event=None if row.event is None else Event(row.event),
        details=row.details,
    )
