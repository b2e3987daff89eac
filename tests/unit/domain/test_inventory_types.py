"""Types of inventory and their counts."""

from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patchwindow.domain.errors import InvalidAggregator
from patchwindow.domain.inventory import ATTRIBUTES_MAX, TYPES, is_custom_name, version_key
from patchwindow.domain.inventory_counts import read_aggregators

NETWORK = "AWS:Network"
EXPRESSION = {"Expression": f"{NETWORK}.Name"}

nodes = st.lists(st.lists(st.sampled_from("abc"), max_size=3), max_size=5)


def attributes(name: str) -> Sequence[str] | None:
    return TYPES[name].attributes if name in TYPES else None


def test_a_type_has_no_attribute_twice_nor_more_than_a_type_can_have() -> None:
    for one in TYPES.values():
        assert len(set(one.attributes)) == len(one.attributes) <= ATTRIBUTES_MAX
        assert one.numbers <= set(one.attributes) >= set(one.context)
        assert not one.is_custom


@pytest.mark.parametrize(
    ("name", "expected"),
    [("Custom:Rack", True), ("Custom:a-b_c.d", True), ("Custom:", False), ("Custom:a b", False), ("AWS:Rack", False)],
)
def test_a_type_of_ones_own_has_a_name(name: str, expected: bool) -> None:  # noqa: FBT001  (a column of the table)
    assert is_custom_name(name) is expected


def test_versions_are_ordered_as_numbers() -> None:
    assert sorted(["1.10", "1.9", "2.0"], key=version_key) == ["1.9", "1.10", "2.0"]


@given(nodes)
def test_a_node_counts_once_for_each_value_that_it_has(names: list[list[str]]) -> None:
    tally = read_aggregators([EXPRESSION], attributes)
    for one in names:
        tally.add(lambda _, one=one: [{"Name": name} for name in one])  # type: ignore[misc]  # a bound default
    expected = Counter(name for one in names for name in set(one))
    assert tally.data() == {
        NETWORK: [{"Count": str(count), "Name": name} for name, count in sorted(expected.items())],
    }


@given(nodes)
def test_a_group_counts_every_node_on_one_side(names: list[list[str]]) -> None:
    group = {"Name": "A", "Filters": [{"Key": f"{NETWORK}.Name", "Values": ["a"]}]}
    tally = read_aggregators([{"Groups": [group]}], attributes)
    for one in names:
        tally.add(lambda _, one=one: [{"Name": name} for name in one])  # type: ignore[misc]  # a bound default
    matching = sum("a" in one for one in names)
    assert tally.data() == {
        "A": [{"notMatchingCount": str(len(names) - matching)}, {"matchingCount": str(matching)}],
    }


def test_an_inner_expression_of_the_same_type_is_about_the_same_entry() -> None:
    tally = read_aggregators([{**EXPRESSION, "Aggregators": [{"Expression": f"{NETWORK}.IPV4"}]}], attributes)
    tally.add(lambda _: [{"Name": "eth0", "IPV4": "1"}, {"Name": "eth1", "IPV4": "2"}, {"Name": "lo"}])
    assert tally.data()[NETWORK] == [
        {"Count": "1", "Name": "eth0", "IPV4": "1"},
        {"Count": "1", "Name": "eth1", "IPV4": "2"},
    ]


@pytest.mark.parametrize(
    "aggregator",
    [
        {},
        {**EXPRESSION, "Groups": []},
        {"Expression": "Name"},
        {"Groups": [], "Aggregators": [EXPRESSION]},
        {**EXPRESSION, "Aggregators": [{"Groups": []}]},
        {**EXPRESSION, "Aggregators": [{}]},
    ],
)
def test_an_aggregator_is_one_expression_or_groups(aggregator: dict[str, object]) -> None:
    with pytest.raises(InvalidAggregator):
        read_aggregators([aggregator], attributes)
