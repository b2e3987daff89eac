"""Operations: bytes to members and back."""

import json
from collections import Counter
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import pytest

from patchwindow.domain.errors import Invalid
from patchwindow.protocol.scalars import Malformed
from patchwindow.protocol.service import OperationModel, load_operations

MODELS: Final = Path(str(resources.files("patchwindow.protocol"))) / "model"
INSTANCE_ID = r"(^i-(\w{8}|\w{17})$)|(^mi-\w{17}$)"
TAG_KEY = r"^([\p{L}\p{Z}\p{N}_.:/=+\-@]*)$"


def operation(name: str) -> OperationModel:
    return load_operations()[f"AmazonSSM.{name}"]


def parse(name: str, members: dict[str, Any]) -> dict[str, Any]:
    return operation(name).parse(json.dumps(members).encode())


def refusal(name: str, members: dict[str, Any]) -> str:
    with pytest.raises(Invalid) as refused:
        parse(name, members)
    assert not isinstance(refused.value, Malformed)
    return str(refused.value)


def test_operations_are_found_by_their_target() -> None:
    operations = load_operations()
    assert operations["AmazonSSM.CreatePatchBaseline"].name == "CreatePatchBaseline"
    assert operations["EC2WindowsMessageDeliveryService.GetMessages"].name == "GetMessages"
    assert all(operation.target == target for target, operation in operations.items())


def test_what_agents_speak_is_not_public() -> None:
    operations = load_operations()
    assert operations["AmazonSSM.CreatePatchBaseline"].public
    assert not operations["AmazonSSM.UpdateInstanceInformation"].public
    assert not operations["EC2WindowsMessageDeliveryService.SendReply"].public
    assert sum(not operation.public for operation in operations.values()) == 13


def test_every_operation_compiles() -> None:
    for each in load_operations().values():
        assert each._read is not None
        assert each._write is not None


def test_an_operation_says_what_it_takes_and_refuses() -> None:
    create = operation("CreatePatchBaseline")
    assert {"Name", "ClientToken", "ApprovalRules"} <= create.members
    assert create.errors == {"IdempotentParameterMismatch", "ResourceLimitExceededException", "InternalServerError"}


def test_unknown_members_and_nulls_are_left_out() -> None:
    members = {"Name": "weekly", "Description": None, "Colour": "red", "ApprovalRules": {"PatchRules": [], "Colour": 1}}
    assert parse("CreatePatchBaseline", members) == {"Name": "weekly", "ApprovalRules": {"PatchRules": []}}


def test_an_empty_body_is_an_empty_object() -> None:
    assert operation("DescribePatchBaselines").parse(b"") == {}
    assert operation("DescribePatchBaselines").parse(b"{}") == {}


@pytest.mark.parametrize(
    "given", [1795399999.5, "2026-11-23T02:13:19.500Z", "2026-11-23T02:13:19.5", "2026-11-23T03:13:19.5+01:00"]
)
def test_a_timestamp_is_a_number_or_iso_text_and_comes_out_in_utc(given: object) -> None:
    instant = parse("CreateActivation", {"IamRole": "r", "ExpirationDate": given})["ExpirationDate"]
    assert instant == datetime(2026, 11, 23, 2, 13, 19, 500000, UTC)
    assert instant.tzinfo is UTC


def test_a_blob_comes_as_base64_and_out_as_bytes() -> None:
    task = {"WindowId": "mw-0123456789abcdef0", "TaskArn": "a", "TaskType": "LAMBDA"}
    members = {**task, "TaskInvocationParameters": {"Lambda": {"Payload": "aGk="}}}
    assert parse("RegisterTaskWithMaintenanceWindow", members)["TaskInvocationParameters"]["Lambda"]["Payload"] == b"hi"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"{", "the request body is not JSON in UTF-8"),
        (b'{"Name": NaN}', "NaN is no JSON number"),
        (b'\xff{"Name": "a"}', "the request body is not JSON in UTF-8"),
        (b"[]", "the request body must be an object, not a list"),
        (b"null", "the request body must be an object, not null"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"Name": 1}', "name must be a string, not a number"),
        (b'{"Name": true}', "name must be a string, not a boolean"),
        (b'{"ApprovedPatches": "a"}', "approvedPatches must be a list, not a string"),
        (b'{"ApprovedPatches": [null]}', "approvedPatches must be a string, not null"),
        (b'{"ApprovalRules": []}', "approvalRules must be an object, not a list"),
        (
            b'{"ApprovedPatchesEnableNonSecurity": "true"}',
            "approvedPatchesEnableNonSecurity must be a boolean, not a string",
        ),
        (
            b'{"ApprovalRules": {"PatchRules": [{"ApproveAfterDays": "7"}]}}',
            "approvalRules.patchRules.1.member.approveAfterDays must be a whole number, not a string",
        ),
        (b'{"ApprovalRules": {"PatchRules": [{"ApproveAfterDays": 1e3}]}}', "must be a whole number, not a number"),
        (b'{"ApprovalRules": {"PatchRules": [{"ApproveAfterDays": 2147483648}]}}', "is too large or too small"),
        (b'{"Name": "a\\u0000b"}', "holds the character U+0000, which is no text"),
        (b'{"Name": "a\\ud800b"}', "holds the character U+D800, which is no text"),
    ],
)
def test_a_body_that_cannot_be_read_is_malformed(body: bytes, message: str) -> None:
    with pytest.raises(Malformed) as refused:
        operation("CreatePatchBaseline").parse(body)
    assert message in str(refused.value)


