"""Documents of one's own through the operations of the API."""

import dataclasses
import json
from typing import Any

import pytest
import yaml
from tests.fakes.delivery import acknowledge, did, hand_out, poll, reply
from tests.fakes.site import Installation

from patchwindow.domain.errors import (
    AlreadyExists,
    Denied,
    DocumentTooLarge,
    DuplicateContent,
    DuplicateVersionName,
    InUse,
    Invalid,
    InvalidDocumentContent,
    InvalidDocumentOperation,
    InvalidDocumentSchemaVersion,
    InvalidDocumentVersion,
    InvalidParameters,
    InvalidPermissionType,
    LimitExceeded,
    UnknownDocument,
)
from patchwindow.operations.quotas import Quotas

NAME = "Say-Hello"


def content(word: str = "hello", **more: Any) -> dict[str, Any]:
    return {
        "schemaVersion": "2.2",
        "description": "Says a word.",
        "parameters": {"who": {"type": "String", "default": "world", "allowedPattern": "^[a-z]+$"}},
        "mainSteps": [
            {
                "action": "aws:runShellScript",
                "name": "say",
                "inputs": {"runCommand": [f"echo {word} {{{{ who }}}}"], "timeoutSeconds": "60"},
            }
        ],
        **more,
    }


def create(here: Installation, name: str = NAME, text: str | None = None, **more: Any) -> dict[str, Any]:
    answer = here.perform("CreateDocument", Name=name, Content=text or json.dumps(content()), **more)
    return dict(answer["DocumentDescription"])


def update(here: Installation, word: str, **more: Any) -> dict[str, Any]:
    answer = here.perform("UpdateDocument", Name=NAME, Content=json.dumps(content(word)), **more)
    return dict(answer["DocumentDescription"])


def test_a_document_is_given_out_as_it_was_written(here: Installation) -> None:
    text = json.dumps(content(), indent=3)
    told = create(here, text=text, VersionName="first", Tags=[{"Key": "team", "Value": "web"}])
    assert (told["DocumentVersion"], told["LatestVersion"], told["DefaultVersion"]) == ("1", "1", "1")
    assert (told["VersionName"], told["PlatformTypes"], told["SchemaVersion"]) == ("first", ["Linux", "MacOS"], "2.2")
    assert told["Tags"] == [{"Key": "team", "Value": "web"}]
    assert told["Parameters"] == [{"Name": "who", "Type": "String", "Description": "", "DefaultValue": "world"}]
    found = here.perform("GetDocument", Name=NAME)
    assert (found["Content"], found["Status"]) == (text, "Active")
    assert yaml.safe_load(here.perform("GetDocument", Name=NAME, DocumentFormat="YAML")["Content"]) == content()


def test_a_document_in_yaml_is_one_in_json_too(here: Installation) -> None:
    text = yaml.safe_dump(content(), sort_keys=False)
    assert create(here, text=text, DocumentFormat="YAML")["DocumentFormat"] == "YAML"
    assert here.perform("GetDocument", Name=NAME, DocumentFormat="YAML")["Content"] == text
    assert json.loads(here.perform("GetDocument", Name=NAME)["Content"]) == content()


def test_an_update_is_a_version_and_the_default_stays(here: Installation) -> None:
    create(here)
    assert update(here, "good evening", VersionName="evening")["DocumentVersion"] == "2"
    assert here.perform("GetDocument", Name=NAME)["DocumentVersion"] == "1"
    assert here.perform("GetDocument", Name=NAME, VersionName="evening")["DocumentVersion"] == "2"
    told = here.perform("UpdateDocumentDefaultVersion", Name=NAME, DocumentVersion="2")["Description"]
    assert told == {"Name": NAME, "DefaultVersion": "2", "DefaultVersionName": "evening"}
    assert here.perform("GetDocument", Name=NAME)["DocumentVersion"] == "2"
    [versions] = here.pages("ListDocumentVersions", "DocumentVersions", Name=NAME)
    assert [(one["DocumentVersion"], one["IsDefaultVersion"]) for one in versions] == [("2", True), ("1", False)]


