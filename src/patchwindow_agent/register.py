"""Registration: an activation becomes an identity."""

from contextlib import closing
from pathlib import Path

from patchwindow_agent import identity, machine
from patchwindow_agent.connection import Connection, parse_endpoint
from patchwindow_agent.errors import StateProblem, Unreachable
from patchwindow_agent.identity import Identity
from patchwindow_agent.session import Session, exchange

_TIMEOUT_S = 30


def register(
    endpoint: str, *, activation_id: str, activation_code: str, region: str, state: Path, name: str, is_forced: bool
) -> Identity:
    """Register this machine and keep its identity in *state*.

    Raises:
        StateProblem: *state* holds a registration already and *is_forced* is false, or it cannot be written.
        Unreachable: the server gave no answer.
        Refused: it did not accept the activation.
    """
    if identity.is_registered(state) and not is_forced:
        raise StateProblem(f"{state} holds a registration already: give --force to replace it")
    # Before the activation is used up, so that a folder which cannot be written costs nothing.
    identity.check_writable(state)
    secret, fingerprint = identity.new_secret(), identity.fingerprint()
    body = {
        "ActivationId": activation_id,
        "ActivationCode": activation_code,
        "Fingerprint": fingerprint,
        "PublicKey": secret,
        "PublicKeyType": "Hmac-Sha256",
    }
    with closing(Connection(parse_endpoint(endpoint), timeout_s=_TIMEOUT_S)) as connection:
        answer = exchange(connection, "ssm", "RegisterManagedInstance", body)
    node_id = answer.get("InstanceId")
    if not isinstance(node_id, str) or not node_id:
        raise Unreachable("the server registered the node without naming its id (InstanceId)")
    registered = Identity(node_id, region, secret, fingerprint, name)
    identity.save(registered, state)
    return registered


def greet(registered: Identity, endpoint: str) -> None:
    """Tell the server what kind of machine this is, so that it is more than an id from the start.

    Raises:
        AgentError: the server could not be told; the agent will tell it when it runs.
    """
    with closing(Connection(parse_endpoint(endpoint), timeout_s=_TIMEOUT_S)) as connection:
        body = machine.full_ping(registered, connection.endpoint)
        Session(registered).call(connection, "ssm", "UpdateInstanceInformation", body)