@pytest.mark.parametrize("given", ["tomorrow", 1e300, True, [], "9999-12-31T23:59:59-01:00"])
def test_what_is_no_instant_is_malformed(given: object) -> None:
    with pytest.raises(Malformed, match="expirationDate"):
        parse("CreateActivation", {"IamRole": "r", "ExpirationDate": given})


def test_text_beyond_ascii_passes() -> None:
    assert operation("CreatePatchBaseline").parse('{"Name": "abc", "Description": "\\ud83d\\ude00 é"}'.encode()) == {
        "Name": "abc",
        "Description": "😀 é",
    }


@pytest.mark.parametrize(
    ("name", "members", "message"),
    [
        (
            "CreatePatchBaseline",
            {},
            "1 validation error detected: Value null at 'name' failed to satisfy constraint: Member must not be null",
        ),
        (
            "GetPatchBaseline",
            {"BaselineId": ""},
            (
                "2 validation errors detected: "
                "Value '' at 'baselineId' failed to satisfy constraint: Member must have length greater than or equal to 20; "
                "Value '' at 'baselineId' failed to satisfy constraint: "
                r"Member must satisfy regular expression pattern: ^[a-zA-Z0-9_\-:/]{20,128}$"
            ),
        ),
        (
            "DescribePatchBaselines",
            {"MaxResults": 101},
            (
                "1 validation error detected: Value '101' at 'maxResults' failed to satisfy constraint: "
                "Member must have value less than or equal to 100"
            ),
        ),
        (
            "DescribePatchBaselines",
            {"MaxResults": 0},
            (
                "1 validation error detected: Value '0' at 'maxResults' failed to satisfy constraint: "
                "Member must have value greater than or equal to 1"
            ),
        ),
        (
            "CreatePatchBaseline",
            {"Name": "abc", "RejectedPatchesAction": "SKIP"},
            (
                "1 validation error detected: Value 'SKIP' at 'rejectedPatchesAction' failed to satisfy constraint: "
                "Member must satisfy enum value set: [ALLOW_AS_DEPENDENCY, BLOCK]"
            ),
        ),
        (
            "CreatePatchBaseline",
            {
                "Name": "abc",
                "ApprovalRules": {"PatchRules": [{"PatchFilterGroup": {"PatchFilters": [{"Key": "PRODUCT"}]}}]},
            },
            (
                "1 validation error detected: "
                "Value null at 'approvalRules.patchRules.1.member.patchFilterGroup.patchFilters.1.member.values' "
                "failed to satisfy constraint: Member must not be null"
            ),
        ),
        (
            "SendCommand",
            {"DocumentName": "AWS-RunShellScript", "InstanceIds": ["mi-0123456789abcdef0", "x"]},
            (
                "1 validation error detected: Value '[mi-0123456789abcdef0, x]' at 'instanceIds' failed to satisfy constraint: "
                f"Member must satisfy constraint: [Member must satisfy regular expression pattern: {INSTANCE_ID}]"
            ),
        ),
        (
            "DescribeInstancePatchStates",
            {"InstanceIds": [f"mi-{number:017x}" for number in range(51)]},
            "Member must have length less than or equal to 50",
        ),
        (
            "CreatePatchBaseline",
            {"Name": "abc", "Tags": [{"Key": "a", "Value": ""}, {"Key": "", "Value": "#"}]},
            (
                "2 validation errors detected: "
                "Value '' at 'tags.2.member.key' failed to satisfy constraint: Member must have length greater than or equal to 1; "
                "Value '#' at 'tags.2.member.value' failed to satisfy constraint: "
                f"Member must satisfy regular expression pattern: {TAG_KEY}"
            ),
        ),
        (
            "PutComplianceItems",
            {
                "ResourceId": "mi-0123456789abcdef0",
                "ResourceType": "ManagedInstance",
                "ComplianceType": "Custom:x1",
                "ExecutionSummary": {"ExecutionTime": 1},
                "Items": [{"Severity": "LOW", "Status": "COMPLIANT", "Details": {"": "v"}}],
            },
            (
                "1 validation error detected: Value '{=v}' at 'items.1.member.details' failed to satisfy constraint: "
                "Map keys must satisfy constraint: "
                "[Member must have length less than or equal to 64, Member must have length greater than or equal to 1]"
            ),
        ),
    ],
)
def test_a_broken_constraint_is_told_in_the_words_of_aws(name: str, members: dict[str, Any], message: str) -> None:
    assert refusal(name, members).endswith(message)


