"""Documents through the operations of the API."""

import json
from typing import Any

import pytest
import yaml
from tests.fakes.site import Installation

from patchwindow.domain.errors import (
    Invalid,
    InvalidDocumentVersion,
    InvalidFilterKey,
    InvalidPageToken,
    UnknownDocument,
)

NOOP, PATCH, SHELL = "AWS-Noop", "AWS-RunPatchBaseline", "AWS-RunShellScript"
ASSOCIATION = "AWS-RunPatchBaselineAssociation"
HOOKS = "AWS-RunPatchBaselineWithHooks"
POWERSHELL = "AWS-RunPowerShellScript"


def names(here: Installation, **request: Any) -> list[str]:
    pages = here.pages("ListDocuments", "DocumentIdentifiers", **request)
    return [document["Name"] for page in pages for document in page]


def filtered(here: Installation, key: str, *values: str) -> list[str]:
    return names(here, Filters=[{"Key": key, "Values": list(values)}])


@pytest.mark.parametrize("name", [NOOP, PATCH, SHELL])
def test_json_and_yaml_are_the_same_document(here: Installation, name: str) -> None:
    in_json = here.perform("GetDocument", Name=name)
    in_yaml = here.perform("GetDocument", Name=name, DocumentFormat="YAML")
    assert json.loads(in_json["Content"]) == yaml.safe_load(in_yaml["Content"])
    assert (in_json["DocumentFormat"], in_yaml["DocumentFormat"]) == ("JSON", "YAML")
    assert in_json["Status"] == "Active"


@pytest.mark.parametrize(
    "request_",
    [
        {"DocumentVersion": "1"},
        {"DocumentVersion": "$LATEST"},
        {"DocumentVersion": "$DEFAULT"},
        {"Name": f"arn:aws:ssm:eu-central-1::document/{PATCH}"},
    ],
)
def test_a_document_is_found_by_version_and_by_arn(here: Installation, request_: dict[str, str]) -> None:
    found = here.perform("GetDocument", **{"Name": PATCH, **request_})
    assert (found["Name"], found["DocumentVersion"]) == (PATCH, "1")


def test_what_cannot_be_found_is_named(here: Installation) -> None:
    with pytest.raises(UnknownDocument, match="'Mine' does not exist"):
        here.perform("DescribeDocument", Name="Mine")
    with pytest.raises(InvalidDocumentVersion, match="no version '2'"):
        here.perform("DescribeDocument", Name=PATCH, DocumentVersion="2")
    with pytest.raises(InvalidDocumentVersion, match="no version named 'new'"):
        here.perform("GetDocument", Name=PATCH, VersionName="new")
    with pytest.raises(Invalid, match="DocumentFormat TEXT is not possible"):
        here.perform("GetDocument", Name=PATCH, DocumentFormat="TEXT")


def test_a_description_has_parameters_platforms_and_hash(here: Installation) -> None:
    found = here.perform("DescribeDocument", Name=SHELL)["Document"]
    assert found["PlatformTypes"] == ["Linux", "MacOS"]
    assert found["Owner"] == "Amazon"
    assert found["SchemaVersion"] == "1.2"
    assert (found["LatestVersion"], found["DefaultVersion"], found["Status"]) == ("1", "1", "Active")
    assert found["Parameters"] == [
        {"Name": "commands", "Type": "StringList", "Description": "The lines of a shell script."},
        {
            "Name": "workingDirectory",
            "Type": "String",
            "Description": "The folder that the commands run in.",
            "DefaultValue": "",
        },
        {
            "Name": "executionTimeout",
            "Type": "String",
            "Description": "How many seconds the commands may take, 1 to 172800.",
            "DefaultValue": "3600",
        },
    ]
    # The hash is what SendCommand takes as DocumentHash.
    node = here.node()
    here.perform(
        "SendCommand",
        DocumentName=SHELL,
        InstanceIds=[node],
        DocumentHash=found["Hash"],
        DocumentHashType=found["HashType"],
        Parameters={"commands": ["id"]},
    )


def test_filters_choose_documents(here: Installation) -> None:
    assert names(here) == [NOOP, PATCH, ASSOCIATION, HOOKS, POWERSHELL, SHELL]
    assert filtered(here, "Name", "AWS-Run") == [PATCH, ASSOCIATION, HOOKS, POWERSHELL, SHELL]
    assert filtered(here, "Name", NOOP, SHELL) == [NOOP, SHELL]
    assert filtered(here, "Owner", "Amazon") == [NOOP, PATCH, ASSOCIATION, HOOKS, POWERSHELL, SHELL]
    assert filtered(here, "Owner", "Public") == [NOOP, PATCH, ASSOCIATION, HOOKS, POWERSHELL, SHELL]
    assert filtered(here, "Owner", "Self") == []
    assert filtered(here, "PlatformTypes", "Windows") == [NOOP, PATCH, ASSOCIATION, HOOKS, POWERSHELL]
    assert filtered(here, "DocumentType", "Command") == [NOOP, PATCH, ASSOCIATION, HOOKS, POWERSHELL, SHELL]
    assert filtered(here, "DocumentType", "Automation") == []
    assert filtered(here, "SearchKeyword", "MISSING PATCHES") == [PATCH, ASSOCIATION, HOOKS]
    assert filtered(here, "TargetType", "/AWS::EC2::Instance") == []
    assert filtered(here, "tag:env", "live") == []
    both = [{"Key": "Name", "Values": ["AWS-Run"]}, {"Key": "PlatformTypes", "Values": ["Windows"]}]
    assert names(here, Filters=both) == [PATCH, ASSOCIATION, HOOKS, POWERSHELL]


def test_the_older_form_of_filters_works_alone(here: Installation) -> None:
    legacy = [{"key": "PlatformTypes", "value": "Windows"}]
    assert names(here, DocumentFilterList=legacy) == [NOOP, PATCH, ASSOCIATION, HOOKS, POWERSHELL]
    with pytest.raises(Invalid, match="cannot be given together"):
        names(here, DocumentFilterList=legacy, Filters=[{"Key": "Name", "Values": ["AWS"]}])


@pytest.mark.parametrize("filter_", [{"Key": "Title", "Values": ["x"]}, {"Values": ["x"]}, {"Key": "tag:"}])
def test_an_unknown_filter_key_is_refused(here: Installation, filter_: dict[str, Any]) -> None:
    with pytest.raises(InvalidFilterKey, match=r"is not known here; use one of Name, .*tag:<key>"):
        names(here, Filters=[filter_])


def test_pages_together_are_the_whole_list(here: Installation) -> None:
    assert names(here, MaxResults=1) == names(here)
    with pytest.raises(InvalidPageToken):
        names(here, NextToken="made-up")
