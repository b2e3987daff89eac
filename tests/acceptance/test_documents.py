"""Documents of one's own with boto3: written, changed, run in the version that is named, and taken away."""

import json
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final

import pytest
from botocore.exceptions import ClientError
from tests.fakes.calendars import calendar
from tests.fakes.server import Plane, all_pages, until
from tests.fakes.ssm_agent import SsmAgent

NAME: Final = "Say-Hello"


def content(greeting: str) -> str:
    step = {"action": "aws:runShellScript", "name": "say", "inputs": {"runCommand": [f"echo {greeting} {{{{ who }}}}"]}}
    parameters = {"who": {"type": "String", "default": "world"}}
    return json.dumps(
        {"schemaVersion": "2.2", "description": "Says it.", "parameters": parameters, "mainSteps": [step]}
    )


@pytest.fixture
def document(plane: Plane) -> Any:
    """A document in two versions, of which the first is the default."""
    ssm = plane.client
    ssm.create_document(Name=NAME, Content=content("hello"), DocumentType="Command", VersionName="first")
    ssm.update_document(Name=NAME, Content=content("good day"), DocumentVersion="$LATEST")
    yield ssm
    ssm.delete_document(Name=NAME)


def test_versions_are_listed_the_latest_first_and_one_is_the_default(document: Any) -> None:
    found = document.list_document_versions(Name=NAME)["DocumentVersions"]
    assert [(one["DocumentVersion"], one["IsDefaultVersion"]) for one in found] == [("2", False), ("1", True)]
    pages = all_pages(document, "list_document_versions", "DocumentVersions", Name=NAME)
    assert len(pages) == 2
    document.update_document_default_version(Name=NAME, DocumentVersion="2")
    assert document.get_document(Name=NAME)["DocumentVersion"] == "2"
    assert "good day" in document.get_document(Name=NAME)["Content"]
    assert "hello" in document.get_document(Name=NAME, DocumentVersion="1")["Content"]


def test_nobody_else_has_a_share_in_a_document(document: Any) -> None:
    assert document.describe_document_permission(Name=NAME, PermissionType="Share")["AccountIds"] == []


def test_a_command_runs_the_version_that_it_names(document: Any, plane: Plane, tmp_path: Path) -> None:
    agent = SsmAgent.register(plane.url, plane.activation(), tmp_path / "agent", {})
    agent.start()
    for version, said in (("1", "hello you\n"), ("2", "good day you\n")):
        sent = document.send_command(
            DocumentName=NAME, DocumentVersion=version, InstanceIds=[agent.node_id], Parameters={"who": ["you"]}
        )
        command_id = sent["Command"]["CommandId"]
        until(partial(has_worked, agent, command_id), f"command {command_id}")
        told = document.get_command_invocation(CommandId=command_id, InstanceId=agent.node_id)
        assert (told["Status"], told["StandardOutputContent"]) == ("Success", said)


def has_worked(agent: SsmAgent, command_id: str) -> bool:
    """Let the agent poll once, and return whether it ran the command."""
    return command_id in agent.work()


def test_a_calendar_is_a_document_that_says_whether_it_is_open(plane: Plane) -> None:
    # Seconds that are none are left out of what is answered.
    starts_at = datetime.now(UTC).replace(second=30, microsecond=0) + timedelta(days=3)
    text = calendar((starts_at, starts_at + timedelta(days=1), "stock-taking"))
    plane.client.create_document(Name="stock", Content=text, DocumentType="ChangeCalendar", DocumentFormat="TEXT")
    told = plane.client.get_calendar_state(CalendarNames=["stock"])
    assert (told["State"], told["NextTransitionTime"]) == ("OPEN", f"{starts_at:%Y-%m-%dT%H:%M:%SZ}")
    later = plane.client.get_calendar_state(CalendarNames=["stock"], AtTime=f"{starts_at:%Y-%m-%dT%H:%M:%SZ}")
    assert later["State"] == "CLOSED"
    plane.client.delete_document(Name="stock")


def test_what_is_not_there_or_cannot_be_carried_out_is_refused(plane: Plane) -> None:
    with pytest.raises(ClientError, match=r"\(InvalidDocument\).*Gone"):
        plane.client.delete_document(Name="Gone")
    with pytest.raises(ClientError, match=r"\(InvalidDocumentContent\)"):
        plane.client.create_document(Name="Wrong", Content='{"schemaVersion": "2.2"}', DocumentType="Command")
