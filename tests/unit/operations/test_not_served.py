"""Every operation of the public models is served, or refused with a reason."""

import gzip
import json
from importlib import resources

import pytest
from tests.fakes.site import Installation

from patchwindow.domain.errors import NotServed
from patchwindow.operations.not_served import GROUPS_NOT_SERVED, NOT_SERVED
from patchwindow.operations.table import AGENT_OPERATIONS, GROUP_OPERATIONS, OPERATIONS, OWN_OPERATIONS, Operation


def model(path: str) -> frozenset[str]:
    """Return the names of a public model's operations."""
    text = gzip.decompress((resources.files("botocore") / "data" / path / "service-2.json.gz").read_bytes())
    return frozenset(json.loads(text)["operations"])


SYSTEMS_MANAGER = model("ssm/2014-11-06")
RESOURCE_GROUPS = model("resource-groups/2017-11-27")


@pytest.mark.parametrize(
    ("served", "not_served", "names"),
    [(OPERATIONS, NOT_SERVED, SYSTEMS_MANAGER), (GROUP_OPERATIONS, GROUPS_NOT_SERVED, RESOURCE_GROUPS)],
)
def test_each_operation_of_a_public_model_is_in_exactly_one_table(
    served: dict[str, Operation], not_served: dict[str, str], names: frozenset[str]
) -> None:
    assert not served.keys() & not_served.keys()
    assert served.keys() | not_served.keys() == names


def test_an_operation_is_found_by_its_name_alone_whatever_service_has_it() -> None:
    assert not SYSTEMS_MANAGER & RESOURCE_GROUPS
    assert not AGENT_OPERATIONS.keys() & (SYSTEMS_MANAGER | RESOURCE_GROUPS)
    assert not OWN_OPERATIONS.keys() & (SYSTEMS_MANAGER | RESOURCE_GROUPS | AGENT_OPERATIONS.keys())


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("GetParameter", "Parameter Store is outside its scope"),
        ("StartTagSyncTask", "its groups follow the tags by themselves and need no tag-sync task"),
        ("MakeCoffee", "no such operation"),
    ],
)
def test_a_refusal_says_why(here: Installation, name: str, reason: str) -> None:
    with pytest.raises(NotServed, match=f"{name} is not served here: {reason}"):
        here.perform(name)


def test_our_own_service_has_what_its_model_has() -> None:
    path = resources.files("patchwindow.protocol") / "model" / "patchwindow" / "2026-11-01" / "service-2.json"
    assert OWN_OPERATIONS.keys() <= json.loads(path.read_text())["operations"].keys()