def test_what_an_update_cannot_be(here: Installation) -> None:
    create(here, VersionName="first")
    with pytest.raises(DuplicateContent, match="version 1 of Say-Hello says the same"):
        update(here, "hello")
    with pytest.raises(DuplicateVersionName, match="named 'first'"):
        update(here, "bye", VersionName="first")
    update(here, "bye")
    with pytest.raises(InvalidDocumentVersion, match="1 of Say-Hello is not its latest, 2"):
        update(here, "again", DocumentVersion="1")
    assert update(here, "again", DocumentVersion="$LATEST")["DocumentVersion"] == "3"


def test_a_version_number_is_never_given_twice(here: Installation) -> None:
    create(here)
    update(here, "bye")
    here.perform("DeleteDocument", Name=NAME, DocumentVersion="2")
    assert update(here, "again")["DocumentVersion"] == "3"
    with pytest.raises(InvalidDocumentVersion, match="no version '2'; it has 1, 3"):
        here.perform("GetDocument", Name=NAME, DocumentVersion="2")
    with pytest.raises(InvalidDocumentOperation, match="version 1 of Say-Hello is its default"):
        here.perform("DeleteDocument", Name=NAME, DocumentVersion="1")


def test_a_document_that_is_gone_leaves_nothing_behind(here: Installation) -> None:
    create(here, Tags=[{"Key": "team", "Value": "web"}])
    here.perform("DeleteDocument", Name=NAME)
    with pytest.raises(UnknownDocument, match="'Say-Hello' does not exist"):
        here.perform("DescribeDocument", Name=NAME)
    assert create(here)["Tags"] == []


def test_a_document_that_an_association_runs_stays(here: Installation) -> None:
    create(here)
    made = here.perform("CreateAssociation", Name=NAME, Targets=[{"Key": "tag:Role", "Values": ["web"]}])
    association_id = made["AssociationDescription"]["AssociationId"]
    with pytest.raises(InUse, match=f"used by association {association_id}"):
        here.perform("DeleteDocument", Name=NAME)
    here.perform("DeleteAssociation", AssociationId=association_id)
    here.perform("DeleteDocument", Name=NAME)


def runs_document(**inputs: Any) -> dict[str, Any]:
    given = {"documentType": "SSMDocument", "documentPath": "Other", **inputs}
    return {"action": "aws:runDocument", "name": "x", "inputs": given}


@pytest.mark.parametrize("inputs", [{}, {"documentPath": "{{ which }}", "documentParameters": "{{ how }}"}])
def test_a_step_may_run_a_document_that_is_named_or_that_a_parameter_names(
    here: Installation, inputs: dict[str, Any]
) -> None:
    declared = {"which": {"type": "String"}, "how": {"type": "StringMap", "default": {}}}
    create(here, text=json.dumps(content(parameters=declared, mainSteps=[runs_document(**inputs)])))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"mainSteps": []}, "mainSteps: is an empty list"),
        ({"mainStep": []}, "mainStep: is no member"),
        ({"runtimeConfig": {}}, "runtimeConfig: is not of schema 2.2, which has mainSteps"),
        ({"parameters": {"a-b": {"type": "String"}}}, "parameters.a-b: a name has letters and digits alone"),
        ({"parameters": {"n": {"type": "Number"}}}, "parameters.n.type: is 'Number'; use one of String"),
        ({"parameters": {"n": {"type": "Integer", "default": "1"}}}, "parameters.n.default: is a text, and the type"),
        ({"parameters": {"n": {"type": "String", "allowedPattern": "("}}}, "allowedPattern: '\\(' is no regular"),
        (
            {"parameters": {"n": {"type": "String", "default": "c", "allowedValues": ["a"]}}},
            "parameters.n.default: 'c' is not among the allowedValues",
        ),
        ({"mainSteps": [{"action": "aws:fly", "name": "up"}]}, r"mainSteps\[0\].action: 'aws:fly' is no action"),
        (
            {"mainSteps": [{"action": "aws:runShellScript", "name": "x"}]},
            r"mainSteps\[0\].inputs.runCommand: is missing",
        ),
        ({"mainSteps": [{"action": "aws:runDocument", "name": "a b"}]}, r"mainSteps\[0\].name: 'a b' is no name"),
        ({"mainSteps": [{"action": "aws:runDocument", "name": "x"}] * 2}, "'x' is the name of mainSteps.0. too"),
        (
            {"mainSteps": [{"action": "aws:runDocument", "name": "x", "inputs": {"timeoutSeconds": 1}}]},
            r"mainSteps\[0\].inputs.timeoutSeconds: is 1; write a number from 5 to 172800",
        ),
        (
            {"mainSteps": [runs_document(documentType="SSM")]},
            r"inputs.documentType: is 'SSM'; use SSMDocument or Local",
        ),
        ({"mainSteps": [runs_document(documentPath="")]}, r"inputs.documentPath: is missing; write the name of a doc"),
        (
            {"mainSteps": [runs_document(documentParameters=["a"])]},
            r"inputs.documentParameters: is a list; write an ob",
        ),
        (
            {"mainSteps": [{"action": "aws:runDocument", "name": "x", "precondition": {"StringLike": []}}]},
            r"mainSteps\[0\].precondition: write",
        ),
        (
            {
                "mainSteps": [
                    {
                        "action": "aws:runDocument",
                        "name": "x",
                        "precondition": {"StringEquals": ["platformType", "Solaris"]},
                    }
                ]
            },
            "'Solaris' is no platform",
        ),
    ],
)
def test_content_that_could_not_be_carried_out_is_refused_with_its_place(
    here: Installation, changed: dict[str, Any], message: str
) -> None:
    with pytest.raises(InvalidDocumentContent, match=message):
        create(here, text=json.dumps(content(**changed)))
    with pytest.raises(UnknownDocument):
        here.perform("GetDocument", Name=NAME)


