"""How a command stands, node by node, in few words: what a page needs of thousands of nodes at once."""

from collections import Counter
from typing import Any

from patchwindow.domain.errors import UnknownCommand
from patchwindow.operations.call import Answer, Call, Request, after_number
from patchwindow.store.invocations import Standing

_PAGE = 1000


def get(call: Call, request: Request) -> Answer:
    """GetCommandStates: how many nodes are in which state, what the rate control allows, and the nodes in order.

    Raises:
        UnknownCommand: there is none.
    """
    command_id = request["CommandId"]
    command = call.work.commands.get(command_id)
    if command is None:
        raise UnknownCommand(f"command {command_id} does not exist; ListCommands has those that do")
    counts: Counter[str] = Counter()
    for place, count in call.work.invocations.tally(command_id).items():
        counts[place.details] += count
    answer = call.pages(
        request,
        "Instances",
        default=_PAGE,
        fetch=lambda after, limit: call.work.invocations.standings(
            command_id, beyond=after_number(after), limit=limit, without=request.get("Without") or ()
        ),
        key=lambda one: (one.ordinal,),
        shape=_shown,
    )
    return answer | {
        "CommandId": command_id,
        "Status": command.status,
        "StatusDetails": command.status_details,
        "Counts": [{"StatusDetails": details, "InstanceCount": count} for details, count in sorted(counts.items())],
        "Concurrency": command.concurrency,
        "ErrorsTolerated": command.errors_tolerated,
        "RequestedDateTime": command.requested_date_time,
        "ExpiresAfter": command.expires_after,
    }


def _shown(one: Standing) -> dict[str, Any]:
    return {"InstanceId": one.node_id, "InstanceName": one.node_name, "StatusDetails": one.details}
