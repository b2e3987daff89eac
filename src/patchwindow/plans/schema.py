"""The published JSON Schema of a plan, written from the definitions that also parse it.

It says what a whole plan in one file may hold, for editors; rules across members are the reader's alone.
"""

import dataclasses
import json
from typing import Any, Final

from patchwindow.plans.definitions import Plan
from patchwindow.plans.specs import (
    Choice,
    Flag,
    Many,
    Nested,
    Partial,
    Record,
    Scalar,
    Spec,
    Table,
    Text,
    Whole,
    key_of,
    members_of,
)
from patchwindow.plans.variables import USE

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_VARIABLE: Final[dict[str, Any]] = {"type": "string", "pattern": USE.pattern}


def schema_text() -> str:
    """Return the schema as the text of the file that ships."""
    return json.dumps(plan_schema(), indent=2, ensure_ascii=False) + "\n"


def plan_schema() -> dict[str, Any]:
    """Return the schema of a plan."""
    definitions: dict[str, Any] = {}
    _define(Plan, definitions, partial=False)
    return {
        "$schema": _DIALECT,
        "title": "patchwindow plan",
        "$ref": f"#/$defs/{Plan.__name__}",
        "$defs": {"variable": _VARIABLE, **dict(sorted(definitions.items()))},
    }


def _define(cls: type[Record], definitions: dict[str, Any], *, partial: bool) -> dict[str, str]:
    """Put the schema of *cls* into *definitions*, unless it is there, and return a reference to it."""
    name = f"{cls.__name__}Defaults" if partial else cls.__name__
    if name not in definitions:
        definitions[name] = {}  # A record may hold itself.
        members = {each: member for each, member in members_of(cls).items() if member.inherits or not partial}
        definitions[name] = {
            "type": "object",
            "description": (cls.__doc__ or "").strip(),
            "properties": {
                key_of(each): _of(member.spec, definitions) | {"description": member.about} | _default(cls, each)
                for each, member in members.items()
            },
            # What defaults may give need not stand in the record itself.
            "required": [
                key_of(each)
                for each, member in members.items()
                if member.required and not member.inherits and not partial
            ],
            "additionalProperties": False,
        }
    return {"$ref": f"#/$defs/{name}"}


def _default(cls: type[Record], name: str) -> dict[str, Any]:
    default = next(entry.default for entry in dataclasses.fields(cls) if entry.name == name)
    return {} if default is None or default is dataclasses.MISSING else {"default": default}


def _of(spec: Spec, definitions: dict[str, Any]) -> dict[str, Any]:
    match spec:
        case Text() | Whole() | Flag() | Choice():
            return {"anyOf": [_scalar(spec), {"$ref": "#/$defs/variable"}]}
        case Scalar():
            return {"type": ["string", "number", "boolean"]}
        case Many(item=item, low=low, high=high, one_is_enough=one_is_enough):
            one = _of(item, definitions)
            many = {"type": "array", "items": one} | _bounds("minItems", low, "maxItems", high)
            return {"anyOf": [one, many]} if one_is_enough else many
        case Table(key=key, value=value, low=low, high=high):
            return {
                "type": "object",
                "propertyNames": {name: what for name, what in _scalar(key).items() if name != "type"},
                "additionalProperties": _of(value, definitions),
            } | _bounds("minProperties", low, "maxProperties", high)
        case Nested(cls):
            return dict(_define(cls, definitions, partial=False))
        case Partial(cls):
            return dict(_define(cls, definitions, partial=True))


def _scalar(spec: Text | Whole | Flag | Choice) -> dict[str, Any]:
    match spec:
        case Text():
            length = _bounds("minLength", spec.low, "maxLength", spec.high)
            pattern = {} if spec.pattern is None else {"pattern": f"^(?:{spec.pattern})$"}
            return {"type": ["string", "number"] if spec.numbers else "string"} | length | pattern
        case Whole(low, high):
            return {"type": "integer"} | _bounds("minimum", low, "maximum", high)
        case Flag():
            return {"type": "boolean"}
        case Choice(values):
            return {"enum": list(values)}


def _bounds(low_name: str, low: int, high_name: str, high: int | None) -> dict[str, int]:
    bounds = {} if low == 0 and low_name != "minimum" else {low_name: low}
    return bounds if high is None else bounds | {high_name: high}
