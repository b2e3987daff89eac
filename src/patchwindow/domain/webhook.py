"""Webhooks: what carries out the tasks that are no commands, and what an answer of one means.

A call goes to the webhook until an answer ends it, until too many calls in a row have failed, or until its time is up.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, Final

from patchwindow.domain.task_invocation import DETAILS_MAX, Event

TIMEOUT_S: Final = 30
TIME_LIMIT_S: Final = 3600

BODY_MAX: Final = 65_536
"""So much of an answer is read; a longer one cannot be meant."""
FAILURES_MAX: Final = 10
"""So many calls in a row may fail; the last ends the invocation."""
ASK_AGAIN: Final = timedelta(seconds=30)
"""After so long a webhook that is still at work is asked again, unless it says otherwise."""

_PAUSE: Final = timedelta(seconds=5)
_PAUSE_MAX: Final = timedelta(minutes=5)
_WAITS: Final = (timedelta(seconds=1), timedelta(hours=1))
_EXECUTION_ID_MAX: Final = 100
_TRANSIENT: Final = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS})


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """Where the tasks of one ARN are carried out; `time_limit_s` is for a whole invocation, however often it calls."""

    arn: str
    url: str
    secret: str
    timeout_s: int = TIMEOUT_S
    time_limit_s: int = TIME_LIMIT_S
    ca_pem: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookCall:
    """What a task invocation asks of a webhook, and how far it got; `event` and `details` are how it ended.

    Whoever carries it out holds it under a `lease`, which ends at `due_at`.
    """

    invocation_id: str
    window_execution_id: str
    arn: str
    body: str
    started_at: datetime
    ends_at: datetime
    due_at: datetime | None
    lease: str = ""
    attempts: int = 0
    failures: int = 0
    event: Event | None = None
    details: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookRequest:
    """One signed request; `timeout_s` is for all of it, from the look-up of the name to the last byte."""

    url: str
    headers: dict[str, str]
    body: bytes
    timeout_s: int
    ca_pem: str | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """What a webhook answered; of a body that is too long there is one byte too many."""

    status: int
    body: bytes = b""
    retry_after: str = ""


@dataclass(frozen=True, slots=True)
class Unanswered:
    """There was no answer, and why."""

    reason: str


Answer = Answered | Unanswered


@dataclass(frozen=True, slots=True)
class Ended:
    """The call is over."""

    event: Event
    details: str
    execution_id: str | None = None


@dataclass(frozen=True, slots=True)
class Again:
    """The webhook is to be called again after *pause*; *failures* calls in a row have failed until now."""

    pause: timedelta
    failures: int
    details: str
    execution_id: str | None = None


Verdict = Ended | Again

_ENDS: Final = {"SUCCESS": (Event.SUCCEEDED, "Success"), "FAILED": (Event.FAILED, "Failed")}


def arns_of(task_arn: str, qualifier: str | None) -> tuple[str, ...]:
    """Return the ARNs under which a task's webhook may be configured, the most special first.

    The qualifier of a function stands in its ARN or beside it; a webhook of the bare function serves all of them.
    """
    base, function, name = task_arn.partition(":function:")
    bare = f"{base}{function}{name.partition(':')[0]}"
    return tuple(dict.fromkeys((*((f"{bare}:{qualifier}",) if qualifier else ()), task_arn, bare)))


def judge(answer: Answer, *, failures: int, now: datetime) -> Verdict:
    """Return what *answer* means for a call of which *failures* attempts in a row had failed."""
    if isinstance(answer, Unanswered):
        return _failed(answer.reason, failures=failures, wait=None)
    wait = _wait(answer.retry_after, now)
    if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR or answer.status in _TRANSIENT:
        return _failed(_refusal(answer), failures=failures, wait=wait)
    if not HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
        return Ended(Event.FAILED, shortened(_refusal(answer)))
    return _read(answer, wait)


def timed_out(call: WebhookCall) -> Ended:
    """Return how a call ends whose time is up."""
    limit_s = round((call.ends_at - call.started_at).total_seconds())
    last = f"; at last: {call.details}" if call.details else ""
    return Ended(Event.TIMED_OUT, shortened(f"The webhook did not end within {limit_s} seconds{last}"))


def pause_after(failures: int) -> timedelta:
    """Return how long to wait after so many failures in a row: 5 s, 10 s, 20 s, …, at most 5 minutes."""
    return min(_PAUSE * (1 << (failures - 1)), _PAUSE_MAX)


def shortened(text: str) -> str:
    """Return *text* as one line that StatusDetails can hold."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= DETAILS_MAX else f"{line[: DETAILS_MAX - 1]}…"


def _failed(reason: str, *, failures: int, wait: timedelta | None) -> Verdict:
    failures += 1
    if failures >= FAILURES_MAX:
        return Ended(Event.FAILED, shortened(f"The webhook failed {failures} times in a row, at last: {reason}"))
    return Again(max(pause_after(failures), wait or timedelta()), failures, shortened(reason))


def _read(answer: Answered, wait: timedelta | None) -> Verdict:
    """Return what an answer of success says in its body."""
    if len(answer.body) > BODY_MAX:
        return _unreadable(answer, f"a body of more than {BODY_MAX} bytes")
    if not answer.body.strip():
        return Ended(Event.SUCCEEDED, "Success")
    members = _members(answer.body)
    if members is None:
        return _unreadable(answer, "a body that is no JSON object")
    status, execution_id = members.get("Status"), _text(members, "ExecutionId")[:_EXECUTION_ID_MAX] or None
    details = shortened(_text(members, "StatusDetails"))
    if status == "IN_PROGRESS":
        return Again(wait or ASK_AGAIN, 0, details, execution_id)
    if not isinstance(status, str) or status not in _ENDS:
        return _unreadable(answer, f"Status {status!r}, which is not SUCCESS, FAILED or IN_PROGRESS")
    event, default = _ENDS[status]
    return Ended(event, details or default, execution_id)


def _unreadable(answer: Answered, what: str) -> Ended:
    return Ended(Event.FAILED, shortened(f"The webhook answered {answer.status} with {what}"))


def _refusal(answer: Answered) -> str:
    """Return what was answered in place of success, with the reason that the body gives."""
    said = _text(_members(answer.body) or {}, "StatusDetails") or answer.body[:DETAILS_MAX].decode(errors="replace")
    moved = " and redirects are not followed" if answer.status // 100 == 3 else ""
    return f"The webhook answered {answer.status}{moved}{f': {said}' if said.strip() else ''}"


def _members(body: bytes) -> dict[str, Any] | None:
    try:
        read = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return read if isinstance(read, dict) else None


def _text(members: dict[str, Any], name: str) -> str:
    value = members.get(name)
    return value if isinstance(value, str) else ""


def _wait(retry_after: str, now: datetime) -> timedelta | None:
    """Return what the header Retry-After asks for, in seconds or as a date, within bounds."""
    shortest, longest = _WAITS
    try:
        if retry_after.isascii() and retry_after.isdigit():
            # So many digits are beyond the bound already, and further ones may be a number too long to read.
            wait = timedelta(seconds=int(retry_after[:9]))
        else:
            at: datetime = parsedate_to_datetime(retry_after)
            wait = (at if at.tzinfo else at.replace(tzinfo=UTC)) - now
    except (ValueError, TypeError, OverflowError):
        return None
    return max(shortest, min(wait, longest))
