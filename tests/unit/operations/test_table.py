"""Which function serves which operation."""

import re

import pytest
from tests.fakes.api import MODELS

from patchwindow.operations.table import AGENT_OPERATIONS, GROUP_OPERATIONS, OPERATIONS, OWN_OPERATIONS

READS = re.compile("(Get|List|Describe|Search|Explain|Preview|Compare|Forecast|Export)[A-Z]")
MAKES_WHAT_IT_GETS = "GetDeployablePatchSnapshotForInstance"
OF_CLIENTS = OPERATIONS | GROUP_OPERATIONS | OWN_OPERATIONS
EVERY = OF_CLIENTS | AGENT_OPERATIONS


@pytest.mark.parametrize("name", OF_CLIENTS)
def test_an_operation_of_clients_writes_unless_its_name_says_that_it_reads(name: str) -> None:
    assert OF_CLIENTS[name].writes is not (bool(READS.match(name)) and name != MAKES_WHAT_IT_GETS)


@pytest.mark.parametrize("name", EVERY)
def test_each_function_names_its_operation_in_its_first_words(name: str) -> None:
    assert re.match(rf"{name}\b", EVERY[name].run.__doc__ or "")


def test_every_operation_has_a_model() -> None:
    assert EVERY.keys() <= MODELS.keys()


def test_only_registration_needs_no_signature() -> None:
    assert [name for name, one in EVERY.items() if one.is_unsigned] == ["RegisterManagedInstance"]
