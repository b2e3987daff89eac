"""Registration: an activation becomes an identity."""

from contextlib import closing
from pathlib import Path
from typing import Callable, Mapping

from patchwindow_agent import identity, machine, node_key
from patchwindow_agent.connection import Connection, parse_endpoint
from patchwindow_agent.errors import StateProblem, Unreachable
from patchwindow_agent.identity import Identity
from patchwindow_agent.session import KEY_TYPE, Session, exchange
from patchwindow_agent.settings import Kept, environment, save
from patchwindow_agent.way import way_to

_TIMEOUT_S = 30


def register(
    kept: Kept,
    *,
    activation_id: str,
    activation_code: str,
    region: str,
    state: Path,
    name: str,
    is_forced: bool,
    environ: Mapping[str, str],
    say: Callable[[str], None] = lambda _: None,
) -> Identity:
    """Register this machine with the server of *kept*, and keep that and its identity in *state*.

    Where the machine seems to have been another node before, *say* is told so.

    Raises:
        StateProblem: *state* holds a registration already and *is_forced* is false, or it cannot be written.
        Unreachable: the server gave no answer.
        Refused: it did not accept the activation.
    """
    if identity.is_registered(state) and not is_forced:
        raise StateProblem(f"{state} holds a registration already: give --force to replace it")
    # Before the activation is used up, so that a folder which cannot be written costs nothing.
    identity.check_writable(state)
    save(kept, state)
    secret, fingerprint = identity.new_secret(), identity.fingerprint()
    body = {
        "ActivationId": activation_id,
        "ActivationCode": activation_code,
        "Fingerprint": fingerprint,
        "PublicKey": secret,
        "PublicKeyType": KEY_TYPE,
    }
    with closing(_connection(kept, state, environ)) as connection:
        answer = exchange(connection, "ssm", "RegisterManagedInstance", body)
    node_id = answer.get("InstanceId")
    if not isinstance(node_id, str) or not node_id:
        raise Unreachable("the server registered the node without naming its id (InstanceId)")
    registered = Identity(node_id, region, secret, fingerprint, name)
    identity.save(registered, state)
    node_key.forget_others(state)
    for former_id in answer.get("SameMachineAs") or ():
        say(
            f"{former_id} registered from the same machine, or from one that was copied; if it is this machine, "
            f"`patchwindow nodes replace {former_id} {node_id}` moves its tags, and its place in windows, to {node_id}"
        )
    return registered


def greet(registered: Identity, kept: Kept, state: Path, environ: Mapping[str, str]) -> None:
    """Tell the server what kind of machine this is, so that it is more than an id from the start.

    Raises:
        AgentError: the server could not be told; the agent will tell it when it runs.
    """
    with closing(_connection(kept, state, environ)) as connection:
        body = machine.full_ping(registered, connection.peer)
        Session(registered).call(connection, "ssm", "UpdateInstanceInformation", body)


def _connection(kept: Kept, state: Path, environ: Mapping[str, str]) -> Connection:
    endpoint = parse_endpoint(kept.endpoint)
    way = way_to(endpoint.host, is_tls=endpoint.is_tls, environ=environment(state, kept, environ))
    return Connection(endpoint, timeout_s=_TIMEOUT_S, way=way)
