"""The patch operation for Windows, as text: its grammar, and that it keeps to what PowerShell 4.0 and 5.1 know."""

import re
from typing import Final

import pytest
from tests.powershell.tree import nodes, parse, problems, text

from patchwindow.documents import library
from patchwindow.documents.patch_script import patch_script

SCRIPT: Final = patch_script().decode()
DOCUMENTS: Final = [
    "AWS-RunPatchBaseline",
    "AWS-RunPatchBaselineAssociation",
    "AWS-RunPatchBaselineWithHooks",
]
# All that the script calls besides functions of its own. PowerShell 4.0 has each.
CMDLETS: Final = {
    "ConvertFrom-Json",
    "ConvertTo-Json",
    "ForEach-Object",
    "Get-ChildItem",
    "Get-CimInstance",
    "Get-ItemProperty",
    "Join-Path",
    "New-Object",
    "Remove-Item",
    "Remove-TypeData",
    "Sort-Object",
    "Start-Sleep",
    "Test-Path",
    "Where-Object",
}
# What later versions brought, and where.
LATER: Final = {
    "::new (5.0)": r"::new\b",
    "class (5.0)": r"(?m)^\s*class\s",
    "enum (5.0)": r"(?m)^\s*enum\s",
    "using (5.0)": r"(?m)^\s*using\s",
    "&& and || (7.0)": r"&&|\|\|",
    "?? and ?. (7.0)": r"\?\?|\?\.|\?\[",
    "a ternary (7.0)": r"\s\?\s",
    "-AsHashtable (6.0)": r"-AsHashtable",
    "-Parallel (7.0)": r"-Parallel",
    "-SkipCertificateCheck (6.0)": r"-SkipCertificateCheck",
    "Join-Path of three (6.0)": r"-AdditionalChildPath",
}


def steps(document: str) -> list[str]:
    """Return the PowerShell scripts of a document."""
    found = library.get(document).content["mainSteps"]
    return ["\n".join(step["inputs"]["runCommand"]) for step in found if step["action"] == "aws:runPowerShellScript"]


STEPS: Final = [script for document in DOCUMENTS for script in steps(document)]


@pytest.mark.parametrize("script", [SCRIPT, *STEPS])
def test_the_grammar_of_powershell_takes_every_line(script: str) -> None:
    assert problems(parse(script)) == []


def test_the_grammar_refuses_what_is_none() -> None:
    assert problems(parse("if ($a { 1 }"))
    assert problems(parse("function { "))


@pytest.mark.parametrize("script", [SCRIPT, *STEPS])
def test_there_is_nothing_but_ascii_since_5_1_reads_other_encodings_otherwise(script: str) -> None:
    assert script.isascii()


@pytest.mark.parametrize("script", [SCRIPT, *STEPS])
@pytest.mark.parametrize("what", LATER)
def test_nothing_is_used_that_a_later_version_brought(script: str, what: str) -> None:
    code = re.sub(r"(?m)^\s*#.*$|'[^'\n]*'", "", script)
    assert re.search(LATER[what], code) is None


def test_every_command_is_a_function_of_the_script_or_a_known_cmdlet_and_every_function_is_called() -> None:
    found = list(nodes(parse(SCRIPT)))
    functions = {text(node) for node in found if node.type == "function_name"}
    called = {text(node) for node in found if node.type == "command_name"}
    assert called - functions == CMDLETS
    assert functions - called == set()


def test_functions_have_verbs_that_powershell_approves_of() -> None:
    verbs = {name.partition("-")[0] for name in re.findall(r"(?m)^function (\S+)", SCRIPT)}
    approved = (
        "Add Complete ConvertTo Get Install Invoke Lock New Read Remove Request Resume Save Search Send Set Stop Test"
    )
    assert verbs <= {*approved.split(), "Update", "Wait", "Write"}


def test_a_step_runs_nothing_whose_digest_is_another() -> None:
    for script in STEPS:
        check, run = script.index("if ($found -ne $digest)"), script.index("& ([ScriptBlock]::Create(")
        assert check < run
        assert "exit 1" in script[check:run]


def test_all_documents_fetch_and_run_the_script_in_one_way() -> None:
    assert len({re.sub(r"\$env:PATCHWINDOW_PART = .*\n", "", script) for script in STEPS}) == 1
    assert len(STEPS) == 5
