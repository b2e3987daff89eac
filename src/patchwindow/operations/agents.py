"""What agents ask for besides messages: registration, sessions, signs of life."""

import base64
import dataclasses
import hmac
from collections.abc import Sequence
from typing import Final

from patchwindow.domain.errors import Denied, InvalidParameters, UnknownActivation
from patchwindow.domain.node import Activation, Node
from patchwindow.operations.activations import digest_of
from patchwindow.operations.call import Answer, Call, Request
from patchwindow.operations.nodes import keep, stored
from patchwindow.operations.sessions import open_session
from patchwindow.operations.tags import NODE
from patchwindow.protocol.records import attributes

HMAC_KEY: Final = "Hmac-Sha256"
_KEY_BYTES_MIN: Final = 32
_REPORTED: Final[Sequence[str]] = (
    "AgentName",
    "AgentVersion",
    "PlatformType",
    "PlatformName",
    "PlatformVersion",
    "IPAddress",
    "ComputerName",
)


def register(call: Call, request: Request) -> Answer:
    """RegisterManagedInstance: a machine that knows an activation's code becomes a node."""
    _check_key(request)
    activation, digest = _activation(call, request)
    node_id = f"mi-{call.ids.hex(17)}"
    call.work.activations.put(
        dataclasses.replace(activation, registrations_count=activation.registrations_count + 1), code_digest=digest
    )
    call.work.tags.add(NODE, node_id, {tag["Key"]: tag["Value"] for tag in activation.tags})
    node = Node(
        instance_id=node_id,
        activation_id=activation.activation_id,
        iam_role=activation.iam_role,
        name=activation.default_instance_name or None,
        registration_date=call.now,
        last_ping_date_time=call.now,
        fingerprint=request.get("Fingerprint", ""),
        public_key=request["PublicKey"],
        public_key_type=request["PublicKeyType"],
    )
    keep(call, node)
    return {"InstanceId": node_id}


def request_token(call: Call, request: Request) -> Answer:
    """RequestManagedInstanceRoleToken: a session for the node whose own key signed the request."""
    node_id = call.caller.node_id
    assert node_id is not None, "only nodes may call this"
    node = stored(call, node_id)
    if not hmac.compare_digest(request["Fingerprint"].encode(), node.fingerprint.encode()):
        # Denied, so that agents stay away for half an hour: a copied machine cannot mend this by asking again.
        raise Denied(f"the fingerprint is not that with which {node_id} registered; register the machine anew")
    return open_session(call, node_id)


def ping(call: Call, request: Request) -> Answer:
    """UpdateInstanceInformation: what is left out, or empty, keeps its value."""
    node = stored(call, request["InstanceId"])
    told = {name: request[name] for name in _REPORTED if request.get(name)}
    keep(call, dataclasses.replace(node, **attributes(Node, told), last_ping_date_time=call.now))
    return {}


def list_associations(call: Call, request: Request) -> Answer:
    """ListInstanceAssociations: there are none yet."""
    stored(call, request["InstanceId"])
    return {"Associations": []}


def _activation(call: Call, request: Request) -> tuple[Activation, str]:
    """Return the activation that the request's id and code name, and the code's digest.

    Raises:
        UnknownActivation: they name none that can be used. What is wrong with it learns only who knows the code.
    """
    activation_id = request["ActivationId"]
    found = call.work.activations.lock(activation_id)
    if found is None or not hmac.compare_digest(digest_of(request["ActivationCode"]), found[1]):
        raise UnknownActivation(f"activation {activation_id} is unknown, or its code is wrong")
    activation = found[0]
    if activation.is_expired(call.now):
        raise UnknownActivation(
            f"activation {activation_id} expired at {activation.expiration_date.isoformat()}; create another"
        )
    if activation.registrations_count >= activation.registration_limit:
        raise UnknownActivation(
            f"activation {activation_id} is used up: {activation.registrations_count} of "
            f"{activation.registration_limit} machines registered with it; create another"
        )
    return found


def _check_key(request: Request) -> None:
    key_type = request["PublicKeyType"]
    if key_type != HMAC_KEY:
        raise InvalidParameters(f"PublicKeyType {key_type} is not served yet; register with patchwindow-agent")
    try:
        length = len(base64.b64decode(request["PublicKey"], validate=True))
    except ValueError:
        length = 0
    if length < _KEY_BYTES_MIN:
        raise InvalidParameters(f"PublicKey is not the base64 of {_KEY_BYTES_MIN} bytes or more, as {HMAC_KEY} needs")
