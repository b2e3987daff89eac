"""Requests of Resource Groups: their operations are methods and paths, and refusals are named in a header."""

import json
from dataclasses import replace
from typing import Any, Final

import pytest
from botocore.credentials import Credentials
from tests.fakes.edge import HOST, Edge, Received, Sent, sign

from patchwindow.operations.table import GROUP_OPERATIONS, GROUPS_NOT_SERVED
from patchwindow.protocol.rest import load_routes

ARN: Final = "arn:aws:resource-groups:eu-central-1:123456789012:group/web"
QUERY: Final = {
    "Type": "TAG_FILTERS_1_0",
    "Query": '{"ResourceTypeFilters":["AWS::AllSupported"],"TagFilters":[{"Key":"Stage","Values":["Test"]}]}',
}
VALUES: Final[dict[str, Any]] = {
    "Arn": ARN,
    "Group": "web",
    "Keys": ["a"],
    "Name": "web",
    "ResourceArns": ["arn:aws:ssm:eu-central-1:123456789012:managed-instance/mi-0123456789abcdef0"],
    "ResourceQuery": QUERY,
    "RoleArn": "arn:aws:iam::123456789012:role/sync",
    "Tags": {"a": "b"},
    "TaskArn": "arn:aws:resource-groups:eu-central-1:123456789012:group/web/0123456789abcdefghijklmnop"
    "/tag-sync-task/0123456789abcdefghijklmnop",
}
REFUSED: Final = (400, "BadRequestException")
MODELS: Final = {model.name: model for model in load_routes()}


def ask(edge: Edge, operation: str, members: dict[str, Any] | None = None, key: str = "admin") -> Received:
    return edge.ask(edge.signed_group(operation, members or {}, edge.keys[key]))


def members_of(operation: str) -> dict[str, Any]:
    """Return members with which the operation may be asked for."""
    if "input" not in MODELS[operation]._model:
        return {}
    known = MODELS[operation].members
    return {name: value for name, value in VALUES.items() if name in known}


def refusal(received: Received) -> tuple[int, str, str]:
    """Return status, name and message of a refusal, whose header and body name it alike."""
    body = received.json
    assert received.headers["x-amzn-errortype"] == body["__type"]
    return received.status, body["__type"], body.get("Message") or body["message"]


def test_a_group_goes_through_all_operations_by_the_paths_of_the_sdk(edge: Edge) -> None:
    made = ask(edge, "CreateGroup", {"Name": "web", "ResourceQuery": QUERY, "Tags": {"Team": "ops"}})
    assert made.status == 200
    assert made.json["Group"] == {"Name": "web", "GroupArn": ARN}
    assert made.headers.keys() == {"content-type", "content-length", "x-amzn-requestid"}
    assert made.headers["content-type"] == "application/json"
    assert ask(edge, "GetTags", {"Arn": ARN}).json == {"Arn": ARN, "Tags": {"Team": "ops"}}
    assert ask(edge, "Tag", {"Arn": ARN, "Tags": {"Größe 4/": "+ü"}}).status == 200
    assert ask(edge, "Untag", {"Arn": ARN, "Keys": ["Team"]}).json == {"Arn": ARN, "Keys": ["Team"]}
    assert ask(edge, "GetTags", {"Arn": ARN}).json["Tags"] == {"Größe 4/": "+ü"}
    assert ask(edge, "DeleteGroup", {"Group": ARN}).json["Group"]["Name"] == "web"


def test_pages_are_asked_for_in_the_query_string(edge: Edge) -> None:
    for name in ("a", "b", "c"):
        assert ask(edge, "CreateGroup", {"Name": name, "ResourceQuery": QUERY}).status == 200
    first = ask(edge, "ListGroups", {"MaxResults": 2}).json
    assert [group["Name"] for group in first["Groups"]] == ["a", "b"]
    last = ask(edge, "ListGroups", {"MaxResults": 2, "NextToken": first["NextToken"]}).json
    assert [group["Name"] for group in last["Groups"]] == ["c"]
    assert "NextToken" not in last
    # Where the model has them in the query string, they mean nothing in the body.
    sent = sign(
        Sent([b'{"MaxResults": 1}'], path="/groups-list", headers={"Host": HOST}),
        edge.keys["viewer"],
        at=edge.here.clock.now(),
        service="resource-groups",
    )
    assert len(edge.ask(sent).json["Groups"]) == 3


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("0", "1 validation error detected: Value '0' at 'maxResults' failed to satisfy constraint: "),
        ("51", "1 validation error detected: Value '51' at 'maxResults' failed to satisfy constraint: "),
        ("two", "maxResults must be a whole number, not a string"),
        ("9" * 5000, "maxResults must be a whole number, not a string"),
        ("", "maxResults must be a whole number, not a string"),
    ],
)
def test_a_number_in_the_query_string_is_checked_as_one_in_a_body(edge: Edge, given: str, message: str) -> None:
    status, name, told = refusal(ask(edge, "ListGroups", {"MaxResults": given}))
    assert (status, name) == (400, "BadRequestException")
    assert told.startswith(message)


