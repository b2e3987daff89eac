"""AWS-RunPatchBaselineWithHooks, made of AWS-RunPatchBaseline: its steps three times, and hooks between them.

`domain/patch_parts.py` says what each part does.  A step that fails ends the document, as does the scan by its exit code 168
where nothing is left to do; the last hook runs all the same, in every installation.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from patchwindow.domain.patch_parts import Part

_TAKEN: Final = ("Operation", "SnapshotId", "RebootOption")
_STEP_TIMEOUT_S: Final = "7200"
_HOOKS: Final = {
    "PreInstallHookDocName": "The document to run before patches are installed; where it fails, none are.",
    "PostInstallHookDocName": "The document to run once patches are installed, before the reboot.",
    "OnExitHookDocName": "The document to run at the end of every installation, whatever came of it.",
}
_NAMES: Final = {Part.SCAN: "Scan", Part.INSTALL: "Install", Part.REBOOT: "Reboot"}
# How a script learns which part it is, by the action that runs it.
_PART_IN: Final = {
    "aws:runShellScript": ("PATCHWINDOW_PART='{}'", "export PATCHWINDOW_PART"),
    "aws:runPowerShellScript": ("$env:PATCHWINDOW_PART = '{}'",),
}


def with_hooks(base: Mapping[str, Any]) -> dict[str, Any]:
    """Return the document that does what *base*, which is AWS-RunPatchBaseline, does, with hooks."""
    hooks = {
        name: {
            "type": "String",
            "description": description,
            "default": "AWS-Noop",
            "allowedPattern": r"^[a-zA-Z0-9_\-.:/]{3,200}$",
        }
        for name, description in _HOOKS.items()
    }
    return {
        "schemaVersion": base["schemaVersion"],
        "description": "Looks for missing patches on a node, or installs those that its patch baseline approves, with hooks.",
        "parameters": {**{name: base["parameters"][name] for name in _TAKEN}, **hooks},
        "mainSteps": [
            *_part(base, Part.SCAN),
            _hook("PreInstallHook", "PreInstallHookDocName"),
            *_part(base, Part.INSTALL),
            _hook("PostInstallHook", "PostInstallHookDocName"),
            *_part(base, Part.REBOOT),
            {
                # A text: the amazon-ssm-agent passes over a true that is none.
                **_hook("OnExitHook", "OnExitHookDocName", finallyStep="true"),
                "precondition": {"StringEquals": ["{{ Operation }}", "Install"]},
            },
        ],
    }


def _part(base: Mapping[str, Any], part: Part) -> Iterator[dict[str, Any]]:
    for step in base["mainSteps"]:
        told = [line.format(part.value) for line in _PART_IN[step["action"]]]
        inputs = {
            **step["inputs"],
            "timeoutSeconds": _STEP_TIMEOUT_S,
            "onFailure": "exit",
            "runCommand": [*told, *step["inputs"]["runCommand"]],
        }
        yield {**step, "name": step["name"].replace("Patch", _NAMES[part], 1), "inputs": inputs}


def _hook(name: str, parameter: str, **more: str) -> dict[str, Any]:
    inputs = {"documentType": "SSMDocument", "documentPath": f"{{{{ {parameter} }}}}"}
    ending = more or {"onFailure": "exit"}
    return {"name": name, "action": "aws:runDocument", "inputs": {**inputs, **ending}}
