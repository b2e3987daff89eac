"""Records to and from members, and to and from stored text."""

import dataclasses
import json
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patchwindow.domain.baseline import Baseline
from patchwindow.domain.node import Activation, Node
from patchwindow.domain.patch_state import PatchEntry, PatchSummary
from patchwindow.domain.run import Command, Invocation, Message, Step, TaskExecution, TaskInvocation, WindowExecution
from patchwindow.domain.window import Window, WindowTarget, WindowTask
from patchwindow.protocol.records import attributes, dumps, from_members, from_ms, loads, to_members, to_ms

RECORDS = (
    Activation,
    Baseline,
    Command,
    Invocation,
    Message,
    Node,
    PatchEntry,
    PatchSummary,
    Step,
    TaskExecution,
    TaskInvocation,
    Window,
    WindowExecution,
    WindowTarget,
    WindowTask,
)
AT = datetime(2026, 7, 2, 23, 0, 0, 123000, tzinfo=UTC)


class Colour(StrEnum):
    """Something to choose from."""

    RED = "Red"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Something within something."""

    key: str
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """Something with a field of every kind."""

    window_id: str
    count: int = 0
    is_enabled: bool | None = None
    colour: Colour | None = None
    kb_id: str | None = field(default=None, metadata={"wire": "KBId"})
    parts: tuple[Part, ...] = ()
    part: Part | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    created_date: datetime | None = None
    approve_after_days: int | None = None


WHOLE = Whole(
    window_id="mw-1",
    count=2,
    is_enabled=False,
    colour=Colour.RED,
    kb_id="KB5",
    parts=(Part(key="a", values=("b", "c")), Part(key="d")),
    part=Part(key="e"),
    options={"RunCommand": {"Parameters": {"a": ["b"]}}},
    created_date=AT,
    approve_after_days=0,
)
MEMBERS = {
    "WindowId": "mw-1",
    "Count": 2,
    "IsEnabled": False,
    "Colour": "Red",
    "KBId": "KB5",
    "Parts": [{"Key": "a", "Values": ["b", "c"]}, {"Key": "d", "Values": []}],
    "Part": {"Key": "e", "Values": []},
    "Options": {"RunCommand": {"Parameters": {"a": ["b"]}}},
    "CreatedDate": AT,
    "ApproveAfterDays": 0,
}


def test_a_record_s_members_are_its_fields_in_the_api_s_spelling() -> None:
    assert to_members(WHOLE) == MEMBERS
    assert from_members(Whole, MEMBERS) == WHOLE


def test_none_is_an_absent_member_and_nothing_else_is() -> None:
    assert to_members(Whole(window_id="")) == {"WindowId": "", "Count": 0, "Parts": [], "Options": {}}
    assert from_members(Whole, {"WindowId": ""}) == Whole(window_id="")


def test_members_that_a_record_does_not_have_are_passed_over() -> None:
    assert from_members(Part, {"Key": "a", "Other": 1}) == Part(key="a")


def test_attributes_given_beside_the_members_win() -> None:
    assert from_members(Part, {"Key": "a"}, key="b", values=("c",)) == Part(key="b", values=("c",))


def test_attributes_are_fit_for_replacing_those_of_a_record() -> None:
    changed = dataclasses.replace(WHOLE, **attributes(Whole, {"Colour": "Red", "KBId": "KB6", "Unknown": 0}))
    assert changed == dataclasses.replace(WHOLE, kb_id="KB6")


def test_stored_text_is_json_of_the_members_with_instants_as_milliseconds() -> None:
    assert json.loads(dumps(WHOLE)) == {**MEMBERS, "CreatedDate": 1783033200123}


def test_what_json_does_not_have_cannot_be_stored() -> None:
    with pytest.raises(TypeError, match="set cannot be stored in a record"):
        dumps(Whole(window_id="mw-1", options={"a": {1}}))


def values_of(hint: Any) -> st.SearchStrategy[Any]:
    """Return values for a field of this type."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return st.one_of([st.none() if one is type(None) else values_of(one) for one in arguments])
    if origin is tuple:
        return st.lists(values_of(arguments[0]), max_size=3).map(tuple)
    if origin is list:
        return st.lists(values_of(arguments[0]), max_size=3)
    if hint is Any or origin is Mapping:
        inner = values_of(arguments[1]) if arguments and arguments[1] is not Any else JSON
        return st.dictionaries(st.text(), inner, max_size=3)
    if hint is datetime:
        return INSTANTS
    if dataclasses.is_dataclass(hint):
        return records(hint)
    return TEXTS if hint is str else st.from_type(hint)


def records(cls: Any) -> st.SearchStrategy[Any]:
    """Return records of this class with anything in their fields."""
    hints = typing.get_type_hints(cls)
    return st.fixed_dictionaries({one.name: values_of(hints[one.name]) for one in dataclasses.fields(cls)}).map(
        lambda fields: cls(**fields)
    )


# Lone surrogates are what broken output of a document's step may hold.
TEXTS = st.text(st.characters())
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXTS, inner, max_size=2),
    max_leaves=4,
)
INSTANTS = st.datetimes(timezones=st.just(UTC)).map(lambda one: one.replace(microsecond=one.microsecond // 1000 * 1000))


@pytest.mark.parametrize("cls", RECORDS, ids=lambda cls: cls.__name__)
@given(data=st.data())
def test_what_is_stored_of_a_record_is_all_of_it(cls: type[Any], data: st.DataObject) -> None:
    record = data.draw(records(cls))
    assert loads(cls, dumps(record)) == record
    assert from_members(cls, to_members(record)) == record


@given(INSTANTS)
def test_an_instant_to_the_millisecond_is_kept_exactly_in_any_century(instant: datetime) -> None:
    assert from_ms(to_ms(instant)) == instant
    assert from_ms(to_ms(instant)).tzinfo is UTC


@given(st.datetimes(timezones=st.just(UTC)), st.datetimes(timezones=st.just(UTC)))
def test_milliseconds_are_in_the_order_of_the_instants(one: datetime, other: datetime) -> None:
    earlier, later = sorted((one, other))
    assert to_ms(earlier) <= to_ms(later)


def test_an_instant_is_the_same_in_every_zone() -> None:
    assert to_ms(AT.astimezone(timezone(timedelta(hours=2)))) == to_ms(AT) == 1783033200123