def test_all_problems_are_told_at_once(here: Installation) -> None:
    text = json.dumps(content(parameters={"a-b": {"type": "String"}}, mainSteps=[{"action": "aws:fly", "name": "up"}]))
    with pytest.raises(InvalidDocumentContent, match=r"parameters.a-b.*mainSteps\[0\].action"):
        create(here, text=text)


@pytest.mark.parametrize(
    ("text", "format_", "message"),
    [
        ("{", "JSON", "Content is no JSON"),
        ("a: [", "YAML", "Content is no YAML"),
        ("a: &x [1]\nb: *x", "YAML", "alias .* is not taken"),
        ("when: 2026-11-23", "YAML", "date is not JSON serializable"),
        ("[]", "JSON", "the content is an empty list"),
    ],
)
def test_what_is_no_document_is_refused(here: Installation, text: str, format_: str, message: str) -> None:
    with pytest.raises(InvalidDocumentContent, match=message):
        create(here, text=text, DocumentFormat=format_)


def test_a_schema_that_is_a_number_is_told_what_it_lacks(here: Installation) -> None:
    with pytest.raises(InvalidDocumentSchemaVersion, match=r"schemaVersion is 2.2; use one of .*; put it in quotes"):
        create(here, text="schemaVersion: 2.2\n", DocumentFormat="YAML")


def test_what_cannot_be_created(here: Installation) -> None:
    create(here)
    with pytest.raises(AlreadyExists, match="'Say-Hello' exists already"):
        create(here)
    with pytest.raises(Invalid, match="'AWS-Mine' begins with aws"):
        create(here, name="AWS-Mine")
    with pytest.raises(Invalid, match="DocumentType Automation is not served"):
        create(here, name="Other", DocumentType="Automation")
    with pytest.raises(Invalid, match="Requires is not served"):
        create(here, name="Other", Requires=[{"Name": "A", "Version": "1"}])
    with pytest.raises(DocumentTooLarge, match="has 65537 bytes; 65536 are the most"):
        create(here, name="Other", text=json.dumps(content()).ljust(65_537))


def test_what_came_with_the_server_stays_as_it_is(here: Installation) -> None:
    for operation, more in (
        ("UpdateDocument", {"Content": json.dumps(content())}),
        ("UpdateDocumentDefaultVersion", {"DocumentVersion": "1"}),
        ("DeleteDocument", {}),
    ):
        with pytest.raises(Denied, match="AWS-Noop came with the server"):
            here.perform(operation, Name="AWS-Noop", **more)
    [[version]] = here.pages("ListDocumentVersions", "DocumentVersions", Name="AWS-Noop")
    assert version["IsDefaultVersion"]


def test_a_document_of_schema_1_2_has_one_version(here: Installation) -> None:
    plugin = {"aws:runShellScript": {"properties": [{"runCommand": ["true"]}]}}
    create(here, text=json.dumps({"schemaVersion": "1.2", "runtimeConfig": plugin}))
    with pytest.raises(InvalidDocumentOperation, match=r"schema 1.2, which has no versions"):
        update(here, "bye")


