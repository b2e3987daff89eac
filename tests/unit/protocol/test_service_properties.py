"""Our checks, reader and writer against botocore's, on shapes of the public model.

"ParamValidator" knows types, required members and lower bounds only; where both speak, both must say the same. Patterns,
sets of values and upper bounds are left out of the shapes that are compared.
"""

import copy
import functools
import json
from datetime import UTC, datetime
from typing import Any

import botocore.model
import botocore.parsers
import botocore.serialize
import botocore.validate
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from patchwindow.domain.errors import Invalid
from patchwindow.protocol.service import OperationModel, ServiceModel, load_operations

INPUTS = [
    "CreatePatchBaseline",
    "RegisterTaskWithMaintenanceWindow",
    "SendCommand",
    "DescribeInstancePatchStatesForPatchGroup",
    "PutComplianceItems",
    "CreateActivation",
]
OUTPUTS = [
    "GetPatchBaseline",
    "GetMaintenanceWindowTask",
    "ListCommands",
    "DescribeInstancePatches",
    "DescribeActivations",
]

# What no text column holds is refused, as a test of its own says.
characters = st.characters(codec="utf-8", exclude_characters="\0")
seconds = st.integers(1_500_000_000, 2_500_000_000)


@functools.cache
def loose_model() -> dict[str, Any]:
    """Return the public model without what botocore does not check, and with lower bounds that are easy to reach."""
    service = load_operations()["AmazonSSM.SendCommand"]._service
    shapes = {}
    for name, shape in service.shapes.items():
        kept = {
            key: copy.deepcopy(value)
            for key, value in shape.items()
            if key not in {"pattern", "enum", "max", "sensitive"}
        }
        shapes[name] = kept | ({"min": min(kept["min"], 2)} if "min" in kept else {})
    metadata = {
        "targetPrefix": "AmazonSSM",
        "protocol": "json",
        "jsonVersion": "1.1",
        "serviceId": "SSM",
        "apiVersion": "1",
    }
    return {"metadata": metadata, "operations": service.operations, "shapes": shapes}


def ours(name: str) -> OperationModel:
    return OperationModel(ServiceModel(loose_model(), public=True), name)


def theirs(name: str) -> Any:
    return botocore.model.ServiceModel(loose_model(), "ssm").operation_model(name)


def values(shape: Any, *, often_wrong: bool) -> st.SearchStrategy[Any]:
    """Return values for botocore's *shape*, now and then of a wrong type or size where *often_wrong*."""
    right = _right_values(shape, often_wrong=often_wrong)
    if not often_wrong or shape.type_name in {"timestamp", "blob"}:
        return right
    wrong = st.sampled_from([0, "", "text", {}, []])
    return st.integers(0, 40).flatmap(lambda chance: right if chance else wrong)


def _right_values(shape: Any, *, often_wrong: bool) -> st.SearchStrategy[Any]:
    low = shape.metadata.get("min", 0)
    match shape.type_name:
        case "structure":
            inner = {name: values(member, often_wrong=often_wrong) for name, member in shape.members.items()}
            required = {name: inner.pop(name) for name in shape.required_members}
            complete = st.fixed_dictionaries(required, optional=inner)
            if not often_wrong:
                return complete
            partial = st.fixed_dictionaries({}, optional=required | inner)
            return st.integers(0, 40).flatmap(lambda chance: complete if chance else partial)
        case "list":
            return st.lists(values(shape.member, often_wrong=often_wrong), min_size=low, max_size=2)
        case "map":
            keys = st.text(characters, min_size=shape.key.metadata.get("min", 0), max_size=3)
            return st.dictionaries(keys, values(shape.value, often_wrong=often_wrong), min_size=low, max_size=2)
        case "string":
            return st.text(characters, min_size=low, max_size=4)
        case "integer" | "long":
            return st.integers(low, 2**31 - 1)
        case "boolean":
            return st.booleans()
        case "timestamp":
            return seconds.map(lambda number: datetime.fromtimestamp(number, UTC))
        case "blob":
            return st.binary(min_size=low, max_size=4)
        case other:
            raise AssertionError(other)


def accepts(operation: OperationModel, body: bytes) -> bool:
    try:
        operation.parse(body)
    except Invalid:
        return False
    return True


@pytest.mark.parametrize("name", INPUTS)
def test_what_botocore_refuses_we_refuse_and_what_it_accepts_we_accept(name: str) -> None:
    operation, model = ours(name), theirs(name)

    @given(values(model.input_shape, often_wrong=True).filter(lambda params: isinstance(params, dict)))
    def check(params: dict[str, Any]) -> None:
        report = botocore.validate.ParamValidator().validate(params, model.input_shape)
        body = json.dumps(params, default=_json_value).encode()
        assert accepts(operation, body) is not report.has_errors(), report.generate_report()

    check()


def _json_value(value: object) -> object:
    return value.timestamp() if isinstance(value, datetime) else ""


@pytest.mark.parametrize("name", INPUTS)
def test_what_botocore_writes_we_read_as_it_was(name: str) -> None:
    operation, model = ours(name), theirs(name)
    serializer = botocore.serialize.create_serializer("json", include_validation=False)

    @settings(max_examples=25)
    @given(values(model.input_shape, often_wrong=False))
    def check(params: dict[str, Any]) -> None:
        assert operation.parse(serializer.serialize_to_request(params, model)["body"]) == params

    check()


@pytest.mark.parametrize("name", OUTPUTS)
def test_what_we_write_botocore_reads_as_it_was(name: str) -> None:
    operation, model = ours(name), theirs(name)
    parser = botocore.parsers.create_parser("json")

    @settings(max_examples=25)
    @given(values(model.output_shape, often_wrong=False))
    def check(members: dict[str, Any]) -> None:
        answer = {"status_code": 200, "headers": {}, "body": operation.serialize(members)}
        parsed = parser.parse(answer, model.output_shape)
        del parsed["ResponseMetadata"]
        assert parsed == members

    check()
