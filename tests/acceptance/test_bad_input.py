"""Requests that must be refused: each with an error that says what is wrong, and nothing changed."""

import http.client
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from tests.fakes.server import Plane, all_pages

from patchwindow.store.settings import AccessKey, Role

JSON_1_1 = "application/x-amz-json-1.1"
WINDOW: dict[str, Any] = {
    "Name": "a-window",
    "Schedule": "rate(7 days)",
    "Duration": 2,
    "Cutoff": 1,
    "AllowUnassociatedTargets": False,
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer as it came over the wire."""

    http_status: int
    code: str
    message: str


def send(plane: Plane, headers: dict[str, str], body: bytes, method: str = "POST", path: str = "/") -> Refusal:
    """Send one request as it stands, and return its refusal."""
    connection = http.client.HTTPConnection(urlsplit(plane.url).netloc, timeout=10)
    try:
        connection.request(method, path, body=body, headers=headers)
        answer = connection.getresponse()
        told = json.loads(answer.read())
        assert answer.headers["Content-Type"] == JSON_1_1
        assert len(answer.headers["x-amzn-RequestId"]) == 36
        return Refusal(answer.status, told["__type"], told.get("message") or told["Message"])
    finally:
        connection.close()


def signed(
    plane: Plane,
    body: bytes,
    *,
    operation: str = "CreateMaintenanceWindow",
    service: str = "ssm",
    key: AccessKey | None = None,
) -> dict[str, str]:
    """Return the headers that botocore's own signer gives a request."""
    key = key or plane.key
    request = AWSRequest(
        "POST", f"{plane.url}/", {"Content-Type": JSON_1_1, "X-Amz-Target": f"AmazonSSM.{operation}"}, body
    )
    SigV4Auth(Credentials(key.access_key_id, key.secret_access_key), service, "eu-west-1").add_auth(request)
    return dict(request.headers.items())


@pytest.fixture(autouse=True)
def _nothing_changes(plane: Plane) -> Iterator[None]:
    """Compare what there is before and after each test."""

    def everything() -> Any:
        return [
            all_pages(plane.client, "describe_maintenance_windows", "WindowIdentities"),
            all_pages(plane.client, "describe_patch_baselines", "BaselineIdentities"),
            all_pages(plane.client, "describe_patch_groups", "Mappings"),
            all_pages(plane.client, "list_commands", "Commands"),
            all_pages(plane.client, "list_associations", "Associations"),
        ]

    before = everything()
    yield
    assert everything() == before


@pytest.mark.parametrize("body", [b"{", b"\xff", b"[]", b'"text"', b'{"Name": NaN}', b"[" * 100_000])
def test_a_body_that_is_no_json_object_is_a_serialization_error(plane: Plane, body: bytes) -> None:
    refusal = send(plane, signed(plane, body), body)
    assert (refusal.http_status, refusal.code) == (400, "SerializationException")
    assert "body" in refusal.message


def test_a_member_of_the_wrong_type_is_named(plane: Plane) -> None:
    body = json.dumps({**WINDOW, "Duration": "two"}).encode()
    refusal = send(plane, signed(plane, body), body)
    assert refusal.code == "SerializationException"
    assert refusal.message == "duration must be a whole number, not a string"


def test_every_broken_constraint_is_told_at_once(plane: Plane) -> None:
    body = json.dumps({**WINDOW, "Name": "a window", "Duration": 25, "Cutoff": -1}).encode()
    refusal = send(plane, signed(plane, body), body)
    assert (refusal.http_status, refusal.code) == (400, "ValidationException")
    assert refusal.message.startswith("3 validation errors detected: ")
    assert "Value '25' at 'duration' failed to satisfy constraint" in refusal.message


ASSOCIATION: dict[str, Any] = {"Name": "AWS-Noop", "Targets": [{"Key": "InstanceIds", "Values": ["*"]}]}


@pytest.mark.parametrize(
    ("members", "code", "said"),
    [
        ({"Name": ["AWS-Noop"]}, "SerializationException", "name must be a string"),
        ({"Name": "no name"}, "ValidationException", "'no name' at 'name'"),
        ({"InstanceId": "web-1"}, "ValidationException", "'web-1' at 'instanceId'"),
        ({"Targets": [{"Key": "tag:a", "Values": ["b"] * 51}]}, "ValidationException", "targets.1.member.values"),
        ({"Targets": [{"Key": "InstanceIds", "Values": ["*"]}] * 6}, "ValidationException", "at 'targets'"),
        ({"ScheduleOffset": 7}, "ValidationException", "'7' at 'scheduleOffset'"),
        ({"Duration": 25}, "ValidationException", "'25' at 'duration'"),
        ({"MaxErrors": "1.5"}, "ValidationException", "'1.5' at 'maxErrors'"),
        ({"ComplianceSeverity": "BAD"}, "ValidationException", "'BAD' at 'complianceSeverity'"),
        ({"SyncCompliance": "NEVER"}, "ValidationException", "'NEVER' at 'syncCompliance'"),
        ({"Targets": []}, "InvalidTarget", "Targets"),
        ({"Targets": [{"Key": "Colour", "Values": ["red"]}]}, "InvalidTarget", "Colour"),
        ({"ScheduleExpression": "soon"}, "InvalidSchedule", "soon"),
        ({"CalendarNames": ["closed"]}, "InvalidDocument", "closed"),
        ({"TargetLocations": [{"Regions": ["eu-west-1"]}]}, "InvalidTarget", "TargetLocations is not served"),
    ],
)
def test_an_association_that_could_not_run_is_not_made(
    plane: Plane, members: dict[str, Any], code: str, said: str
) -> None:
    body = json.dumps({**ASSOCIATION, **members}).encode()
    refusal = send(plane, signed(plane, body, operation="CreateAssociation"), body)
    assert (refusal.http_status, refusal.code) == (400, code)
    assert said in refusal.message


def test_a_body_of_more_than_a_mebibyte_is_not_read(plane: Plane) -> None:
    body = json.dumps({**WINDOW, "Description": "x" * 1024 * 1024}).encode()
    refusal = send(plane, signed(plane, body), body)
    assert (refusal.http_status, refusal.code) == (413, "RequestEntityTooLargeException")
    assert "1048576 bytes" in refusal.message


def test_an_unsigned_request_is_told_to_sign(plane: Plane) -> None:
    headers = {"Content-Type": JSON_1_1, "X-Amz-Target": "AmazonSSM.CreateMaintenanceWindow"}
    refusal = send(plane, headers, json.dumps(WINDOW).encode())
    assert (refusal.http_status, refusal.code) == (400, "MissingAuthenticationTokenException")


def test_a_body_other_than_the_signed_one_is_refused(plane: Plane) -> None:
    headers = signed(plane, json.dumps(WINDOW).encode())
    refusal = send(plane, headers, json.dumps({**WINDOW, "Duration": 24}).encode())
    assert refusal.code == "InvalidSignatureException"
    assert plane.key.access_key_id in refusal.message


def test_a_signature_for_another_service_is_refused(plane: Plane) -> None:
    body = json.dumps(WINDOW).encode()
    refusal = send(plane, signed(plane, body, service="s3"), body)
    assert refusal.code == "InvalidSignatureException"
    assert "'s3'" in refusal.message


@pytest.mark.parametrize("minutes", [-16, 16])
def test_a_clock_that_is_off_is_told_the_time_of_the_server(
    plane: Plane, monkeypatch: pytest.MonkeyPatch, minutes: int
) -> None:
    now = datetime.now(UTC)
    wrong = now + timedelta(minutes=minutes)
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda **_: wrong)
    body = json.dumps(WINDOW).encode()
    refusal = send(plane, signed(plane, body), body)
    assert refusal.code == "InvalidSignatureException"
    told = re.search(r"the server's time is (\d{8}T\d{6}Z)", refusal.message)
    assert told is not None
    assert abs(datetime.fromisoformat(told[1]) - now) < timedelta(seconds=10)
    assert "set the clock" in refusal.message


