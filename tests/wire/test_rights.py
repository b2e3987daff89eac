"""Who may call what: every operation of every model, with every kind of caller."""

import json
from collections.abc import Iterator
from typing import Any, Final

import pytest
from botocore.credentials import Credentials
from tests.fakes.edge import MODELS, Edge
from tests.fakes.site import PUBLIC_KEY

from patchwindow.operations.table import AGENT_OPERATIONS, NOT_SERVED, OPERATIONS, OWN_OPERATIONS
from patchwindow.protocol.sigv4 import SignedRequest
from patchwindow.wire.authenticate import KEY_OPERATIONS

UUID: Final = "01234567-89ab-4def-8123-456789abcdef"
OTHER: Final = "mi-0123456789abcdef0"
VALUES: Final[dict[str, Any]] = {
    "AccessKeyId": "AKIA0123456789ABCDEF",
    "ActivationCode": "x" * 20,
    "ActivationId": UUID,
    "After": 1_700_000_000,
    "Aggregators": [{"AggregatorType": "Count", "TypeName": "Instance", "AttributeName": "PlatformType"}],
    "AllowUnassociatedTargets": True,
    "AssociationId": UUID,
    "AssociationIds": [UUID],
    "AssociationStatus": {"Date": 1_700_000_000, "Name": "Success", "Message": "done"},
    "Baseline": {"OperatingSystem": "DEBIAN"},
    "BaselineId": "pb-0123456789abcdef0",
    "Before": 1_700_086_400,
    "CalendarNames": ["Freezes"],
    "CommandId": UUID,
    "ComplianceType": "Custom:Audit",
    "Content": "{}",
    "Cutoff": 1,
    "DocumentName": "AWS-Noop",
    "DocumentVersion": "1",
    "Duration": 2,
    "Enabled": True,
    "Entries": [{"Name": "AWS-RunPatchBaseline", "InstanceId": OTHER}],
    "ExecutionId": UUID,
    "ExecutionResult": {"Status": "Success"},
    "ExecutionSummary": {"ExecutionTime": 1_700_000_000},
    "FailureType": "NoHandlerExists",
    "FeedId": "feed-0123abcd",
    "IamRole": "service",
    "InstanceIds": [OTHER],
    "InvocationId": UUID,
    "Items": [{"TypeName": "Custom:Audit", "SchemaVersion": "1.0", "CaptureTime": "2026-03-14T00:00:00Z"}],
    "MessagesRequestId": "1",
    "Name": "AWS-Noop",
    "Offset": 0,
    "OperatingSystem": "DEBIAN",
    "Patch": "openssl",
    "PatchGroup": "web",
    "Payload": "{}",
    "Property": "PRODUCT",
    "PermissionType": "Share",
    "PublicKey": "x" * 44,
    "PublicKeyType": "Hmac-Sha256",
    "Fingerprint": "fingerprint",
    "ReplacementId": "mi-0123456789abcdef1",
    "ReplyId": "1",
    "Text": "web",
    "ResourceId": OTHER,
    "ResourceType": "ManagedInstance",
    "Role": "viewer",
    "Schedule": "rate(1 day)",
    "SnapshotId": UUID,
    "StepName": "first",
    "Stream": "stdout",
    "TagKeys": ["a"],
    "Tags": [],
    "Target": OTHER,
    "Targets": [{"Key": "tag:env", "Values": ["live"]}],
    "TaskArn": "AWS-Noop",
    "TaskId": UUID,
    "TaskType": "LAMBDA",
    "SettingId": "/ssm/documents/console/public-sharing-permission",
    "SettingValue": "Enable",
    "Source": "tracker",
    "Title": "openssl.amd64:1",
    "TypeName": "Custom:Audit",
    "VisibilityTimeoutInSeconds": 10,
    "WindowExecutionId": UUID,
    "WindowId": "mw-0123456789abcdef0",
    "WindowTargetId": UUID,
    "WindowTaskId": UUID,
}
"""A value for each required member of any served operation, by name."""

OTHERS: Final[dict[str, dict[str, Any]]] = {
    **{name: {"Name": "Own"} for name in ("DeleteDocument", "UpdateDocument", "UpdateDocumentDefaultVersion")},
    "DescribeMaintenanceWindowsForTarget": {"ResourceType": "INSTANCE"},
    "UpdateManagedInstancePublicKey": {"NewPublicKey": PUBLIC_KEY, "NewPublicKeyType": "Hmac-Sha256"},
    "PutComplianceItems": {"Items": [{"Severity": "HIGH", "Status": "COMPLIANT"}]},
    "RegisterTargetWithMaintenanceWindow": {"ResourceType": "INSTANCE"},
}
"""Where a member of the same name takes another value."""

Callers = dict[str, Credentials]


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    edge = Edge(tmp_path_factory.mktemp("rights"))
    yield edge
    edge.close()


@pytest.fixture(scope="module")
def node(edge: Edge) -> tuple[str, Credentials, Credentials]:
    return edge.node()


