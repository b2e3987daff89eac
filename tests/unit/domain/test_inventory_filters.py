"""Filters of inventory, by what the API says of them and by what must hold of any."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patchwindow.domain.errors import InvalidFilter
from patchwindow.domain.inventory import TYPES, Entry
from patchwindow.domain.inventory_filters import Comparison, Condition, Conditions, read_conditions

NETWORK = "AWS:Network"
ENTRIES: Sequence[Entry] = ({"Name": "eth0", "IPV4": "10"}, {"Name": "eth1", "IPV4": "9"})

conditions = st.builds(
    Condition,
    st.just(NETWORK),
    st.sampled_from(["Name", "IPV4"]),
    st.sampled_from([one for one in Comparison if one is not Comparison.EXISTS]),
    st.tuples(st.sampled_from(["", "1", "2", "10", "a", "ab"])),
)
entries = st.lists(
    st.dictionaries(st.sampled_from(["Name", "IPV4"]), st.sampled_from(["", "1", "2", "10", "a", "ab"])), max_size=3
)


def attributes(name: str) -> Sequence[str] | None:
    return TYPES[name].attributes if name in TYPES else None


def holds(*filters: tuple[str, str, str], entries: Sequence[Entry] = ENTRIES) -> bool:
    given = [{"Key": key, "Type": type, "Values": [value]} for key, type, value in filters]
    return read_conditions(given, attributes).hold(lambda name: entries if name == NETWORK else ())


@pytest.mark.parametrize(
    ("comparison", "value", "expected"),
    [
        ("Equal", "10", True),
        ("Equal", "1", False),
        ("NotEqual", "10", False),
        ("NotEqual", "1", True),
        ("BeginWith", "1", True),
        ("BeginWith", "2", False),
        # As numbers: as text, 9 comes after 10.
        ("LessThan", "10", True),
        ("LessThan", "9", False),
        ("GreaterThan", "9", True),
        ("GreaterThan", "10", False),
        ("GreaterThan", "1.a", True),
        ("Exists", "true", True),
        ("Exists", "false", False),
    ],
)
def test_a_comparison_holds_where_an_entry_has_the_value(comparison: str, value: str, expected: bool) -> None:  # noqa: FBT001  (a column of the table)
    assert holds((f"{NETWORK}.IPV4", comparison, value)) is expected


def test_filters_of_one_type_are_about_one_entry() -> None:
    name, address = f"{NETWORK}.Name", f"{NETWORK}.IPV4"
    assert holds((name, "Equal", "eth0"), (address, "Equal", "10"))
    assert not holds((name, "Equal", "eth0"), (address, "Equal", "9"))
    assert holds((name, "Equal", "eth0"), (address, "NotEqual", "9"))
    assert not holds((name, "Equal", "eth0"), (address, "NotEqual", "10"))


def test_a_node_without_entries_has_nothing_that_is_forbidden() -> None:
    assert holds((f"{NETWORK}.Name", "NotEqual", "eth0"), entries=())
    assert not holds((f"{NETWORK}.Name", "Equal", "eth0"), entries=())


def test_a_type_exists_where_there_are_entries_of_any_that_is_named() -> None:
    asked = [{"Key": "TypeName", "Type": "Exists", "Values": ["AWS:File", NETWORK]}]
    found = read_conditions(asked, attributes)
    assert found.hold(lambda name: ENTRIES if name == NETWORK else ())
    assert not found.hold(lambda _: ())


def test_a_key_may_leave_out_the_only_type_there_is() -> None:
    for key in ("Name", f"{NETWORK}.Name"):
        found = read_conditions([{"Key": key, "Values": ["eth1"]}], attributes, only_type=NETWORK)
        assert found.passing(ENTRIES) == [ENTRIES[1]]


@pytest.mark.parametrize("key", ["Name", "AWS:Network", "AWS:Network.", "AWS:No.Name", "AWS:Network.Colour", ".Name"])
def test_a_key_that_names_no_attribute_is_refused(key: str) -> None:
    with pytest.raises(InvalidFilter, match="names no attribute"):
        read_conditions([{"Key": key, "Values": ["x"]}], attributes)


@given(conditions, entries)
def test_what_one_filter_finds_its_opposite_does_not(one: Condition, found: list[Entry]) -> None:
    """GetInventory: `NotEqual` is true of exactly the nodes of which `Equal` is not."""
    equal = Condition(one.type_name, one.attribute, Comparison.EQUAL, one.values)
    opposite = Condition(one.type_name, one.attribute, Comparison.NOT_EQUAL, one.values)
    assert Conditions((equal,)).hold(lambda _: found) is not Conditions((opposite,)).hold(lambda _: found)


@given(st.lists(conditions, max_size=4), conditions, entries)
def test_another_filter_never_finds_more_nodes_of_one_type(
    some: list[Condition], more: Condition, found: list[Entry]
) -> None:
    """Filters are ANDed; what forbids is about the entries that the others leave, so only others are added here."""
    if more.comparison is not Comparison.NOT_EQUAL and all(one.comparison is not Comparison.NOT_EQUAL for one in some):
        both = Conditions((*some, more)).hold(lambda _: found)
        assert not both or Conditions(tuple(some)).hold(lambda _: found)


@given(st.lists(conditions, max_size=4), entries)
def test_the_order_of_filters_does_not_matter(some: list[Condition], found: list[Entry]) -> None:
    forwards, backwards = Conditions(tuple(some)), Conditions(tuple(reversed(some)))
    assert forwards.hold(lambda _: found) is backwards.hold(lambda _: found)
    assert forwards.passing(found) == backwards.passing(found)
