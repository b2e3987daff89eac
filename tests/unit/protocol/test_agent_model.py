"""Our own service models: botocore can use them, and what agents were seen to send passes."""

import json
from importlib import resources
from pathlib import Path
from typing import Any

import botocore.model
import botocore.serialize
import botocore.validate
import pytest

from patchwindow.domain.errors import Invalid
from patchwindow.protocol.service import load_operations

RECORDED = [
    json.loads(line)
    for line in Path(__file__).with_name("recorded").joinpath("requests.jsonl").read_text().splitlines()
]
SPOKEN = [request for request in RECORDED if request["headers"].get("X-Amz-Target") in load_operations()]
GET_MESSAGES = load_operations()["EC2WindowsMessageDeliveryService.GetMessages"]
POLL = {"Destination": "mi-0123456789abcdef0", "MessagesRequestId": "8f653289", "VisibilityTimeoutInSeconds": 10}


def test_the_recordings_hold_every_operation_that_agents_use() -> None:
    ours = {target for target, operation in load_operations().items() if not operation.public}
    unused = {
        "EC2WindowsMessageDeliveryService.DeleteMessage",
        "EC2WindowsMessageDeliveryService.GetEndpoint",
        # Our own agent's.
        "EC2WindowsMessageDeliveryService.PutStepOutput",
    }
    assert ours - {request["headers"]["X-Amz-Target"] for request in SPOKEN} == unused


@pytest.mark.parametrize(
    "request_", SPOKEN, ids=lambda request: f"{request['from']}-{request['headers']['X-Amz-Target']}"
)
def test_what_an_agent_sends_passes_unchanged(request_: dict[str, Any]) -> None:
    operation = load_operations()[request_["headers"]["X-Amz-Target"]]
    sent = json.loads(request_["body"])
    members = operation.parse(request_["body"].encode())
    assert members.keys() == sent.keys()
    assert {name: value for name, value in members.items() if isinstance(value, str | int)} == {
        name: value for name, value in sent.items() if isinstance(value, str | int)
    }


def test_an_agent_may_say_how_long_it_waits() -> None:
    assert GET_MESSAGES.parse(json.dumps(POLL | {"WaitSeconds": 300}).encode())["WaitSeconds"] == 300
    with pytest.raises(Invalid, match=r"'waitSeconds'.*less than or equal to 300"):
        GET_MESSAGES.parse(json.dumps(POLL | {"WaitSeconds": 301}).encode())


def test_an_activation_code_is_not_repeated() -> None:
    register = load_operations()["AmazonSSM.RegisterManagedInstance"]
    with pytest.raises(Invalid) as refused:
        register.parse(b'{"ActivationCode": "hunter2"}')
    assert "Value at 'activationCode'" in str(refused.value)
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("kind", ["Rsa", "Hmac-Sha256"])
def test_a_machine_registers_with_a_key_of_either_kind(kind: str) -> None:
    members = {
        "ActivationId": "11111111-2222-3333-4444-555555555555",
        "ActivationCode": "stubActivationCode00",
        "PublicKey": "AAAA",
        "PublicKeyType": kind,
    }
    assert load_operations()["AmazonSSM.RegisterManagedInstance"].parse(json.dumps(members).encode()) == members


@pytest.mark.parametrize("name", ["agent.json", "agent_messages.json"])
def test_botocore_can_use_our_models(name: str) -> None:
    text = (resources.files("patchwindow.protocol") / "model" / name).read_text()
    service = botocore.model.ServiceModel(json.loads(text))
    serializer = botocore.serialize.create_serializer(service.metadata["protocol"], include_validation=False)
    for operation in map(service.operation_model, service.operation_names):
        assert {shape.name for shape in operation.error_shapes}
        sent = serializer.serialize_to_request({}, operation)
        assert sent["headers"]["X-Amz-Target"] in load_operations()


def test_botocore_accepts_what_our_agent_sends() -> None:
    text = (resources.files("patchwindow.protocol") / "model" / "agent_messages.json").read_text()
    shape = botocore.model.ServiceModel(json.loads(text)).operation_model("GetMessages").input_shape
    assert not botocore.validate.ParamValidator().validate(POLL | {"WaitSeconds": 30}, shape).has_errors()
