"""Operations that are methods and paths, and members outside of bodies."""

import json
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patchwindow.domain.errors import Invalid
from patchwindow.protocol.patterns import compile_pattern
from patchwindow.protocol.rest import RestOperation, load_routes
from patchwindow.protocol.scalars import Malformed
from patchwindow.protocol.sigv4 import SignedRequest

ROUTES: Final = load_routes()
OPERATIONS: Final = {operation.name: operation for operation in ROUTES}
ARN: Final = "arn:aws:resource-groups:us-east-1:123456789012:group/web"
QUOTED: Final = b"arn%3Aaws%3Aresource-groups%3Aus-east-1%3A123456789012%3Agroup%2Fweb"


def request(path: bytes, *, query: bytes = b"", body: object = None) -> SignedRequest:
    text = b"" if body is None else json.dumps(body).encode()
    return SignedRequest(method="POST", path=path, query=query, headers=(), body=text)


def members(name: str, path: bytes, **more: Any) -> dict[str, Any]:
    return OPERATIONS[name].members_of(request(path, **more))


@pytest.mark.parametrize("operation", [*ROUTES], ids=repr)
def test_each_operation_is_found_by_its_own_method_and_path(operation: RestOperation) -> None:
    path = operation.path.replace("{Arn}", "a%2Fb").encode()
    assert ROUTES.find(operation.method, path) is operation
    assert ROUTES.find("OPTIONS", path) is None
    assert ROUTES.find(operation.method, path + b"/") is None


def test_the_methods_and_paths_are_those_of_the_model() -> None:
    assert ROUTES.find("PUT", b"/resources/" + QUOTED + b"/tags") is OPERATIONS["Tag"]
    assert ROUTES.find("PATCH", b"/resources/" + QUOTED + b"/tags") is OPERATIONS["Untag"]
    assert ROUTES.find("POST", b"/resources/search") is OPERATIONS["SearchResources"]
    assert ROUTES.find("GET", b"/resources//tags") is None
    assert ROUTES.find("GET", b"/resources/" + ARN.encode() + b"/tags") is None


def test_a_member_in_the_path_is_unquoted() -> None:
    assert members("GetTags", b"/resources/" + QUOTED + b"/tags") == {"Arn": ARN}


def test_a_member_stands_in_one_place_only() -> None:
    elsewhere = {"Arn": "other", "Tags": {"a": "b"}}
    assert members("Tag", b"/resources/" + QUOTED + b"/tags", body=elsewhere) == {"Arn": ARN, "Tags": {"a": "b"}}
    assert members("ListGroups", b"/groups-list", query=b"MaxResults=3&x=y", body={"MaxResults": 2}) == {}
    assert members("ListGroupResources", b"/list-group-resources", query=b"MaxResults=3", body={"Group": "web"}) == {
        "Group": "web"
    }


def test_members_in_the_query_string_are_numbers_and_texts() -> None:
    query = b"maxResults=3&nextToken=ab%2B%3D"
    assert members("ListGroups", b"/groups-list", query=query) == {"MaxResults": 3, "NextToken": "ab+="}


@pytest.mark.parametrize("body", [[], "text", 1, True])
def test_a_body_that_is_no_object_is_malformed(body: object) -> None:
    with pytest.raises(Malformed, match="the request body must be an object"):
        members("ListGroups", b"/groups-list", body=body)


@given(label=st.binary(max_size=30), query=st.binary(max_size=30))
def test_whatever_stands_in_path_and_query_is_read_or_refused(label: bytes, query: bytes) -> None:
    path = b"/resources/" + label.replace(b"/", b"") + b"/tags"
    for name, at in (("GetTags", path), ("ListGroups", b"/groups-list")):
        try:
            found = members(name, at, query=query)
        except Invalid:
            continue
        assert found.keys() <= OPERATIONS[name].members


def test_every_pattern_of_the_model_compiles() -> None:
    patterns = {shape["pattern"] for shape in OPERATIONS["GetTags"]._service.shapes.values() if "pattern" in shape}
    for pattern in patterns:
        compile_pattern(pattern)
    assert len(patterns) > 10


def test_an_error_has_the_status_that_the_model_gives_it() -> None:
    operation = OPERATIONS["GetGroup"]
    assert operation.status_of("NotFoundException") == 404
    assert operation.status_of("BadRequestException") == 400
    assert operation.status_of("UnauthorizedException") is None


def test_a_success_is_always_200() -> None:
    # Where the model says otherwise, the operation is not served.
    other = {name for name, one in OPERATIONS.items() if one._model["http"].get("responseCode", 200) != 200}
    assert other == {"PutGroupConfiguration"}
