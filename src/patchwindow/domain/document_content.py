"""What may stand in a command document: schemas 1.2 and 2.x, their parameters, steps and actions.

Each problem is told with its place, `mainSteps[2].inputs.timeoutSeconds`, so that all of them can be mended at once.
What a step's script does with its braces is its own affair: a reference to what is no parameter stays as it is written.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from patchwindow.domain.errors import InvalidDocumentContent, InvalidDocumentSchemaVersion
from patchwindow.domain.node import PlatformType

PLUGIN_SCHEMA: Final = "1.2"
"""The schema in which a document is a set of plugins, without steps of their own names."""

STEP_SCHEMAS: Final = ("2.0", "2.0.1", "2.0.2", "2.0.3", "2.2")
"""The schemas in which a document is a list of steps."""

_SHELLS: Final = (PlatformType.LINUX, PlatformType.MACOS)
_WINDOWS: Final = (PlatformType.WINDOWS,)
_ALL: Final = tuple(PlatformType)

ACTIONS: Final[Mapping[str, tuple[PlatformType, ...]]] = {
    "aws:runShellScript": _SHELLS,
    "aws:runPowerShellScript": _WINDOWS,
    "aws:runDocument": _ALL,
    "aws:downloadContent": _ALL,
    "aws:applications": _WINDOWS,
    "aws:cloudWatch": _WINDOWS,
    "aws:configureDocker": _ALL,
    "aws:configurePackage": _ALL,
    "aws:domainJoin": (PlatformType.LINUX, PlatformType.WINDOWS),
    "aws:psModule": _WINDOWS,
    "aws:refreshAssociation": _ALL,
    "aws:runDockerAction": _ALL,
    "aws:softwareInventory": _ALL,
    "aws:updateAgent": _WINDOWS,
    "aws:updateSsmAgent": _ALL,
}
"""The platforms of each action that agents know."""

_RUN_DOCUMENT: Final = "aws:runDocument"
_DOCUMENT_TYPES: Final = ("SSMDocument", "LocalPath")
_SCRIPTS: Final = frozenset({"aws:runShellScript", "aws:runPowerShellScript"})
_MEMBERS: Final = frozenset({"schemaVersion", "description", "parameters", "mainSteps", "runtimeConfig", "files"})
_STEP_MEMBERS: Final = frozenset(
    {"action", "name", "inputs", "precondition", "maxAttempts", "onFailure", "settings", "timeoutSeconds"}
)
_PARAMETER_NAME: Final = re.compile(r"[a-zA-Z0-9]+")
_STEP_NAME: Final = re.compile(r"[a-zA-Z0-9_.:-]{1,128}")
_TYPES: Final[Mapping[str, type]] = {
    "String": str,
    "StringList": list,
    "Boolean": bool,
    "Integer": int,
    "MapList": list,
    "StringMap": dict,
}
_BOUNDS: Final = ("minItems", "maxItems", "minChars", "maxChars")
_REFERENCE: Final = re.compile(r"\{\{\s*[^{}]+\}\}")
_TIMEOUTS_S: Final = range(5, 172_800 + 1)


def check(content: object) -> None:
    """Return if *content*, a document that was parsed, can be carried out as it says.

    Raises:
        InvalidDocumentSchemaVersion: its schema is not known.
        InvalidDocumentContent: it cannot; the message names every problem with its place.
    """
    if not isinstance(content, Mapping):
        raise InvalidDocumentContent(f"the content is {_kind(content)}; a document is an object with schemaVersion")
    version = content.get("schemaVersion")
    if version != PLUGIN_SCHEMA and version not in STEP_SCHEMAS:
        known = ", ".join((PLUGIN_SCHEMA, *STEP_SCHEMAS))
        # YAML reads 2.2 without quotes as a number, which has no second zero and no 2.0.3.
        hint = "; put it in quotes" if isinstance(version, int | float) else ""
        raise InvalidDocumentSchemaVersion(f"schemaVersion is {version!r}; use one of {known}{hint}")
    problems = [*_problems(content)]
    if problems:
        raise InvalidDocumentContent("; ".join(problems))


def _problems(content: Mapping[str, Any]) -> Iterator[str]:
    for name in content:
        if name not in _MEMBERS:
            yield f"{name}: is no member of a command document; there are {', '.join(sorted(_MEMBERS))}"
    if not isinstance(content.get("description", ""), str):
        yield f"description: is {_kind(content['description'])}; write a text"
    yield from _parameters(content.get("parameters", {}))
    wanted, other = ("runtimeConfig", "mainSteps")[:: 1 if content["schemaVersion"] == PLUGIN_SCHEMA else -1]
    if other in content:
        yield f"{other}: is not of schema {content['schemaVersion']}, which has {wanted}"
    if wanted == "runtimeConfig":
        yield from _plugins(content.get(wanted))
    else:
        yield from _steps(content.get(wanted))


def _parameters(parameters: object) -> Iterator[str]:
    if not isinstance(parameters, Mapping):
        yield f"parameters: is {_kind(parameters)}; write an object of declarations by name"
        return
    for name, declared in parameters.items():
        path = f"parameters.{name}"
        # Agents fill in no others, and say nothing about it.
        if not _PARAMETER_NAME.fullmatch(str(name)):
            yield f"{path}: a name has letters and digits alone, or no agent fills it in"
        if isinstance(declared, Mapping):
            yield from _declaration(path, declared)
        else:
            yield f"{path}: is {_kind(declared)}; write an object with type"


def _declaration(path: str, declared: Mapping[str, Any]) -> Iterator[str]:
    kind = str(declared.get("type", ""))
    if kind not in _TYPES:
        yield f"{path}.type: is {kind!r}; use one of {', '.join(_TYPES)}"
        return
    if not isinstance(declared.get("description", ""), str):
        yield f"{path}.description: is {_kind(declared['description'])}; write a text"
    for bound in _BOUNDS:
        if bound in declared and not _is_count(declared[bound]):
            yield f"{path}.{bound}: is {declared[bound]!r}; write a whole number from 0 on"
    pattern = declared.get("allowedPattern")
    if pattern is not None and not _compiles(pattern):
        yield f"{path}.allowedPattern: {pattern!r} is no regular expression"
        pattern = None
    allowed = declared.get("allowedValues")
    if allowed is not None and not isinstance(allowed, list):
        yield f"{path}.allowedValues: is {_kind(allowed)}; write a list"
        allowed = None
    if "default" in declared:
        yield from _default(f"{path}.default", declared["default"], kind, pattern, allowed)


def _default(path: str, default: object, kind: str, pattern: str | None, allowed: list[Any] | None) -> Iterator[str]:
    if not isinstance(default, _TYPES[kind]) or (kind == "Integer" and isinstance(default, bool)):
        yield f"{path}: is {_kind(default)}, and the type is {kind}"
        return
    for value in default if kind == "StringList" and isinstance(default, list) else [default]:
        if allowed is not None and value not in allowed:
            yield f"{path}: {value!r} is not among the allowedValues"
        if pattern is not None and isinstance(value, str) and not re.fullmatch(pattern, value):
            yield f"{path}: {value!r} does not match the allowedPattern"


def _plugins(plugins: object) -> Iterator[str]:
    if not isinstance(plugins, Mapping) or not plugins:
        yield f"runtimeConfig: is {_kind(plugins)}; write an object of plugins by action"
        return
    for action, plugin in plugins.items():
        path = f"runtimeConfig.{action}"
        yield from _action(path, action)
        properties = plugin.get("properties") if isinstance(plugin, Mapping) else None
        # Agents report one result for a plugin, so that several sets of properties would hide each other's.
        if isinstance(properties, list) and len(properties) == 1:
            properties = properties[0]
        if isinstance(properties, Mapping):
            yield from _inputs(f"{path}.properties", action, properties)
        else:
            yield f"{path}.properties: write one object"


def _steps(steps: object) -> Iterator[str]:
    if not isinstance(steps, list) or not steps:
        yield f"mainSteps: is {_kind(steps)}; write a list of one step or more"
        return
    names: dict[str, int] = {}
    for index, step in enumerate(steps):
        path = f"mainSteps[{index}]"
        if not isinstance(step, Mapping):
            yield f"{path}: is {_kind(step)}; write an object with action and name"
            continue
        yield from _step(path, step)
        name = str(step.get("name"))
        if (first := names.setdefault(name, index)) != index:
            yield f"{path}.name: {name!r} is the name of mainSteps[{first}] too; results are told by name"


def _step(path: str, step: Mapping[str, Any]) -> Iterator[str]:
    for member in step:
        if member not in _STEP_MEMBERS:
            yield f"{path}.{member}: is no member of a step; there are {', '.join(sorted(_STEP_MEMBERS))}"
    name = step.get("name")
    if not isinstance(name, str) or not _STEP_NAME.fullmatch(name):
        yield f"{path}.name: {name!r} is no name of a step; use 1 to 128 of letters, digits, _ . : -"
    yield from _action(f"{path}.action", step.get("action"))
    inputs = step.get("inputs", {})
    if isinstance(inputs, Mapping):
        yield from _inputs(f"{path}.inputs", step.get("action"), inputs)
    else:
        yield f"{path}.inputs: is {_kind(inputs)}; write an object"
    yield from _precondition(f"{path}.precondition", step.get("precondition"))


def _action(path: str, action: object) -> Iterator[str]:
    if action not in ACTIONS:
        yield f"{path}: {action!r} is no action that agents know; use one of {', '.join(ACTIONS)}"


def _inputs(path: str, action: object, inputs: Mapping[str, Any]) -> Iterator[str]:
    if action in _SCRIPTS:
        commands = inputs.get("runCommand")
        if not isinstance(commands, str | list) or not commands:
            yield f"{path}.runCommand: is {_kind(commands)}; write the script, a text or a list of lines"
    if action == _RUN_DOCUMENT:
        yield from _document_run(path, inputs)
    timeout = inputs.get("timeoutSeconds")
    if timeout is not None and not _is_timeout(timeout):
        yield (
            f"{path}.timeoutSeconds: is {timeout!r}; "
            f"write a number from {_TIMEOUTS_S.start} to {_TIMEOUTS_S.stop - 1}, or a parameter"
        )


def _document_run(path: str, inputs: Mapping[str, Any]) -> Iterator[str]:
    kind, name, given = (inputs.get(f"document{each}") for each in ("Type", "Path", "Parameters"))
    if kind not in _DOCUMENT_TYPES and not _is_reference(kind):
        shown = _kind(kind) if kind is None else repr(kind)
        yield f"{path}.documentType: is {shown}; use {' or '.join(_DOCUMENT_TYPES)}, or a parameter"
    if not isinstance(name, str) or not name:
        yield f"{path}.documentPath: is {_kind(name or None)}; write the name of a document, or a parameter"
    if given is not None and not isinstance(given, Mapping) and not _is_reference(given):
        yield f"{path}.documentParameters: is {_kind(given)}; write an object of values by name, or a parameter"


def _precondition(path: str, precondition: object) -> Iterator[str]:
    if not precondition:
        return
    compared = precondition.get("StringEquals") if isinstance(precondition, Mapping) else None
    is_one = isinstance(precondition, Mapping) and len(precondition) == 1
    if not is_one or not isinstance(compared, list) or len(compared) != 2:
        yield f'{path}: write {{"StringEquals": ["platformType", "Linux"]}}, or a parameter and a value'
    elif "platformType" in compared:
        other = compared[1 - compared.index("platformType")]
        if str(other).casefold() not in {platform.casefold() for platform in PlatformType}:
            yield f"{path}: {other!r} is no platform; use one of {', '.join(PlatformType)}"


def _is_reference(value: object) -> bool:
    return isinstance(value, str) and _REFERENCE.search(value) is not None


def _is_timeout(timeout: object) -> bool:
    text = str(timeout)
    return _is_reference(text) or (text.isdecimal() and int(text) in _TIMEOUTS_S)


def _is_count(value: object) -> bool:
    # Documents are often written with numbers in quotes.
    return not isinstance(value, bool) and isinstance(value, int | str) and str(value).isdecimal()


def _compiles(pattern: object) -> bool:
    try:
        re.compile(str(pattern))
    except re.error:
        return False
    return isinstance(pattern, str)


def _kind(value: object) -> str:
    match value:
        case None:
            return "missing"
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "a text"
        case list():
            return "a list" if value else "an empty list"
        case _:
            return "an object" if value else "an empty object"
