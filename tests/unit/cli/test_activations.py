"""`patchwindow activations`."""

import json
from datetime import UTC, datetime

import pytest
from tests.unit.cli.fake import Answers, run

from patchwindow.client import ClientProblem

ACTIVATION = "01234567-89ab-cdef-0123-456789abcdef"
MADE = {"ActivationId": ACTIVATION, "ActivationCode": "a-code-of-at-least-20-characters"}
ANSWERS: Answers = {"CreateActivation": MADE}


SERVER = {"Url": "https://patch.lan:8443", "Region": "eu-west-3", "CaFingerprint": "c" * 64, "ProgramDigest": "d" * 64}


def test_create_prints_id_code_and_a_line_for_each_system() -> None:
    outcome = run("activations", "create", "--iam-role", "Nodes", answers={**ANSWERS, "GetAgentInstallation": SERVER})
    assert outcome.asked == [
        ("GetAgentInstallation", {}),
        ("CreateActivation", {"IamRole": "Nodes", "RegistrationLimit": 1}),
    ]
    lines = outcome.stdout.splitlines()
    assert lines[:2] == [f"ActivationId    {ACTIVATION}", "ActivationCode  a-code-of-at-least-20-characters"]
    assert lines[3].startswith("On Linux or macOS")
    assert lines[5].startswith("printf '%s\\n' a-code-of-at-least-20-characters | sh -c '")
    assert lines[5].endswith(f"' patchwindow https://patch.lan:8443 {'c' * 64} {ACTIVATION} eu-west-3")
    assert lines[7].startswith("On Windows")
    assert f"-ActivationId '{ACTIVATION}'" in lines[9]
    assert "not shown again" in outcome.stderr


def test_of_aws_create_prints_id_and_code_alone() -> None:
    problem = ClientProblem("this asks what patchwindow servers answer and AWS does not")
    answers: Answers = {**ANSWERS, "GetAgentInstallation": problem}
    outcome = run("activations", "create", answers=answers)
    assert outcome.stdout.splitlines() == [
        f"ActivationId    {ACTIVATION}",
        "ActivationCode  a-code-of-at-least-20-characters",
    ]
    refused = run("activations", "create", "--line", "shell", answers=answers)
    assert refused.exit_code == 1
    assert [name for name, _ in refused.asked] == ["GetAgentInstallation"], "no activation was made for nothing"


@pytest.mark.parametrize(("system", "beginning"), [("shell", "printf "), ("powershell", "& { ")])
def test_create_prints_one_line_alone_when_asked_to(system: str, beginning: str) -> None:
    answers: Answers = {**ANSWERS, "GetAgentInstallation": SERVER}
    (line,) = run("activations", "create", "--line", system, answers=answers).stdout.splitlines()
    assert line.startswith(beginning)


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
