"""What callers may give to documents."""

from datetime import UTC, datetime
from typing import Any

import pytest

from patchwindow.documents import library
from patchwindow.documents.library import Document
from patchwindow.documents.parameters import typed_parameters
from patchwindow.domain.errors import InvalidParameters

PATCH = library.get("AWS-RunPatchBaseline")
SHELL = library.get("AWS-RunShellScript")
SNAPSHOT = "6f1d1a7e-0000-4000-8000-000000000001"


def document_with(**declared: Any) -> Document:
    content = {"parameters": declared}
    return Document(name="own", version="1", created_at=datetime(2026, 3, 14, tzinfo=UTC), text="", content=content)


def problems_of(document: Document, **given: list[str]) -> str:
    with pytest.raises(InvalidParameters) as refusal:
        typed_parameters(document, given)
    return str(refusal.value)


def test_values_get_their_declared_types_and_defaults_fill_the_rest() -> None:
    assert typed_parameters(SHELL, {"commands": ["echo hello", "id"], "executionTimeout": ["60"]}) == {
        "commands": ["echo hello", "id"],
        "workingDirectory": "",
        "executionTimeout": "60",
    }
    assert typed_parameters(PATCH, {"Operation": ["Scan"], "SnapshotId": [SNAPSHOT]}) == {
        "Operation": "Scan",
        "AssociationId": "",
        "SnapshotId": SNAPSHOT,
        "InstallOverrideList": "",
        "BaselineOverride": "",
        "RebootOption": "RebootIfNeeded",
        "StepTimeoutSeconds": "7200",
    }


def test_one_message_names_everything_that_is_wrong() -> None:
    assert problems_of(PATCH, Operatoin=["Scan"], RebootOption=["Maybe"], SnapshotId=["x", "y"]) == (
        "parameters of AWS-RunPatchBaseline: Operatoin is not one of them; there are Operation, AssociationId, "
        "SnapshotId, InstallOverrideList, BaselineOverride, RebootOption, StepTimeoutSeconds; Operation must be given; "
        "SnapshotId takes exactly one value, not 2; SnapshotId is 'x', which does not match "
        "(^$)|^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$; SnapshotId is 'y', which "
        "does not match (^$)|^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$; "
        "RebootOption is 'Maybe'; use one of RebootIfNeeded, NoReboot"
    )


@pytest.mark.parametrize("name", ["InstallOverrideList", "BaselineOverride"])
def test_an_override_is_a_url_of_one_of_three_kinds(name: str) -> None:
    for url in ("https://lists.example.net/patches.yaml", "s3://bucket/a/list.yaml", "file:///srv/lists/list.yaml"):
        assert typed_parameters(PATCH, {"Operation": ["Scan"], name: [url]})[name] == url
    for url in ("http://lists.example.net/patches.yaml", "s3://bucket", "file://host/list.yaml", "/srv/list.yaml"):
        assert f"{name} is '{url}', which does not match " in problems_of(PATCH, Operation=["Scan"], **{name: [url]})


@pytest.mark.parametrize("seconds", ["0", "36001", "07200", "7200\n", "-1", "99999", ""])
def test_a_step_takes_one_to_36000_seconds(seconds: str) -> None:
    assert "StepTimeoutSeconds is " in problems_of(PATCH, Operation=["Scan"], StepTimeoutSeconds=[seconds])


@pytest.mark.parametrize("seconds", ["1", "999", "9999", "10000", "29999", "35999", "36000"])
def test_every_number_of_seconds_in_between_is_allowed(seconds: str) -> None:
    assert typed_parameters(PATCH, {"Operation": ["Scan"], "StepTimeoutSeconds": [seconds]})


@pytest.mark.parametrize(("seconds", "allowed"), [("1", True), ("172800", True), ("172801", False), ("0", False)])
def test_commands_may_take_two_days(seconds: str, *, allowed: bool) -> None:
    given = {"commands": ["id"], "executionTimeout": [seconds]}
    if allowed:
        assert typed_parameters(SHELL, given)["executionTimeout"] == seconds
    else:
        assert "executionTimeout is " in problems_of(SHELL, **given)


def test_commands_cannot_be_none() -> None:
    assert problems_of(SHELL, commands=[]) == (
        "parameters of AWS-RunShellScript: commands takes 1 values or more, not 0"
    )


def test_a_reference_to_parameter_store_is_refused_rather_than_run() -> None:
    assert "'echo {{ ssm:secret }}': Parameter Store is not served here" in problems_of(
        SHELL, commands=["id", "echo {{ ssm:secret }}"]
    )


def test_lengths_of_texts_and_lists_have_bounds() -> None:
    document = document_with(
        list={"type": "StringList", "maxItems": 2}, text={"type": "String", "minChars": 2, "maxChars": 3}
    )
    assert problems_of(document, list=["a", "b", "c"], text=["long"]) == (
        "parameters of own: list takes 2 values or fewer, not 3; text has 4 characters; give 2 to 3"
    )


def test_a_document_without_parameters_takes_none() -> None:
    assert typed_parameters(library.get("AWS-Noop"), {}) == {}
    assert problems_of(library.get("AWS-Noop"), Any=["x"]) == (
        "parameters of AWS-Noop: Any is not one of them; there are none"
    )
