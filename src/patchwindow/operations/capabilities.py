"""The URL that a node is given together with a patch command: who has it may speak for this node in this command."""

from typing import Final

from patchwindow.operations.call import Site
from patchwindow.protocol.seals import seal, unseal

_PURPOSE: Final = "patch-operation"


def capability_url(site: Site, command_id: str, node_id: str) -> str:
    """Return the URL under which the patch operation of this command finds its server."""
    return f"{site.public_url}/operation/{seal(site.seal_key, _PURPOSE, {'c': command_id, 'n': node_id})}"


def open_capability(site: Site, token: str) -> tuple[str, str]:
    """Return the ids of command and node that *token*, the last part of the URL, is for.

    Whether the command is still open on the node is for the operation to say.

    Raises:
        BadSignature: this server did not give the token out.
    """
    claims = unseal(site.seal_key, _PURPOSE, token)
    return str(claims["c"]), str(claims["n"])