def test_a_value_of_a_map_is_told_at_the_map() -> None:
    details = {"k": "v" * 4097}
    item = {"Severity": "LOW", "Status": "COMPLIANT", "Details": details}
    message = refusal(
        "PutComplianceItems",
        {
            "ResourceId": "mi-0123456789abcdef0",
            "ResourceType": "ManagedInstance",
            "ComplianceType": "Custom:x1",
            "ExecutionSummary": {"ExecutionTime": 1},
            "Items": [item],
        },
    )
    assert message.endswith("Map value must satisfy constraint: [Member must have length less than or equal to 4096, "
                            "Member must have length greater than or equal to 0]")  # fmt: skip
    assert "at 'items.1.member.details'" in message


def test_a_structure_in_a_map_is_told_under_its_key() -> None:
    parameters = {"TaskParameters": {"commands": {"Values": ["a" * 513]}}}
    task = {"WindowId": "mw-0123456789abcdef0", "TaskArn": "a", "TaskType": "RUN_COMMAND", **parameters}
    assert "Value at 'taskParameters.commands.member.values'" in refusal("RegisterTaskWithMaintenanceWindow", task)


def test_a_sensitive_value_is_not_repeated() -> None:
    message = refusal("CreateMaintenanceWindow", {
        "Name": "abc", "Schedule": "rate(1 day)", "Duration": 1, "Cutoff": 0, "AllowUnassociatedTargets": True,
        "Description": "secret" * 30,
    })  # fmt: skip
    assert message == (
        "1 validation error detected: Value at 'description' failed to satisfy constraint: "
        "Member must have length less than or equal to 128"
    )


def test_a_long_value_is_cut_in_the_message() -> None:
    message = refusal("GetPatchBaseline", {"BaselineId": "x" * 100_000})
    assert len(message) < 3000
    assert "…" in message


def test_at_most_a_hundred_violations_are_listed_and_all_are_counted() -> None:
    message = refusal("CreatePatchBaseline", {"Name": "abc", "Tags": [{"Key": "", "Value": ""}] * 500})
    assert message.startswith("500 validation errors detected: ")
    assert message.count("failed to satisfy") == 100


def test_a_shape_that_contains_itself_is_read_to_its_depth() -> None:
    aggregators = [{"Expression": "a", "Aggregators": [{"Expression": "b"}]}]
    assert parse("GetInventory", {"Aggregators": aggregators}) == {"Aggregators": aggregators}
    wrong = [{"Expression": "a", "Aggregators": [{"Expression": ""}]}]
    assert "'aggregators.1.member.aggregators.1.member.expression'" in refusal("GetInventory", {"Aggregators": wrong})


class Status(StrEnum):
    ACTIVE = "ACTIVE"


def test_output_drops_what_is_absent_and_what_its_shape_does_not_have() -> None:
    members = {"BaselineId": "pb-1", "Name": None, "Secret": "x", "Sources": ({"Name": "s", "Secret": "x"},)}
    assert operation("GetPatchBaseline").serialize(members) == b'{"BaselineId":"pb-1","Sources":[{"Name":"s"}]}'


def test_output_takes_any_mapping_sequence_and_text_enum() -> None:
    members = {"PatchGroups": ("a",), "OperatingSystem": Status.ACTIVE}
    assert operation("GetPatchBaseline").serialize(MappingProxyType(members)) == (
        b'{"PatchGroups":["a"],"OperatingSystem":"ACTIVE"}'
    )


@pytest.mark.parametrize(
    ("instant", "number"),
    [
        (datetime(2026, 11, 23, 2, 13, 19, tzinfo=UTC), b"1795399999"),
        (datetime(2026, 11, 23, 2, 13, 19, 96_999, tzinfo=UTC), b"1795399999.096"),
        (datetime(2026, 11, 23, 3, 13, 19, 500_000, tzinfo=timezone(timedelta(hours=1))), b"1795399999.5"),
    ],
)
def test_an_instant_leaves_as_seconds_with_at_most_three_decimals(instant: datetime, number: bytes) -> None:
    assert operation("GetPatchBaseline").serialize({"CreatedDate": instant}) == b'{"CreatedDate":' + number + b"}"


def test_a_blob_leaves_as_base64() -> None:
    members = {"TaskInvocationParameters": {"Lambda": {"Payload": b"hi"}}}
    assert b'{"Payload":"aGk="}' in operation("GetMaintenanceWindowTask").serialize(members)


def test_an_operation_without_output_members_answers_an_empty_object() -> None:
    assert operation("AddTagsToResource").serialize({}) == b"{}"


@pytest.mark.parametrize("path", sorted(MODELS.rglob("service-2.json")), ids=lambda path: path.parent.parent.name)
def test_no_name_of_our_models_is_there_twice(path: Path) -> None:
    twice: list[str] = []

    def look(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        twice.extend(name for name, count in Counter(name for name, _ in pairs).items() if count > 1)
        return dict(pairs)

    json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=look)
    assert twice == []