def members(name: str, node_id: str) -> dict[str, Any]:
    """Return the least that an operation takes; what names a node names *node_id*."""
    named = {
        "InstanceId": node_id,
        "ResourceId": node_id,
        "Destination": node_id,
        "MessageId": f"aws.ssm.{UUID}.{node_id}",
    }
    model = MODELS[name]
    required = model._service.shapes[model._model["input"]["shape"]].get("required", ())
    return {member: ({**VALUES, **named, **OTHERS.get(name, {})})[member] for member in required}


def code(edge: Edge, name: str, credentials: Credentials, node_id: str) -> str | None:
    """Return the name of the refusal, None where there is none; polls do not wait here."""
    model = MODELS[name]
    body = members(name, node_id) if name not in NOT_SERVED else {}
    sent = edge.signed(name, body, credentials)
    request = SignedRequest(
        method="POST", path=b"/", query=b"", headers=sent.scope()["headers"], body=b"".join(sent.pieces)
    )
    rpc = edge.app._rpc
    (answer,) = rpc.answer([rpc.asked(request, model, "id")])
    read = json.loads(answer.body)
    told: str | None = read.get("__type")
    return told


@pytest.mark.parametrize("name", OPERATIONS | OWN_OPERATIONS)
def test_a_viewer_may_read_an_operator_do_all_but_manage_people_and_a_node_nothing_of_what_is_public(
    edge: Edge, node: tuple[str, Credentials, Credentials], name: str
) -> None:
    denied = {
        key: code(edge, name, credentials, OTHER) == "AccessDeniedException"
        for key, credentials in (
            ("viewer", edge.keys["viewer"]),
            ("operator", edge.keys["operator"]),
            ("admin", edge.keys["admin"]),
            ("node", node[2]),
        )
    }
    # It makes the snapshot, where there is none yet.
    is_writing_get = name == "GetDeployablePatchSnapshotForInstance"
    reads = (
        name.startswith(("Get", "List", "Describe", "Explain", "Preview", "Compare", "Forecast", "Export", "Search"))
        and not is_writing_get
    )
    is_for_admins = (OPERATIONS | OWN_OPERATIONS)[name].is_for_admins
    assert denied == {
        "viewer": not reads or is_for_admins,
        "operator": is_for_admins,
        "admin": False,
        "node": not (OPERATIONS | OWN_OPERATIONS)[name].is_for_nodes,
    }


@pytest.mark.parametrize("name", [name for name, one in OPERATIONS.items() if one.node_of is not None])
def test_a_node_may_do_for_itself_what_agents_call_of_what_is_public(
    edge: Edge, node: tuple[str, Credentials, Credentials], name: str
) -> None:
    assert code(edge, name, node[2], node[0]) != "AccessDeniedException"


@pytest.mark.parametrize("name", [name for name, one in AGENT_OPERATIONS.items() if not one.is_unsigned])
def test_a_node_may_do_what_is_for_agents_for_itself_and_nobody_else_may(
    edge: Edge, node: tuple[str, Credentials, Credentials], name: str
) -> None:
    node_id, own_key, session = node
    signer = own_key if name in KEY_OPERATIONS else session
    assert code(edge, name, signer, node_id) != "AccessDeniedException"
    if members(name, node_id) != members(name, OTHER):
        assert code(edge, name, signer, OTHER) == "AccessDeniedException"
    for role in ("viewer", "operator", "admin"):
        assert code(edge, name, edge.keys[role], node_id) == "AccessDeniedException"


@pytest.mark.parametrize("name", OPERATIONS | OWN_OPERATIONS | AGENT_OPERATIONS)
def test_no_refusal_is_a_defect_or_about_the_form_of_the_request(
    edge: Edge, node: tuple[str, Credentials, Credentials], name: str
) -> None:
    credentials = node[2] if name in AGENT_OPERATIONS else edge.keys["admin"]
    told = code(edge, name, credentials, node[0] if name in AGENT_OPERATIONS else OTHER)
    assert told not in {"InternalServerError", "SerializationException", "UnknownOperationException"}
    assert told is None or told in MODELS[name].errors | {
        "AccessDeniedException",
        "InvalidSignatureException",
        "ValidationException",
    }


@pytest.mark.parametrize("name", NOT_SERVED)
def test_what_is_not_served_is_so_for_everybody(edge: Edge, name: str) -> None:
    for role in ("viewer", "admin"):
        assert code(edge, name, edge.keys[role], OTHER) == "UnknownOperationException"


def test_a_machine_registers_without_a_signature(edge: Edge) -> None:
    activation = edge.call("CreateActivation", {"IamRole": "service"})
    request = {
        **activation,
        "PublicKey": "A" * 43 + "=",
        "PublicKeyType": "Hmac-Sha256",
        "Fingerprint": "fingerprint",
    }
    sent = edge.signed("RegisterManagedInstance", request, edge.keys["unknown"])
    unsigned = {name: value for name, value in sent.headers.items() if name != "Authorization"}
    received = edge.ask(type(sent)(sent.pieces, headers=unsigned))
    assert received.status == 200
    assert received.json["InstanceId"].startswith("mi-")
