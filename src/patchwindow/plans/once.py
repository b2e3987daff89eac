"""Making something exactly once, however often it is asked for."""

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from patchwindow.client import ClientProblem, SsmClient, call

# How often a token may turn out to be spent on something that was deleted since.
_TOKENS_MAX: Final = 20


def create_once(
    client: SsmClient, operation: str, request: Mapping[str, Any], id_member: str, is_there: Callable[[str], bool]
) -> str:
    """Return the id of what *operation* makes of *request*, making it once however often this is asked.

    The token is the request's own digest, so an apply that was cut off after the call gets the same id again.  But so
    does one that comes after a deletion, as long as the service remembers the token.  Then that id goes into
    the next token, which again is the same in every later try.

    Raises:
        ClientProblem: the API refused, or it answers with ids of deleted things only.
    """
    spent: list[str] = []
    while len(spent) < _TOKENS_MAX:
        told = json.dumps([operation, request, spent], sort_keys=True)
        token = hashlib.sha256(told.encode()).hexdigest()
        id = str(call(client, operation, **request, ClientToken=token)[id_member])
        if is_there(id):
            return id
        spent.append(id)
    raise ClientProblem(f"{operation} answers with ids of what was deleted, {spent[-1]} the last; try again later")


def answers(client: SsmClient, operation: str, **place: str) -> bool:
    """Say whether the API finds what is at *place*."""
    try:
        call(client, operation, **place)
    except ClientProblem as problem:
        if problem.code == "DoesNotExistException":
            return False
        raise
    return True
