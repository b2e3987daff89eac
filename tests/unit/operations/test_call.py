"""What operations share: pages, filters, ids."""

import dataclasses
from collections.abc import Iterator
from typing import Any, Final

import pytest
from tests.fakes.site import Installation

from patchwindow.domain.errors import Invalid, InvalidFilter, InvalidPageToken
from patchwindow.operations.call import Call, after_number, after_text, bare_id, filter_values, slice_after

LETTERS: Final = "abcdefghij"


@pytest.fixture
def call(here: Installation) -> Iterator[Call]:
    with here.call("ListLetters") as call:
        yield call


def page(call: Call, **request: Any) -> dict[str, Any]:
    return call.pages(
        request,
        "Letters",
        default=4,
        fetch=lambda after, limit: [one for one in LETTERS if one > after_text(after)][:limit],
        key=lambda letter: (letter,),
        shape=str.upper,
    )


def test_a_page_without_a_size_has_the_default(call: Call) -> None:
    assert page(call)["Letters"] == ["A", "B", "C", "D"]


@pytest.mark.parametrize("size", range(1, 12))
def test_pages_of_any_size_hold_everything_once_and_the_last_has_no_token(call: Call, size: int) -> None:
    answer = page(call, MaxResults=size)
    found, count = answer["Letters"], 1
    while "NextToken" in answer:
        answer = page(call, MaxResults=size, NextToken=answer["NextToken"])
        found, count = found + answer["Letters"], count + 1
    assert found == list(LETTERS.upper())
    assert count == -(-len(LETTERS) // size)


def test_a_token_is_bound_to_the_request_and_the_operation(call: Call) -> None:
    token = page(call, Prefix="a")["NextToken"]
    assert page(call, Prefix="a", NextToken=token, MaxResults=1)["Letters"] == ["E"]
    with pytest.raises(InvalidPageToken):
        page(call, Prefix="b", NextToken=token)
    with pytest.raises(InvalidPageToken):
        page(call, NextToken=token)
    with pytest.raises(InvalidPageToken):
        page(dataclasses.replace(call, operation="ListDigits"), Prefix="a", NextToken=token)


def test_filters_are_read_by_key_and_equal_keys_joined() -> None:
    filters = [{"Key": "Name", "Values": ["a"]}, {"Key": "State", "Values": ["x"]}, {"Key": "Name", "Values": ["b"]}]
    assert filter_values(filters, ("Name", "State")) == {"Name": ("a", "b"), "State": ("x",)}
    assert filter_values(None, ("Name",)) == {}
    assert filter_values([], ("Name",)) == {}


@pytest.mark.parametrize(
    ("filter_", "message"),
    [
        ({"Key": "State", "Values": ["x"]}, "filter key 'State' is not known here; use one of Name, Owner"),
        ({"Values": ["x"]}, "filter key '' is not known here; use one of Name, Owner"),
        ({"Key": "Name"}, "filter Name has no values; give at least one, or leave the filter out"),
        ({"Key": "Name", "Values": []}, "filter Name has no values; give at least one, or leave the filter out"),
    ],
)
def test_a_filter_that_cannot_be_is_refused_as_the_operation_asks(filter_: dict[str, Any], message: str) -> None:
    for refuse in (InvalidFilter, Invalid):
        with pytest.raises(refuse) as caught:
            filter_values([filter_], ("Name", "Owner"), refuse=refuse)
        assert type(caught.value) is refuse
        assert str(caught.value) == message


@pytest.mark.parametrize(
    ("given", "id"),
    [
        ("pb-0123456789abcdef0", "pb-0123456789abcdef0"),
        ("arn:aws:ssm:eu-central-1:123456789012:patchbaseline/pb-0123456789abcdef0", "pb-0123456789abcdef0"),
        ("arn:aws:ssm:eu-central-1::document/AWS-Noop", "AWS-Noop"),
        ("arn:aws-us-gov:ssm:us-gov-west-1:123456789012:managed-instance/mi-1", "mi-1"),
        ("arn:aws:s3:::bucket/key", "arn:aws:s3:::bucket/key"),
        ("", ""),
    ],
)
def test_an_arn_is_reduced_to_its_id(given: str, id: str) -> None:
    assert bare_id(given) == id


def test_a_list_in_memory_goes_on_after_a_place() -> None:
    assert slice_after(LETTERS, None, 3) == "abc"
    assert slice_after(LETTERS, (2,), 3) == "def"
    assert slice_after(LETTERS, (9,), 3) == ""


def test_without_a_key_a_list_goes_on_from_its_beginning() -> None:
    assert (after_text(None), after_text(("a", 1))) == ("", "a")
    assert (after_number(None), after_number((7,))) == (-1, 7)
