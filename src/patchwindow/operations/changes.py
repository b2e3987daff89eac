"""Who changed what: the record of changes, as it is asked for."""

from typing import Any, Final

from patchwindow.domain.change import Change
from patchwindow.domain.errors import Invalid
from patchwindow.operations.call import Answer, Call, Request
from patchwindow.protocol.pages import Key

_PAGE: Final = 50
_COLUMNS: Final = {"Caller": "caller", "Operation": "operation", "Resource": "resource"}


def list_changes(call: Call, request: Request) -> Answer:
    """ListChanges: the newest first.

    Raises:
        Invalid: After is not before Before.
    """
    since, until = request.get("After"), request.get("Before")
    if since is not None and until is not None and since >= until:
        raise Invalid(f"After {since.isoformat()} is not before Before {until.isoformat()}; give an earlier one")
    equal = {column: request[member] for member, column in _COLUMNS.items() if request.get(member)}

    def fetch(key: Key | None, limit: int) -> list[Any]:
        beyond = None if key is None else (int(key[0]), int(key[1]), str(key[2]))
        return call.work.changes.page(beyond=beyond, limit=limit, since=since, until=until, **equal)

    return call.pages(
        request,
        "Changes",
        default=_PAGE,
        fetch=fetch,
        key=lambda pair: pair[1],
        shape=lambda pair: _members(pair[0]),
    )


def _members(one: Change) -> dict[str, Any]:
    return {
        "ChangeId": one.change_id,
        "ChangedTime": one.changed_at,
        "Caller": one.caller,
        "Comment": one.comment,
        "Address": one.address,
        "Operation": one.operation,
        "Resource": one.resource,
        "Before": one.before,
        "After": one.after,
    }
