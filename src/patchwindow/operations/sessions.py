"""Sessions of nodes: keys that sign a node's requests for an hour.

Nothing of a session is stored. The token carries node, key and end under a seal, and the secret is derived from the
token, so tokens survive a restart and hold on every replica.
"""

import base64
import hashlib
import hmac
from datetime import datetime, timedelta
from typing import Any, Final

from patchwindow.domain.errors import EndedSession
from patchwindow.operations.call import Call, Site
from patchwindow.protocol.records import from_ms, to_ms
from patchwindow.protocol.seals import seal, unseal

LIFE: Final = timedelta(hours=1)

_PURPOSE: Final = "session token"
_KEY_PREFIX: Final = "ASIA"
_KEY_LENGTH: Final = 16
_SECRET_LENGTH: Final = 40


def open_session(call: Call, node_id: str, *, is_key_due: bool) -> dict[str, Any]:
    """Return a new session of the node, as RequestManagedInstanceRoleToken answers it; *is_key_due* asks for a new key."""
    access_key_id = _KEY_PREFIX + call.ids.secret(_KEY_LENGTH).upper()
    ends_at = call.now + LIFE
    token = seal(call.site.seal_key, _PURPOSE, {"n": node_id, "k": access_key_id, "e": to_ms(ends_at)})
    return {
        "AccessKeyId": access_key_id,
        "SecretAccessKey": _secret(call.site, token),
        "SessionToken": token,
        "TokenExpirationDate": ends_at,
        "UpdateKeyPair": is_key_due,
    }


def session_of(site: Site, token: str, now: datetime) -> tuple[str, str, str]:
    """Return the node id, access key id and secret access key of a session; whether the node exists is not looked at.

    Raises:
        BadSignature: this server did not give the token out.
        EndedSession: its time is over.
    """
    claims = unseal(site.seal_key, _PURPOSE, token)
    ends_at = from_ms(int(claims["e"]))
    if now >= ends_at:
        raise EndedSession(f"the session token ended at {ends_at.isoformat()}; request a new one")
    return str(claims["n"]), str(claims["k"]), _secret(site, token)


def _secret(site: Site, token: str) -> str:
    # Not by the seal's own proof, which is part of the token and no secret.
    proof = hmac.digest(site.seal_key, f"patchwindow session secret\n{token}".encode(), hashlib.sha256)
    return base64.b64encode(proof).decode()[:_SECRET_LENGTH]
