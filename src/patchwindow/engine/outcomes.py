"""How commands and calls end for the task invocation that they belong to."""

from collections.abc import Sequence
from typing import Final

from patchwindow.domain import command, task_invocation
from patchwindow.domain.run import Command
from patchwindow.domain.webhook import WebhookCall
from patchwindow.engine.decide_window import Outcome

_EVENT_OF: Final[dict[command.Status, task_invocation.Event]] = {
    command.Status.SUCCESS: task_invocation.Event.SUCCEEDED,
    command.Status.FAILED: task_invocation.Event.FAILED,
    command.Status.TIMED_OUT: task_invocation.Event.TIMED_OUT,
    command.Status.CANCELLED: task_invocation.Event.CANCELLED,
}


def of_command(sent: Command | None, missed: Sequence[str] = ()) -> Outcome | None:
    """Return how a command ended that *missed* nodes never took; None where it has not ended.

    It ended by its errors where more nodes failed than it tolerated: neither a node that could not be reached counts,
    nor one that refused.  To cancel it by hand is to stop the task.
    """
    if sent is None:
        return None
    status = command.Status(sent.status)
    if status not in _EVENT_OF:
        return None
    by_hand, by_errors = status is command.Status.CANCELLED, sent.error_count > sent.errors_tolerated
    return Outcome(
        event=_EVENT_OF[status],
        details=_with_missed(sent.status_details, missed, sent.target_count),
        is_error=by_hand or by_errors,
    )


def of_call(call: WebhookCall | None) -> Outcome | None:
    """Return how a call of a webhook ended; None where it has not ended."""
    if call is None or call.event is None:
        return None
    is_error = call.event is not task_invocation.Event.SUCCEEDED
    return Outcome(event=call.event, details=call.details, is_error=is_error)


def _with_missed(details: str, missed: Sequence[str], target_count: int) -> str:
    """Return the word of the command, and after it how many nodes missed the window: as many names as there is room for."""
    if not missed:
        return details
    text = f"{details}; {len(missed)} of {target_count} nodes missed the window: "
    rest = f" and {len(missed)} more"
    named: list[str] = []
    for node_id in missed:
        is_last = len(named) + 1 == len(missed)
        room = task_invocation.DETAILS_MAX - len(text) - (0 if is_last else len(rest))
        if len(", ".join([*named, node_id])) > room:
            return f"{text}{', '.join(named)} and {len(missed) - len(named)} more"
        named.append(node_id)
    return text + ", ".join(named)
