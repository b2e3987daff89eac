"""What is kept of a change, and how two states of a thing differ."""

import json
from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from patchwindow.domain.change import ENTRIES_MAX, SECRETS, TEXT_MAX, Difference, differences, kept

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


def test_secrets_are_kept_nowhere() -> None:
    members = {"Name": "a", "Inner": [dict.fromkeys(SECRETS, "hush") | {"Key": "b"}]}
    assert kept(members) == {"Name": "a", "Inner": [{"Key": "b"}]}


def test_what_is_long_is_cut_and_says_so() -> None:
    assert kept("x" * (TEXT_MAX + 7)) == "x" * TEXT_MAX + "… and 7 characters more"
    assert kept([1] * (ENTRIES_MAX + 3)) == [1] * ENTRIES_MAX + ["and 3 more"]


@given(PLAIN)
def test_what_is_kept_is_json_and_what_is_short_stays_as_it_is(value: Any) -> None:
    assert json.loads(json.dumps(kept(value))) == value


def test_instants_and_bytes_become_text() -> None:
    told = kept({"At": datetime(2026, 12, 3, 22, 40, tzinfo=UTC), "Payload": b"abc"})
    assert told == {"At": "2026-12-03T22:40:00Z", "Payload": "3 bytes"}


def test_a_difference_names_its_place_and_both_values() -> None:
    before = {"Cutoff": 1, "Targets": [{"Key": "tag:Role", "Values": ["web"]}], "Enabled": True, "Name": "same"}
    after = {"Cutoff": 2, "Targets": [{"Key": "tag:Role", "Values": ["web", "db"]}], "Name": "same"}
    assert differences(before, after) == [
        Difference("Cutoff", "1", "2"),
        Difference("Enabled", "true", None),
        Difference("Targets[0].Values[1]", None, "db"),
    ]


@given(PLAIN)
def test_what_is_the_same_does_not_differ(value: Any) -> None:
    assert differences(value, value) == []