def test_lists_tell_own_documents_from_the_others(here: Installation) -> None:
    create(here, Tags=[{"Key": "team", "Value": "web"}], TargetType="/AWS::SSM::ManagedInstance")

    def names(key: str, value: str) -> list[str]:
        pages = here.pages("ListDocuments", "DocumentIdentifiers", Filters=[{"Key": key, "Values": [value]}])
        return [one["Name"] for page in pages for one in page]

    assert names("Owner", "Self") == [NAME]
    assert NAME not in names("Owner", "Amazon")
    assert names("tag:team", "web") == [NAME]
    assert names("tag:team", "db") == []
    assert names("TargetType", "/AWS::SSM::ManagedInstance") == [NAME]
    assert names("SearchKeyword", "says a word") == [NAME]


def test_documents_are_shared_with_nobody(here: Installation) -> None:
    create(here)
    answer = here.perform("DescribeDocumentPermission", Name=NAME, PermissionType="Share")
    assert answer["AccountIds"] == []
    with pytest.raises(InvalidPermissionType):
        here.perform("DescribeDocumentPermission", Name=NAME, PermissionType="Own")


def test_there_are_no_more_documents_than_the_quota(here: Installation) -> None:
    here.service.site = dataclasses.replace(here.service.site, quotas=Quotas(documents=1))
    create(here)
    with pytest.raises(LimitExceeded, match="quota documents is 1"):
        create(here, name="Another")


def test_a_command_keeps_the_text_that_it_was_sent_with(here: Installation) -> None:
    create(here)
    node = here.node()
    sent = here.perform("SendCommand", DocumentName=NAME, InstanceIds=[node], Parameters={"who": ["there"]})["Command"]
    assert sent["DocumentVersion"] == "$DEFAULT"
    update(here, "bye")
    here.perform("UpdateDocumentDefaultVersion", Name=NAME, DocumentVersion="2")
    here.perform("DeleteDocument", Name=NAME)
    hand_out(here, sent["CommandId"], node)
    (message,) = poll(here, node)
    payload = json.loads(message["Payload"])
    assert payload["DocumentContent"] == content()
    assert payload["Parameters"] == {"who": "there"}
    reply(here, sent["CommandId"], node, "Success", {"say": did()})
    told = here.perform("GetCommandInvocation", CommandId=sent["CommandId"], InstanceId=node, PluginName="say")
    assert told["Status"] == "Success"


def test_a_command_is_sent_with_the_version_that_it_names(here: Installation) -> None:
    create(here)
    update(here, "bye")
    node = here.node()
    for version, word in (("$DEFAULT", "hello"), ("$LATEST", "bye"), ("1", "hello"), ("2", "bye")):
        members = {"DocumentName": NAME, "DocumentVersion": version, "InstanceIds": [node]}
        sent = here.perform("SendCommand", **members)["Command"]
        hand_out(here, sent["CommandId"], node)
        (message,) = poll(here, node)
        [step] = json.loads(message["Payload"])["DocumentContent"]["mainSteps"]
        assert step["inputs"]["runCommand"] == [f"echo {word} {{{{ who }}}}"]
        acknowledge(here, sent["CommandId"], node)
    with pytest.raises(InvalidDocumentVersion, match="no version '3'; it has 1, 2"):
        here.perform("SendCommand", DocumentName=NAME, DocumentVersion="3", InstanceIds=[node])


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [("Integer", ["7"], ["seven"]), ("Boolean", ["true"], ["yes"]), ("StringMap", ['{"a": 1}'], ["a"])],
)
def test_parameters_are_of_the_type_that_the_document_declares(
    here: Installation, kind: str, good: list[str], bad: list[str]
) -> None:
    create(here, text=json.dumps(content(parameters={"who": {"type": kind}})))
    node = here.node()
    sent = here.perform("SendCommand", DocumentName=NAME, InstanceIds=[node], Parameters={"who": good})["Command"]
    hand_out(here, sent["CommandId"], node)
    (message,) = poll(here, node)
    assert json.loads(message["Payload"])["Parameters"] == {"who": json.loads(good[0])}
    with pytest.raises(InvalidParameters, match=f"who is of type {kind}, and '{bad[0]}' is none in JSON"):
        here.perform("SendCommand", DocumentName=NAME, InstanceIds=[node], Parameters={"who": bad})
