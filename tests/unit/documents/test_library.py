"""The documents that come with the server."""

import re

import pytest

from patchwindow.documents import library
from patchwindow.domain.errors import InvalidDocumentVersion, UnknownDocument

NAMES = [
    "AWS-Noop",
    "AWS-RunPatchBaseline",
    "AWS-RunPatchBaselineAssociation",
    "AWS-RunPatchBaselineWithHooks",
    "AWS-RunPowerShellScript",
    "AWS-RunShellScript",
]


def test_there_are_these_documents() -> None:
    assert [document.name for document in library.documents()] == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_document_is_what_agents_and_the_api_understand(name: str) -> None:
    document = library.get(name)
    assert document.schema_version in ("1.2", "2.2")
    assert document.step_names
    assert len(document.text.encode()) < 64 * 1024
    for parameter, declared in document.parameters.items():
        # Agents leave other names unreplaced, in silence.
        assert re.fullmatch("[a-zA-Z0-9]+", parameter)
        assert declared["type"] in ("String", "StringList")
        assert declared["description"]
        re.compile(declared.get("allowedPattern", ""))


@pytest.mark.parametrize("version", ["$DEFAULT", "$LATEST", "1"])
def test_every_name_of_the_only_version_means_it(version: str) -> None:
    assert library.get("AWS-Noop", version).version == "1"


def test_an_unknown_document_or_version_is_named() -> None:
    with pytest.raises(UnknownDocument, match=r"'AWS-Nop' does not exist; ListDocuments has"):
        library.get("AWS-Nop")
    with pytest.raises(InvalidDocumentVersion, match="AWS-Noop has no version '2'; it has 1"):
        library.get("AWS-Noop", "2")


def test_platforms_follow_from_the_steps() -> None:
    assert library.get("AWS-RunPatchBaseline").platform_types == ("Windows", "Linux", "MacOS")
    assert library.get("AWS-RunShellScript").platform_types == ("Linux", "MacOS")


def test_steps_have_the_names_that_clients_ask_for() -> None:
    assert library.get("AWS-RunPatchBaseline").step_names == ("PatchWindows", "PatchLinux", "PatchMacOS")
    assert library.get("AWS-RunShellScript").step_names == ("aws:runShellScript",)


def test_only_the_patch_operation_gets_a_url_of_its_own() -> None:
    assert [document.name for document in library.documents() if document.wants_capability] == [
        "AWS-RunPatchBaseline",
        "AWS-RunPatchBaselineAssociation",
        "AWS-RunPatchBaselineWithHooks",
    ]


@pytest.mark.parametrize("name", [name for name in NAMES if "PatchBaseline" in name])
def test_no_parameter_of_the_caller_reaches_a_script_of_the_patch_operation(name: str) -> None:
    steps = library.get(name).content["mainSteps"]
    scripts = "\n".join(line for step in steps for line in step["inputs"].get("runCommand", ()))
    assert set(re.findall(r"\{\{\s*(\w+)\s*\}\}", scripts)) == {
        "PatchwindowUrl",
        "PatchwindowDigest",
        "PatchwindowScriptDigest",
    }


def test_the_document_with_hooks_has_the_patch_operation_three_times_and_hooks_between() -> None:
    document = library.get("AWS-RunPatchBaselineWithHooks")
    assert document.step_names == (
        *("ScanWindows", "ScanLinux", "ScanMacOS", "PreInstallHook"),
        *("InstallWindows", "InstallLinux", "InstallMacOS", "PostInstallHook"),
        *("RebootWindows", "RebootLinux", "RebootMacOS", "OnExitHook"),
    )
    hooks = ["PreInstallHookDocName", "PostInstallHookDocName", "OnExitHookDocName"]
    assert list(document.parameters) == ["Operation", "SnapshotId", "RebootOption", *hooks]
    assert {document.parameters[name]["default"] for name in hooks} == {"AWS-Noop"}


@pytest.mark.parametrize("name", NAMES)
def test_what_agents_read_among_the_inputs_is_a_text(name: str) -> None:
    """Specification: "`finallyStep: "true"` (string) on the last step"."""
    read = ("onFailure", "onSuccess", "finallyStep", "timeoutSeconds")
    steps = library.get(name).content.get("mainSteps", ())
    assert {type(step["inputs"].get(each, "")) for step in steps for each in read} <= {str}


def test_the_last_hook_runs_whatever_came_before_it() -> None:
    *others, last = library.get("AWS-RunPatchBaselineWithHooks").content["mainSteps"]
    assert (last["inputs"]["documentPath"], last["inputs"]["finallyStep"]) == ("{{ OnExitHookDocName }}", "true")
    assert {step["inputs"]["onFailure"] for step in others} == {"exit"}


@pytest.mark.parametrize(("hash_type", "length"), [("Sha256", 64), ("Sha1", 40)])
def test_the_hash_is_that_of_the_text(hash_type: str, length: int) -> None:
    assert re.fullmatch(f"[0-9a-f]{{{length}}}", library.get("AWS-Noop").hash_of(hash_type))
