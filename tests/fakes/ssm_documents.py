"""How the simulated amazon-ssm-agent reads a document: its steps, for whom each is, and what follows on each (agent protocol, §12).

Of `aws:runDocument` no recording was at hand: here it runs the steps of the other document one after the other.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

_PARAMETER: Final = re.compile(r"\{\{\s*([a-zA-Z0-9]+)\s*\}\}")
_ENDING_CODES: Final = (168, 169)


@dataclass(frozen=True, slots=True)
class Step:
    """One step, its parameters filled in."""

    name: str
    action: str
    inputs: Mapping[str, Any]
    compared: tuple[str, str] = ("", "")

    @property
    def is_for_this(self) -> bool:
        """Whether its precondition is met, on Linux."""
        left, right = (one if one != "platformType" else "Linux" for one in self.compared)
        return left.casefold() == right.casefold()

    @property
    def runs_at_last(self) -> bool:
        """Whether it runs in spite of an exit: only a text says so."""
        return bool(self.inputs.get("finallyStep") == "true")

    def ends_after(self, result: Mapping[str, Any]) -> bool:
        """Return whether later steps are skipped after *result*."""
        if result["status"] in ("Failed", "TimedOut"):
            return self.inputs.get("onFailure") == "exit" or result["code"] in _ENDING_CODES
        return result["code"] in _ENDING_CODES or self.inputs.get("onSuccess") == "exit"


def steps_of(payload: Mapping[str, Any]) -> list[Step]:
    """Return the steps of the document in *payload*."""
    document = payload["DocumentContent"]
    given = payload.get("Parameters", {})
    values = {name: one.get("default") for name, one in document.get("parameters", {}).items()} | given
    if document["schemaVersion"] == "1.2":
        plugins = document["runtimeConfig"].items()
        return [Step(name, name, _filled(_first(one["properties"]), values)) for name, one in plugins]
    return [
        Step(step["name"], step["action"], _filled(step["inputs"], values), _compared(_filled(step, values)))
        for step in document["mainSteps"]
    ]


def _first(properties: Any) -> Any:
    return properties[0] if isinstance(properties, list) else properties


def _compared(step: Mapping[str, Any]) -> tuple[str, str]:
    left, right = step.get("precondition", {}).get("StringEquals", ("", ""))
    return str(left), str(right)


def _filled(value: Any, values: Mapping[str, Any]) -> Any:
    if isinstance(value, dict):
        return {name: _filled(one, values) for name, one in value.items()}
    if isinstance(value, list):
        return [_filled(one, values) for one in value]
    if not isinstance(value, str):
        return value
    alone = _PARAMETER.fullmatch(value)
    if alone and alone[1] in values:
        return values[alone[1]]
    return _PARAMETER.sub(lambda found: str(values.get(found[1], found[0])), value)
