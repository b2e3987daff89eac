"""What agents ask for besides messages: registration, sessions, signs of life."""

import dataclasses
import hmac
from collections.abc import Sequence
from typing import Final

from patchwindow.domain.errors import FingerprintMismatch, InvalidParameters, UnknownActivation
from patchwindow.domain.node import Activation, KeyType, Node
from patchwindow.operations.activations import digest_of
from patchwindow.operations.associations import existing
from patchwindow.operations.call import Answer, Call, Request
from patchwindow.operations.nodes import keep, locked, stored
from patchwindow.operations.same_machine import others
from patchwindow.operations.sessions import open_session
from patchwindow.operations.tags import NODE
from patchwindow.protocol.node_keys import check_key
from patchwindow.protocol.records import attributes

_REPORTED: Final[Sequence[str]] = (
    "AgentName",
    "AgentVersion",
    "PlatformType",
    "PlatformName",
    "PlatformVersion",
    "IPAddress",
    "ComputerName",
    "BootId",
)


def register(call: Call, request: Request) -> Answer:
    """RegisterManagedInstance: a machine that knows an activation's code becomes a node."""
    check_key(request["PublicKey"], KeyType(request["PublicKeyType"]))
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
    return {"InstanceId": node_id, "SameMachineAs": others(call, node) or None}


def request_token(call: Call, request: Request) -> Answer:
    """RequestManagedInstanceRoleToken: a session for the node whose own key signed the request."""
    node_id = call.caller.node_id
    assert node_id is not None, "only nodes may call this"
    node = stored(call, node_id)
    if not hmac.compare_digest(request["Fingerprint"].encode(), node.fingerprint.encode()):
        # At this agents stay away for half an hour: a copied machine cannot mend it by asking again.
        raise FingerprintMismatch(
            f"the fingerprint is not that with which {node_id} registered; register the machine anew"
        )
    return open_session(call, node_id, is_key_due=_is_key_due(call, node))


def update_key(call: Call, request: Request) -> Answer:
    """UpdateManagedInstancePublicKey: signed with the key that ends by this. The session it has stays in use."""
    node_id = call.caller.node_id
    assert node_id is not None, "only nodes may call this"
    node = locked(call, node_id)
    if request["NewPublicKeyType"] != node.public_key_type:
        raise InvalidParameters(
            f"NewPublicKeyType is {request['NewPublicKeyType']}, and {node_id} registered with a key of type "
            f"{node.public_key_type}; give one of the same type, or register the machine anew"
        )
    check_key(request["NewPublicKey"], KeyType(request["NewPublicKeyType"]))
    keep(call, dataclasses.replace(node, public_key=request["NewPublicKey"], public_key_date=call.now))
    return {}


def ping(call: Call, request: Request) -> Answer:
    """UpdateInstanceInformation: what is left out, or empty, keeps its value. Our agent compares its program with ours."""
    node = locked(call, request["InstanceId"])
    told = {name: request[name] for name in _REPORTED if request.get(name)}
    after = dataclasses.replace(node, **attributes(Node, told), last_ping_date_time=call.now)
    if after.boot_id != node.boot_id:
        after = dataclasses.replace(after, boot_seen_at=call.now)
    keep(call, after)
    return {"ProgramDigest": call.site.program_digest}


def list_associations(call: Call, request: Request) -> Answer:
    """ListInstanceAssociations: none, for the server carries associations out by itself, and sends nodes commands.

    So they run at one time under every agent, under the limits of errors and of concurrency, in order with other
    commands; an agent that had them as well would run each twice.
    """
    stored(call, request["InstanceId"])
    return {"Associations": []}


def update_association(call: Call, request: Request) -> Answer:
    """UpdateInstanceAssociationStatus: nothing is kept, as what an association did is known from its command."""
    stored(call, request["InstanceId"])
    existing(call, request["AssociationId"])
    return {}


def _is_key_due(call: Call, node: Node) -> bool:
    """Return whether the node shall send another key: asked until one arrives."""
    life = call.site.node_key_life
    return life is not None and node.key_age(call.now) >= life


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
