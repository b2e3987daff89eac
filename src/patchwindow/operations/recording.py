"""The record of changes: every operation that a person or program changed something with, in the transaction of the change."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from patchwindow.domain.change import Change, kept
from patchwindow.domain.errors import PatchwindowError
from patchwindow.operations.call import Answer, Call, Request
from patchwindow.operations.change_looks import ABOUT, NO_CHANGES, About, Look

Run = Callable[[Call, Request], Answer]


def is_recorded(call: Call) -> bool:
    """Return whether a call that writes goes on record: those of nodes tell what happened to them, and change nothing."""
    return call.caller.role is not None and call.operation not in NO_CHANGES


def recorded(call: Call, request: Request, run: Run, find: Callable[[str], Run]) -> Answer:
    """Carry out an operation that writes, and keep what it changed; *find* returns the operation of a name.

    Raises:
        PatchwindowError: whatever the operation refuses; nothing is kept of that.
    """
    about = ABOUT[call.operation]
    before = _seen(call, about.look, request, find)
    answer = run(call, request)
    named = {**answer, **request}
    if about.look is None:
        after = {name: value for name, value in request.items() if name not in about.without}
    else:
        after = _seen(call, about.look, named, find)
    call.work.changes.add(
        Change(
            change_id=call.ids.uuid(),
            changed_at=call.now,
            caller=call.caller.id,
            comment=_comment(call),
            address=call.caller.address,
            operation=call.operation,
            resource=_name(about, named),
            before=_text(before),
            after=_text(after),
        )
    )
    return answer


def _seen(call: Call, look: Look | None, members: Mapping[str, Any], find: Callable[[str], Run]) -> Any:
    """Return the thing as it is now; None where there is none."""
    if look is None:
        return None
    try:
        found: Any = find(look.operation)(call, look.ask(members))
    except (KeyError, PatchwindowError):
        # It is not named yet, or is not there: what is wrong with the request, the operation itself will say.
        return None
    if look.member:
        found = found.get(look.member)
    if isinstance(found, list) and look.member:
        found = found[0] if found else None
    return found


def _name(about: About, members: Mapping[str, Any]) -> str:
    for path in about.names:
        value: Any = members
        for name in path.split("."):
            value = value.get(name) if isinstance(value, Mapping) else None
        # An answer may have a whole thing under the name that a request has for its id.
        if value and isinstance(value, str):
            return value
    return ""


def _comment(call: Call) -> str:
    key = call.work.access_keys.get(call.caller.id)
    return "" if key is None else key.comment


def _text(value: Any) -> str:
    return "" if value is None else json.dumps(kept(value), ensure_ascii=False)
