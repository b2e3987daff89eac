"""Command documents: a message's payload becomes steps. Values in, values out; nothing is run here.

What a document may say is the public schema of command documents, versions 1.2 and 2.x.
"""

import json
import re
from typing import Any, Mapping, NamedTuple, Union

from patchwindow_agent.errors import Unusable

_SCHEMAS_WITH_STEPS = ("2.0", "2.0.1", "2.0.2", "2.0.3", "2.2")
_PARAMETER = re.compile(r"\{\{\s*([a-zA-Z0-9]+)\s*\}\}")

_TIMEOUT_MIN_S = 5
_TIMEOUT_MAX_S = 172_800
_TIMEOUT_DEFAULT_S = 3600


class Run(NamedTuple):
    """The step runs."""


class Skip(NamedTuple):
    """The step does not apply to this machine."""

    reason: str


class Refuse(NamedTuple):
    """The step's precondition cannot be judged."""

    reason: str


class Step(NamedTuple):
    """One step, with its parameters filled in."""

    name: str
    action: str
    inputs: Mapping[str, Any]
    precondition: Any = None


def parse_payload(payload: str) -> list[Step]:
    """Return the steps of the document in *payload*.

    Raises:
        Unusable: it holds no document that can be run here.
    """
    try:
        steps = _parse(json.loads(payload))
    except json.JSONDecodeError as problem:
        raise Unusable(f"the command's payload is not JSON: {problem}") from problem
    except (AttributeError, KeyError, TypeError) as problem:
        raise Unusable(f"the command's payload holds no command document: {problem!r}") from problem
    if not steps:
        raise Unusable("the document has no steps")
    if len({step.name for step in steps}) != len(steps):
        raise Unusable("two steps of the document have the same name")
    return steps


def parse_content(content: str, given: Mapping[str, Any]) -> list[Step]:
    """Return the steps of a document that another one runs, with the parameters *given*, and the defaults of the others.

    Raises:
        Unusable: it is no document that can be run here, has none of the parameters, or lacks one without a default.
    """
    try:
        document = json.loads(content)
        declared = document.get("parameters") or {}
        lacking = [name for name, told in declared.items() if "default" not in told and name not in given]
    except (ValueError, AttributeError, TypeError) as problem:
        raise Unusable(f"its content is no command document: {problem}") from problem
    if lacking:
        raise Unusable(f"its parameters {', '.join(lacking)} have no default, and nobody gives them a value")
    unknown = [name for name in given if name not in declared]
    if unknown:
        raise Unusable(f"it has no parameters {', '.join(unknown)}, which it is given; it has {', '.join(declared)}")
    return parse_payload(json.dumps({"DocumentContent": document, "Parameters": given}))


def substitute(value: Any, parameters: Mapping[str, Any]) -> Any:
    """Return *value* with every `{{ name }}` of *parameters* filled in, once.

    Alone in a string the parameter keeps its type; inside a longer one it becomes text, lists and objects as compact
    JSON. A name that is not in *parameters* stays as it is written.
    """
    if isinstance(value, dict):
        return {key: substitute(item, parameters) for key, item in value.items()}
    if isinstance(value, list):
        return [substitute(item, parameters) for item in value]
    if not isinstance(value, str):
        return value
    alone = _PARAMETER.fullmatch(value.strip())
    if alone is not None:
        return parameters.get(alone[1], value)
    return _PARAMETER.sub(lambda found: _text(parameters[found[1]]) if found[1] in parameters else found[0], value)


def judge(step: Step, platform: str) -> Union[Run, Skip, Refuse]:
    """Return whether *step* runs on *platform* (`Linux`, `MacOS`)."""
    precondition = step.precondition
    if not precondition:
        return Run()
    arguments = precondition.get("StringEquals") if isinstance(precondition, dict) else None
    if not isinstance(arguments, list) or len(arguments) != 2 or len(precondition) != 1:
        return Refuse(
            f"step {step.name}: its precondition is not one StringEquals of two values: {_text(precondition)}"
        )
    left, right = (_text(argument) for argument in arguments)
    if "platformType" in (left, right):
        other = right if left == "platformType" else left
        is_met = other.casefold() == platform.casefold()
    else:
        is_met = left == right
    if is_met:
        return Run()
    return Skip(f"Step {step.name} skipped: its precondition StringEquals [{left}, {right}] is not met")


def script_of(step: Step) -> str:
    """Return the script of a shell step: its lines joined. A parameter of lines may stand as one of them."""
    commands = step.inputs.get("runCommand", "")
    lines: list[str] = []
    for line in commands if isinstance(commands, list) else [commands]:
        lines.extend(map(_text, line) if isinstance(line, list) else [_text(line)])
    return "\n".join(lines) + "\n"


def timeout_s_of(step: Step) -> int:
    """Return how long *step* may run: 5 to 172,800 seconds, an hour where that is not said."""
    try:
        timeout_s = int(str(step.inputs.get("timeoutSeconds", "")))
    except ValueError:
        return _TIMEOUT_DEFAULT_S
    return timeout_s if _TIMEOUT_MIN_S <= timeout_s <= _TIMEOUT_MAX_S else _TIMEOUT_DEFAULT_S


def runs_in_spite_of_an_exit(step: Step) -> bool:
    """Return whether *step* runs even after an earlier one ended the document."""
    return _text(step.inputs.get("finallyStep", "")).casefold() == "true"


def is_resumable(step: Step) -> bool:
    """Return whether *step* may run again after it was cut off.

    An input of patchwindow's own documents (`resumable`); agents that do not know it pass over it, and fail the step.
    """
    return _text(step.inputs.get("resumable", "")).casefold() == "true"


def _parse(message: Any) -> list[Step]:
    document = message["DocumentContent"]
    declared = document.get("parameters") or {}
    parameters = {name: told["default"] for name, told in declared.items() if "default" in told}
    parameters.update(message.get("Parameters") or {})
    version = document.get("schemaVersion")
    if version == "1.2":
        return _steps_of_plugins(document.get("runtimeConfig"), parameters)
    if version in _SCHEMAS_WITH_STEPS:
        return [_step(told, parameters) for told in document.get("mainSteps") or ()]
    served = ", ".join(("1.2", *_SCHEMAS_WITH_STEPS))
    raise Unusable(f"schemaVersion {version} is not served: this agent runs {served}")


def _step(told: Mapping[str, Any], parameters: Mapping[str, Any]) -> Step:
    inputs = substitute(told.get("inputs") or {}, parameters)
    return Step(str(told["name"]), str(told["action"]), inputs, substitute(told.get("precondition"), parameters))


def _steps_of_plugins(plugins: Any, parameters: Mapping[str, Any]) -> list[Step]:
    """Return the steps of a document of schema 1.2: one for each plugin, which gives it its name."""
    steps = []
    for plugin, told in (plugins or {}).items():
        properties = told.get("properties")
        if isinstance(properties, list) and len(properties) == 1:
            properties = properties[0]
        if not isinstance(properties, dict):
            raise Unusable(f"runtimeConfig.{plugin}.properties is not one object")
        steps.append(Step(plugin, plugin, substitute(properties, parameters)))
    return steps


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"), ensure_ascii=False)