def test_an_unknown_key_is_named(plane: Plane) -> None:
    unknown = AccessKey(access_key_id="AKIA0000000000000000", secret_access_key="x" * 40, role=Role.ADMIN)
    body = json.dumps(WINDOW).encode()
    refusal = send(plane, signed(plane, body, key=unknown), body)
    assert refusal.code == "UnrecognizedClientException"
    assert "AKIA0000000000000000 is not known" in refusal.message


def test_a_viewer_reads_and_does_not_write(plane: Plane) -> None:
    viewer = plane.connect(plane.server.key(Role.VIEWER))
    assert viewer.describe_maintenance_windows()["WindowIdentities"] == []
    calls: tuple[Callable[[], Any], ...] = (
        lambda: viewer.create_maintenance_window(**WINDOW),
        lambda: viewer.send_command(DocumentName="AWS-Noop", InstanceIds=["mi-" + "0" * 17]),
        lambda: viewer.create_activation(IamRole="node"),
    )
    for call in calls:
        with pytest.raises(ClientError, match=r"\(AccessDeniedException\).*role viewer"):
            call()


def test_an_operation_that_nobody_knows_is_named(plane: Plane) -> None:
    refusal = send(plane, signed(plane, b"{}", operation="OpenWindow"), b"{}")
    assert (refusal.http_status, refusal.code) == (400, "UnknownOperationException")
    assert "OpenWindow" in refusal.message


def test_an_operation_that_is_not_served_says_why(plane: Plane) -> None:
    with pytest.raises(
        ClientError, match=r"\(UnknownOperationException\).*GetParameter is not served here: Parameter Store"
    ):
        plane.client.get_parameter(Name="x")


def test_a_request_of_another_kind_is_no_crash(plane: Plane) -> None:
    connection = http.client.HTTPConnection(urlsplit(plane.url).netloc, timeout=10)
    for method, path, status in (
        ("GET", "/", 200),
        ("GET", "/healthz", 200),
        ("PUT", "/", 405),
        ("GET", "/nowhere", 404),
        ("POST", "/operation/forged/report", 403),
        ("GET", "/operation/forged/order", 403),
    ):
        connection.request(method, path, body=b"" if method != "GET" else None)
        answer = connection.getresponse()
        answer.read()
        assert (method, path, answer.status) == (method, path, status)
    connection.close()


def test_nothing_of_all_this_was_a_defect(plane: Plane) -> None:
    assert "Traceback" not in plane.server.log.read_text()
