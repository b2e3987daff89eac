"""Page tokens."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patchwindow.domain.errors import InvalidPageToken
from patchwindow.protocol.pages import Key, Page, next_token, read_page

REQUEST = {"Filters": [{"Key": "Name", "Values": ["wéb"]}], "MaxResults": 10}
KEYS: st.SearchStrategy[Key] = st.lists(st.text() | st.integers(), max_size=3).map(tuple)


def test_a_request_without_a_token_asks_for_the_first_page() -> None:
    assert read_page("ListCommands", {}, default=50) == Page(50, None)
    assert read_page("ListCommands", {"NextToken": ""}, default=50) == Page(50, None)
    assert read_page("ListCommands", REQUEST, default=50) == Page(10, None)


@given(KEYS)
def test_a_token_says_where_the_list_goes_on(key: Key) -> None:
    token = next_token("ListCommands", REQUEST, key)
    assert read_page("ListCommands", {**REQUEST, "NextToken": token}, default=50) == Page(10, key)


@given(KEYS)
def test_a_token_is_made_of_letters_and_digits_which_every_service_allows(key: Key) -> None:
    assert set(next_token("ListCommands", REQUEST, key)) <= set(string.ascii_letters + string.digits)


def test_the_next_page_may_be_of_another_size_and_a_token_may_come_of_a_token() -> None:
    first = next_token("ListCommands", REQUEST, ("c-1",))
    second = next_token("ListCommands", {**REQUEST, "NextToken": first}, ("c-2",))
    assert read_page("ListCommands", {**REQUEST, "MaxResults": 5, "NextToken": second}, default=50) == Page(5, ("c-2",))


def test_the_order_of_the_members_does_not_matter() -> None:
    token = next_token("ListCommands", {"A": 1, "B": 2}, ("c-1",))
    assert read_page("ListCommands", {"NextToken": token, "B": 2, "A": 1}, default=50).after == ("c-1",)


@pytest.mark.parametrize(
    ("operation", "request_"),
    [
        ("ListCommandInvocations", REQUEST),
        ("ListCommands", {}),
        ("ListCommands", {**REQUEST, "InstanceId": "mi-1"}),
        ("ListCommands", {**REQUEST, "Filters": [{"Key": "Name", "Values": ["web"]}]}),
    ],
)
def test_a_token_of_another_request_is_refused(operation: str, request_: dict[str, object]) -> None:
    token = next_token("ListCommands", REQUEST, ("c-1",))
    with pytest.raises(InvalidPageToken, match=f"NextToken {token!r} was not given out for this request; start again"):
        read_page(operation, {**request_, "NextToken": token}, default=50)


@given(st.text(min_size=1))
def test_whatever_else_stands_for_a_token_is_refused(token: str) -> None:
    with pytest.raises(InvalidPageToken):
        read_page("ListCommands", {"NextToken": token}, default=50)


@given(KEYS, st.integers(min_value=0), st.sampled_from(string.ascii_letters))
def test_a_token_that_was_changed_is_refused(key: Key, position: int, letter: str) -> None:
    token = next_token("ListCommands", REQUEST, key)
    at = position % (len(token) - 1)
    changed = token[:at] + letter + token[at + 1 :]
    if changed != token:
        with pytest.raises(InvalidPageToken):
            read_page("ListCommands", {**REQUEST, "NextToken": changed}, default=50)
