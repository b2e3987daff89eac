"""Which function serves which operation."""

import re

import pytest
from tests.fakes.api import MODELS

from patchwindow.operations.table import AGENT_OPERATIONS, OPERATIONS

READS = re.compile("(Get|List|Describe)[A-Z]")


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_of_clients_writes_unless_its_name_says_that_it_reads(name: str) -> None:
    assert OPERATIONS[name].writes is not bool(READS.match(name))


@pytest.mark.parametrize("name", OPERATIONS | AGENT_OPERATIONS)
def test_each_function_names_its_operation_in_its_first_words(name: str) -> None:
    operation = OPERATIONS.get(name) or AGENT_OPERATIONS[name]
    assert re.match(rf"{name}\b", operation.run.__doc__ or "")


def test_every_operation_has_a_model() -> None:
    assert (OPERATIONS | AGENT_OPERATIONS).keys() <= MODELS.keys()


def test_only_registration_needs_no_signature() -> None:
    assert [name for name, one in AGENT_OPERATIONS.items() if one.is_unsigned] == ["RegisterManagedInstance"]
    assert not any(one.is_unsigned for one in OPERATIONS.values())
