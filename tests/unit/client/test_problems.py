"""Every failure becomes one problem in words that help."""

import pytest
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    EndpointConnectionError,
    NoCredentialsError,
    ReadTimeoutError,
)

from patchwindow.client.problems import explain

URL = "http://patch.example"


def answer(code: str, message: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "GetPatchBaseline")


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (
            EndpointConnectionError(endpoint_url=URL),
            f"cannot reach {URL}; check the endpoint URL, and that the server runs",
        ),
        (ReadTimeoutError(endpoint_url=URL), f"{URL} did not answer GetPatchBaseline in time; try again"),
        (NoCredentialsError(), "no credentials; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a profile"),
        (
            answer("DoesNotExistException", "pb-1 does not exist."),
            "GetPatchBaseline: DoesNotExistException: pb-1 does not exist",
        ),
        (answer("502", "<html>"), f"{URL} answers GetPatchBaseline with HTTP status 502, not as the API does"),
        (answer("InvalidResourceId", ""), "GetPatchBaseline: InvalidResourceId"),
    ],
)
def test_a_failure_is_told_in_words(error: ClientError | BotoCoreError, message: str) -> None:
    assert str(explain(error, operation="GetPatchBaseline", endpoint=URL)) == message


def test_a_refusal_of_the_key_says_what_its_owner_can_do() -> None:
    problem = explain(answer("UnrecognizedClientException", "no"), operation="GetPatchBaseline", endpoint=URL)
    assert problem.code == "UnrecognizedClientException"
    assert "check the profile and the endpoint" in str(problem)
