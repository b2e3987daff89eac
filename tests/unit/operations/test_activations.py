"""Activations through the operations of the API."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from tests.fakes.site import Installation

from patchwindow.domain.errors import Invalid, InvalidFilter, InvalidParameters, UnknownActivation


def listed(here: Installation, **request: Any) -> list[dict[str, Any]]:
    return [found for page in here.pages("DescribeActivations", "ActivationList", **request) for found in page]


def test_an_activation_ends_after_a_day_and_serves_one_machine(here: Installation) -> None:
    made = here.perform("CreateActivation", IamRole="service")
    assert listed(here) == [
        {
            "ActivationId": made["ActivationId"],
            "IamRole": "service",
            "RegistrationLimit": 1,
            "RegistrationsCount": 0,
            "ExpirationDate": here.clock.now() + timedelta(hours=24),
            "CreatedDate": here.clock.now(),
            "Expired": False,
            "Tags": [],
        }
    ]


def test_the_code_is_shown_once_and_not_kept(here: Installation) -> None:
    code = here.perform("CreateActivation", IamRole="service")["ActivationCode"]
    assert 20 <= len(code) <= 250
    assert "ActivationCode" not in listed(here)[0]
    activation_id = listed(here)[0]["ActivationId"]
    with here.database.write() as work:
        _, digest = work.activations.lock(activation_id) or (None, "")
    assert digest
    assert code not in digest


def test_what_was_given_is_shown(here: Installation) -> None:
    given = {
        "IamRole": "service",
        "Description": "web servers",
        "DefaultInstanceName": "web",
        "RegistrationLimit": 10,
        "ExpirationDate": here.clock.now() + timedelta(days=30),
        "Tags": [{"Key": "Patch Group", "Value": "web"}],
    }
    here.perform("CreateActivation", **given)
    assert given.items() <= listed(here)[0].items()


def test_an_expired_activation_stays_until_it_is_deleted(here: Installation) -> None:
    made = here.perform("CreateActivation", IamRole="service")
    here.clock.advance(timedelta(hours=24) - timedelta(milliseconds=1))
    assert [found["Expired"] for found in listed(here)] == [False]
    here.clock.advance(timedelta(milliseconds=1))
    assert [found["Expired"] for found in listed(here)] == [True]
    here.perform("DeleteActivation", ActivationId=made["ActivationId"])
    assert listed(here) == []


@pytest.mark.parametrize(
    ("away", "problem"), [(timedelta(0), "is past"), (timedelta(days=30, milliseconds=1), "more than 30 days away")]
)
def test_an_end_that_is_past_or_too_far_away_is_refused(here: Installation, away: timedelta, problem: str) -> None:
    ends_at: datetime = here.clock.now() + away
    with pytest.raises(InvalidParameters, match=problem):
        here.perform("CreateActivation", IamRole="service", ExpirationDate=ends_at)


def test_tags_that_no_node_could_carry_are_refused_at_once(here: Installation) -> None:
    with pytest.raises(Invalid, match="aws:"):
        here.perform("CreateActivation", IamRole="service", Tags=[{"Key": "aws:x", "Value": ""}])


def test_deleting_an_unknown_activation_names_it(here: Installation) -> None:
    with pytest.raises(UnknownActivation, match="activation none does not exist"):
        here.perform("DeleteActivation", ActivationId="none")


def test_nodes_stay_when_their_activation_is_deleted(here: Installation) -> None:
    node = here.node()
    here.perform("DeleteActivation", ActivationId=listed(here)[0]["ActivationId"])
    nodes = here.perform("DescribeInstanceInformation")["InstanceInformationList"]
    assert [found["InstanceId"] for found in nodes] == [node]


def test_filters_are_anded_and_their_values_ored(here: Installation) -> None:
    ids = [
        here.perform("CreateActivation", IamRole=role, DefaultInstanceName=name)["ActivationId"]
        for role, name in (("a", "x"), ("a", "y"), ("b", "x"))
    ]

    def chosen(**filters: list[str]) -> list[int]:
        given = [{"FilterKey": key, "FilterValues": values} for key, values in filters.items()]
        return [ids.index(found["ActivationId"]) for found in listed(here, Filters=given)]

    assert chosen(IamRole=["a"]) == [0, 1]
    assert chosen(IamRole=["a"], DefaultInstanceName=["x"]) == [0]
    assert chosen(DefaultInstanceName=["x", "y"]) == [0, 1, 2]
    assert chosen(ActivationIds=[ids[2], "none"]) == [2]


@pytest.mark.parametrize(
    ("filter_", "problem"),
    [
        ({"FilterKey": "Name", "FilterValues": ["x"]}, "FilterKey 'Name' is not known"),
        ({"FilterValues": ["x"]}, "FilterKey None is not known"),
        ({"FilterKey": "IamRole"}, "IamRole has no FilterValues"),
    ],
)
def test_a_filter_that_means_nothing_is_refused(here: Installation, filter_: dict[str, Any], problem: str) -> None:
    with pytest.raises(InvalidFilter, match=problem):
        listed(here, Filters=[filter_])


def test_pages_together_are_the_whole_list(here: Installation) -> None:
    for _ in range(5):
        here.perform("CreateActivation", IamRole="service")
    pages = list(here.pages("DescribeActivations", "ActivationList", MaxResults=2))
    assert [len(page) for page in pages] == [2, 2, 1]
    assert [found for page in pages for found in page] == listed(here)
