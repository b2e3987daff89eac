"""What an answer has to be so that the service model's output shape says all of it.

`OperationModel.serialize` drops what the shape does not have without a word; here it is a failure.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from patchwindow.protocol.patterns import compile_pattern
from patchwindow.protocol.service import OperationModel

# AWS fills these with empty texts where nothing was given, against its own model.
_MAY_BE_EMPTY: Final = frozenset(
    {
        "CloudWatchLogGroupName",
        "CommandPluginName",
        "NextToken",
        "NotificationType",
        "S3BucketName",
        "StatusDetails",
    }
)
# The model's pattern has room for one digit of a second's fraction and none for a duration; AWS answers both.
_OWN_PATTERNS: Final = {
    "StringDateTime": re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z|PT\d+(\.\d{1,3})?S)?"),
}
_TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "string": (str,),
    "integer": (int,),
    "long": (int,),
    "boolean": (bool,),
    "timestamp": (datetime,),
    "blob": (bytes,),
}


def misfits(model: OperationModel, answer: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with *answer* as the output of an operation; nothing, if it fits."""
    return list(_misfits(model._service.shapes, model._model["output"]["shape"], answer, model.name))


def _misfits(shapes: Mapping[str, Any], name: str, value: Any, at: str) -> Iterator[str]:
    shape = shapes[name]
    match shape["type"]:
        case "structure":
            yield from _members(shapes, shape, value, at)
        case "list":
            if not isinstance(value, list | tuple):
                yield f"{at} is no list but {value!r}"
                return
            yield from _length(shape, value, at)
            for place, one in enumerate(value):
                yield from _misfits(shapes, shape["member"]["shape"], one, f"{at}[{place}]")
        case "map":
            for key, one in value.items():
                yield from _misfits(shapes, shape["key"]["shape"], key, f"{at}.{key}")
                yield from _misfits(shapes, shape["value"]["shape"], one, f"{at}.{key}")
        case scalar:
            if not isinstance(value, _TYPES[scalar]) or (scalar != "boolean" and isinstance(value, bool)):
                yield f"{at} is {value!r}, no {scalar}"
            elif name in _OWN_PATTERNS:
                if not _OWN_PATTERNS[name].fullmatch(str(value)):
                    yield f"{at} is {value!r}, no {name}"
            elif not (value == "" and name in _MAY_BE_EMPTY):
                yield from _scalar(shape, value, at)


def _members(shapes: Mapping[str, Any], shape: Mapping[str, Any], value: Mapping[str, Any], at: str) -> Iterator[str]:
    for member, one in value.items():
        if member not in shape["members"]:
            yield f"{at}.{member} is not in the model"
        elif one is not None:
            yield from _misfits(shapes, shape["members"][member]["shape"], one, f"{at}.{member}")
    for member in shape.get("required", ()):
        if value.get(member) is None:
            yield f"{at}.{member} is required and absent"


def _scalar(shape: Mapping[str, Any], value: Any, at: str) -> Iterator[str]:
    if isinstance(value, str):
        yield from _length(shape, value, at)
        if "enum" in shape and value not in shape["enum"]:
            yield f"{at} is {value!r}, none of {shape['enum']}"
        if "pattern" in shape and not _matches(shape["pattern"], value):
            yield f"{at} is {value!r}, which does not match {shape['pattern']}"
    elif isinstance(value, int) and not shape.get("min", value) <= value <= shape.get("max", value):
        yield f"{at} is {value}, out of bounds"


def _matches(pattern: str, value: str) -> re.Match[str] | None:
    return compile_pattern(pattern).fullmatch(value)


def _length(shape: Mapping[str, Any], value: Any, at: str) -> Iterator[str]:
    if not shape.get("min", 0) <= len(value) <= shape.get("max", len(value)):
        yield f"{at} has length {len(value)}, out of bounds"
