"""Nodes that sign: with their own key for a session, with the session for the rest. Other keys are in `cases/`."""

import base64
from datetime import timedelta
from typing import Any, Final

import pytest
from botocore.credentials import Credentials
from tests.fakes.edge import Edge, Received
from tests.fakes.site import PUBLIC_KEY

from patchwindow.wire.authenticate import KEY_OPERATIONS

FINGERPRINT: Final = {"Fingerprint": "fingerprint"}


def token(edge: Edge, credentials: Credentials) -> Received:
    return edge.ask(edge.signed("RequestManagedInstanceRoleToken", FINGERPRINT, credentials))


def ping(edge: Edge, node_id: str, credentials: Credentials) -> Received:
    return edge.ask(edge.signed("UpdateInstanceInformation", {"InstanceId": node_id}, credentials))


def refusal(received: Received) -> dict[str, Any]:
    assert received.status == 400
    return dict(received.json)


def test_a_node_gets_a_session_with_its_own_key_and_works_with_it(edge: Edge) -> None:
    node_id, own_key, _ = edge.node()
    given = token(edge, own_key).json
    session = Credentials(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
    assert ping(edge, node_id, session).status == 200


def test_its_own_key_signs_nothing_else(edge: Edge) -> None:
    node_id, own_key, _ = edge.node()
    assert refusal(ping(edge, node_id, own_key)) == {
        "__type": "InvalidSignatureException",
        "message": "a node's own key signs RequestManagedInstanceRoleToken and UpdateManagedInstancePublicKey only; "
        "sign UpdateInstanceInformation with the session it gives",
    }


def test_a_wrong_own_key_gets_no_session(edge: Edge) -> None:
    node_id, _, _ = edge.node()
    assert refusal(token(edge, Credentials(node_id, "w" * 44)))["__type"] == "InvalidSignatureException"


def test_a_node_that_is_not_registered_is_told_to_register(edge: Edge) -> None:
    unknown = Credentials("mi-0123456789abcdef0", "w" * 44)
    assert refusal(token(edge, unknown)) == {
        "__type": "AccessDeniedException",
        "message": "node mi-0123456789abcdef0 is not registered; register it again with an activation",
    }


def test_a_session_ends_with_its_node(edge: Edge) -> None:
    node_id, own_key, session = edge.node()
    edge.call("DeregisterManagedInstance", {"InstanceId": node_id})
    assert refusal(ping(edge, node_id, session)) == {
        "__type": "AccessDeniedException",
        "message": f"node {node_id} is not registered any more",
    }
    assert refusal(token(edge, own_key))["__type"] == "AccessDeniedException"


def test_a_session_ends_with_its_time(edge: Edge) -> None:
    node_id, _, session = edge.node()
    edge.here.clock.advance(timedelta(hours=1))
    assert refusal(ping(edge, node_id, session)) == {
        "__type": "ExpiredTokenException",
        "message": "the session token ended at 2026-03-14T10:00:00+00:00; request a new one",
    }


def test_a_machine_with_another_fingerprint_is_refused_and_the_log_says_so(
    edge: Edge, caplog: pytest.LogCaptureFixture
) -> None:
    node_id, own_key, _ = edge.node()
    received = edge.ask(edge.signed("RequestManagedInstanceRoleToken", {"Fingerprint": "another"}, own_key))
    assert refusal(received)["__type"] == "MachineFingerprintDoesNotMatch"
    (logged,) = caplog.messages
    assert f"the fingerprint is not that with which {node_id} registered" in logged


@pytest.mark.parametrize("operation", KEY_OPERATIONS)
def test_a_session_gives_no_longer_one_and_no_other_key(edge: Edge, operation: str) -> None:
    _, _, session = edge.node()
    members = {**FINGERPRINT, "NewPublicKey": PUBLIC_KEY, "NewPublicKeyType": "Hmac-Sha256"}
    assert refusal(edge.ask(edge.signed(operation, members, session))) == {
        "__type": "InvalidSignatureException",
        "message": f"{operation} is signed with a node's own key only, not with a session",
    }


def test_a_new_key_takes_the_place_of_the_old_at_once(edge: Edge) -> None:
    node_id, own_key, session = edge.node()
    new = Credentials(node_id, base64.b64encode(bytes(range(32))).decode())
    members = {"NewPublicKey": new.secret_key, "NewPublicKeyType": "Hmac-Sha256"}
    assert refusal(edge.ask(edge.signed("UpdateManagedInstancePublicKey", members, new)))["__type"] == (
        "InvalidSignatureException"
    )
    assert edge.ask(edge.signed("UpdateManagedInstancePublicKey", members, own_key)).status == 200
    assert refusal(token(edge, own_key))["__type"] == "InvalidSignatureException"
    assert token(edge, new).status == 200
    assert ping(edge, node_id, session).status == 200


def test_a_session_is_one_key_one_secret_and_one_token(edge: Edge) -> None:
    node_id, _, session = edge.node()
    _, _, other = edge.node()
    mixed = Credentials(other.access_key, session.secret_key, session.token)
    assert refusal(ping(edge, node_id, mixed)) == {
        "__type": "UnrecognizedClientException",
        "message": f"the session token is not one of access key {other.access_key}",
    }
    for credentials in (
        Credentials(session.access_key, other.secret_key, session.token),
        Credentials(session.access_key, session.secret_key, f"{session.token[:-4]}AAAA"),
    ):
        assert refusal(ping(edge, node_id, credentials))["__type"] == "InvalidSignatureException"
    assert refusal(ping(edge, node_id, Credentials(session.access_key, session.secret_key)))["__type"] == (
        "UnrecognizedClientException"
    )


@pytest.mark.parametrize("change", ["disable", "delete"])
def test_a_key_that_is_taken_away_is_refused_with_the_next_request(edge: Edge, change: str) -> None:
    key = edge.keys["operator"]
    assert edge.call("DescribeMaintenanceWindows", {}, "operator") == {"WindowIdentities": []}
    with edge.here.database.write() as work:
        if change == "disable":
            work.access_keys.enable(key.access_key, to=False)
        else:
            work.access_keys.delete(key.access_key)
    received = edge.ask(edge.signed("DescribeMaintenanceWindows", {}, key))
    assert refusal(received)["__type"] == "UnrecognizedClientException"