@pytest.mark.parametrize(
    ("operation", "members", "answer", "message"),
    [
        ("GetGroup", {"Group": "db"}, (404, "NotFoundException"), "resource group 'db' does not exist; "),
        ("GetGroup", {"Group": "a b"}, REFUSED, "1 validation error detected: Value 'a b' at "),
        ("GetTags", {"Arn": "web"}, REFUSED, "2 validation errors detected: Value 'web' at 'arn' "),
        ("CreateGroup", {}, REFUSED, "1 validation error detected: Value null at 'name' failed "),
    ],
)
def test_a_refusal_is_named_as_the_service_names_it(
    edge: Edge, operation: str, members: dict[str, Any], answer: tuple[int, str], message: str
) -> None:
    told = refusal(ask(edge, operation, members))
    assert told[:2] == answer
    assert told[2].startswith(message)


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("unknown", "UnrecognizedClientException"),
        ("disabled", "UnrecognizedClientException"),
        ("wrong", "InvalidSignatureException"),
    ],
)
def test_who_cannot_be_identified_is_refused(edge: Edge, key: str, name: str) -> None:
    assert refusal(ask(edge, "ListGroups", key=key))[:2] == (403, name)


def test_an_unsigned_request_is_refused(edge: Edge) -> None:
    sent = edge.signed_group("ListGroups", {}, edge.keys["admin"])
    unsigned = {name: value for name, value in sent.headers.items() if name != "Authorization"}
    told = refusal(edge.ask(replace(sent, headers=unsigned)))
    assert told[:2] == (403, "MissingAuthenticationTokenException")


def test_the_path_and_the_query_string_are_signed(edge: Edge) -> None:
    sent = edge.signed_group("ListGroups", {"MaxResults": 2}, edge.keys["admin"])
    for changed in (replace(sent, query="maxResults=3"), replace(sent, path="/delete-group")):
        assert refusal(edge.ask(changed))[:2] == (403, "InvalidSignatureException")


@pytest.mark.parametrize("operation", MODELS)
def test_a_viewer_may_read_and_an_operator_may_write(edge: Edge, operation: str) -> None:
    for key in ("viewer", "operator", "admin"):
        received = ask(edge, operation, members_of(operation), key)
        if operation in GROUPS_NOT_SERVED:
            reason = f"{operation} is not served here: {GROUPS_NOT_SERVED[operation]}"
            assert refusal(received) == (405, "MethodNotAllowedException", reason)
        elif GROUP_OPERATIONS[operation].writes and key == "viewer":
            assert refusal(received)[:2] == (403, "ForbiddenException")
        else:
            assert received.status in (200, 400, 404)


@pytest.mark.parametrize("operation", GROUP_OPERATIONS)
def test_a_node_may_call_none_of_them(edge: Edge, operation: str) -> None:
    _, own, session = edge.node()
    for credentials, name in ((own, "InvalidSignatureException"), (session, "ForbiddenException")):
        received = edge.ask(edge.signed_group(operation, members_of(operation), credentials))
        assert refusal(received)[:2] == (403, name)


def test_a_body_that_is_too_large_is_refused(edge: Edge) -> None:
    sent = edge.signed_group("CreateGroup", {"Name": "x" * (1 << 20)}, edge.keys["admin"])
    assert edge.ask(sent).status == 413


@pytest.mark.parametrize("body", [b"[]", b"{", b'{"Group": "\\u0000"}', b"\xff"])
def test_a_body_that_cannot_be_read_is_refused(edge: Edge, body: bytes) -> None:
    sent = sign(
        Sent([body], path="/get-group", headers={"Host": HOST}),
        edge.keys["admin"],
        at=edge.here.clock.now(),
        service="resource-groups",
    )
    assert refusal(edge.ask(sent))[:2] == (400, "BadRequestException")


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/groups"), ("POST", "/groups/web"), ("GET", "/resources//tags"), ("GET", "/resources/a/b/tags")],
)
def test_other_methods_and_paths_are_no_operation(edge: Edge, method: str, path: str) -> None:
    assert edge.ask(Sent(method=method, path=path, headers={"Host": HOST})).status == 404


def test_a_defect_of_ours_is_told_without_its_details(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> dict[str, Any]:
        raise RuntimeError("secret")

    monkeypatch.setitem(GROUP_OPERATIONS, "GetGroup", replace(GROUP_OPERATIONS["GetGroup"], run=fail))
    received = ask(edge, "GetGroup", {"Group": "web"})
    status, name, message = refusal(received)
    assert (status, name) == (500, "InternalServerErrorException")
    assert received.headers["x-amzn-requestid"] in message
    assert "secret" not in json.dumps(received.json)


def test_the_api_for_nodes_and_windows_knows_no_group_operation(edge: Edge) -> None:
    sent = edge.signed("AmazonSSM.ListGroups", {}, Credentials("AKIAUNKNOWN", "s" * 40))
    assert edge.ask(sent).json["__type"] == "UnknownOperationException"
