"""`patchwindow activations`."""

import json
from datetime import UTC, datetime

from tests.unit.cli.fake import Answers, run

ACTIVATION = "01234567-89ab-cdef-0123-456789abcdef"
MADE = {"ActivationId": ACTIVATION, "ActivationCode": "a-code-of-at-least-20-characters"}
ANSWERS: Answers = {"CreateActivation": MADE}


def test_create_prints_id_and_code_and_nothing_else_on_standard_output() -> None:
    outcome = run("activations", "create", "--iam-role", "Nodes", answers=ANSWERS)
    assert outcome.asked == [("CreateActivation", {"IamRole": "Nodes", "RegistrationLimit": 1})]
    assert outcome.stdout.splitlines() == [
        f"ActivationId    {ACTIVATION}",
        "ActivationCode  a-code-of-at-least-20-characters",
    ]
    assert "not shown again" in outcome.stderr


def test_create_hands_through_what_is_given() -> None:
    options = ["--limit", "20", "--expires-at", "2026-07-10", "--name", "web", "--tag", "Patch Group=Web Server"]
    outcome = run("activations", "create", *options, "--description", "July", "--json", answers=ANSWERS)
    assert json.loads(outcome.stdout) == MADE
    members = outcome.asked[0][1]
    assert members["RegistrationLimit"] == 20
    assert members["ExpirationDate"] == datetime(2026, 7, 10, tzinfo=UTC)
    assert members["DefaultInstanceName"] == "web"
    assert members["Description"] == "July"
    assert members["Tags"] == [{"Key": "Patch Group", "Value": "Web Server"}]


def test_list_says_how_often_an_activation_was_used() -> None:
    found = {
        "ActivationId": ACTIVATION,
        "RegistrationLimit": 20,
        "RegistrationsCount": 3,
        "ExpirationDate": datetime(2026, 7, 10, tzinfo=UTC),
        "Expired": False,
        "Description": "July",
    }
    assert run(
        "activations", "list", answers={"DescribeActivations": {"ActivationList": [found]}}
    ).stdout.splitlines() == [
        "ACTIVATION                            USED  EXPIRES               EXPIRED  NAME",
        f"{ACTIVATION}  3/20  2026-07-10T00:00:00Z  no       July",
    ]


def test_delete_names_the_activation() -> None:
    assert run("activations", "delete", ACTIVATION).asked == [("DeleteActivation", {"ActivationId": ACTIVATION})]
