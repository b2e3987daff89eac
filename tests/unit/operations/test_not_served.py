"""Every operation of the public model is served, or refused with a reason."""

import gzip
import json
from importlib import resources

import pytest
from tests.fakes.site import Installation

from patchwindow.domain.errors import NotServed
from patchwindow.operations.not_served import NOT_SERVED
from patchwindow.operations.table import AGENT_OPERATIONS, OPERATIONS

MODEL = json.loads(
    gzip.decompress((resources.files("botocore") / "data/ssm/2014-11-06/service-2.json.gz").read_bytes())
)


def test_each_operation_of_the_public_model_is_in_exactly_one_table() -> None:
    assert not OPERATIONS.keys() & NOT_SERVED.keys()
    assert OPERATIONS.keys() | NOT_SERVED.keys() == MODEL["operations"].keys()


def test_what_only_agents_call_is_not_in_the_public_model() -> None:
    assert not AGENT_OPERATIONS.keys() & MODEL["operations"].keys()


@pytest.mark.parametrize(
    ("name", "reason"),
    [("GetParameter", "Parameter Store is outside its scope"), ("MakeCoffee", "no such operation")],
)
def test_a_refusal_says_why(here: Installation, name: str, reason: str) -> None:
    with pytest.raises(NotServed, match=f"{name} is not served here: {reason}"):
        here.perform(name)
