"""What queries of resource groups say."""

import json
from contextlib import suppress
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patchwindow.domain.errors import Invalid
from patchwindow.domain.resource_group import (
    QueryType,
    ResourceQuery,
    TagQuery,
    check_type,
    is_of_nodes,
    parse_query,
    without_nodes,
)

FILTERS: Final = [{"Key": "Stage", "Values": ["Test", "Deploy"]}, {"Key": "Version"}]
QUERY: Final[dict[str, Any]] = {"ResourceTypeFilters": ["AWS::AllSupported"], "TagFilters": FILTERS}


def read(query: object) -> TagQuery:
    text = query if isinstance(query, str) else json.dumps(query)
    return parse_query(ResourceQuery(type=QueryType.TAG_FILTERS, query=text))


def test_a_query_is_types_and_for_each_key_its_values() -> None:
    assert read(QUERY) == TagQuery(types=("AWS::AllSupported",), tags=(("Stage", ("Test", "Deploy")), ("Version", ())))


@pytest.mark.parametrize(
    ("tags", "is_included"),
    [
        ({"Stage": "Deploy", "Version": "2"}, True),
        ({"Stage": "Test", "Version": ""}, True),
        ({"Stage": "Deploy"}, False),
        ({"Stage": "Archived", "Version": "4"}, False),
        ({"stage": "Test", "Version": "1"}, False),
        ({}, False),
    ],
)
def test_every_key_must_fit_with_any_of_its_values(tags: dict[str, str], *, is_included: bool) -> None:
    """ "only resources that match all tag keys, and at least one value of each specified tag key, are returned"
    (Resource Groups API reference, ResourceQuery)."""
    assert read(QUERY).includes(tags) is is_included


@given(
    filters=st.dictionaries(st.sampled_from("abc"), st.lists(st.sampled_from("xyz"), max_size=3), min_size=1),
    tags=st.dictionaries(st.sampled_from("abcd"), st.sampled_from("xyz")),
)
def test_one_more_filter_never_includes_more(filters: dict[str, list[str]], tags: dict[str, str]) -> None:
    listed = [{"Key": key, "Values": values} for key, values in filters.items()]
    whole = read({**QUERY, "TagFilters": listed})
    for count in range(1, len(listed)):
        if whole.includes(tags):
            assert read({**QUERY, "TagFilters": listed[:count]}).includes(tags)


@pytest.mark.parametrize(
    ("types", "expected"),
    [
        (["AWS::AllSupported"], True),
        (["AWS::SSM::ManagedInstance"], True),
        (["AWS::EC2::INSTANCE"], True),
        (["AWS::S3::Bucket", "AWS::EC2::Instance"], True),
        (["AWS::S3::Bucket"], False),
        ([], False),
    ],
)
def test_nodes_are_resources_of_a_few_types(types: list[str], *, expected: bool) -> None:
    assert is_of_nodes(types) is expected


def test_a_query_for_other_types_includes_no_node() -> None:
    buckets = read({**QUERY, "ResourceTypeFilters": ["AWS::S3::Bucket"]})
    assert not buckets.includes({"Stage": "Test", "Version": "1"})
    assert without_nodes([*buckets.types, "AWS::EC2::Instance"]) == ["AWS::S3::Bucket"]


@pytest.mark.parametrize("type", ["", "Instance", "AWS::EC2", "AWS::EC2::Instance::x", "AWS::AllSupported "])
def test_what_is_no_type_of_resources_is_refused(type: str) -> None:
    with pytest.raises(Invalid, match="has not the form AWS::<service>::<type>"):
        check_type(type)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("{", "Query is not JSON ("),
        ("[" * 100_000, "Query is not JSON ("),
        ([], "Query is no JSON object; write it as {"),
        ({"StackIdentifier": "arn"}, "Query has no member 'StackIdentifier'; write it as "),
        ({"TagFilters": FILTERS}, "ResourceTypeFilters must be a list; "),
        ({**QUERY, "ResourceTypeFilters": []}, "ResourceTypeFilters must name at least one type, such as "),
        ({**QUERY, "ResourceTypeFilters": ["AWS::A::B"] * 101}, "ResourceTypeFilters has 101 entries; 100 are the "),
        ({**QUERY, "TagFilters": []}, "TagFilters has no filter; give at least one, so that not every node is meant"),
        ({"ResourceTypeFilters": ["AWS::AllSupported"]}, "TagFilters has no filter; "),
        ({**QUERY, "TagFilters": {}}, "TagFilters must be a list; "),
        ({**QUERY, "TagFilters": FILTERS * 26}, "TagFilters has 52 entries; 50 are the most"),
        ({**QUERY, "TagFilters": ["Stage"]}, "TagFilters[0] is not of the form {Key, Values}; "),
        ({**QUERY, "TagFilters": [{"Key": "a", "Value": "b"}]}, "TagFilters[0] is not of the form {Key, Values}; "),
        ({**QUERY, "TagFilters": [{"Values": ["b"]}]}, "TagFilters[0].Key must be a string; "),
        ({**QUERY, "TagFilters": [{"Key": ""}]}, "TagFilters[0].Key is empty; name a tag"),
        ({**QUERY, "TagFilters": [{"Key": "k" * 129}]}, "TagFilters[0].Key has 129 characters; 128 are the most"),
        ({**QUERY, "TagFilters": [{"Key": "a", "Values": "b"}]}, "TagFilters[0].Values must be a list; "),
        ({**QUERY, "TagFilters": [{"Key": "a", "Values": [1]}]}, "TagFilters[0].Values[0] must be a string; "),
        ({**QUERY, "TagFilters": [{"Key": "a", "Values": ["b"] * 21}]}, "TagFilters[0].Values has 21 entries; 20 "),
    ],
)
def test_what_is_no_query_is_refused(query: object, message: str) -> None:
    with pytest.raises(Invalid) as caught:
        read(query)
    assert str(caught.value).startswith(f"ResourceQuery: {message}")


def test_a_stack_of_resources_is_no_query_here() -> None:
    stack = ResourceQuery(type=QueryType.STACK, query="{}")
    with pytest.raises(Invalid, match="type CLOUDFORMATION_STACK_1_0 is not served here; use TAG_FILTERS_1_0"):
        parse_query(stack)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from([*QUERY, "Key", "Values"]), inner),
    )
)
def test_whatever_is_given_is_read_or_refused(query: object) -> None:
    with suppress(Invalid):
        assert read(query).tags
