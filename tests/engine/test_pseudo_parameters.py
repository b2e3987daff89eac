"""Source: maintenance windows, pseudo parameters: "replaced anywhere in values of TaskInvocationParameters"."""

from typing import Any

import pytest

from patchwindow.engine.pseudo_parameters import replaced

VALUES = {"WINDOW_ID": "mw-1", "TARGET_TYPE": "INSTANCE", "WINDOW_TARGET_ID": ""}


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("{{WINDOW_ID}}", "mw-1"),
        ("{{ WINDOW_ID }}", "mw-1"),
        ("a {{WINDOW_ID}} b {{TARGET_TYPE}}", "a mw-1 b INSTANCE"),
        ("[{{WINDOW_TARGET_ID}}]", "[]"),
        ("{{TARGET_ID}}", "{{TARGET_ID}}"),
        ("{{ window_id }}", "{{ window_id }}"),
        ("{WINDOW_ID}", "{WINDOW_ID}"),
        ({"a": ["{{WINDOW_ID}}", {"b": "{{TARGET_TYPE}}"}], "{{WINDOW_ID}}": 3}, None),
        (7, 7),
        (None, None),
    ],
)
def test_known_names_are_replaced_at_any_depth_and_others_stay(given: Any, told: Any) -> None:
    nested = {"a": ["mw-1", {"b": "INSTANCE"}], "{{WINDOW_ID}}": 3}
    assert replaced(given, VALUES) == (nested if isinstance(given, dict) else told)


def test_what_a_value_brings_in_is_not_replaced_again() -> None:
    assert replaced("{{WINDOW_ID}}", {"WINDOW_ID": "{{TARGET_TYPE}}", "TARGET_TYPE": "x"}) == "{{TARGET_TYPE}}"
