"""Who sent a request: an access key of a person or program, a node with its own key, or a node with a session."""

from datetime import datetime
from typing import Final

from patchwindow.domain.errors import BadSignature, Denied, UnknownKey
from patchwindow.operations.call import Caller, Site
from patchwindow.operations.service import Keyring
from patchwindow.operations.sessions import session_of
from patchwindow.protocol.node_keys import verify_node
from patchwindow.protocol.sigv4 import Authorization, SignedRequest, read_authorization, verify

KEY_OPERATIONS: Final = ("RequestManagedInstanceRoleToken", "UpdateManagedInstancePublicKey")
"""What a node signs with its own key. Not with a session: who steals one has it for an hour, and not for ever."""

_NODE_PREFIX: Final = "mi-"


def authenticate(keys: Keyring, site: Site, request: SignedRequest, operation: str, now: datetime) -> Caller:
    """Return who signed *request*.

    Raises:
        Unauthenticated: the signature is missing, stale or wrong, or its key is unknown, disabled or ended.
        Denied: a node that is not registered any more.
    """
    claimed = read_authorization(request)
    if claimed.access_key_id.startswith(_NODE_PREFIX):
        return _node_by_key(keys, request, claimed, operation, now)
    if claimed.session_token is not None:
        if operation in KEY_OPERATIONS:
            raise BadSignature(f"{operation} is signed with a node's own key only, not with a session")
        return _node_by_session(keys, site, request, claimed, now)
    key = keys.access_key(claimed.access_key_id)
    if key is None or not key.is_enabled:
        state = "is not known here" if key is None else "is disabled"
        raise UnknownKey(
            f"The security token included in the request is invalid: access key {claimed.access_key_id} {state}"
        )
    verify(request, claimed, secret=key.secret_access_key, now=now)
    return Caller(id=key.access_key_id, role=key.role)


def _node_by_key(
    keys: Keyring, request: SignedRequest, claimed: Authorization, operation: str, now: datetime
) -> Caller:
    node_id = claimed.access_key_id
    if operation not in KEY_OPERATIONS:
        raise BadSignature(
            f"a node's own key signs {' and '.join(KEY_OPERATIONS)} only; sign {operation} with the session it gives"
        )
    node = keys.node(node_id)
    if node is None:
        raise Denied(f"node {node_id} is not registered; register it again with an activation")
    verify_node(request, claimed, node, now=now)
    return Caller(id=node_id, node_id=node_id)


def _node_by_session(
    keys: Keyring, site: Site, request: SignedRequest, claimed: Authorization, now: datetime
) -> Caller:
    assert claimed.session_token is not None, "the caller has looked"
    node_id, access_key_id, secret = session_of(site, claimed.session_token, now)
    if access_key_id != claimed.access_key_id:
        raise UnknownKey(f"the session token is not one of access key {claimed.access_key_id}")
    verify(request, claimed, secret=secret, now=now)
    if keys.node(node_id) is None:
        raise Denied(f"node {node_id} is not registered any more")
    return Caller(id=access_key_id, node_id=node_id)
