"""Pseudo parameters: `{{WINDOW_ID}}` and the like, in the values of a task's invocation parameters."""

import re
from collections.abc import Mapping
from typing import Any, Final

_REFERENCE: Final = re.compile(r"\{\{\s*([A-Z_]+)\s*\}\}")


def replaced(value: Any, values: Mapping[str, str]) -> Any:
    """Return *value*, at any depth of lists and maps, with each known reference replaced; unknown ones stay.

    Source: maintenance windows, "Using pseudo parameters when registering maintenance window tasks".
    """
    if isinstance(value, str):
        return _REFERENCE.sub(lambda found: values.get(found[1], found[0]), value)
    if isinstance(value, Mapping):
        return {name: replaced(each, values) for name, each in value.items()}
    if isinstance(value, list):
        return [replaced(each, values) for each in value]
    return value
